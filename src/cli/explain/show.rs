//! The text of `explain`.

use std::collections::BTreeMap;

use super::{
    Absent, Explanation,
    rows::{Row, rows},
};
use crate::{
    cli::{
        changes::print_list,
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, ODD},
        text::{count, escape, things},
        traced::Mark,
    },
    proof::{Confirmation, Place, State, evaluation::Derived},
    repo::{FileKind, RepoPath},
    scaffold::{record::PATH, templates::FOLDER},
    split::plan::{Cause, Change, Comparison, Derivations, Effect, Id, ORDERS, PACKAGE_MANAGER, Verdict},
};

/// Number of causes shown for each derivation.
const SHOWN_CAUSES: usize = 12;
/// Number of digits of a commit shown.
const SHORT_COMMIT: usize = 7;
/// Number of names shown in a line.
const SHOWN_NAMES: usize = 8;

pub(super) fn print(explanation: &Explanation, printer: Printer) {
    let Explanation { before, after, comparison, confirmations, traced, .. } = explanation;
    let differ = match comparison.files.len() {
        0 => "no file changed".to_owned(),
        number => format!("{} changed", things(number, "file")),
    };
    printer.data(format_args!("{BOLD}{}{BOLD:#} -> {BOLD}{}{BOLD:#}: {differ}", before.place, after.place));
    match explanation.absent {
        Some(absent) => print_absent(absent, before, after, printer),
        None if before.has_no_record && after.has_no_record => {
            printer.warning("no record yet: run `splitter init`; this shows the result after it");
        }
        None => {
            print_stale(before, printer);
            print_stale(after, printer);
        }
    }
    print_unread(before, after, printer);
    print_unseen(explanation, printer);
    let total = comparison.verdicts.len();
    let unsure = if explanation.confirmations.is_none() {
        "perhaps rebuilt, because Nix files changed (run with --nix to be sure)"
    } else {
        "perhaps rebuilt, because Nix files changed (what Nix says of the packages is below)"
    };
    for (effect, title) in
        [(Effect::Rebuilt, "rebuilt"), (Effect::Unsure, unsure), (Effect::Added, "new"), (Effect::Removed, "removed")]
    {
        let found: Vec<&Id> = with_effect(explanation, effect);
        if found.is_empty() {
            continue;
        }
        let style = if effect == Effect::Unsure { ODD } else { BOLD };
        printer.data(format_args!(
            "\n{style}{title}{style:#}: {} of {}",
            count(found.len()),
            things(total, "derivation")
        ));
        let rows = rows(comparison, effect);
        let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        for row in &rows {
            print_row(explanation, row, width, printer);
        }
    }
    print_kept(explanation, total, printer);
    print_idle(explanation, printer);
    print_traced(traced, printer);
    if let Some(confirmations) = confirmations {
        print_confirmations(confirmations, printer);
    }
}

/// Prints the results of Nix for packages that the model is unsure about, and for those where Nix disagrees.
fn print_confirmations(confirmations: &BTreeMap<String, Confirmation>, printer: Printer) {
    let changed = confirmations.values().filter(|confirmation| confirmation.is_changed()).count();
    printer.data("");
    for (name, confirmation) in confirmations.iter().filter(|(_, confirmation)| confirmation.model == Effect::Unsure) {
        printer.data(format_args!("  {name}: {}", derivation_change(confirmation)));
    }
    let wrong: Vec<_> = confirmations.iter().filter(|(_, confirmation)| !confirmation.agrees()).collect();
    let total = things(confirmations.len(), "package");
    if wrong.is_empty() {
        printer
            .data(format_args!("{GOOD}Nix agrees{GOOD:#}: the derivations of {} of {total} changed", count(changed)));
        return;
    }
    for (name, confirmation) in &wrong {
        let said = match confirmation.model {
            Effect::Kept => "kept",
            Effect::Rebuilt | Effect::Unsure => "rebuilt",
            Effect::Added => "new",
            Effect::Removed => "removed",
        };
        printer.data(format_args!(
            "{BAD}{name}{BAD:#}: splitter expects `{said}`, Nix has {}",
            derivation_change(confirmation)
        ));
    }
    printer.data(format_args!("{BAD}Nix disagrees{BAD:#} about {} of {total}", count(wrong.len())));
}

