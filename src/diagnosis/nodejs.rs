//! What a repository says of the Node.js that it wants. Builds have the one of nixpkgs.

use super::{
    causes::{Cause, Place, general, named},
    table::Hit,
};
use crate::{
    repo::{RepoPath, Tree, read_text},
    split::manifest_path,
};

/// Files that hold nothing but a version.
const FILES: [&str; 2] = [".nvmrc", ".node-version"];

/// A place that names a version of Node.js.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The place, such as `.nvmrc` or `engines.node of package.json`.
    pub place: String,
    /// The version or range.
    pub version: String,
}

/// Finds what names a version for the build of a workspace: in its folder, then at the root.
pub fn pins(tree: &dyn Tree, workspace: &RepoPath) -> Vec<Pin> {
    let mut folders = vec![workspace.clone()];
    if !workspace.is_root() {
        folders.push(RepoPath::root());
    }
    folders.iter().flat_map(|folder| in_folder(tree, folder)).collect()
}

/// A file that cannot be read names nothing: the build has failed already, for another reason.
fn in_folder(tree: &dyn Tree, folder: &RepoPath) -> Vec<Pin> {
    let text = |path: &RepoPath| read_text(tree, path).ok().flatten();
    let mut pins = Vec::new();
    for path in FILES.map(|name| folder.child(name)) {
        let first = text(&path).and_then(|text| Some(text.lines().next()?.trim().to_owned()));
        let version = first.filter(|version| !version.is_empty());
        pins.extend(version.map(|version| Pin { place: path.to_string(), version }));
    }
    let path = manifest_path(folder);
    let manifest: serde_json::Value = text(&path).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    for key in ["volta", "engines"] {
        let version = manifest[key]["node"].as_str().map(str::to_owned);
        pins.extend(version.map(|version| Pin { place: format!("{key}.node of {path}"), version }));
    }
    pins
}

/// Returns the first number of a version: `20` of `v20.11.1`, `>=20` and `^20.1 || ^22`.
fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Names the version that the repository wants.
pub(super) fn cause(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let cause = general(hit, place)?;
    let Some((pin, major)) = place.pins.iter().find_map(|pin| Some((pin, major(&pin.version)?))) else {
        return Some(cause);
    };
    let says = format!("{} ({} wants Node.js {})", cause.says, pin.place, pin.version);
    let attribute = format!("nodejs = pkgs.nodejs_{major};");
    let advice = if hit.id == "openssl" {
        named("set `apps.<name>.env.NODE_OPTIONS = \"--openssl-legacy-provider\";` in flake.nix", place)
            + &format!(", or `{attribute}` if your nixpkgs still has it")
    } else {
        format!("set `{attribute}` in flake.nix, if your nixpkgs has that version")
    };
    Some(Cause { says, hint: advice, ..cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    #[test]
    fn pins_of_the_workspace_come_before_those_of_the_root() {
        let tree = MemoryTree::new([
            (".nvmrc", "v16.20.0\n"),
            ("package.json", r#"{"engines": {"node": ">=18 <21"}}"#),
            ("apps/web/package.json", r#"{"volta": {"node": "20.11.1"}}"#),
            ("apps/web/.node-version", "\n"),
        ]);
        let pins: Vec<String> = pins(&tree, &"apps/web".parse().unwrap())
            .iter()
            .map(|pin| format!("{} {}", pin.place, pin.version))
            .collect();
        assert_eq!(
            pins,
            ["volta.node of apps/web/package.json 20.11.1", ".nvmrc v16.20.0", "engines.node of package.json >=18 <21"]
        );
        assert_eq!(["v16.20.0", ">=18 <21", "lts/*", ""].map(major), [Some(16), Some(18), None, None]);
    }
}
