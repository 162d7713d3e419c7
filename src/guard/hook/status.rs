//! Checks whether the hook runs for the next commit.
//!
//! It reads the files and settings that git reads, because an installed hook may never run, such as husky's in a linked
//! worktree.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    EVENTS, HookError,
    lines::COMMANDS,
    place::{HookPlace, Tool, text},
    section,
};

/// The variable that skips the hook.
pub const SKIP: &str = "SPLITTER_HOOK";

/// Commands that run the check, in scripts and configurations.
const CALLS: [&str; 2] = ["hook run", "check --staged"];

/// Whether one hook runs splitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `pre-commit` or `pre-merge-commit`.
    pub event: &'static str,
    /// The file or setting that runs splitter.
    pub from: Option<String>,
    /// Why it does not run, or the file that it runs through.
    pub reason: String,
}

impl Status {
    /// Returns whether it runs.
    pub const fn runs(&self) -> bool {
        self.from.is_some()
    }
}

/// Returns whether the hook of a repository at `root` finds splitter. `npx` and others put folders with commands of packages into the `PATH` of
/// this process, but not into that of the hook.
pub fn is_found(top: &Utf8Path, root: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&path).filter(|folder| !folder.ends_with(COMMANDS));
    let own = [top.join(COMMANDS), top.join(root).join(COMMANDS)].map(Utf8PathBuf::into_std_path_buf);
    let Ok(all) = std::env::join_paths(usual.chain(own)) else { return false };
    which::which_in("splitter", Some(all), top).is_ok()
}

/// Returns whether this process skips the hook.
pub fn is_skipped() -> bool {
    std::env::var_os(SKIP).is_some_and(|value| value == "0")
}

/// Returns the status of each hook.
pub fn status(place: &HookPlace) -> Result<[Status; 2], HookError> {
    let [first, second] = EVENTS;
    Ok([of(place, first)?, of(place, second)?])
}

fn of(place: &HookPlace, event: &'static str) -> Result<Status, HookError> {
    let found = match configured(place, event)? {
        Some(found) => Ok((found, String::new())),
        None => in_files(place, event),
    };
    Ok(match found {
        Ok((from, reason)) => Status { event, from: Some(from), reason },
        Err(reason) => Status { event, from: None, reason },
    })
}

/// Returns the section of git's configuration that runs splitter, if this git reads it.
fn configured(place: &HookPlace, event: &str) -> Result<Option<String>, HookError> {
    let section = section(&place.root);
    let get = |key: &str| place.git.ask(&["config", "--get-all", key]);
    let is_off = |value: Option<String>| {
        let value = value.unwrap_or_default();
        value.lines().next_back().is_some_and(|last| ["false", "no", "off", "0"].contains(&last))
    };
    if !place.runs_configured || get(&format!("{section}.command"))?.is_none() {
        return Ok(None);
    }
    let events = get(&format!("{section}.event"))?.unwrap_or_default();
    let is_on = events.lines().any(|name| name == event)
        && !is_off(get(&format!("{section}.enabled"))?)
        && !is_off(get(&format!("hook.{event}.enabled"))?);
    Ok(is_on.then(|| format!("{section} in git's configuration")))
}

/// Returns the file that runs splitter and the file that it runs through, or why none does.
fn in_files(place: &HookPlace, event: &str) -> Result<(String, String), String> {
    let hook = place.hook(event);
    let shown = place.shown(&hook);
    let through = format!("through {shown}");
    if !hook.is_file() {
        return Err(absent(place, event, &shown));
    }
    if !is_executable(&hook) {
        return Err(format!("{shown} is not executable, so git skips it"));
    }
    // Any script that calls splitter counts.
    let script = text(&hook).unwrap_or_default();
    if calls(&script) {
        // husky 5 to 8: the script sources a file that each checkout must generate, and fails without it.
        let start = place.hooks.join("_/husky.sh");
        if script.contains("/_/husky.sh\"") && !start.is_file() {
            return Err(format!(
                "{shown} needs {}, which is missing; run `npx husky install` in this working tree",
                place.shown(&start)
            ));
        }
        return Ok((shown, String::new()));
    }
    if place.has_husky() {
        let own = place.husky().join(event);
        let own_shown = place.shown(&own);
        return match text(&own) {
            Some(text) if calls(&text) => Ok((own_shown, through)),
            Some(_) => Err(format!("{own_shown}, which husky runs, does not call splitter")),
            None => Err(format!("{own_shown}, which husky runs, is missing")),
        };
    }
    if let Some(tool) = place.made_by() {
        return match in_configuration(place, tool) {
            Some(file) => Ok((file, through)),
            None => Err(format!("{shown} runs {}, but its configuration does not run splitter", tool.name())),
        };
    }
    Err(format!("{shown} does not call splitter"))
}

fn absent(place: &HookPlace, event: &str, shown: &str) -> String {
    if place.has_husky() {
        let script = place.husky().join(event);
        let is_written = text(&script).is_some_and(|text| calls(&text));
        let but = if is_written { format!(", but {} exists", place.shown(&script)) } else { String::new() };
        return format!("{shown} is missing{but}; run `{}` in this working tree", place.husky_command());
    }
    match place.owner() {
        super::Owner::Tool(tool) => {
            let named = in_configuration(place, tool).is_some();
            let but = if named { ", although its configuration runs splitter" } else { "" };
            format!("{shown} is missing; {} has not installed it{but}", tool.name())
        }
        super::Owner::Nobody => "core.hooksPath turns hooks off".to_owned(),
        _ => format!("{shown} is missing"),
    }
}

/// Returns the configuration file of a tool that runs splitter.
fn in_configuration(place: &HookPlace, tool: Tool) -> Option<String> {
    let names = |file: &&&str| text(&place.top.join(file)).is_some_and(|text| calls(&text));
    tool.configurations().iter().find(names).map(|file| (*file).to_owned())
}

fn calls(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.into_iter().any(|line| line.contains("splitter") && CALLS.iter().any(|call| line.contains(call)))
}

#[cfg(unix)]
fn is_executable(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Utf8Path) -> bool {
    true
}