fn derivation_change(confirmation: &Confirmation) -> String {
    let path = |derived: &Derived| match derived {
        Derived::Path(path) => path.clone(),
        Derived::Absent => "no package".to_owned(),
        Derived::Failed => "an evaluation error".to_owned(),
    };
    if confirmation.is_changed() {
        format!("{} -> {}", path(&confirmation.before), path(&confirmation.after))
    } else {
        format!("the same derivation ({})", path(&confirmation.after))
    }
}

fn with_effect(explanation: &Explanation, effect: Effect) -> Vec<&Id> {
    let verdicts = explanation.comparison.verdicts.iter();
    verdicts.filter(|(_, verdict)| verdict.effect == effect).map(|(id, _)| id).collect()
}

/// Says that one of the states has no `nix/splitter`, and what follows.
fn print_absent(absent: Absent, before: &State, after: &State, printer: Printer) {
    match absent {
        Absent::Before => {
            let again = match after.place {
                Place::WorkTree | Place::Index => ": commit it, then run `splitter explain` again",
                Place::Commit { .. } => "",
            };
            printer.data(format_args!("{} has no {FOLDER} yet, so everything is new{again}", before.place));
            print_stale(after, printer);
        }
        Absent::After => {
            printer.data(format_args!("{} has no {FOLDER}, so it has no derivations of splitter", after.place));
            print_stale(before, printer);
        }
    }
}

fn print_stale(state: &State, printer: Printer) {
    if state.has_no_record {
        printer.warning(format_args!("{} has no record; this shows the result as after `splitter init`", state.place));
    } else if !state.is_recorded {
        printer.warning(format_args!(
            "{PATH} does not match {}; this shows the result after `splitter update-hash`",
            state.place
        ));
    }
}

/// Says that Nix does not see edits in submodules while the repository around them has none.
fn print_unseen(explanation: &Explanation, printer: Printer) {
    let submodules = &explanation.after.split.submodules.needed;
    let is_in_one = |path: &RepoPath| submodules.iter().any(|submodule| path.is_within(submodule));
    let mut files = explanation.comparison.files.keys().peekable();
    if explanation.after.place == Place::WorkTree && files.peek().is_some() && files.all(is_in_one) {
        printer.warning(
            "only files in git submodules changed. Nix builds the recorded commits of submodules until a tracked file of this \
             repository is edited, or a new commit of the submodule is staged",
        );
    }
}

/// Names submodules whose files cannot be compared, because this clone does not have their commit.
fn print_unread(before: &State, after: &State, printer: Printer) {
    for state in [before, after] {
        let files = state.derivations.files().iter().filter(|(_, file)| file.kind == FileKind::Submodule);
        for (path, file) in files {
            let commit = file.content.get(..SHORT_COMMIT).unwrap_or(&file.content);
            printer.warning(format_args!(
                "{path}: this clone does not have commit {commit} of the git submodule in {}, so its files are not compared; run \
                 `git submodule update --init`",
                state.place
            ));
        }
    }
}

fn print_row(explanation: &Explanation, Row { ids, name, causes }: &Row<'_>, width: usize, printer: Printer) {
    let what = ids
        .first()
        .and_then(|id| what(id, &explanation.after.derivations).or_else(|| what(id, &explanation.before.derivations)));
    let what = what.unwrap_or_default();
    printer.data(format_args!("  {BOLD}{name:<width$}{BOLD:#}  {DIM}{}{DIM:#}", escape(&what)));
    let comparison = &explanation.comparison;
    let causes = direct(causes, comparison);
    let (own, causes): (Vec<&Cause>, Vec<&Cause>) = causes.into_iter().partition(|cause| is_of_splitter(cause));
    if !own.is_empty() {
        let files = things(own.len(), "file");
        printer.data(format_args!("    ~ {FOLDER}: {files} generated by splitter (its version changed)"));
    }
    for cause in causes.iter().take(SHOWN_CAUSES) {
        printer.data(format_args!("    {}", escape(&line(cause, &explanation.sides()))));
    }
    if causes.len() > SHOWN_CAUSES {
        printer.data(format_args!("    {ODD}and {} more{ODD:#}", count(causes.len() - SHOWN_CAUSES)));
    }
}

