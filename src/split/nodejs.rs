//! The Node.js that a repository wants, from the files that version managers and package managers read. Rust reads which major
//! versions are right; Nix chooses one that its nixpkgs has.

use nodejs_semver::Range;
use serde::{Deserialize, Serialize};

use crate::{
    lockfile::json,
    repo::{RepoPath, Tree, TreeError, read_text},
    split::manifest_path,
};

/// Files that hold nothing but a version.
const FILES: [&str; 2] = [".nvmrc", ".node-version"];

/// The file of asdf, which mise reads too: a tool and its versions on each line.
const TOOL_VERSIONS: &str = ".tool-versions";

/// The files of mise, by their places.
const MISE: [&str; 4] = ["mise.toml", ".mise.toml", ".config/mise.toml", ".config/mise/config.toml"];

/// The first parts of the paths of all these files.
pub(crate) const AT_ROOT: [&str; 6] = [".nvmrc", ".node-version", TOOL_VERSIONS, "mise.toml", ".mise.toml", ".config"];

/// The code names of releases with long-term support, with their major versions.
const CODE_NAMES: [(&str, u64); 11] = [
    ("argon", 4),
    ("boron", 6),
    ("carbon", 8),
    ("dubnium", 10),
    ("erbium", 12),
    ("fermium", 14),
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
];

/// Higher major versions than this one are not asked for. A range that admits it has no end.
const LAST: u64 = 99;

/// A place that names a version of Node.js.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The place, such as `.nvmrc` or `engines.node of package.json`.
    pub place: String,
    /// The version or range, as written.
    pub version: String,
}

/// The pin that counts, with what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The place.
    pub place: String,
    /// The version or range, as written.
    pub version: String,
    /// The major versions that satisfy it: the first and the last of each run. A run without a last one has no end.
    pub majors: Vec<(u64, Option<u64>)>,
}

impl Pin {
    /// Returns what the pin means. `None` if it admits every version, or if it is not understood.
    fn wanted(&self) -> Option<Wanted> {
        let majors = majors(&self.version)?;
        Some(Wanted { place: self.place.clone(), version: self.version.clone(), majors })
    }
}

/// Finds what names a version for the build of a workspace: in its folder, then at the root.
pub fn pins(tree: &dyn Tree, workspace: &RepoPath) -> Result<Vec<Pin>, TreeError> {
    let mut pins = in_folder(tree, workspace)?;
    if !workspace.is_root() {
        pins.extend(in_folder(tree, &RepoPath::root())?);
    }
    Ok(pins)
}

/// Returns the pin that decides. Exact ones come before ranges.
pub(in crate::split) fn wanted(pins: &[Pin]) -> Option<Wanted> {
    pins.iter().find_map(Pin::wanted)
}

fn in_folder(tree: &dyn Tree, folder: &RepoPath) -> Result<Vec<Pin>, TreeError> {
    let mut pins = Vec::new();
    let mut add = |place: String, version: Option<&str>| {
        let version =
            version.map(str::trim).filter(|version| !version.is_empty() && !version.contains(char::is_control));
        pins.extend(version.map(|version| Pin { place, version: version.to_owned() }));
    };
    for path in FILES.map(|name| folder.child(name)) {
        // nvm reads comments too.
        let text = read_text(tree, &path)?.unwrap_or_default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        add(path.to_string(), lines.into_iter().find(|line| !line.is_empty()));
    }
    let path = folder.child(TOOL_VERSIONS);
    add(path.to_string(), of_asdf(&read_text(tree, &path)?.unwrap_or_default()));
    for path in MISE.map(|place| place.split('/').fold(folder.clone(), |folder, name| folder.child(name))) {
        let version = read_text(tree, &path)?.and_then(|text| of_mise(&text));
        add(path.to_string(), version.as_deref());
    }
    let path = manifest_path(folder);
    let manifest = read_text(tree, &path)?.map(|text| json::lenient(&text)).unwrap_or_default();
    for key in ["volta", "engines"] {
        add(format!("{key}.node of {path}"), manifest[key]["node"].as_str());
    }
    Ok(pins)
}

