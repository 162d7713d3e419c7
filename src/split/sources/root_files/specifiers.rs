//! Finds the texts in a program that name something outside its workspace: paths that lead out, and names in imports.
//!
//! One pass over the quotes of a text: whatever is quoted and looks like such a path counts, unless the quotes are in another text of
//! the program.

use std::{cell::LazyCell, collections::BTreeSet};

use super::texts;
use crate::repo::RepoPath;

/// The longest text that can be a path or a name.
const LONGEST: usize = 300;

/// How far before a path the statement may start, in bytes.
const STATEMENT: usize = 120;

/// Words in statements whose paths are relative to the file.
const OF_FILE: [&str; 4] = ["__dirname", "__filename", "import.meta", "new URL"];

/// What may stand before a quoted name that is imported, without white space.
const IMPORTING: [&str; 18] = [
    "from",
    "import",
    "import(",
    "require(",
    "require.resolve(",
    "meta.resolve(",
    "mock(",
    "importActual(",
    "@import",
    "@use",
    "@forward",
    "@plugin",
    "@config",
    "@source",
    "@reference",
    "url(",
    "path=",
    "types=",
];

/// What a text names outside its workspace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Specifiers {
    /// Paths from the root. They may be globs, and may lack an ending.
    pub(super) paths: BTreeSet<String>,
    /// Paths that may be relative to the working directory of a program. They count if they exist.
    pub(super) guesses: BTreeSet<String>,
    /// Those that a program joins to its working directory, which may be any. They count if they exist and are no workspaces.
    pub(super) of_cwd: BTreeSet<String>,
    /// Names that are imported, as they are written.
    pub(super) names: BTreeSet<String>,
}

impl Specifiers {
    pub(super) fn extend(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.guesses.extend(other.guesses);
        self.of_cwd.extend(other.of_cwd);
        self.names.extend(other.names);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().chain(&self.guesses).chain(&self.of_cwd).chain(&self.names)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.guesses.is_empty() && self.of_cwd.is_empty() && self.names.is_empty()
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.paths.is_subset(&other.paths)
            && self.guesses.is_subset(&other.guesses)
            && self.of_cwd.is_subset(&other.of_cwd)
            && self.names.is_subset(&other.names)
    }
}

/// The file whose text is searched.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The workspace, whose folder is also the working directory of its programs.
    pub(super) own: &'a RepoPath,
    /// The folder of the file.
    pub(super) folder: &'a RepoPath,
    /// The number of folders between the workspace and the file. Paths with fewer `..` stay inside.
    pub(super) depth: usize,
    /// Whether quotes in quotes are text, as in JavaScript.
    pub(super) has_texts: bool,
}

impl<'a> Place<'a> {
    pub(super) fn of(own: &'a RepoPath, folder: &'a RepoPath, has_texts: bool) -> Self {
        let inner = folder.below(own).unwrap_or_default();
        Self { own, folder, depth: inner.split('/').filter(|part| !part.is_empty()).count(), has_texts }
    }
}

/// Returns what a program names. `is_wanted` says which names can lead to a workspace, by the name.
pub(super) fn of(text: &str, place: Place<'_>, is_wanted: impl Fn(&str) -> bool) -> Specifiers {
    let mut found = Specifiers::default();
    let bytes = text.as_bytes();
    // Most programs name nothing that counts, and need not be read as a whole.
    let nested = LazyCell::new(|| if place.has_texts { texts::with_quotes(text) } else { Vec::new() });
    for at in memchr::memchr3_iter(b'"', b'\'', b'`', bytes) {
        let mut one = Specifiers::default();
        match bytes.get(at + 1) {
            Some(b'.') if bytes.get(at + 2) == Some(&b'.') => climb(text, at, place, &mut one),
            // `${here}/../../docs`
            Some(b'$' | b'/') if bytes[at + 1..].iter().take(60).any(|byte| *byte == b'.') => {
                climb_after_name(text, at, place, &mut one);
            }
            Some(first)
                if first.is_ascii_alphanumeric() || !first.is_ascii() || matches!(first, b'@' | b'~' | b'#' | b'$') =>
            {
                if !is_imported(&text[..at]) || is_in_comment(&text[..at]) {
                    continue;
                }
                let name = quoted(text, at).filter(|name| is_name(name) && is_wanted(name));
                one.names.extend(name.map(str::to_owned));
            }
            _ => {}
        }
        if !one.is_empty() && !texts::holds(&nested, at) {
            found.extend(one);
        }
    }
    found
}

