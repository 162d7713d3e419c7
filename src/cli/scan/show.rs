//! The text of `scan`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Scan, hosts, parts, scopes,
    variables::{self, Variables},
};
use crate::{
    cli::{
        printer::Printer,
        style::{BOLD, DIM},
        text::{bytes, count, escape, things},
    },
    names::DOCS,
    repo::RepoPath,
    split::{
        Split,
        config::Install,
        lock::scripts::not_run,
        sources::{Extras, LeftOut, Summary},
        workspaces::copies,
        workspaces::detect::program::{Keeps, Product, Purpose, Runtime},
        workspaces::graph::{Role, Workspace},
    },
};

/// Number of files of the lock set shown.
const SHOWN_FILES: usize = 12;

/// Number of workspaces shown for each source set.
const SHOWN_WORKSPACES: usize = 24;

/// Number of rules shown that exclude files of a source set.
const SHOWN_RULES: usize = 6;

/// Number of targets of symbolic links shown for each workspace.
const SHOWN_TARGETS: usize = 6;

pub(super) fn print(scan: &Scan<'_>, printer: Printer) {
    print_head(scan, printer);
    print_lock_set(scan, printer);
    print_workspaces(scan, printer);
    print_source_sets(scan, printer);
}

fn print_head(scan: &Scan<'_>, printer: Printer) {
    let split = scan.split;
    let (lockfile, version) = (split.lockfile.format.file(), split.lockfile.format.version());
    heading("repository", scan.tree.root().as_str(), printer);
    let pin = &split.pin;
    heading(
        "manager",
        &format!(
            "{} {} ({}), {lockfile} version {version}",
            pin.manager.name.command(),
            pin.manager.version,
            pin.source
        ),
        printer,
    );
    let pins: Vec<String> = split.node_pins.iter().map(|pin| format!("{} ({})", pin.version, pin.place)).collect();
    if !pins.is_empty() {
        heading("node", &pins.join(", "), printer);
    }
    heading("packages", &packages(split), printer);
    print_parts(split, printer);
    if let Some(hosts) = hosts::found(split, scan.shown(hosts::SHOWN)) {
        heading("hosts", &hosts, printer);
    }
    let scripts: Vec<&str> = not_run(split).into_iter().collect();
    if !scripts.is_empty() {
        let names = scripts.join(", ");
        let line = format!("install scripts that do not run: {names}; see {DOCS}/support.md#lifecycle-scripts");
        heading("scripts", &line, printer);
    }
}

/// Counts the packages: for every system, for some systems only, and where only the tarballs say so. A package for two systems
/// counts once in the sum, and for each of them in the brackets.
fn packages(split: &Split) -> String {
    let mut scopes = scopes(split);
    let total = split.dependencies.len();
    let common = scopes.remove("common").unwrap_or(0);
    let unknown = scopes.remove("unknown").unwrap_or(0);
    let mut text = format!("{}: {} for every system", count(total), count(common));
    let some = total.saturating_sub(common).saturating_sub(unknown);
    if some > 0 {
        let each: Vec<String> =
            scopes.iter().map(|(system, packages)| format!("{system} {}", count(*packages))).collect();
        let _ = write!(text, ", {} for some systems only ({})", count(some), each.join(", "));
    }
    if unknown > 0 {
        let _ = write!(text, ", {} whose systems `update-hash` reads from the tarballs", count(unknown));
    }
    text
}

/// Prints the parts of `deps`, if there are several.
fn print_parts(split: &Split, printer: Printer) {
    let parts = parts(split);
    if parts.keys().all(|part| part.shard.is_whole()) {
        return;
    }
    let mut scopes: BTreeMap<&str, usize> = BTreeMap::new();
    for part in parts.keys() {
        *scopes.entry(part.scope_name()).or_default() += 1;
    }
    let of_systems = scopes.iter().filter(|(scope, _)| **scope != "common");
    let of_systems: Vec<String> =
        of_systems.map(|(scope, number)| format!(", {} only for {scope}", count(*number))).collect();
    let of_systems = of_systems.concat();
    let shared = count(scopes["common"]);
    let total = things(parts.len(), "part");
    heading(
        "deps",
        &format!("{total}: {shared} for every system{of_systems}; updating a package changes one part"),
        printer,
    );
}

fn heading(name: &str, text: &str, printer: Printer) {
    printer.data(format_args!("{BOLD}{name:<11}{BOLD:#} {}", escape(text)));
}