/// Leaves out the causes that are shown at a library which is itself a cause: its files, and the libraries that it waits for.
fn direct<'a>(causes: &[&'a Cause], comparison: &'a Comparison) -> Vec<&'a Cause> {
    let of_library = |cause: &&Cause| match cause {
        Cause::Derivation { name } => match verdict(name, comparison) {
            Some((Id::Library(_), verdict)) => Some(&verdict.causes),
            _ => None,
        },
        _ => None,
    };
    let elsewhere: Vec<&Vec<Cause>> = causes.iter().filter_map(of_library).collect();
    let is_library = |name: &str| matches!(verdict(name, comparison), Some((Id::Library(_), _)));
    let is_repeated = |cause: &Cause| {
        elsewhere.iter().copied().flatten().any(|other| match (cause, other) {
            (Cause::Derivation { name }, Cause::Derivation { name: other }) => name == other && is_library(name),
            (Cause::Source { path, .. }, Cause::Source { path: other, .. }) => path == other,
            _ => false,
        })
    };
    causes.iter().copied().filter(|cause| !is_repeated(cause)).collect()
}

/// Finds a derivation by its name.
fn verdict<'a>(name: &str, comparison: &'a Comparison) -> Option<(&'a Id, &'a Verdict)> {
    comparison.verdicts.iter().find(|(id, _)| id.to_string() == name)
}

/// Returns whether a cause is one of the many generated files, which change with the version of splitter.
fn is_of_splitter(cause: &Cause) -> bool {
    matches!(cause, Cause::Nix { path, .. } | Cause::File { path, .. } if path.as_str().starts_with(FOLDER))
}

/// Describes a derivation to a developer.
fn what(id: &Id, derivations: &Derivations) -> Option<String> {
    let derivation = derivations.get(id)?;
    Some(match id {
        Id::Deps(part) => match part.system {
            None => "downloaded packages".to_owned(),
            Some(system) => format!("downloaded packages that only {system} needs"),
        },
        Id::NodeModules => "installed packages".to_owned(),
        Id::OwnInstall(app) => format!("packages installed for {app}"),
        Id::RuntimeInstall(app, _) => format!("packages that {app} runs with"),
        Id::Library(_) => format!("library in {}", derivation.workspace.as_ref()?),
        Id::App(_) => format!("app in {}", derivation.workspace.as_ref()?),
        Id::Check(_) => format!("check of {}", derivation.workspace.as_ref()?),
    })
}

const fn sign(change: Change) -> char {
    match change {
        Change::Added => '+',
        Change::Removed => '-',
        Change::Changed | Change::Mode => '~',
    }
}

/// Two states and their comparison, for words about causes.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Sides<'a> {
    pub(in crate::cli) comparison: &'a Comparison,
    pub(in crate::cli) before: &'a State,
    pub(in crate::cli) after: &'a State,
}

/// Formats a cause as the words of a sentence: `apps/web/src/main.ts changed`, `react 18.2.0 -> 18.3.1`.
pub(in crate::cli) fn changed(cause: &Cause, sides: &Sides<'_>) -> String {
    let text = line(cause, sides);
    match cause {
        Cause::Derivation { .. } => text.trim_start_matches("because ").to_owned(),
        Cause::Source { path, change, way } => format!("{path} {}{}", verb(*change), through(way, sides)),
        Cause::RootFile { path, change, .. } | Cause::File { path, change } | Cause::Nix { path, change } => {
            format!("{path} {}", verb(*change))
        }
        Cause::Workspace { change: Change::Added, .. } => text.trim_start_matches("+ ").to_owned(),
        Cause::Package { name, from, to, .. } => match (from.as_slice(), to.as_slice()) {
            ([], to) => format!("{name} {} is new", to.join(", ")),
            (from, []) => format!("{name} {} was removed", from.join(", ")),
            (from, to) if from == to => format!("{name} {} changed", to.join(", ")),
            (from, to) => format!("{name} {} -> {}", from.join(", "), to.join(", ")),
        },
        _ => text.trim_start_matches(['~', '+', '-']).trim_start().to_owned(),
    }
}

const fn verb(change: Change) -> &'static str {
    match change {
        Change::Added => "is new",
        Change::Removed => "was removed",
        Change::Changed => "changed",
        Change::Mode => "changed its mode",
    }
}

