//! What other tools for JavaScript in Nix leave in a repository. splitter replaces them, and nothing else says so.

use serde_json::Value;

use super::templates::FOLDER;
use crate::lockfile::json;
use crate::repo::{EntryKind, RepoPath, Tree, TreeError, read_text};

/// Files that one tool alone writes, with the tool.
const FILES: [(&str, &str); 6] = [
    ("bun.nix", "bun2nix"),
    ("node-env.nix", "node2nix"),
    ("node-packages.nix", "node2nix"),
    ("yarn.nix", "yarn2nix"),
    ("yarn-project.nix", "yarn-plugin-nixify"),
    ("missing-hashes.json", "fetchYarnBerryDeps"),
];

/// Words of Nix files, with the tool that they call.
const CALLS: [(&str, &str); 6] = [
    ("bun2nix", "bun2nix"),
    ("fetchYarnBerryDeps", "fetchYarnBerryDeps"),
    ("fetchYarnDeps", "fetchYarnDeps"),
    ("mkYarnPackage", "yarn2nix"),
    ("node2nix", "node2nix"),
    ("dream2nix", "dream2nix"),
];

/// Files of hashes that people keep by hand beside a flake.
const HASH_FILES: [&str; 4] = ["hashes.json", "hashes.nix", "node-modules-hash.nix", "nix/hashes.json"];

/// Tools that a root's package.json calls or depends on.
const PACKAGES: [&str; 3] = ["bun2nix", "node2nix", "yarn2nix"];

/// The most files of Nix that are read. A repository that is a copy of nixpkgs has thousands.
const MOST: usize = 200;

/// Something that another tool left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The file, relative to the root.
    pub path: RepoPath,
    /// The other tool, or `None` for a file of hashes.
    pub tool: Option<&'static str>,
    /// What is to go.
    pub part: Part,
}

/// How much of a file is of the other tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The whole file.
    File,
    /// The calls in a Nix file.
    Calls,
    /// A script of package.json, which is named.
    Script(&'static str),
    /// An entry of the dependencies.
    Dependency,
}

/// Finds what other tools left at the root and in `nix/`, sorted by path.
///
/// # Errors
///
/// Returns an error if a file cannot be read.
pub fn find(tree: &dyn Tree) -> Result<Vec<Leftover>, TreeError> {
    let mut found = Vec::new();
    for folder in [RepoPath::root(), RepoPath::root().child("nix")] {
        of_folder(tree, &folder, &mut found)?;
    }
    for path in HASH_FILES {
        let path = RepoPath::root().child(path);
        if let Some(text) = read_text(tree, &path)?
            && text.contains("sha256-")
        {
            found.push(Leftover { path, tool: None, part: Part::File });
        }
    }
    of_manifest(tree, &mut found)?;
    found.sort();
    Ok(found)
}

fn of_folder(tree: &dyn Tree, folder: &RepoPath, found: &mut Vec<Leftover>) -> Result<(), TreeError> {
    for entry in tree.list(folder)?.into_iter().filter(|entry| entry.kind == EntryKind::File).take(MOST) {
        let path = folder.child(&entry.name);
        if let Some((_, tool)) = FILES.iter().find(|(name, _)| *name == entry.name) {
            found.push(Leftover { path, tool: Some(tool), part: Part::File });
        } else if camino::Utf8Path::new(&entry.name).extension() == Some("nix") && !path.as_str().starts_with(FOLDER) {
            let text = read_text(tree, &path).ok().flatten().unwrap_or_default();
            let tool = CALLS.iter().find(|(word, _)| calls(&text, word));
            found.extend(tool.map(|(_, tool)| Leftover { path, tool: Some(tool), part: Part::Calls }));
        }
    }
    Ok(())
}

/// Whether a Nix file has a word outside its comments.
fn calls(text: &str, word: &str) -> bool {
    text.lines().any(|line| line.split('#').next().is_some_and(|code| code.contains(word)))
}

fn of_manifest(tree: &dyn Tree, found: &mut Vec<Leftover>) -> Result<(), TreeError> {
    let path = RepoPath::root().child("package.json");
    let text = read_text(tree, &path)?.unwrap_or_default();
    let manifest = json::lenient(&text);
    for tool in PACKAGES {
        for script in ["postinstall", "prepare", "preinstall"] {
            let command = manifest.get("scripts").and_then(|all| all.get(script)).and_then(Value::as_str);
            if command.is_some_and(|command| command.contains(tool)) {
                found.push(Leftover { path: path.clone(), tool: Some(tool), part: Part::Script(script) });
            }
        }
        let groups = ["dependencies", "devDependencies"];
        if groups.iter().any(|group| manifest.get(group).is_some_and(|all| all.get(tool).is_some())) {
            found.push(Leftover { path: path.clone(), tool: Some(tool), part: Part::Dependency });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    #[test]
    fn files_calls_scripts_and_dependencies_of_other_tools_are_found() {
        let tree = MemoryTree::new([
            ("bun.nix", "{ }"),
            ("flake.nix", "{ inputs.bun2nix.url = \"x\"; }"),
            ("nix/package.nix", "{ fetchYarnDeps }: fetchYarnDeps { }"),
            ("nix/other.nix", "{ } # fetchYarnDeps is not used any more"),
            ("nix/splitter/plan.nix", "node2nix"),
            ("hashes.json", r#"{"x86_64-linux": "sha256-AAAA"}"#),
            (
                "package.json",
                r#"{"scripts": {"postinstall": "bun2nix -o bun.nix"}, "devDependencies": {"bun2nix": "2"}}"#,
            ),
        ]);
        let found = find(&tree).unwrap();
        let texts: Vec<_> = found.iter().map(|left| format!("{} {:?} {:?}", left.path, left.tool, left.part)).collect();
        assert_eq!(
            texts,
            [
                r#"bun.nix Some("bun2nix") File"#,
                r#"flake.nix Some("bun2nix") Calls"#,
                "hashes.json None File",
                r#"nix/package.nix Some("fetchYarnDeps") Calls"#,
                r#"package.json Some("bun2nix") Script("postinstall")"#,
                r#"package.json Some("bun2nix") Dependency"#,
            ]
        );
    }

    #[test]
    fn a_repository_without_another_tool_has_none() {
        let tree = MemoryTree::new([("flake.nix", "{ }"), ("package.json", "{}"), ("hashes.json", "{}")]);
        assert_eq!(find(&tree).unwrap(), []);
    }
}