fn print_lock_set(scan: &Scan<'_>, printer: Printer) {
    let files = &scan.split.lock_set.files;
    printer.data("");
    heading(
        "lock set",
        &format!("{}; a change to any of them makes the hashes stale", things(files.len(), "file")),
        printer,
    );
    let (manifests, others): (Vec<_>, Vec<_>) = files.keys().partition(|path| path.file_name() == "package.json");
    let shown = scan.shown(SHOWN_FILES);
    for path in others.iter().take(shown) {
        printer.data(format_args!("  {}", escape(path.as_str())));
    }
    if others.len() > shown {
        printer.data(format_args!("  {DIM}and {} more{DIM:#}", count(others.len() - shown)));
    }
    if scan.is_verbose {
        for path in &manifests {
            printer
                .data(format_args!("  {} {DIM}(only the fields that an install reads){DIM:#}", escape(path.as_str())));
        }
        return;
    }
    let of = if manifests.len() == 1 { "package.json" } else { "package.json files" };
    printer.data(format_args!("  {} {of} {DIM}(only the fields that an install reads){DIM:#}", count(manifests.len())));
}

fn print_workspaces(scan: &Scan<'_>, printer: Printer) {
    let workspaces: Vec<&Workspace> = scan.split.graph.workspaces().collect();
    printer.data("");
    let apps = workspaces.iter().filter(|workspace| matches!(workspace.role, Role::App { .. })).count();
    // The root of a monorepo holds no code of its own. Readers do not count it among the libraries.
    let has_root = workspaces.iter().any(|workspace| workspace.path.is_root() && workspace.role == Role::Library);
    let libraries = workspaces.len() - apps - usize::from(has_root);
    let root = if has_root { ", the root" } else { "" };
    let kinds = format!("{}, {}{root}", things(apps, "app"), things(libraries, "library"));
    heading("workspaces", &format!("{}: {kinds}", count(workspaces.len())), printer);
    let width = workspaces.iter().map(|workspace| workspace.path.to_string().chars().count()).max().unwrap_or(0);
    let variables = Variables::of(&workspaces);
    for workspace in workspaces {
        let kind = match &workspace.role {
            Role::App { name, .. } => format!("app {BOLD}{name}{BOLD:#}"),
            Role::Library => match &workspace.library {
                Some(name) => format!("library {BOLD}{name}{BOLD:#}"),
                None => "library".to_owned(),
            },
        };
        let path = workspace.path.to_string();
        printer.data(format_args!("  {:<width$}  {kind} ({})", escape(&path), escape(&workspace.reason)));
        if let Some(remedy) = workspace.remedy.as_ref().filter(|remedy| remedy.is_likely) {
            let advice = remedy.advice(&workspace.path);
            printer.data(format_args!("  {:<width$}  {DIM}{}{DIM:#}", "", escape(&advice)));
        }
        let more = unused_build(workspace).into_iter().chain(tasks_not_run(workspace)).chain(product(workspace));
        for line in build(workspace).into_iter().chain(more) {
            printer.data(format_args!("  {:<width$}  {DIM}{}{DIM:#}", "", escape(&line)));
        }
        if let Some(variables) = variables.of_build(workspace, scan.shown(variables::SHOWN)) {
            printer.data(format_args!("  {:<width$}  {DIM}{}{DIM:#}", "", escape(&variables)));
        }
        let pin = &scan.split.pin.manager;
        let unknown = workspace.build.as_ref().map(|build| build.unknown_targets(&scan.split.systems, &pin.version));
        for target in unknown.into_iter().flatten() {
            let text =
                format!("warning: it compiles for `{target}`, and splitter.lock.json has no Bun for that target");
            printer.data(format_args!("  {:<width$}  {}", "", escape(&text)));
        }
        if let Some(entry) = &workspace.missing_entry {
            let text = format!("warning: its entry point `{entry}` is not in git, and it has no build script");
            printer.data(format_args!("  {:<width$}  {}", "", escape(&text)));
        }
        for (to, reason) in workspace.reasons.iter().filter(|(to, _)| !workspace.of_others.contains(*to)) {
            printer.data(format_args!(
                "  {:<width$}  {DIM}found: needs {}{DIM:#}",
                "",
                escape(&format!("{to}: {reason}"))
            ));
        }
        if let Some(targets) = link_targets(workspace, scan.shown(SHOWN_TARGETS)) {
            printer.data(format_args!("  {:<width$}  {DIM}{}{DIM:#}", "", escape(&targets)));
        }
        if let Some(scripts) = scripts_that_do_not_run(workspace, scan) {
            printer.data(format_args!("  {:<width$}  {DIM}{}{DIM:#}", "", escape(&scripts)));
        }
        if let Some(installed) = installed(workspace.install) {
            printer.data(format_args!("  {:<width$}  {DIM}{installed}{DIM:#}", ""));
        }
    }
    if let Some(shared) = variables.of_all(scan.shown(variables::SHOWN)) {
        printer.data(format_args!("  {DIM}{}{DIM:#}", escape(&shared)));
    }
    print_copies(scan, printer);
}