/// Formats a cause as one line.
fn line(cause: &Cause, sides: &Sides<'_>) -> String {
    match cause {
        Cause::Derivation { name } => {
            let what = match verdict(name, sides.comparison).map(|(_, verdict)| verdict.effect) {
                Some(Effect::Added) => "new",
                Some(Effect::Removed) => "removed",
                _ => "rebuilt",
            };
            format!("because {name} is {what}")
        }
        Cause::Package { name, from, to, workspaces, packages } => {
            package(name, (from, to), &required(workspaces, packages))
        }
        Cause::Source { path, change, way } => {
            let mode = if *change == Change::Mode { " (only its mode)" } else { "" };
            let why = through_link(way, sides).unwrap_or_else(|| through(way, sides));
            format!("{} {path}{mode}{why}", sign(*change))
        }
        Cause::RootFile { path, change, way } => format!("{} {path} ({})", sign(*change), readers(way)),
        Cause::Workspace { path, change: Change::Added, way } => match link_to(path, sides) {
            Some(link) => format!("+ {path}: the link {link} leads there"),
            None => format!("+ all of {path}, a new dependency{}", through(way, sides)),
        },
        Cause::Workspace { path, change: Change::Changed | Change::Mode, way } => {
            format!("~ {path} exposes other files (`exposes` in splitter.json changed){}", through(way, sides))
        }
        Cause::Workspace { path, .. } => match link_to(path, sides) {
            Some(link) => format!("- {path}: the link {link} led there"),
            None => format!("- all of {path}, no longer a dependency"),
        },
        Cause::File { path, change } | Cause::Nix { path, change } => format!("{} {path}", sign(*change)),
        Cause::Manifest { path, fields } => format!("~ {path}: {}", names(fields, "; ")),
        Cause::Settings { path } => format!("~ {path}: settings of the install"),
        Cause::Setting { name, from, to } => setting(name, from.as_deref(), to.as_deref()),
    }
}

/// Names who gets a package: the workspaces that ask for it, or else the packages that require it.
fn required(workspaces: &[RepoPath], packages: &[String]) -> String {
    let by: Vec<String> = workspaces.iter().map(folder).collect();
    match (by.as_slice(), packages) {
        ([], []) => "required by other packages".to_owned(),
        ([], packages) => format!("required by {}", names(packages, ", ")),
        (by, _) => format!("required by {}", names(by, ", ")),
    }
}

fn package(name: &str, (from, to): (&[String], &[String]), asked: &str) -> String {
    let (sign, versions) = match (from, to) {
        ([], to) => ('+', to.join(", ")),
        (from, []) => ('-', from.join(", ")),
        (from, to) if from == to => ('~', format!("{} (same version, other content or systems)", to.join(", "))),
        (from, to) => ('~', format!("{} -> {}", from.join(", "), to.join(", "))),
    };
    format!("{sign} {name} {versions} ({asked})")
}

/// Names the symbolic link that brings a file into a build.
fn through_link(way: &[RepoPath], sides: &Sides<'_>) -> Option<String> {
    let link = link_to(way.last()?, sides)?;
    Some(format!(" (through the link {link})"))
}

/// Returns a symbolic link that leads to a file or folder.
fn link_to<'a>(target: &RepoPath, sides: &Sides<'a>) -> Option<&'a RepoPath> {
    [sides.after, sides.before].into_iter().find_map(|state| state.split.links_to.get(target))
}

/// Names the readers of a root file: `read by packages/ui, used by apps/web`.
fn readers(way: &[RepoPath]) -> String {
    match way {
        [] => "read by every build".to_owned(),
        way => {
            let way: Vec<String> = way.iter().rev().map(folder).collect();
            format!("read by {}", way.join(", used by "))
        }
    }
}

/// Names the dependents between a changed workspace and the built one, with the reason for an edge that no manifest has:
/// ` (used by packages/ui, used by apps/web, which imports @acme/ui (alias in tsconfig.json))`.
fn through(way: &[RepoPath], sides: &Sides<'_>) -> String {
    let users = way.windows(2).rev().map(|pair| {
        let [reader, needed] = pair else { return String::new() };
        let reason = [sides.after, sides.before].into_iter().find_map(|state| state.split.graph.reason(reader, needed));
        let reason = reason.map_or(String::new(), |reason| format!(", which {reason}"));
        format!("used by {}{reason}", folder(reader))
    });
    let users: Vec<String> = users.collect();
    if users.is_empty() { String::new() } else { format!(" ({})", users.join(", ")) }
}

