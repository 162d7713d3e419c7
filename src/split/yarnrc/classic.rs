//! `.yarnrc` of Yarn 1.
//!
//! Its format is that of Yarn 1's lockfile: a line is `key value`, and each of the two a word, or a text in double quotes
//! as JSON has it. A word begins with a letter, `/`, `.` or `-`, and ends before a space, `:` or `,`; a value may also be a
//! number. A line that ends with `:` begins a mapping, of which nothing matters here. A file that is not so is read as
//! YAML, as Yarn does. Variables are not replaced.
//!
//! What decides an install is cut from it by lines, as the Nix code does: kept are the lines that match
//! `^"?([A-Za-z.-]+)"?[ \t:].*$` where the key in the group is in `yarnrc` of `manifest-fields.json`, in their order,
//! without the carriage return. A file of which this gives something else than Yarn reads is refused.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{
    CLASSIC_FILE, Setting, YarnRcError,
    yaml::{self, Value},
};
use crate::{
    diagnostic::Position,
    repo::{RepoPath, Tree, read_text},
    split::{SplitError, installer_fields::INSTALLER_FIELDS},
};

/// What a `.yarnrc` says: key to value, of two the later. It may hold secrets and has no `Debug`.
#[derive(Clone, Default)]
pub struct ClassicRc(BTreeMap<String, Setting>);

impl ClassicRc {
    /// Reads the file of a tree; without one, it says nothing.
    pub fn read(tree: &dyn Tree) -> Result<Self, SplitError> {
        let text = read_text(tree, &RepoPath::root().child(CLASSIC_FILE))?.unwrap_or_default();
        Ok(Self::parse(CLASSIC_FILE.into(), &text)?)
    }

    /// Reads the text of the file at `path`.
    pub(crate) fn parse(path: &Utf8Path, text: &str) -> Result<Self, YarnRcError> {
        lines(path, text).or_else(|error| of_yaml(path, text).ok_or(error)).map(Self)
    }

    /// `yarn-path`: the program of Yarn in the repository.
    pub fn yarn_path(&self) -> Result<Option<RepoPath>, YarnRcError> {
        let Some(Setting { text, position }) = self.0.get("yarn-path") else { return Ok(None) };
        text.parse().map(Some).map_err(|reason| YarnRcError::Path {
            path: CLASSIC_FILE.into(),
            position: *position,
            key: "yarn-path".to_owned(),
            text: text.clone(),
            reason,
        })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// The registries of scopes, keyed by the scope with its `@`.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().filter_map(|(key, setting)| {
            let scope = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@'))?;
            Some((scope, setting))
        })
    }

    /// What decides an install, `key value` a line, sorted.
    fn kept(&self) -> String {
        let kept = self.0.iter().filter(|(key, _)| is_kept(key));
        kept.flat_map(|(key, setting)| [key, " ", &setting.text, "\n"]).collect()
    }
}

/// What of the text of a `.yarnrc` decides an install, or why it cannot be cut from the file.
pub fn kept(path: &Utf8Path, text: &str) -> Result<String, YarnRcError> {
    let rc = ClassicRc::parse(path, text)?;
    let cut = kept_lines(text);
    let of_lines = ClassicRc::parse(path, &cut).map(|rc| rc.kept()).unwrap_or_default();
    let kept = rc.kept();
    if kept == of_lines {
        return Ok(kept);
    }
    let (key, position) = match rc.0.iter().find(|(key, _)| is_kept(key)) {
        Some((key, setting)) => (key.clone(), setting.position),
        None => (cut.split([' ', ':']).next().unwrap_or_default().to_owned(), Position { line: 1, column: 1 }),
    };
    Err(YarnRcError::TwoReadings { path: path.to_owned(), position, key })
}

fn is_kept(key: &str) -> bool {
    INSTALLER_FIELDS.yarnrc.iter().any(|kept| kept == key)
}

fn kept_lines(text: &str) -> String {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.filter(|line| line_key(line).is_some_and(is_kept)).flat_map(|line| [line, "\n"]).collect()
}

/// The key of a line: `^"?([A-Za-z.-]+)"?[ \t:]`.
fn line_key(line: &str) -> Option<&str> {
    let line = line.strip_prefix('"').unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_alphabetic() && c != '.' && c != '-').filter(|end| *end > 0)?;
    let (key, rest) = line.split_at(end);
    rest.strip_prefix('"').unwrap_or(rest).starts_with([' ', '\t', ':']).then_some(key)
}

