//! Reads the scripts of a build: files of other folders that they name, scripts of the root or of other workspaces that they run,
//! and commands that another workspace has.

use super::{
    EdgeKind, mentions,
    search::{Mention, Search},
    tables::OF_TOOLS,
};
use crate::{
    repo::{EntryKind, RepoPath},
    split::{
        SplitError, manifest_path,
        workspaces::detect::{expanded, words},
    },
};

/// How deep scripts of the root are followed that run others.
const DEPTH: usize = 4;

/// Options of package managers that name the folder to run in.
const FOLDER_OPTIONS: [&str; 5] = ["--cwd", "--prefix", "-C", "--dir", "--working-directory"];

/// Options of package managers that name a workspace.
const WORKSPACE_OPTIONS: [&str; 5] = ["--filter", "-F", "--workspace", "-w", "-W"];

/// Programs that run the rest of their words.
const WRAPPERS: [&str; 13] = [
    "npx",
    "bunx",
    "exec",
    "cross-env",
    "cross-env-shell",
    "env",
    "dotenv",
    "env-cmd",
    "time",
    "x",
    "dlx",
    "--",
    "run",
];

/// Package managers.
const MANAGERS: [&str; 4] = ["yarn", "bun", "npm", "pnpm"];

/// Reads the scripts of the searched workspace.
pub(super) fn read(search: &mut Search<'_, '_>, scripts: &[&str]) -> Result<(), SplitError> {
    for script in scripts {
        walk(search, script, search.own, 0)?;
    }
    Ok(())
}

/// Reads a script that runs in `start`.
fn walk(search: &mut Search<'_, '_>, script: &str, start: &RepoPath, depth: usize) -> Result<(), SplitError> {
    // Folders of the shells that `(` opened.
    let mut outer: Vec<RepoPath> = Vec::new();
    let mut folder = start.clone();
    for command in commands(script) {
        let Some((first, _)) = command.split_first() else { continue };
        let opened = first.chars().take_while(|c| *c == '(').count();
        outer.extend(std::iter::repeat_n(folder.clone(), opened));
        let closed = command.last().map_or(0, |last| last.chars().rev().take_while(|c| *c == ')').count());
        let plain: Vec<&str> =
            command.iter().map(|word| word.trim_matches(['(', ')'])).filter(|word| !word.is_empty()).collect();
        if let ["cd", target, ..] = plain.as_slice() {
            // What follows runs elsewhere, and its paths mean nothing here.
            let Ok(target) = folder.resolve(target) else { return Ok(()) };
            folder = target;
        } else {
            read_command(search, &plain, &folder, depth)?;
        }
        for _ in 0..closed {
            folder = outer.pop().unwrap_or(folder);
        }
    }
    Ok(())
}

/// The commands of a script as their words.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    for word in words(script) {
        if matches!(word.as_str(), "&&" | "||" | ";" | "|" | "&") {
            commands.push(Vec::new());
        } else if let Some(command) = commands.last_mut() {
            command.push(word);
        }
    }
    commands.retain(|command: &Vec<String>| !command.is_empty());
    commands
}

fn read_command(
    search: &mut Search<'_, '_>,
    words: &[&str],
    folder: &RepoPath,
    depth: usize,
) -> Result<(), SplitError> {
    let program = after_wrappers(words);
    let mut runs_in = None;
    if let [manager, rest @ ..] = program
        && MANAGERS.contains(manager)
    {
        runs_in = manager_runs(search, rest, folder, depth)?;
    }
    let names = program.first().into_iter().chain(program.get(1).filter(|_| is_manager(program)));
    for name in names {
        if let Some(target) = search.finder.bins.get(*name).copied() {
            search.add_edge(target, EdgeKind::Tool, || format!("its script runs `{name}`"));
        }
        if folder.is_root() && !search.own.is_root() {
            read_settings(search, name)?;
        }
    }
    for word in words {
        // The folder that another script runs in is no file of this one.
        if runs_in.as_deref() == Some(*word) {
            continue;
        }
        for part in word.split(|c: char| "\"'=;()`,".contains(c)) {
            read_word(search, part, folder)?;
        }
    }
    Ok(())
}

/// Adds the settings at the root of a tool that runs there.
fn read_settings(search: &mut Search<'_, '_>, tool: &str) -> Result<(), SplitError> {
    for entry in search.finder.list(&RepoPath::root())?.iter() {
        if entry.kind == EntryKind::File && is_settings_of(tool, &entry.name) {
            let text = || entry.name.clone();
            if let Some(file) = search.add_path(&RepoPath::root().child(&entry.name), Mention::Script, &text)? {
                search.follow(&file)?;
            }
        }
    }
    Ok(())
}

/// Whether a tool reads a file in the folder that it runs in: `vite.config.ts`, `.swcrc`, `turbo.json`.
fn is_settings_of(tool: &str, name: &str) -> bool {
    let by_custom =
        |rest: &str| rest.starts_with(".config.") || [".json", ".jsonc", ".toml", ".yaml", ".yml"].contains(&rest);
    let is_dotted =
        name.strip_prefix('.').and_then(|name| name.strip_prefix(tool)).is_some_and(|rest| rest.starts_with("rc"));
    let of_table = OF_TOOLS.iter().filter(|(tools, _)| tools.contains(&tool)).flat_map(|(_, names)| *names);
    is_dotted
        || name.strip_prefix(tool).is_some_and(by_custom)
        || of_table.into_iter().any(|start| name.starts_with(start))
}