fn folder(path: &RepoPath) -> String {
    if path.is_root() { "the root".to_owned() } else { path.to_string() }
}

fn setting(name: &str, from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if name == PACKAGE_MANAGER => package_manager(from, to),
        (Some(from), Some(to)) if ORDERS.contains(&name) => order(name, from, to),
        (Some(from), Some(to)) => format!("~ {name}: {from} -> {to}"),
        (None, to) => format!("+ {name}: {}", to.unwrap_or_default()),
        (Some(from), None) => format!("- {name}: {from}"),
    }
}

/// Formats a change of the package manager. The values are its name, its version and its program.
fn package_manager(from: &str, to: &str) -> String {
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let text = match (words(from).as_slice(), words(to).as_slice()) {
        ([name, from, ..], [other, to, ..]) if name == other && from != to => format!("{name} {from} -> {to}"),
        ([name, version, ..], [other, same, ..]) if name == other && version == same => {
            format!("{name} {version} (same version, other program)")
        }
        ([name, from, ..], [other, to, ..]) => format!("{name} {from} -> {other} {to}"),
        _ => format!("{from} -> {to}"),
    };
    format!("~ {PACKAGE_MANAGER}: {text}")
}

/// Names the entries that a list has more or less. If there are none, only the order changed.
fn order(name: &str, from: &str, to: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (from.split(", ").collect(), to.split(", ").collect());
    let added = new.iter().filter(|entry| !old.contains(entry)).map(|entry| format!("+ {entry}"));
    let removed = old.iter().filter(|entry| !new.contains(entry)).map(|entry| format!("- {entry}"));
    let changes: Vec<String> = added.chain(removed).collect();
    if changes.is_empty() {
        format!("~ {name}: {from} -> {to}")
    } else {
        format!("~ {name}: {}", names(&changes, ", "))
    }
}

/// Joins the first names, and adds the number of the others.
fn names(names: &[String], separator: &str) -> String {
    let shown = names.iter().take(SHOWN_NAMES).map(String::as_str).collect::<Vec<_>>().join(separator);
    match names.len().checked_sub(SHOWN_NAMES) {
        None | Some(0) => shown,
        Some(more) => format!("{shown}{separator}{} more", count(more)),
    }
}

fn print_kept(explanation: &Explanation, total: usize, printer: Printer) {
    let number = with_effect(explanation, Effect::Kept).len();
    if number == 0 {
        return;
    }
    if number == total {
        printer.data(format_args!("\n{GOOD}nothing is rebuilt{GOOD:#}: all {} are kept", things(total, "derivation")));
        return;
    }
    printer.data(format_args!("\n{GOOD}kept{GOOD:#}: {} of {}", count(number), things(total, "derivation")));
    let kept: Vec<String> = rows(&explanation.comparison, Effect::Kept).into_iter().map(|row| row.name).collect();
    printer.data(format_args!("  {}", escape(&kept.join(", "))));
}

/// Prints the builds whose trace still tells the truth.
fn print_traced(traced: &BTreeMap<String, Mark>, printer: Printer) {
    let mut by_text: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, mark) in traced {
        by_text.entry(mark.text()).or_default().push(name);
    }
    for (text, names) in by_text {
        let text = text.trim_start_matches("traced: ");
        let names = names.join(", ");
        printer.data(format_args!("\n{DIM}traced, and unchanged since{DIM:#} ({text}): {}", escape(&names)));
    }
}

fn print_idle(explanation: &Explanation, printer: Printer) {
    let idle = &explanation.comparison.idle;
    if idle.is_empty() {
        return;
    }
    printer.data(format_args!("\n{DIM}read by no build{DIM:#}: {}", things(idle.len(), "changed file")));
    let files = &explanation.comparison.files;
    print_list("", idle.iter().map(|path| format!("{} {path}", sign(files[path]))), printer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_got_longer_names_what_is_new() {
        assert_eq!(order("order", "a, b", "a, b, c"), "~ order: + c");
        assert_eq!(order("order", "a, b, c", "c, d, a"), "~ order: + d, - b");
        assert_eq!(order("order", "a, b", "b, a"), "~ order: a, b -> b, a");
    }
}
