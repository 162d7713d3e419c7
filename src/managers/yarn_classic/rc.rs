//! `.yarnrc` of Yarn 1.
//!
//! The format is that of Yarn 1's lockfile: a line is `key value`. Each of the two is a word, or a JSON string in
//! double quotes. A word begins with a letter, `/`, `.` or `-`, and ends before a space, `:` or `,`. A value may also
//! be a number. A line that ends with `:` begins a mapping, which is ignored here. Variables are not replaced.
//!
//! If Yarn's own reader fails, Yarn reads the file as YAML, and so does this reader. It refuses the few files that Yarn
//! reads and it does not, such as two settings on a line.
//!
//! The settings that an install reads are cut by lines, as the Nix code does. The kept lines match `^"?([A-Za-z.-]+)"?[
//! \t:].*$` with a key listed in `yarnrc` of `manifest-fields.json`. They stay in their order, without carriage
//! returns. If these lines differ from what Yarn reads, the file is refused.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    diagnostic::Position,
    managers::{
        ManagerError,
        installer_fields::INSTALLER_FIELDS,
        yarn::rc::{
            Setting, YarnRcError, lines_of,
            yaml::{self, Mapping, Value},
        },
    },
    names::YARNRC,
    repo::{RepoPath, Tree, read_text},
};

/// The settings of a `.yarnrc`. The later of two equal keys wins. It may hold secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct ClassicRc(BTreeMap<String, Setting>);

impl ClassicRc {
    /// Reads the `.yarnrc` of a tree. Without one, there are no settings.
    pub fn read(tree: &dyn Tree) -> Result<Self, ManagerError> {
        let text = read_text(tree, &RepoPath::root().child(YARNRC))?.unwrap_or_default();
        Ok(Self::parse(YARNRC.into(), &text)?)
    }

    /// Reads the text of the file at `path`.
    pub(crate) fn parse(path: &Utf8Path, text: &str) -> Result<Self, YarnRcError> {
        match lines(path, text) {
            Ok(settings) => Ok(Self(settings)),
            Err(Stop::Yarn(error)) => of_yaml(path, text).ok_or(error).map(Self),
            Err(Stop::Here(error)) => Err(error),
        }
    }

    /// `yarn-path`: the program of Yarn in the repository.
    pub fn yarn_path(&self) -> Result<Option<RepoPath>, YarnRcError> {
        let Some(Setting { text, position }) = self.0.get("yarn-path") else { return Ok(None) };
        text.parse().map(Some).map_err(|reason| YarnRcError::Path {
            path: YARNRC.into(),
            position: *position,
            key: "yarn-path".to_owned(),
            text: text.clone(),
            reason,
        })
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// Returns the registries of scopes. The keys include the `@`.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().filter_map(|(key, setting)| {
            let scope = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@'))?;
            Some((scope, setting))
        })
    }

    /// Returns the settings that an install reads, sorted, one `key value` a line.
    fn kept(&self) -> String {
        let kept = self.0.iter().filter(|(key, _)| is_kept(key));
        kept.flat_map(|(key, setting)| [key, " ", &setting.text, "\n"]).collect()
    }
}

/// Returns the settings that an install reads, or an error if the Nix code would cut something else from the text.
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

/// Returns the keys that decide an install.
pub(super) fn deciding_keys(text: &str) -> BTreeSet<String> {
    let rc = ClassicRc::parse(YARNRC.into(), text).unwrap_or_default();
    rc.0.into_keys().filter(|key| is_kept(key) || key == "yarn-path").collect()
}

fn is_kept(key: &str) -> bool {
    INSTALLER_FIELDS.yarnrc.iter().any(|kept| kept == key)
}

fn kept_lines(text: &str) -> String {
    lines_of(text).filter(|line| line_key(line).is_some_and(is_kept)).flat_map(|line| [line, "\n"]).collect()
}

/// Returns the key of a line: `^"?([A-Za-z.-]+)"?[ \t:]`.
fn line_key(line: &str) -> Option<&str> {
    let line = line.strip_prefix('"').unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_alphabetic() && c != '.' && c != '-').filter(|end| *end > 0)?;
    let (key, rest) = line.split_at(end);
    rest.strip_prefix('"').unwrap_or(rest).starts_with([' ', '\t', ':']).then_some(key)
}

/// Why the lines could not be read to the end.
enum Stop {
    /// Yarn's reader fails as well.
    Yarn(YarnRcError),
    /// Yarn's reader may succeed.
    Here(YarnRcError),
}

/// The context of a line.
#[derive(Clone, Copy)]
enum LinePlace {
    Top,
    /// In the mapping that the last top-level line began.
    Mapping,
    /// In a mapping, after an empty line or a comment, which may end it.
    Gap,
}

fn lines(path: &Utf8Path, text: &str) -> Result<BTreeMap<String, Setting>, Stop> {
    let mut settings = BTreeMap::new();
    let mut place = LinePlace::Top;
    for (index, line) in text.lines().enumerate() {
        let (indent, content) = indented(line);
        let wrong = |rest: &str, expected| {
            let column = line[..line.len() - rest.len()].chars().count() + 1;
            YarnRcError::Line { path: path.to_owned(), position: Position { line: index + 1, column }, expected }
        };
        // Yarn ignores leading spaces on the first line.
        match (if index == 0 { 0 } else { indent }, place) {
            (0, LinePlace::Mapping) if is_end(content) => place = LinePlace::Gap,
            (0, _) if is_end(content) => {}
            (0, _) => place = LinePlace::Top,
            (odd, _) if odd % 2 == 1 => return Err(Stop::Yarn(wrong(line, "an even number of spaces"))),
            // Yarn silently stops reading here.
            (_, LinePlace::Top) => break,
            (2, LinePlace::Mapping) => {}
            (_, LinePlace::Mapping) => return Err(Stop::Here(wrong(line, "two spaces"))),
            (_, LinePlace::Gap) => return Err(Stop::Here(wrong(line, "no blank line or comment in a mapping"))),
        }
        if is_end(content) {
            continue;
        }
        match (setting(content, wrong)?, place) {
            ((_, None), LinePlace::Mapping) => return Err(Stop::Here(wrong(content, "no nested mapping"))),
            ((_, Some(_)), LinePlace::Mapping) => {}
            ((key, None), _) => {
                settings.remove(&key);
                place = LinePlace::Mapping;
            }
            ((key, Some(text)), _) => {
                settings.insert(key, Setting { text, position: Position { line: index + 1, column: 1 } });
            }
        }
    }
    Ok(settings)
}

