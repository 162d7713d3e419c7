//! Aliases: names that a configuration gives to files, `paths` of TypeScript and `alias` of bundlers.
//!
//! The configuration of a repository often has one for every workspace. So an alias leads somewhere only if a program imports it.

use std::ops::Range;

use crate::repo::RepoPath;

/// The longest distance between the word `alias` and its list, in bytes.
const NEAR: usize = 60;

/// A name for files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alias {
    /// The name before a `*`, or all of it.
    pub(super) start: String,
    /// What follows the `*`. `None` if the name has none.
    pub(super) end: Option<String>,
    /// Whether longer names are meant too: `@r/lib` of a bundler is also `@r/lib/x`.
    pub(super) is_prefix: bool,
    /// Paths from the root that may have a `*`, in the order to try them.
    pub(super) targets: Vec<String>,
    /// The configuration.
    pub(super) file: RepoPath,
}

impl Alias {
    /// An alias of TypeScript, which means longer names only with a `*`.
    pub(super) fn of_typescript(name: &str, targets: Vec<String>, file: &RepoPath) -> Self {
        let (start, end) = name.split_once('*').map_or((name, None), |(start, end)| (start, Some(end.to_owned())));
        Self { start: start.to_owned(), end, is_prefix: false, targets, file: file.clone() }
    }

    /// Returns the targets for an imported name, or `None` if it is not meant.
    pub(super) fn targets_of(&self, name: &str) -> Option<Vec<String>> {
        let rest = name.strip_prefix(self.start.as_str())?;
        match &self.end {
            Some(end) => {
                let star = rest.strip_suffix(end.as_str())?;
                Some(self.targets.iter().map(|target| target.replacen('*', star, 1)).collect())
            }
            None if rest.is_empty() => Some(self.targets.clone()),
            None if self.is_prefix && (rest.starts_with('/') || self.start.ends_with('/')) => {
                Some(self.targets.iter().map(|target| format!("{target}/{}", rest.trim_start_matches('/'))).collect())
            }
            None => None,
        }
    }

    /// How exact the alias is. The most exact one that fits counts.
    pub(super) fn rank(&self) -> (bool, usize) {
        (self.end.is_none(), self.start.len())
    }
}

/// A token of a program, as far as aliases need it.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(&'a str),
    Name(&'a str),
    Mark(char),
}

/// Returns the aliases in the configuration of a bundler or a test runner, and where they stand.
pub(super) fn of_program(text: &str, file: &RepoPath) -> (Vec<Alias>, Vec<Range<usize>>) {
    let (mut aliases, mut places) = (Vec::new(), Vec::new());
    for word in ["alias", "moduleNameMapper"] {
        for (at, _) in text.match_indices(word) {
            if places.iter().any(|place: &Range<usize>| place.contains(&at)) {
                continue;
            }
            let Some(place) = list_after(text, at + word.len()) else { continue };
            aliases.extend(in_list(&text[place.clone()], file));
            places.push(place);
        }
    }
    (aliases, places)
}

/// Returns the place of the object or list that follows: `alias: {…}`, `alias = [`.
fn list_after(text: &str, at: usize) -> Option<Range<usize>> {
    let open = text[at..].find(['{', '[', ';']).map(|open| at + open)?;
    let between = &text[at..open];
    if open - at > NEAR
        || text[open..].starts_with(';')
        || !between.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '='])
    {
        return None;
    }
    let mut depth = 0_usize;
    for (inner, character) in text[open..].char_indices() {
        match character {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(open..open + inner + character.len_utf8());
        }
    }
    None
}

/// Reads `"@r/lib": path.resolve(__dirname, "../lib/src")` and `{ find: "@r/lib", replacement: "../lib/src" }`.
fn in_list(text: &str, file: &RepoPath) -> Vec<Alias> {
    let tokens = tokens(text);
    let folder = file.parent();
    let mut aliases: Vec<Alias> = Vec::new();
    let mut name: Option<&str> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_key = matches!(tokens.get(at + 1), Some(Token::Mark(':')));
        match token {
            Token::Name("find") if is_key => {
                name = None;
                if let Some(Token::Text(text)) = tokens.get(at + 2) {
                    name = Some(text);
                    at += 2;
                }
            }
            Token::Name("replacement") => {}
            Token::Name(key) | Token::Text(key) if is_key => name = Some(key),
            Token::Text(text) => {
                let (path, used) = chain(&tokens[at..], text);
                at += used;
                if let (Some(name), Some(target)) = (name, target(&path, &folder)) {
                    add(&mut aliases, name, &target, file);
                }
            }
            _ => {}
        }
        at += 1;
    }
    aliases
}