fn lines(path: &Utf8Path, text: &str) -> Result<BTreeMap<String, Setting>, YarnRcError> {
    let mut settings = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        // Indented lines are of a mapping.
        if line.trim().is_empty() || line.starts_with([' ', '#']) {
            continue;
        }
        let wrong = |rest: &str, expected| {
            let column = line[..line.len() - rest.len()].chars().count() + 1;
            YarnRcError::Line { path: path.to_owned(), position: Position { line: index + 1, column }, expected }
        };
        let (key, rest) = token(line).ok_or_else(|| wrong(line, "a key"))?;
        let rest = rest.trim_start_matches(' ');
        let colon = rest.strip_prefix(':');
        let rest = colon.unwrap_or(rest).trim_start_matches(' ');
        if colon.is_some() && (rest.is_empty() || rest.starts_with('#')) {
            continue;
        }
        let (value, after) = token(rest).or_else(|| number(rest)).ok_or_else(|| wrong(rest, "a value"))?;
        let after = after.trim_start_matches(' ');
        if !after.is_empty() && !after.starts_with('#') {
            return Err(wrong(after, "the end of the line"));
        }
        let position = Position { line: index + 1, column: 1 };
        settings.insert(key, Setting { text: value, position });
    }
    Ok(settings)
}

/// A word, or a text in quotes, and what follows it.
fn token(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut texts = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let quoted = texts.next()?.ok()?;
        let end = texts.byte_offset();
        return Some((quoted, &text[end..]));
    }
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || "/.-".contains(c));
    let end = text.find([':', ' ', ',']).unwrap_or(text.len());
    begins.then(|| (text[..end].to_owned(), &text[end..]))
}

fn number(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

fn of_yaml(path: &Utf8Path, text: &str) -> Option<BTreeMap<String, Setting>> {
    let fields = yaml::read(path, text).ok()?.into_iter();
    let texts = fields.filter_map(|(key, node)| match node.value {
        Value::Text(text) => Some((key, Setting { text, position: node.position })),
        _ => None,
    });
    Some(texts.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{diagnostic::Diagnose as _, repo::MemoryTree};

    fn read(text: &str) -> Result<ClassicRc, SplitError> {
        ClassicRc::read(&MemoryTree::new([(CLASSIC_FILE, text)]))
    }

    fn kept(text: &str) -> Result<String, YarnRcError> {
        super::kept(Utf8Path::new(CLASSIC_FILE), text)
    }

    #[test]
    fn a_line_is_a_key_and_a_value() {
        let rc = read(
            "# mine\r\nregistry \"https://r.example\"\r\n\"@x:registry\" \"https://x.example/\\u006epm\"\nyarn-path \".yarn/y.js\" # note\nenv:\n  A true\n\
             --install.production true\nlastUpdateCheck 1699999999999\nyarn-path: ./tools/yarn.js\n",
        )
        .ok()
        .unwrap();
        assert_eq!(rc.get("registry").unwrap().text, "https://r.example");
        assert_eq!(
            rc.scopes().map(|(scope, url)| (scope, url.text.as_str())).collect::<Vec<_>>(),
            [("@x", "https://x.example/npm")]
        );
        assert_eq!(rc.yarn_path().unwrap().unwrap().as_str(), "tools/yarn.js");
        assert_eq!(rc.get("lastUpdateCheck").unwrap().text, "1699999999999");
    }

    #[test]
    fn what_is_no_such_line_is_yaml_or_refused_with_its_place() {
        assert_eq!(
            read("registry: https://r.example\n").ok().unwrap().get("registry").unwrap().text,
            "https://r.example"
        );
        for (text, place, expected) in [
            ("a 1\nregistry https://r.example\n", "2:15", "expected the end of the line"),
            ("registry \"https://r.example\n", "1:10", "expected a value"),
            ("{\n", "1:1", "expected a key"),
            ("registry\n", "1:9", "expected a value"),
        ] {
            let error = read(text).err().unwrap();
            assert_eq!(error.location().unwrap().to_string(), format!(".yarnrc:{place}"), "{text}");
            assert_eq!(error.to_string(), expected);
        }
        let error = read("yarn-path \"../y.js\"\n").ok().unwrap().yarn_path().unwrap_err();
        assert_eq!(error.to_string(), "wrong path `../y.js` in `yarn-path`: path leaves the repository");
    }

    #[test]
    fn only_what_decides_an_install_is_kept() {
        let text = "registry \"https://r.example\"\nworkspaces-experimental true\n\"--install.flat\"  true # why\r\nyarn-offline-mirror \"./m\"\n";
        assert_eq!(kept(text).unwrap(), "--install.flat true\nworkspaces-experimental true\n");
        assert_eq!(kept("--flat true\n").unwrap(), kept("# note\n\"--flat\": \"true\"\n").unwrap());
        assert_eq!(kept("").unwrap(), "");
        for text in ["a, --flat true\n", "--flat:\n  a true\n--flat true\nx:\ty\n", "\"\\u002d-flat\" true\n"] {
            let error = kept(text).unwrap_err();
            assert!(error.location().unwrap().position.is_some(), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"(--flat|true|[a"\\: ,\n\r\t#-]|\PC){0,24}"#) {
            let _ = kept(&text);
        }
    }
}