fn is_manager(words: &[&str]) -> bool {
    words.first().is_some_and(|first| MANAGERS.contains(first))
}

/// The words of the program that a command runs at last: without variables, wrappers and their options.
fn after_wrappers<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let mut rest = words;
    let mut was_wrapper = false;
    while let [first, more @ ..] = rest {
        let is_variable = first.split_once('=').is_some_and(|(name, _)| !name.contains(['/', '.']));
        let is_wrapper = WRAPPERS.contains(first);
        if !(is_variable || is_wrapper || (was_wrapper && first.starts_with('-'))) {
            // `dotenv -e ../.env -- vite build`
            let end = rest.iter().position(|word| *word == "--").filter(|_| was_wrapper);
            return end.map_or(rest, |end| &rest[end + 1..]);
        }
        was_wrapper |= is_wrapper;
        rest = more;
    }
    rest
}

/// Follows a script that a package manager runs elsewhere. Returns the word that names the folder.
fn manager_runs(
    search: &mut Search<'_, '_>,
    words: &[&str],
    folder: &RepoPath,
    depth: usize,
) -> Result<Option<String>, SplitError> {
    let mut target = folder.clone();
    let mut place = None;
    let mut script = None;
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
        if FOLDER_OPTIONS.contains(&option) {
            let Some(value) = value.or_else(|| words.next()) else { break };
            place = Some(value.to_owned());
            match folder.resolve(value) {
                Ok(folder) => target = folder,
                Err(_) => return Ok(place),
            }
        } else if WORKSPACE_OPTIONS.contains(&option) {
            if let Some(found) = value.or_else(|| words.next()).and_then(|name| search.finder.by_name.get(name)) {
                target = (*found).clone();
            }
        } else if word == "workspace" {
            let Some(found) = words.next().and_then(|name| search.finder.by_name.get(name)) else { break };
            target = (*found).clone();
        } else if matches!(word, "-T" | "--top-level") {
            target = RepoPath::root();
        } else if !matches!(word, "run" | "run-script" | "exec" | "x") && !word.starts_with('-') {
            script = Some(word);
            break;
        }
    }
    let Some(script) = script else { return Ok(place) };
    if target == *folder && script.contains(':') {
        target = global_script(search, folder, script).unwrap_or(target);
    }
    run(search, &target, script, depth)?;
    Ok(place)
}

/// The workspace of a script with a colon that only one has: Yarn runs it from anywhere.
fn global_script(search: &Search<'_, '_>, folder: &RepoPath, script: &str) -> Option<RepoPath> {
    let has =
        |path: &RepoPath| search.finder.workspaces.get(path).is_some_and(|found| found.scripts.contains_key(script));
    if has(folder) {
        return None;
    }
    let mut all = search.finder.workspaces.keys().filter(|path| has(path));
    let first = all.next()?;
    all.next().is_none().then(|| first.clone())
}

/// Follows a script of the root or of another workspace.
fn run(search: &mut Search<'_, '_>, target: &RepoPath, script: &str, depth: usize) -> Result<(), SplitError> {
    let workspaces = search.finder.workspaces;
    let Some((target, manifest)) = workspaces.get_key_value(target) else { return Ok(()) };
    let Some(text) = manifest.scripts.get(script) else { return Ok(()) };
    if target == search.own {
        // Scripts of the workspace itself are read already.
        return Ok(());
    }
    if target.is_root() {
        search.add_root_manifest();
        if depth < DEPTH {
            walk(search, &expanded(text, manifest), target, depth + 1)?;
        }
    } else {
        search.add_edge(target, EdgeKind::Tool, || format!("its script runs `{script}` of {target}"));
    }
    Ok(())
}

/// Adds the file that a word names.
fn read_word(search: &mut Search<'_, '_>, word: &str, folder: &RepoPath) -> Result<(), SplitError> {
    let is_elsewhere = *folder != *search.own;
    let may_be_path = word.starts_with("../") || word == ".." || (is_elsewhere && word.contains(['/', '.']));
    if !may_be_path || word.starts_with(['-', '/', '@']) || word.contains(['$', '\\', ':', '>', '<']) {
        return Ok(());
    }
    let Ok(path) = folder.resolve(word.trim_end_matches('/')) else { return Ok(()) };
    if path == manifest_path(&RepoPath::root()) {
        search.add_root_manifest();
        return Ok(());
    }
    let found = search.add_path(&path, Mention::Script, &|| word.to_owned())?;
    if let Some(file) = found.filter(|file| mentions::names_more(file.as_str()) && is_elsewhere) {
        search.follow(&file)?;
    }
    Ok(())
}

/// Returns the files that chosen scripts of the root read: the manifest that holds them, files and folders that they name, and
/// the files that these name.
pub(super) fn of_root(search: &mut Search<'_, '_>, scripts: &[String]) -> Result<(), SplitError> {
    search.add_root_manifest();
    for script in scripts {
        walk(search, script, &RepoPath::root(), 1)?;
    }
    Ok(())
}