/// Prints which builds get copies of packages, once for each reason.
fn print_copies(scan: &Scan<'_>, printer: Printer) {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, reason) in &scan.split.copies {
        by_reason.entry(reason).or_default().push(path.to_string());
    }
    for (reason, builds) in by_reason {
        let is_chosen = reason == copies::CHOSEN;
        let off = if is_chosen { "" } else { "; `\"nodeModules\": \"link\"` in splitter.json turns this off" };
        let builds = builds.join(", ");
        let line = format!("node_modules is copied into the build of {builds} (slower, larger), because {reason}{off}");
        printer.data(format_args!("  {DIM}{}{DIM:#}", escape(&line)));
    }
}

/// Describes an install for this app alone.
fn installed(install: Install) -> Option<&'static str> {
    match install {
        Install::Shared => None,
        Install::Own => Some("has its own install"),
        Install::Production => Some("has its own install, without development dependencies"),
    }
}

/// Names what symbolic links of a workspace bring among its sources.
fn link_targets(workspace: &Workspace, limit: usize) -> Option<String> {
    let targets = &workspace.link_targets;
    let shown: Vec<&str> = targets.iter().take(limit).map(RepoPath::as_str).collect();
    let more = match targets.len().saturating_sub(limit) {
        0 => String::new(),
        more => format!(" and {} more", count(more)),
    };
    (!shown.is_empty()).then(|| format!("also reads, through symbolic links: {}{more}", shown.join(", ")))
}

/// The scripts of an install that do not run, with the setting that runs them.
fn scripts_that_do_not_run(workspace: &Workspace, scan: &Scan<'_>) -> Option<String> {
    let scripts = &scan.split.manifests.get(&workspace.path)?.scripts;
    let shown = |name: &String| Some(format!("{name} (`{}`)", scripts.get(name)?));
    let names: Vec<String> = workspace.not_run.iter().filter_map(shown).collect();
    let key = if workspace.path.is_root() && scan.split.manifests.len() > 1 { "rootScripts" } else { "ownScripts" };
    (!names.is_empty())
        .then(|| format!("not run: {}; if a build needs it, name it in `{key}` of splitter.json", names.join(", ")))
}

/// Describes how a workspace is built: the command, the tool and the outputs. A guess has a `?`.
fn build(workspace: &Workspace) -> Option<String> {
    // The script of the root builds all workspaces, which splitter does by itself.
    let is_built = !workspace.path.is_root() || matches!(workspace.role, Role::App { .. });
    let build = workspace.build.as_ref().filter(|_| is_built)?;
    let tool = build.tool.map_or(String::new(), |tool| format!(" ({})", tool.name()));
    let outputs = match build.shown_outputs() {
        outputs if outputs.is_empty() => outputs,
        outputs if build.is_guess => format!(" -> {outputs} (a guess; `output` in splitter.json sets it)"),
        outputs => format!(" -> {outputs}"),
    };
    Some(format!("build: `{}`{tool}{outputs}", build.command))
}

/// Says that the build script of a library does not run.
fn unused_build(workspace: &Workspace) -> Option<String> {
    workspace.leaves_build.then(|| {
        "build script not used: no entry point is in an output folder; `build` in splitter.json runs it".to_owned()
    })
}

/// Names the tasks of a task runner that do not run before a build, by the reason.
fn tasks_not_run(workspace: &Workspace) -> Option<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in &workspace.tasks_not_run {
        by_reason.entry(task.reason).or_default().push(&task.task);
    }
    let groups: Vec<_> = by_reason.iter().map(|(reason, tasks)| format!("{} ({reason})", tasks.join(", "))).collect();
    (!groups.is_empty())
        .then(|| format!("tasks not run before the build: {}; `build` in splitter.json runs them", groups.join(", ")))
}

