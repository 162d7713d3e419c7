//! The settings of a `.yarnrc.yml` that an install reads, cut from the file by lines.
//!
//! Nix cannot read YAML, but the build needs these settings. The Nix code therefore cuts the text by a rule that needs
//! no YAML:
//!
//! - Lines end with `\n` or `\r\n`. A byte order mark is not part of the first line.
//! - A blank line is dropped everywhere. So is a line whose first character other than a space or tab is `#`.
//! - A line that matches `^"?([A-Za-z]+)"?[ \t]*:` begins the block of that key.
//! - A line that begins with a space, a tab or `-` belongs to the current block.
//! - Any other line belongs to no block, and ends the current one.
//! - Blocks are kept if their key is listed in `yarnrcYml` of `manifest-fields.json`. They are sorted by key, by bytes.
//!   Blocks of one key stay in their order. Each of their lines ends with `\n`.
//!
//! For some files this rule gives another result than YAML. [`kept`] also reads each block as YAML, and refuses such
//! files.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{
    diagnostic::Position,
    managers::{
        installer_fields::INSTALLER_FIELDS,
        yarn::rc::{
            YarnRcError, lines_of,
            variables::{self, Unset},
            yaml::{self, Mapping, Node},
        },
    },
};

/// Returns the text of the settings that an install reads, or an error if it cannot be cut from the file.
pub fn kept(path: &Utf8Path, text: &str) -> Result<String, YarnRcError> {
    let whole = yaml::read(path, text)?;
    let blocks = kept_blocks(text);
    for key in INSTALLER_FIELDS.yarnrc_yml.iter().map(String::as_str) {
        agree(path, key, blocks.get(key), whole.get(key))?;
        if let Some(node) = whole.get(key) {
            refuse_variables(path, key, node)?;
        }
    }
    Ok(blocks.into_values().map(|block| block.text).collect())
}

/// The blocks of one key.
#[derive(Default)]
struct Block {
    text: String,
    /// The line of the first block, from 1.
    line: usize,
}

/// Returns the kept blocks by key.
fn kept_blocks(text: &str) -> BTreeMap<&str, Block> {
    let mut blocks: BTreeMap<&str, Block> = BTreeMap::new();
    let mut current = None;
    for (index, line) in lines_of(text).enumerate() {
        let content = line.trim_start_matches([' ', '\t']);
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '\t', '-']) {
            current = key_of(line).filter(|key| INSTALLER_FIELDS.yarnrc_yml.iter().any(|kept| kept == key));
        }
        if let Some(key) = current {
            let block = blocks.entry(key).or_default();
            if block.text.is_empty() {
                block.line = index + 1;
            }
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    blocks
}

/// Returns the key that a line begins with: `^"?([A-Za-z]+)"?[ \t]*:`.
fn key_of(line: &str) -> Option<&str> {
    let line = line.strip_prefix('"').unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_alphabetic()).filter(|end| *end > 0)?;
    let (key, rest) = line.split_at(end);
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.trim_start_matches([' ', '\t']).starts_with(':').then_some(key)
}

/// Checks that the block of a key has the same value as the key in the whole file.
fn agree(path: &Utf8Path, key: &str, block: Option<&Block>, node: Option<&Node>) -> Result<(), YarnRcError> {
    // A block that is no YAML by itself is a part of something else, such as a quoted text.
    let of_block = block.map_or(Some(Mapping::default()), |block| yaml::read(path, &block.text).ok());
    let of_file: Mapping = node.map(|node| (key.to_owned(), node.clone())).into_iter().collect();
    if of_block.as_ref() == Some(&of_file) {
        return Ok(());
    }
    let line = || Position { line: block.map_or(1, |block| block.line), column: 1 };
    let position = node.map_or_else(line, |node| node.position);
    Err(YarnRcError::TwoReadings { path: path.to_owned(), position, key: key.to_owned() })
}