/// Returns the number of leading spaces, and the rest of the line.
fn indented(line: &str) -> (usize, &str) {
    let content = line.trim_start_matches(' ');
    (line.len() - content.len(), content)
}

/// Returns the key of a line and its value. A line that begins a mapping has no value.
fn setting<'a>(
    line: &'a str,
    wrong: impl Fn(&'a str, &'static str) -> YarnRcError,
) -> Result<(String, Option<String>), Stop> {
    if let Some((_, rest)) = line.split_once('\r') {
        return Err(Stop::Here(wrong(rest, "no carriage return within a line")));
    }
    let (key, rest) = key(line).ok_or_else(|| Stop::Yarn(wrong(line, "a key")))?;
    if rest.starts_with(',') {
        return Err(Stop::Here(wrong(rest, "one key")));
    }
    let colon = rest.strip_prefix(':');
    let rest = colon.unwrap_or(rest).trim_start_matches(' ');
    if colon.is_some() && is_end(rest) {
        return Ok((key, None));
    }
    let (value, after) = value(rest).ok_or_else(|| Stop::Yarn(wrong(rest, "a value")))?;
    if is_end(after) {
        return Ok((key, Some(value)));
    }
    let error = wrong(after, "the end of the line");
    Err(if key_begins(after) { Stop::Here(error) } else { Stop::Yarn(error) })
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('#')
}

/// Whether Yarn reads the following characters as a string. It reads anything that starts like a boolean as a boolean.
fn key_begins(text: &str) -> bool {
    let is_start = |first: char| first.is_ascii_alphabetic() || "\"/.-".contains(first);
    text.starts_with(is_start) && !text.starts_with("true") && !text.starts_with("false")
}

/// Reads a key. Returns it with the rest of the line, without leading spaces.
fn key(text: &str) -> Option<(String, &str)> {
    token(text).filter(|(key, _)| key_begins(text) && !key.is_empty())
}

/// Reads a value. Returns it with the rest of the line, without leading spaces.
fn value(text: &str) -> Option<(String, &str)> {
    for boolean in ["true", "false"] {
        if let Some(rest) = text.strip_prefix(boolean) {
            return Some((boolean.to_owned(), rest.trim_start_matches(' ')));
        }
    }
    if key_begins(text) {
        return token(text);
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), text[end..].trim_start_matches(' ')))
}

/// Reads a word or a quoted string. Returns it with the rest of the line, without leading spaces.
fn token(text: &str) -> Option<(String, &str)> {
    let (token, end) = if text.starts_with('"') {
        let mut texts = serde_json::Deserializer::from_str(text).into_iter::<String>();
        (texts.next()?.ok()?, texts.byte_offset())
    } else {
        let end = text.find([':', ' ', ',']).unwrap_or(text.len());
        (text[..end].to_owned(), end)
    };
    Some((token, text[end..].trim_start_matches(' ')))
}

/// Reads the file as YAML. Yarn ignores a file that is a single string, so an unquoted `registry https://…` has no
/// effect (tried).
fn of_yaml(path: &Utf8Path, text: &str) -> Option<BTreeMap<String, Setting>> {
    let fields = match yaml::root(path, text).ok()??.value {
        Value::Mapping(fields) => fields,
        Value::Text(_) => Mapping::new(),
        Value::Null | Value::List(_) => return None,
    };
    let texts = fields.into_iter().filter_map(|(key, node)| match node.value {
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

    fn read(text: &str) -> Result<ClassicRc, ManagerError> {
        ClassicRc::read(&MemoryTree::new([(YARNRC, text)]))
    }

    fn kept(text: &str) -> Result<String, YarnRcError> {
        super::kept(Utf8Path::new(YARNRC), text)
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
        assert!(read("a true\n  b true\nregistry \"https://r.example\"\n").ok().unwrap().get("registry").is_none());
        assert!(read("a true\nregistry https://r.example\n").ok().unwrap().get("registry").is_none());
        for (text, place, expected) in [
            ("a 1\nregistry: https://r.example x\nb\n", "2:16", "expected the end of the line"),
            ("a true\nregistry: \"https://r.example\n", "2:11", "expected a value"),
            ("{\n", "1:1", "expected a key"),
            ("a true b true\n", "1:8", "expected the end of the line"),
            ("a, b true\n", "1:2", "expected one key"),
            ("a truely\n", "1:7", "expected the end of the line"),
            ("a:\n    b true\n", "2:1", "expected two spaces"),
            ("a:\n  b true\n\n  c true\n", "4:1", "expected no blank line or comment in a mapping"),
            ("a true\rb true\n", "1:8", "expected no carriage return within a line"),
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
        assert!(kept("--flat true\nregistry https://r.example\n").is_err(), "Yarn reads neither");
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