/// Returns the text between the quote at `at` and the next one of its kind.
fn quoted(text: &str, at: usize) -> Option<&str> {
    let quote = text.as_bytes()[at];
    let rest = &text.as_bytes()[at + 1..];
    let end = memchr::memchr(quote, &rest[..rest.len().min(LONGEST)])?;
    text.get(at + 1..at + 1 + end)
}

/// Whether the line is a comment. Examples in comments import what the program does not.
fn is_in_comment(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    (line.starts_with("//") && !line.starts_with("/// <")) || line.starts_with('*') || line.starts_with("/*")
}

/// Whether an import stands before a quote.
pub(super) fn is_imported(before: &str) -> bool {
    // Most quotes are after `=`, `:` or `,`.
    let before = before.trim_end_matches([' ', '\n', '\t', '\r']);
    if !before.as_bytes().last().is_some_and(|last| last.is_ascii_lowercase() || matches!(last, b'(' | b'=')) {
        return false;
    }
    IMPORTING.iter().any(|word| {
        before.strip_suffix(word).is_some_and(|rest| {
            word.starts_with('@') || !rest.ends_with(|last: char| last.is_alphanumeric() || last == '_')
        })
    })
}

fn is_name(name: &str) -> bool {
    !name.contains(|c: char| c.is_whitespace() || "*{}()<>|\\,;".contains(c)) && !name.contains("://")
}

/// Adds the path that starts with `..` in the quotes at `at`, with the parts that follow it in the same call.
fn climb(text: &str, at: usize, place: Place<'_>, found: &mut Specifiers) {
    let Some(inner) = quoted(text, at) else { return };
    // A text inside a longer chain was counted with the first one.
    if is_continued(&text[..at]) {
        return;
    }
    let path = with_following(text, at + 1 + inner.len(), inner);
    add(&path, &text[..at], place, found);
}

/// Adds the path that follows a name: `${here}/../../docs`, `__dirname + "/../../docs"`.
fn climb_after_name(text: &str, at: usize, place: Place<'_>, found: &mut Specifiers) {
    let Some(inner) = quoted(text, at) else { return };
    let path = match inner.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
        Some((_, rest)) => rest,
        None if text[..at].trim_end().ends_with('+') => inner,
        None => return,
    };
    if let Some(path) = path.strip_prefix('/').filter(|path| path.starts_with("..")) {
        let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
        if !is_in_comment(&text[line..at]) {
            add(path, "__dirname", place, found);
        }
    }
}

/// Whether the text before a quote ends with a part of a path and a comma: `"..", `.
fn is_continued(before: &str) -> bool {
    let Some(before) = before.trim_end().strip_suffix(',') else { return false };
    let before = before.trim_end();
    let Some(before) = before.strip_suffix(['"', '\'', '`']) else { return false };
    let start = before.rfind(['"', '\'', '`', '\n']).map_or(0, |start| start + 1);
    is_up(&before[start..])
}

fn is_up(text: &str) -> bool {
    !text.is_empty() && text.split('/').all(|part| matches!(part, ".." | "." | ""))
}

/// Appends the texts that follow in a call: `"..", "..", "docs"` is `../../docs`.
fn with_following(text: &str, end: usize, inner: &str) -> String {
    let mut path = inner.trim_end_matches('/').to_owned();
    let mut end = end;
    while is_up(&path) || !path.rsplit('/').next().unwrap_or_default().contains('.') {
        let Some(rest) = text.get(end + 1..) else { break };
        let Some(more) = rest.trim_start().strip_prefix(',') else { break };
        let more = more.trim_start();
        let Some(quote) = more.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else { break };
        let Some((part, _)) = more[1..].split_once(quote) else { break };
        if part.is_empty() || part.len() > LONGEST || part.contains(char::is_whitespace) || part.contains("${") {
            break;
        }
        // Only a chain that began with steps upwards is one path. A list of paths is several.
        if !is_up(inner) || (!is_up(&path) && part.starts_with('.')) {
            break;
        }
        path = format!("{path}/{part}");
        end = text.len() - more.len() + 1 + part.len();
    }
    path
}

/// Adds a path relative to the file. One that is not imported may be relative to the working directory.
fn add(path: &str, before: &str, place: Place<'_>, found: &mut Specifiers) {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // A part that a program computes may be anything in the folder before it.
    let path = match path.find("${") {
        Some(end) => path[..end].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => path,
    };
    if path.contains(|c: char| c.is_whitespace() || c == '\\') || path.len() > LONGEST {
        return;
    }
    let ups = path.split('/').take_while(|part| *part == "..").count();
    if ups == 0 || is_in_comment(before) {
        return;
    }
    if !is_imported(before) && !path.contains('*') && statement(before).contains("cwd()") {
        found.of_cwd.extend(outside(place.own, path, place.own));
        return;
    }
    if ups > place.depth {
        found.paths.extend(outside(place.folder, path, place.own));
    }
    if place.depth > 0 && !is_imported(before) && !is_of_file(before) {
        found.guesses.extend(outside(place.own, path, place.own));
    }
}

