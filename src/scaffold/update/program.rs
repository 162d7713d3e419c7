//! Finds the tarball of the package manager's own program.

use std::collections::BTreeMap;

use super::{Tarballs, UpdateError};
use crate::{
    fetch::{Fetched, Purpose, Wanted},
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
    let found = packages.iter().zip(found);
    Ok(found
        .map(|(package, found)| {
            (package.part().to_owned(), ProgramTarball { url: found.url, integrity: found.integrity })
        })
        .collect())
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
