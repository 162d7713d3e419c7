//! Finds the tarball of the package manager's own program.

use std::collections::BTreeMap;

use super::{Tarballs, UpdateError, tarballs::ProgramVersion};
use crate::{
    fetch::{Fetched, Purpose, Wanted},
    managers::ProgramPackage,
    scaffold::record::{Kept, ProgramTarball},
    split::{Split, System, lock::dependencies::Form},
};

/// Returns the tarballs of the program, by system or under `common`: from the record, else from the registry.
pub(super) fn tarballs(
    split: &Split,
    old: Option<&Kept>,
    tarballs: &dyn Tarballs,
) -> Result<BTreeMap<String, ProgramTarball>, UpdateError> {
    let manager = &split.pin.manager;
    let packages = manager.program_packages(&split.systems);
    let recorded = old
        .filter(|old| old.package_manager.manager == *manager && old.registry == *split.registries.default_registry())
        .map(|old| &old.package_manager.tarballs);
    let known = packages.iter().map(|package| {
        let part = package.part();
        recorded.and_then(|recorded| Some((part.to_owned(), recorded.get(part)?.clone())))
    });
    if let Some(known) = known.collect() {
        return Ok(known);
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    let found = tarballs.programs(&names, &manager.version)?;
    available(split, packages.iter().zip(found).collect())
}

/// Returns the tarballs by part, or an error that names the systems without one.
fn available(
    split: &Split,
    found: Vec<(&ProgramPackage, ProgramVersion)>,
) -> Result<BTreeMap<String, ProgramTarball>, UpdateError> {
    let mut tarballs = BTreeMap::new();
    let mut missing = Vec::new();
    for (package, found) in found {
        match found {
            Ok(found) => {
                let tarball = ProgramTarball { url: found.url, integrity: found.integrity };
                tarballs.insert(package.part().to_owned(), tarball);
            }
            Err(error) => match error.not_found() {
                Some(failure) => missing.push((package, format!("{}: {}", failure.url, failure.reason))),
                None => return Err(error.into()),
            },
        }
    }
    let systems: Vec<&str> = missing.iter().filter_map(|(package, _)| package.system).map(System::name).collect();
    let Some((_, answer)) = missing.into_iter().next() else { return Ok(tarballs) };
    let has = |system: &System| !systems.is_empty() && !systems.contains(&system.name());
    let manager = &split.pin.manager;
    Err(UpdateError::NoProgram {
        program: format!("{} {}", manager.name.title(), manager.version),
        others: split.systems.iter().filter(|system| has(system)).map(|system| system.name()).collect(),
        systems,
        pin: split.pin.source,
        answer,
    })
}

/// Fetches the program for one system. Returns `None` if the program is a file in the repository.
pub(super) fn bring(
    split: &Split,
    programs: &BTreeMap<String, ProgramTarball>,
    system: System,
    tarballs: &dyn Tarballs,
) -> Result<Option<Fetched>, UpdateError> {
    let Some(package) = split.pin.manager.program_packages(&[system]).pop() else { return Ok(None) };
    let Some(tarball) = programs.get(package.part()) else { return Ok(None) };
    let wanted = Wanted {
        label: format!("{}@{}", package.name, split.pin.manager.version),
        package: package.name.to_owned(),
        form: Form::Verbatim,
        url: tarball.url.clone(),
        integrity: Some(tarball.integrity.clone()),
        recorded_in: None,
    };
    Ok(tarballs.bring(&[wanted], Purpose::All)?.pop())
}