/// Whether the statement that a text ends with takes paths relative to its file.
fn is_of_file(before: &str) -> bool {
    let near = statement(before);
    OF_FILE.iter().any(|word| near.contains(word))
}

/// The statement that a text ends with, as far as it is near.
fn statement(before: &str) -> &str {
    let start = before.len().saturating_sub(STATEMENT);
    let start = (start..before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(before.len());
    before[start..].rsplit([';', '\n', '{', '}']).next().unwrap_or_default()
}

fn outside(folder: &RepoPath, path: &str, own: &RepoPath) -> Option<String> {
    let path = folder.resolve(path).ok()?;
    // A path to a folder above the workspace names nothing in particular.
    (!path.is_within(own) && !own.is_within(&path)).then(|| path.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let (own, folder) = ("apps/web".parse().unwrap(), "apps/web/src/lib".parse().unwrap());
        let found = of(text, Place::of(&own, &folder, true), |_| true);
        found.paths.into_iter().chain(found.guesses).chain(found.of_cwd).collect()
    }

    fn names(text: &str) -> Vec<String> {
        let own = "apps/web".parse().unwrap();
        of(text, Place::of(&own, &own, true), |_| true).names.into_iter().collect()
    }

    #[test]
    fn names_of_packages_may_begin_with_any_letter() {
        assert_eq!(names("import x from 'ünï/sub'; import y from \"@s/日本\""), ["@s/日本", "ünï/sub"]);
    }

    #[test]
    fn paths_out_of_the_workspace_are_found_in_all_forms() {
        for text in [
            "import x from '../../../../docs/x.md'",
            "import x from \"../../../../docs/x.md?raw\"",
            "new URL('../../../../docs/x.md', import.meta.url)",
            "path.join(__dirname, '..', '..', '..', '..', 'docs', 'x.md')",
            "path.join(__dirname, '../../../..', 'docs/x.md')",
            "readFileSync(`${here}/../../../../docs/x.md`)",
            "require(__dirname + '/../../../../docs/x.md')",
            "fs.readFileSync(path.resolve('..', '..', 'docs', 'x.md'))",
            "fs.readFileSync('../../docs/x.md')",
        ] {
            assert_eq!(paths(text), ["docs/x.md"], "{text}");
        }
        assert_eq!(paths("import(`../../../../locales/${name}.json`)"), ["locales"]);
        assert_eq!(paths("import.meta.glob('../../../../packages/*/README.md')"), ["packages/*/README.md"]);
        assert_eq!(paths("['../../../../a', '../../../../b']"), ["a", "b"]);
    }

    #[test]
    fn paths_that_stay_inside_are_no_finds() {
        for text in [
            "import x from '../../docs/x.md'",
            "import x from '../x'",
            "join(__dirname, '..', 'x')",
            "resolve(root, '../../../..')",
            "it's ../../../../x",
            "import x from './../../x'",
            " * import x from '../../../../docs/x.md'",
            "// import x from '../../../../docs/x.md'",
        ] {
            assert_eq!(paths(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_a_program_writes_is_not_its_own() {
        for text in [
            "writer.writeLine('cwd: \"../../../../apps/api\",')",
            "write(`\nimport { x } from \"../../../../docs/x\"\n`)",
        ] {
            assert_eq!(paths(text), [""; 0], "{text}");
        }
        assert_eq!(paths("join(process.cwd(), '../../docs/x.md')"), ["docs/x.md"]);
        assert_eq!(names("write(`import { x } from \"@r/gen\"`); import a from '@r/a'"), ["@r/a"]);
        assert_eq!(names("f(`${await import('@r/a')}`); const it = \"'\"; require('b')"), ["@r/a", "b"]);
    }

    #[test]
    fn names_count_where_they_are_imported() {
        let text = "import a from '@r/a';import\n'b';export * from \"c\"; const d = await import('@r/d/x'); require(\"e\");\
            @import 'f.css'; jest.mock('g'); const no = 'h'; x('i'); confrom 'j'; [\"k\"]; import type { L } from '~/l'";
        assert_eq!(names(text), ["@r/a", "@r/d/x", "b", "c", "e", "f.css", "g", "~/l"]);
        assert_eq!(names("/**\n * import a from 'a';\n */\n// import 'b'\n/// <reference types=\"c\" />"), ["c"]);
        assert_eq!(names("xfrom'n'; import('a b')"), [""; 0]);
    }
}