/// Describes the package of an app: each program with its command, and what is beside the programs.
fn product(workspace: &Workspace) -> Vec<String> {
    let Role::App { name, product } = &workspace.role else { return Vec::new() };
    let purpose = product.purpose.name();
    let programs = product.programs_of(name);
    let mut lines: Vec<String> = programs
        .iter()
        .map(|program| {
            let how = match program.runtime {
                Some(Runtime::None) => " (compiled)".to_owned(),
                _ => match program.directory.as_deref() {
                    Some(".") => " (runs in its own folder)".to_owned(),
                    Some(folder) => format!(" (runs in its {folder}/)"),
                    None => String::new(),
                },
            };
            format!("{purpose} {}: {}{how}", program.name, program.shown())
        })
        .collect();
    match product.purpose {
        Purpose::Tarball => lines.push("published: the tarball that the package manager packs".to_owned()),
        Purpose::Site if programs.is_empty() => lines.push("site: static files".to_owned()),
        _ if programs.is_empty() => lines.push("files: the output of the build, no program".to_owned()),
        _ if product.keeps == Keeps::Files => {}
        _ => lines.push(format!("runs with: {}", beside(product))),
    }
    if let Some(unclear) = product.unclear.as_ref().filter(|_| programs.is_empty()) {
        lines.push(format!(
            "`{}` in the script `{}` is not supported; `start` in splitter.json sets a program",
            unclear.part, unclear.script
        ));
    }
    lines
}

/// Names what the programs of a package run with.
fn beside(product: &Product) -> String {
    let packages = match product.runtime {
        Some(Install::Production) => "production dependencies",
        Some(Install::Own) => "its dependencies, also those for development",
        Some(Install::Shared) => "the dependencies of all workspaces",
        None if product.layout.is_empty() => "no dependencies",
        None => "the dependencies that the build put into its output",
    };
    let files = if product.files.is_empty() { String::new() } else { format!(", {}", product.files.join(", ")) };
    format!("{packages}{files}")
}

fn print_source_sets(scan: &Scan<'_>, printer: Printer) {
    printer.data("");
    let total = things(scan.apps.len(), "app");
    heading(
        "source sets",
        &format!("{total}; editing a file outside an app's source set does not rebuild that app"),
        printer,
    );
    let extras = Extras::of(scan.sources);
    let summary = Summary::of(scan.sources, scan.closures, &extras);
    for (name, workspace) in &scan.apps {
        let Some(own) = scan.closures.number(&workspace.path) else { continue };
        let totals = summary.totals(own);
        printer.data(format_args!(
            "  {BOLD}{name}{BOLD:#}  {}, {}, from {}",
            things(totals.files, "file"),
            bytes(totals.bytes),
            escape(&members(scan, own))
        ));
        print_left_out(&totals.left_out, scan.shown(SHOWN_RULES), printer);
        if let Some(mark) = scan.traced.get(*name) {
            printer.data(format_args!("    {DIM}{}{DIM:#}", mark.text()));
        }
    }
    printer.data(format_args!("  {DIM}files ignored by git are never included{DIM:#}"));
}

/// Names the first workspaces that an app is built from, and counts the others.
fn members(scan: &Scan<'_>, own: usize) -> String {
    let members = scan.closures.members(own);
    let limit = scan.shown(SHOWN_WORKSPACES);
    let shown = members.ones().take(limit).map(|number| scan.closures.workspaces()[number].path.to_string());
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if let Some(more) = members.count_ones(..).checked_sub(limit).filter(|more| *more > 0) {
        let _ = write!(text, " and {} more", count(more));
    }
    text
}

fn print_left_out(left_out: &BTreeMap<String, LeftOut>, limit: usize, printer: Printer) {
    if left_out.is_empty() {
        return;
    }
    let mut rules: Vec<_> = left_out.iter().collect();
    rules.sort_by_key(|(rule, left_out)| (std::cmp::Reverse(left_out.files), rule.as_str()));
    let shown: Vec<_> = rules
        .iter()
        .take(limit)
        .map(|(rule, left_out)| format!("{rule} ({})", things(left_out.files, "file")))
        .collect();
    let more = if rules.len() > limit { format!(", {} more rules", rules.len() - limit) } else { String::new() };
    printer.data(format_args!("    {DIM}excluded: {}{more}{DIM:#}", escape(&shown.join(", "))));
}