/// Joins the texts of one call: `"..", "..", "lib"`. Also returns how many tokens follow the first.
fn chain(tokens: &[Token<'_>], first: &str) -> (String, usize) {
    let (mut path, mut used) = (first.to_owned(), 0);
    if first.starts_with('.') || first.starts_with("/..") {
        while let [Token::Mark(','), Token::Text(part), ..] = &tokens[used + 1..] {
            if matches!(tokens.get(used + 3), Some(Token::Mark(':'))) {
                break;
            }
            path = format!("{path}/{part}");
            used += 2;
        }
    }
    (path, used)
}

/// Returns the path from the root that a text means.
fn target(text: &str, folder: &RepoPath) -> Option<String> {
    let text = text.strip_prefix("<rootDir>").map_or(text, |rest| rest.trim_start_matches('/'));
    let text = text.strip_prefix('/').filter(|rest| rest.starts_with("..")).unwrap_or(text);
    let is_path = text.starts_with('.') || text.contains('/');
    let text = text.replace("$1", "*");
    let text = text.trim_end_matches('/');
    folder.resolve(text).ok().filter(|path| is_path && !path.is_root()).map(|path| path.as_str().to_owned())
}

fn add(aliases: &mut Vec<Alias>, name: &str, target: &str, file: &RepoPath) {
    let is_pattern = name.starts_with('^') || name.ends_with('$');
    let plain = name.trim_start_matches('^').trim_end_matches('$');
    let (start, end) = match plain.find("(.") {
        Some(at) => (&plain[..at], Some(String::new())),
        None => match plain.split_once("/*") {
            Some((start, "")) => (start, None),
            _ => (plain, None),
        },
    };
    let is_prefix = !is_pattern && !name.ends_with('$') && end.is_none();
    let target = target.strip_suffix("/*").filter(|_| end.is_none()).unwrap_or(target).to_owned();
    let start = start.replace('\\', "");
    if start.is_empty() && end.is_none() {
        return;
    }
    match aliases.last_mut().filter(|last| last.start == start && last.end == end) {
        Some(last) => last.targets.push(target),
        None => aliases.push(Alias { start, end, is_prefix, targets: vec![target], file: file.clone() }),
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '\'' | '`') {
            let Some((inner, after)) = rest[1..].split_once(first) else { break };
            tokens.push(Token::Text(inner));
            rest = after;
        } else if first.is_alphanumeric() || matches!(first, '_' | '$' | '@') {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-')));
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            tokens.push(Token::Name(name));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("//") {
            rest = after.split_once('\n').map_or("", |(_, after)| after);
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let (aliases, places) = of_program(text, &"apps/web/vite.config.ts".parse().unwrap());
        assert!(!places.is_empty(), "{text}");
        let shown = |alias: &Alias| {
            let end = alias.end.as_ref().map_or(String::new(), |end| format!("*{end}"));
            format!("{}{end} -> {}", alias.start, alias.targets.join(" "))
        };
        aliases.iter().map(shown).collect()
    }

    #[test]
    fn aliases_of_bundlers_are_read_in_their_forms() {
        for text in [
            "resolve: { alias: { '@r/lib': path.resolve(__dirname, '../../packages/lib/src') } }",
            "resolve: { alias: { '@r/lib': resolve(__dirname, '..', '..', 'packages', 'lib/src') } }",
            "alias: [{ find: '@r/lib', replacement: fileURLToPath(new URL('../../packages/lib/src', import.meta.url)) }]",
            "config.resolve.alias = { ...config.resolve.alias, \"@r/lib\": `${__dirname}` + '/../../packages/lib/src' }",
            "alias: { // '@r/no': '../no'\n '@r/lib': '../../packages/lib/src' }",
        ] {
            assert_eq!(of(text), ["@r/lib -> packages/lib/src"], "{text}");
        }
        assert_eq!(of("alias: { shared: '../../shared', '@': './src' }"), ["shared -> shared", "@ -> apps/web/src"]);
    }

    #[test]
    fn names_of_test_runners_are_patterns() {
        assert_eq!(
            of("moduleNameMapper: { '^@r/(.*)$': '<rootDir>/../../packages/$1/src', '^x$': '<rootDir>/../../x.js' }"),
            ["@r/* -> packages/*/src", "x -> x.js"]
        );
    }

    #[test]
    fn a_name_is_matched_as_its_tool_does() {
        let file: RepoPath = "tsconfig.json".parse().unwrap();
        let exact = Alias::of_typescript("@r/lib", vec!["packages/lib/i.ts".to_owned()], &file);
        assert_eq!(exact.targets_of("@r/lib"), Some(vec!["packages/lib/i.ts".to_owned()]));
        assert_eq!(exact.targets_of("@r/lib/x"), None);
        let star = Alias::of_typescript("@r/*", vec!["packages/*/src".to_owned()], &file);
        assert_eq!(star.targets_of("@r/lib"), Some(vec!["packages/lib/src".to_owned()]));
        let prefix = Alias { is_prefix: true, ..exact };
        assert_eq!(prefix.targets_of("@r/lib/x"), Some(vec!["packages/lib/i.ts/x".to_owned()]));
        assert_eq!(prefix.targets_of("@r/library"), None);
    }
}