/// The first version that a `.tool-versions` has for Node.js.
fn of_asdf<'a>(text: &'a str) -> Option<&'a str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    let of_node = |mut words: std::str::SplitWhitespace<'a>| match words.next() {
        Some("nodejs" | "node") => words.next(),
        _ => None,
    };
    lines.into_iter().find_map(of_node)
}

/// The first version that mise has for Node.js.
fn of_mise(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let tools = table.get("tools")?.as_table()?;
    let mut value = tools.get("node").or_else(|| tools.get("nodejs"))?;
    if let Some(list) = value.as_array() {
        value = list.first()?;
    }
    if let Some(options) = value.as_table() {
        value = options.get("version")?;
    }
    value.as_str().map(str::to_owned).or_else(|| value.as_integer().map(|major| major.to_string()))
}

/// Returns the first number of a version: `20` of `v20.11.1`, `>=20` and `^20.1 || ^22`.
pub(crate) fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Returns the runs of major versions that a version or range admits. `None` if it admits all, or is no range.
fn majors(version: &str) -> Option<Vec<(u64, Option<u64>)>> {
    let name = version.strip_prefix("lts/").or_else(|| version.strip_prefix("lts-")).unwrap_or_default();
    if let Some((_, major)) = CODE_NAMES.iter().find(|(code, _)| name.eq_ignore_ascii_case(code)) {
        return Some(vec![(*major, Some(*major))]);
    }
    let range = Range::parse(version.strip_prefix(['v', 'V']).unwrap_or(version)).ok()?;
    let mut runs: Vec<(u64, Option<u64>)> = Vec::new();
    for major in 0..=LAST {
        if !Range::parse(format!("{major}.x")).is_ok_and(|one| one.allows_any(&range)) {
            continue;
        }
        match runs.last_mut().filter(|(_, last)| *last == major.checked_sub(1)) {
            Some((_, last)) => *last = Some(major),
            None => runs.push((major, Some(major))),
        }
    }
    if let Some((_, last)) = runs.last_mut().filter(|(_, last)| *last == Some(LAST)) {
        *last = None;
    }
    (!runs.is_empty() && runs != [(0, None)]).then_some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn shown(pins: &[Pin]) -> Vec<String> {
        pins.iter().map(|pin| format!("{} {}", pin.place, pin.version)).collect()
    }

    #[test]
    fn pins_of_the_workspace_come_before_those_of_the_root() {
        let tree = MemoryTree::new([
            (".nvmrc", "# ours\nv16.20.0 # old\n"),
            ("package.json", r#"{"engines": {"node": ">=18 <21"}}"#),
            (".tool-versions", "python 3.12\nnodejs 20.1.0 18.0.0\n"),
            (".config/mise.toml", "[tools]\nnode = [\"22\"]\n"),
            ("mise.toml", "[tools]\nnode = { version = \"24.1\" }\n"),
            ("apps/web/package.json", r#"{"volta": {"node": "20.11.1"}}"#),
            ("apps/web/.node-version", "\n"),
            ("apps/web/mise.toml", "tools = 1"),
        ]);
        let pins = pins(&tree, &"apps/web".parse().unwrap()).unwrap();
        assert_eq!(
            shown(&pins),
            [
                "volta.node of apps/web/package.json 20.11.1",
                ".nvmrc v16.20.0",
                ".tool-versions 20.1.0",
                "mise.toml 24.1",
                ".config/mise.toml 22",
                "engines.node of package.json >=18 <21"
            ]
        );
        assert_eq!(["v16.20.0", ">=18 <21", "lts/*", ""].map(major), [Some(16), Some(18), None, None]);
    }

    #[test]
    fn a_range_admits_runs_of_major_versions() {
        let one = |major| Some(vec![(major, Some(major))]);
        for (version, expected) in [
            ("v16.20.0", one(16)),
            ("20", one(20)),
            ("22.x", one(22)),
            ("lts/Iron", one(20)),
            (">=18.12 <21", Some(vec![(18, Some(20))])),
            ("^18.18.0 || ^20.9.0 || >=21.1.0", Some(vec![(18, Some(18)), (20, None)])),
            (">=20", Some(vec![(20, None)])),
            ("< 21", Some(vec![(0, Some(20))])),
            ("lts/*", None),
            ("node", None),
            ("*", None),
            (">=0.10", None),
        ] {
            assert_eq!(majors(version), expected, "{version}");
        }
    }
}
