//! The causes of a failed build in this repository, with the lines of `splitter.json` that mend them.

use std::collections::{BTreeMap, BTreeSet};

use super::{entries, missing, paths::is_outside, table::Hit, table::failure};
use crate::{
    repo::{RepoPath, states::FileStates},
    split::{
        Split,
        mending::{Mending, Setting},
        nodejs::Pin,
    },
};

/// The section of `docs/troubleshooting.md` about scripts.
pub(super) const SCRIPTS_PAGE: &str = "install-scripts-that-did-not-run";

/// The name of causes that are scripts which did not run.
pub const SCRIPTS: &str = "scripts";

/// The folder of packages in the store path of an install.
const STORE_MODULES: &str = "-node-modules/node_modules/";

/// The build that failed, and what is known of its repository.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The repository.
    pub split: &'a Split,
    /// All files that git does not ignore.
    pub files: &'a FileStates,
    /// Those that git does not track. Nix does not see them.
    pub untracked: &'a BTreeSet<RepoPath>,
    /// The files that the build has.
    pub sources: &'a BTreeSet<RepoPath>,
    /// The workspace that is built.
    pub reader: &'a RepoPath,
    /// The name of its package, for settings in `flake.nix`. `None` for a library.
    pub app: Option<&'a str>,
    /// What the repository says of the Node.js that it wants.
    pub pins: &'a [Pin],
}

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The name of the entry in the table.
    pub id: &'static str,
    /// The cause, as the end of a sentence.
    pub says: String,
    /// The line of the log that shows it. Empty if none does.
    pub line: String,
    /// What to do, without the lines of `splitter.json`.
    pub hint: String,
    /// The section of `docs/troubleshooting.md`.
    pub page: &'static str,
    /// The lines of `splitter.json` that mend it.
    pub mendings: Vec<Mending>,
    /// Files that git must track.
    pub track: Vec<RepoPath>,
}

impl Cause {
    /// Whether splitter can mend it.
    pub fn is_mendable(&self) -> bool {
        !self.mendings.is_empty() || !self.track.is_empty()
    }
}

/// Returns the causes, in the order of the log: first those that splitter can mend.
pub fn causes(hits: &[Hit], own_lines: &[String], place: &Place<'_>) -> Vec<Cause> {
    // Tools warn of many files of the system that they can do without, and no source set could have them.
    let hits: Vec<&Hit> = hits.iter().filter(|hit| !is_of_system(hit)).collect();
    let mut causes: Vec<Cause> = Vec::new();
    for cause in hits.iter().flat_map(|hit| of_hit(hit, place)) {
        let is_known =
            |known: &&mut Cause| known.id == cause.id && known.says == cause.says && known.mendings == cause.mendings;
        if causes.iter_mut().find(is_known).is_none() {
            causes.push(cause);
        }
    }
    causes.extend(output(own_lines, place));
    let is_explained = causes.iter().any(Cause::is_mendable);
    causes.extend(scripts(&hits, place, is_explained));
    // Scripts that set up hooks complain of git, and go on.
    causes.sort_by_key(|cause| (!cause.is_mendable(), cause.id == "git"));
    causes
}

/// Whether a hit is about a file outside of the repository.
fn is_of_system(hit: &Hit) -> bool {
    hit.id == "file" && hit.parts.get("path").is_some_and(|path| is_outside(path))
}

fn of_hit(hit: &Hit, place: &Place<'_>) -> Vec<Cause> {
    let general = || general(hit, place).into_iter().collect();
    if let Some(cause) = from_store(hit, place) {
        return vec![cause];
    }
    match hit.id {
        "file" | "module" | "configuration" | "linter" | "command" => {
            let found = missing::causes(hit, place);
            if !found.is_empty() {
                return found;
            }
            entries::cause(hit, place).or_else(|| missing::unknown(hit, place)).into_iter().collect()
        }
        "store" => copies(hit, place).into_iter().collect(),
        "nodejs" | "openssl" => super::nodejs::cause(hit, place).map_or_else(general, |cause| vec![cause]),
        _ => general(),
    }
}

/// Returns the cause in the words of the table.
pub(super) fn general(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let failure = failure(hit.id)?;
    let values = |name: &str| match name {
        "workspace" => Some(place.reader.to_string()),
        name => hit.parts.get(name).cloned(),
    };
    Some(Cause {
        id: hit.id,
        says: filled(&failure.says, values),
        line: hit.line.clone(),
        hint: named(&filled(&failure.hint, values), place),
        page: &failure.page,
        mendings: Vec::new(),
        track: Vec::new(),
    })
}

/// Replaces `{name}` by the parts of the line.
fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, after)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                filled.push_str(&value(name).unwrap_or_else(|| "a part of it".to_owned()));
                rest = after;
            }
            _ => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}

/// Puts the name of the package into settings of `flake.nix`.
pub(super) fn named(text: &str, place: &Place<'_>) -> String {
    let settings = place.app.map_or_else(
        || {
            place
                .split
                .graph
                .libraries()
                .find(|(_, found)| found.path == *place.reader)
                .map(|(name, _)| format!("libraries.{name}"))
        },
        |app| Some(format!("apps.{app}")),
    );
    settings.map_or_else(|| text.to_owned(), |settings| text.replace("apps.<name>", &settings))
}

/// A tool that does not accept links into the store.
fn copies(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let cause = general(hit, place)?;
    if place.split.copies.contains_key(place.reader) {
        return Some(Cause {
            hint: "this build has copies already: the tool may need more of them to be writable".to_owned(),
            ..cause
        });
    }
    let mending = Mending { workspace: place.reader.clone(), setting: Setting::CopyNodeModules };
    Some(Cause { hint: "copy the packages instead of linking them".to_owned(), mendings: vec![mending], ..cause })
}

