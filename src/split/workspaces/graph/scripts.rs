//! The scripts of manifests that run before a build, and those that do not run.

use crate::{
    repo::RepoPath,
    shell,
    split::{
        ManagerName, Manifest, SplitError,
        config::WorkspaceConfig,
        workspaces::{
            detect::{self, Build},
            tasks::without_those_that_build_runs,
        },
    },
};

/// Refuses names of scripts that there are not. A misspelt name would silently run nothing.
pub(super) fn refuse_unknown_scripts(
    path: &RepoPath,
    manifest: &Manifest,
    root: &Manifest,
    choice: &WorkspaceConfig,
) -> Result<(), SplitError> {
    let places = [("ownScripts", &choice.own_scripts, manifest), ("rootScripts", &choice.root_scripts, root)];
    for (key, names, manifest) in places {
        if let Some(name) = names.iter().find(|name| !manifest.scripts.contains_key(*name)) {
            let of =
                if key == "rootScripts" || path.is_root() { "the root's package.json" } else { "its package.json" };
            let reason = format!("`{key}` of `{path}` names `{name}`, but {of} has no such script");
            return Err(SplitError::Config { reason });
        }
    }
    Ok(())
}

/// The texts of the scripts in which paths of files may stand: the build, what runs before it, and what those run.
pub(super) fn read_scripts<'a>(manifest: &'a Manifest, before: &'a [String]) -> Vec<&'a str> {
    let mut names: Vec<&str> = before.iter().map(String::as_str).chain(["build", "start"]).collect();
    let mut scripts = Vec::new();
    while let Some(name) = names.pop() {
        let Some(script) = manifest.scripts.get(name).map(String::as_str).filter(|script| !scripts.contains(script))
        else {
            continue;
        };
        scripts.push(script);
        names.extend(script.split_whitespace().filter(|word| manifest.scripts.contains_key(*word)));
        names.extend(["prebuild", "postbuild"].into_iter().filter(|_| name == "build"));
    }
    scripts
}

/// A build with the scripts that run before it, which a library may have without a build.
pub(super) fn with_scripts(
    build: Option<Build>,
    scripts: &[String],
    manifest: &Manifest,
    manager: ManagerName,
) -> Option<Build> {
    let before = match &build {
        Some(_) => without_those_that_build_runs(scripts, manifest),
        None => scripts.to_vec(),
    };
    let mut commands: Vec<_> = before.iter().map(|name| format!("{} run {name}", manager.command())).collect();
    commands.extend(build.as_ref().map(|build| build.command.clone()));
    let mut build = build.unwrap_or_default();
    build.command = commands.join(" && ");
    (!commands.is_empty()).then_some(build)
}

/// A build of a workspace behind links, which Yarn 2 and later does not find from within: a process is in the folder that the
/// links lead to, and that folder is no workspace. From the root it finds the workspace by its name.
pub(super) fn behind_links(build: Option<Build>, manifest: &Manifest, manager: ManagerName) -> Option<Build> {
    let mut build = build?;
    if let (Some(place), ManagerName::YarnBerry) = (&manifest.place, manager)
        && !manifest.name.is_empty()
    {
        let up = vec![".."; place.real.parts().count()].join("/");
        let from_root = format!("cd -P . && cd {up} && yarn workspace {} run ", shell::word(&manifest.name));
        let commands = build.command.split(" && ").map(|command| match command.strip_prefix("yarn run ") {
            Some(script) => format!("({from_root}{script})"),
            None => command.to_owned(),
        });
        build.command = commands.collect::<Vec<_>>().join(" && ");
    }
    Some(build)
}

/// A build before which scripts of the root run, at the root.
pub(super) fn with_root_scripts(
    build: Option<Build>,
    path: &RepoPath,
    scripts: &[String],
    manager: ManagerName,
) -> Option<Build> {
    if scripts.is_empty() {
        return build;
    }
    let mut build = build.unwrap_or_default();
    let run = scripts.iter().map(|name| format!("{} run {name}", manager.command())).collect::<Vec<_>>().join(" && ");
    let depth = path.parts().count();
    let run = if depth == 0 { run } else { format!("(cd {} && {run})", vec![".."; depth].join("/")) };
    build.command = if build.command.is_empty() { run } else { format!("{run} && {}", build.command) };
    Some(build)
}

/// The scripts of an install that `splitter.json` does not name.
pub(super) fn not_run(manifest: &Manifest, chosen: &[String], manager: ManagerName) -> Vec<String> {
    let names = detect::own_scripts::names(manifest, manager).into_iter();
    names.filter(|name| !chosen.contains(name)).collect()
}