fn refuse_variables(path: &Utf8Path, key: &str, node: &Node) -> Result<(), YarnRcError> {
    for text in node.texts() {
        if let Err(Unset(variable)) = variables::expand(text, &|_| None) {
            let (path, position) = (path.to_owned(), node.position);
            return Err(YarnRcError::Variable { path, position, key: key.to_owned(), variable });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Diagnose as _;

    fn kept(text: &str) -> Result<String, YarnRcError> {
        super::kept(Utf8Path::new(".yarnrc.yml"), text)
    }

    #[test]
    fn kept_settings_come_sorted_and_as_they_are_written() {
        let text = "# yarn\nyarnPath: .yarn/releases/yarn.cjs\r\n\r\nplugins:\n  # ours\n  - path: a.cjs\n- b.cjs\nnpmScopes:\n  x:\n    \
                    npmAuthToken: secret\n\"nodeLinker\" : node-modules # why\npackageExtensions:\n  'a@*':\n    dependencies: {b: '*'}\n";
        // An unindented list may not follow an indented one.
        assert!(matches!(kept(text), Err(YarnRcError::Yaml { .. })));
        let text = text.replace("- b.cjs\n", "");
        assert_eq!(
            kept(&text).unwrap(),
            "\"nodeLinker\" : node-modules # why\npackageExtensions:\n  'a@*':\n    dependencies: {b: '*'}\nplugins:\n  - path: a.cjs\n"
        );
        assert_eq!(kept("").unwrap(), "");
        assert_eq!(kept("---\nnodeLinker: pnp\n...\n").unwrap(), "nodeLinker: pnp\n");
        assert_eq!(
            kept("plugins:\n- a\n\n- b\nenableScripts: ${A:-0}").unwrap(),
            "enableScripts: ${A:-0}\nplugins:\n- a\n- b\n"
        );
    }

    #[test]
    fn what_does_not_decide_an_install_changes_nothing() {
        let base = kept("nodeLinker: pnp\n").unwrap();
        for more in [
            "npmAuthToken: ${T}\n",
            "cacheFolder: ./x\n",
            "# note\n\n",
            "npmScopes: {a: {npmRegistryServer: 'https://a.example'}}\n",
        ] {
            assert_eq!(kept(&format!("{more}nodeLinker: pnp\n")).unwrap(), base);
            assert_eq!(kept(&format!("nodeLinker: pnp\r\n{more}")).unwrap(), base);
        }
    }

    #[test]
    fn a_setting_that_nix_would_read_otherwise_is_refused_with_its_place() {
        for (text, place) in [
            ("a: 1\n'nodeLinker': pnp\n", "2:1"),
            ("{nodeLinker: pnp}\n", "1:2"),
            ("? nodeLinker\n: pnp\n", "1:3"),
            ("packageExtensions: {\n  a: {}\n}\n", "1:1"),
            ("packageExtensions:\n  a: |\n    # text\n", "1:1"),
            ("x: |\n  a\n--- \nnodeLinker: pnp\n", "3:1"),
            ("x: \"\nnodeLinker: pnp\"\n", "2:1"),
            (": \"\ncatalog:\"", "2:1"),
            ("x: &x [a]\nplugins: *x\n", "2:1"),
            ("\"nodeLink\\x65r\": pnp\n", "1:1"),
            ("nodeLinker: pnp\rplugins: [a]\n", "1:1"),
        ] {
            let error = kept(text).unwrap_err();
            assert_eq!(error.location().unwrap().to_string(), format!(".yarnrc.yml:{place}"), "{text:?} {error}");
        }
        let error = kept("'nodeLinker': pnp\n").unwrap_err();
        assert_eq!(error.to_string(), "`nodeLinker` is not written in the plain form that the Nix build can read");
        assert_eq!(kept("x: \"\n  y\"\nnodeLinker: pnp\n").unwrap(), "nodeLinker: pnp\n");
    }

    #[test]
    fn a_kept_setting_does_not_depend_on_the_environment() {
        let error = kept("a: 1\npatchFolder: ./${DIR}\n").unwrap_err();
        assert_eq!(error.location().unwrap().to_string(), ".yarnrc.yml:2:1");
        assert!(error.to_string().contains("`DIR`") && error.hints()[0].contains("${DIR:-…}"), "{error}");
        assert!(kept("packageExtensions:\n  a:\n    dependencies:\n      b: ${V}\n").is_err());
    }

    fn yaml_like() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("nodeLinker"),
            Just("plugins"),
            Just("x"),
            Just(":"),
            Just(": "),
            Just("\n"),
            Just("\n  "),
            Just("- "),
            Just("\""),
            Just("'"),
            Just("|"),
            Just("#"),
            Just(" #"),
            Just("{"),
            Just("}"),
            Just("["),
            Just("]"),
            Just(","),
            Just("a"),
            Just("\r"),
            Just("\t"),
            Just("? "),
            Just("&a "),
            Just("*a"),
            Just("---"),
            Just("..."),
            Just(">-"),
            Just("\u{feff}"),
            Just("\u{85}"),
            Just("\u{2028}"),
        ];
        prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
    }

    proptest! {
        /// The build reads the kept blocks together.
        #[test]
        fn what_is_kept_says_what_the_file_says(text in yaml_like()) {
            if let Ok(kept) = kept(&text) {
                let path = Utf8Path::new(".yarnrc.yml");
                let is_kept = |key: &String| INSTALLER_FIELDS.yarnrc_yml.contains(key);
                let whole: Mapping = yaml::read(path, &text).unwrap().into_iter().filter(|(key, _)| is_kept(key)).collect();
                prop_assert!(yaml::read(path, &kept).unwrap() == whole);
                prop_assert!(super::kept(path, &kept).is_ok());
            }
        }
    }
}