/// A package in the store that imports a workspace. Programs follow the link to the package, and from there find no workspaces.
fn from_store(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let importer = hit.parts.get("importer").filter(|importer| importer.contains(STORE_MODULES))?;
    let module = hit.parts.get("module")?;
    let path = missing::with_name(module, place)?;
    if place.split.copies.contains_key(place.reader) {
        return None;
    }
    let mut cause = copies(&Hit { id: "store", ..hit.clone() }, place)?;
    let package = importer.rsplit_once(STORE_MODULES).map(|(_, inner)| missing::package_of(inner)).unwrap_or_default();
    cause.says = format!("`{package}` is a link into Nix's store, where it does not find `{module}` (`{path}`)");
    if !place.split.graph.closure(place.reader).contains(&path) {
        let uses = Mending { workspace: place.reader.clone(), setting: Setting::Uses(path) };
        cause.mendings.insert(0, uses);
    }
    Some(cause)
}

/// Reads splitter's own message that an output is missing. Another output is never set without the user: it may be a part.
fn output(lines: &[String], place: &Place<'_>) -> Option<Cause> {
    let wanted = lines.iter().find_map(|line| line.split_once(" did not create ").map(|(_, rest)| rest))?;
    let wanted = wanted.split(" in ").next().unwrap_or(wanted);
    let made = lines.iter().find_map(|line| line.trim().strip_prefix("found there: "));
    let failure = failure("output")?;
    let hint = match made.map(|made| made.split(", ").collect::<Vec<_>>()).as_deref() {
        Some([one]) => {
            let setting = Setting::Output((*one).to_owned());
            let line = Mending { workspace: place.reader.clone(), setting }.line();
            format!("if that is the output, write in splitter.json: {line}")
        }
        _ => failure.hint.replace("{workspace}", &place.reader.to_string()),
    };
    let found = made.map_or("and nothing else".to_owned(), |made| format!("but {made}"));
    Some(Cause {
        id: failure.id.as_str(),
        says: format!("the build did not create `{wanted}`, {found}"),
        line: String::new(),
        hint,
        page: &failure.page,
        mendings: Vec::new(),
        track: Vec::new(),
    })
}

/// Returns the scripts that an install runs in a checkout and that did not run, for a build that lacks something that git does
/// not have: the nearest to what lacks it first, those of the root last. If something else explains the failure, they are not
/// mentioned.
fn scripts(hits: &[&Hit], place: &Place<'_>, is_explained: bool) -> Vec<Cause> {
    let Some(hit) = hits.iter().find(|hit| !is_explained && missing::may_be_made(hit)) else { return Vec::new() };
    let importer = missing::importer_of(hit, place);
    let rank = |mending: &Mending| match &mending.setting {
        Setting::RootScripts(_) => 3,
        _ if Some(&mending.workspace) == importer.as_ref() => 0,
        _ if mending.workspace == *place.reader => 1,
        _ => 2,
    };
    let mut groups: BTreeMap<u8, Vec<Mending>> = BTreeMap::new();
    for mending in not_run(place) {
        groups.entry(rank(&mending)).or_default().push(mending);
    }
    let cause = |mendings: Vec<Mending>| Cause {
        id: SCRIPTS,
        says: format!("{} did not run, and the build lacks something that git does not have", scripts_of(&mendings)),
        line: hit.line.clone(),
        hint: "run them before the build".to_owned(),
        page: SCRIPTS_PAGE,
        mendings,
        track: Vec::new(),
    };
    groups.into_values().map(cause).collect()
}

/// Names scripts with their workspaces: `postinstall and prepare of the root`.
pub(super) fn scripts_of(mendings: &[Mending]) -> String {
    let names: BTreeMap<&RepoPath, Vec<&str>> = mendings.iter().fold(BTreeMap::new(), |mut names, mending| {
        let of_root = matches!(mending.setting, Setting::RootScripts(_));
        let workspace = if of_root { ROOT.get_or_init(RepoPath::root) } else { &mending.workspace };
        names.entry(workspace).or_default().push(mending.setting.text());
        names
    });
    let folder = |path: &RepoPath| if path.is_root() { "the root".to_owned() } else { format!("`{path}`") };
    let names: Vec<String> =
        names.into_iter().map(|(path, names)| format!("{} of {}", names.join(" and "), folder(path))).collect();
    names.join(" and ")
}

static ROOT: std::sync::OnceLock<RepoPath> = std::sync::OnceLock::new();

/// Returns the settings that run the scripts which did not run.
pub(super) fn not_run(place: &Place<'_>) -> Vec<Mending> {
    let graph = &place.split.graph;
    let closure = graph.closure(place.reader);
    let mut mendings = Vec::new();
    let chosen = graph.workspaces().find(|found| found.path == *place.reader).map(|found| &found.root_scripts);
    for workspace in graph.workspaces() {
        if workspace.path.is_root() && !place.reader.is_root() {
            let left = workspace.not_run.iter().filter(|name| chosen.is_none_or(|chosen| !chosen.contains(name)));
            let mending = |name: &String| Mending {
                workspace: place.reader.clone(),
                setting: Setting::RootScripts(name.clone()),
            };
            mendings.extend(left.map(mending));
        } else if closure.contains(&workspace.path) {
            let mending = |name: &String| Mending {
                workspace: workspace.path.clone(),
                setting: Setting::OwnScripts(name.clone()),
            };
            mendings.extend(workspace.not_run.iter().map(mending));
        }
    }
    mendings
}
