//! A whole pattern: its parts between slashes.

use std::collections::HashMap;

use super::{
    braces,
    dialect::Dialect,
    name::{Dots, Name, Refuses, Syntax},
};

/// The longest pattern.
const LONGEST: usize = 4_096;

/// One part of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// This name.
    Plain(String),
    /// The folder above.
    Up,
    /// Any name that one of these matches.
    Glob(Vec<Glob>),
    /// Any name without a dot at its start that none of these matches: a part that starts with `!`, for Bun before 1.4.
    Other(Vec<Name>),
    /// `**`: any number of folders. `least` is 1 if it needs one, unless the folder before it is compared, too.
    Any { least: usize, after_base: bool },
}

/// One part of a pattern with special characters.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    name: Name,
    /// How Yarn matches a folder on the way, before it matches the whole path.
    on_the_way: Option<Name>,
}

impl Glob {
    fn matches(&self, name: &str) -> bool {
        self.name.matches(name) && self.on_the_way.as_ref().is_none_or(|on_the_way| on_the_way.matches(name))
    }
}

impl Part {
    /// Whether a part that is no `**` matches a name.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Plain(plain) => plain == name,
            Self::Glob(globs) => globs.iter().any(|glob| glob.matches(name)),
            Self::Other(names) => !name.starts_with('.') && !names.iter().any(|refused| refused.matches(name)),
            Self::Up | Self::Any { .. } => false,
        }
    }
}

/// A pattern without `!`, ready to be compared.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) parts: Vec<Part>,
    /// Whether the text ends with a slash, so that a name is before it.
    ends_with_slash: bool,
}

/// What a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To find workspaces.
    Find,
    /// To exclude some.
    Exclude,
}

/// Reads a pattern, without its `!`. Braces may make several of one. The error says what is wrong, in words.
pub(super) fn read(text: &str, dialect: Dialect, purpose: Purpose) -> Result<Vec<Pattern>, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("it contains a control character".to_owned());
    }
    if text.starts_with('/') {
        return Err("path is absolute; expected one relative to the repository".to_owned());
    }
    let many = || "its braces stand for too many patterns".to_owned();
    let texts = if dialect.is_bun() {
        vec![text.to_owned()]
    } else {
        braces::expand(text, dialect.braces()).ok_or_else(many)?
    };
    texts.iter().map(|text| pattern(text, dialect, purpose)).collect()
}

fn pattern(text: &str, dialect: Dialect, purpose: Purpose) -> Result<Pattern, String> {
    // Yarn's library reads a group before it splits, so that `@(a|b/c)` matches `a` and no folder two levels down.
    let texts = if dialect.is_berry() { split_outside_groups(text) } else { text.split('/').collect() };
    let texts: Vec<&str> = texts.into_iter().filter(|part| !matches!(*part, "" | ".")).collect();
    let is_path = dialect.is_old_bun() && purpose == Purpose::Find && dialect.is_path(text);
    let mut parts = Vec::new();
    for (index, part) in texts.iter().enumerate() {
        let reader = Reader { dialect, purpose, is_first: index == 0, is_last: index + 1 == texts.len() };
        let follows_star = matches!(parts.last(), Some(Part::Any { .. }));
        let is_base = dialect.is_berry() && !reader.is_last && parts.iter().all(|part| matches!(part, Part::Plain(_)));
        let part = match *part {
            ".." => Part::Up,
            // Bun opens a path without its glob characters, also `a/!(b)`.
            other if is_path => Part::Plain(other.to_owned()),
            "**" if follows_star => continue,
            "**" => reader.any(parts.last()),
            // Yarn's library takes such a folder for a plain one.
            other if is_base && is_lone_question_mark(other) => Part::Plain(other.to_owned()),
            other => reader.part(other)?,
        };
        parts.push(part);
    }
    // Yarn 3 compares folders with a pattern that ends with a slash, and no folder does.
    if dialect == Dialect::Yarn3 && text.ends_with('/') && !parts.iter().all(|part| matches!(part, Part::Plain(_))) {
        parts.push(Part::Glob(Vec::new()));
    }
    if dialect == Dialect::Yarn3 && text.ends_with('/') && purpose == Purpose::Exclude {
        parts.push(Part::Glob(Vec::new()));
    }
    Ok(Pattern { parts, ends_with_slash: text.ends_with('/') })
}

/// Whether a slash is inside an extended glob.
pub(super) fn has_slash_in_group(text: &str) -> bool {
    split_outside_groups(text).iter().any(|part| part.contains('/'))
}

/// Splits a pattern at the slashes outside of extended globs. A glob that is not closed is plain text.
fn split_outside_groups(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let closing = closing_brackets(bytes);
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'!' | b'@' | b'?' | b'+' | b'*' if bytes.get(at + 1) == Some(&b'(') => {
                at = closing.get(&(at + 1)).copied().unwrap_or(at);
            }
            b'/' => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[from..]);
    parts
}

/// Returns where each opening bracket is closed.
fn closing_brackets(bytes: &[u8]) -> HashMap<usize, usize> {
    let (mut open, mut closing, mut at) = (Vec::new(), HashMap::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' => open.push(at),
            b')' => {
                if let Some(open) = open.pop() {
                    closing.insert(open, at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    closing
}

fn is_lone_question_mark(part: &str) -> bool {
    part.contains('?') && !part.contains(['*', '[', '{', '(', ')', '+', '.', ']', '\\'])
}

struct Reader {
    dialect: Dialect,
    purpose: Purpose,
    is_first: bool,
    is_last: bool,
}

impl Reader {
    /// `**`. In the patterns of Yarn it needs a folder if nothing but names come before it.
    fn any(&self, before: Option<&Part>) -> Part {
        let is_excluding = self.purpose == Purpose::Exclude;
        let least = match self.dialect {
            // It is a plain star directly after the `!`.
            Dialect::Bun12 | Dialect::Bun13 if is_excluding && self.is_first => {
                return self.part("*").unwrap_or(Part::Any { least: 0, after_base: false });
            }
            Dialect::Bun12 | Dialect::Bun13 if is_excluding && self.is_last => 1,
            Dialect::Yarn3 | Dialect::Yarn4 if self.is_last && !is_excluding => match before {
                Some(Part::Glob(globs)) if self.dialect == Dialect::Yarn3 => {
                    usize::from(globs.iter().any(|glob| glob.name.ends_with_star()))
                }
                Some(Part::Glob(_)) => 0,
                _ => return Part::Any { least: 1, after_base: true },
            },
            _ => 0,
        };
        Part::Any { least, after_base: false }
    }

    fn part(&self, text: &str) -> Result<Part, String> {
        if let Some(refused) =
            text.strip_prefix('!').filter(|_| self.dialect.is_old_bun() && self.purpose == Purpose::Find)
        {
            let names = self
                .written_out(refused)?
                .iter()
                .map(|text| self.name(text, self.is_last))
                .collect::<Result<_, _>>()?;
            return Ok(Part::Other(names));
        }
        let mut globs = Vec::new();
        for text in &self.written_out(text)? {
            globs.push(Glob { name: self.name(text, self.is_last)?, on_the_way: self.on_the_way(text)? });
        }
        if let [only] = globs.as_slice()
            && let Some(plain) = only.name.literal()
        {
            return Ok(Part::Plain(plain));
        }
        Ok(Part::Glob(globs))
    }

    fn written_out(&self, text: &str) -> Result<Vec<String>, String> {
        if !self.dialect.is_bun() {
            return Ok(vec![text.to_owned()]);
        }
        braces::expand(text, self.dialect.braces()).ok_or_else(|| "its braces stand for too many patterns".to_owned())
    }

    fn on_the_way(&self, text: &str) -> Result<Option<Name>, String> {
        let differs = self.dialect.is_berry() && !self.is_last && text.contains("!(");
        if differs { self.name(text, true).map(Some) } else { Ok(None) }
    }

    fn name(&self, text: &str, is_last: bool) -> Result<Name, String> {
        let name = Name::parse(text, self.syntax(), is_last);
        name.ok_or_else(|| "its brackets are nested too deeply".to_owned())
    }

    fn syntax(&self) -> Syntax {
        let is_excluding = self.purpose == Purpose::Exclude;
        Syntax {
            extended: !self.dialect.is_old_bun(),
            like_regex: self.dialect.is_berry(),
            dots: match self.dialect {
                Dialect::Yarn4 | Dialect::Bun12 | Dialect::Bun13 | Dialect::Bun14 if is_excluding => Dots::Always,
                Dialect::Bun12 | Dialect::Bun13 => Dots::Never,
                Dialect::YarnClassic | Dialect::Bun14 => Dots::Written,
                Dialect::Yarn3 | Dialect::Yarn4 => Dots::UnlessWild,
            },
            refuses: if self.dialect.is_berry() { Refuses::Start } else { Refuses::Rest },
        }
    }
}

impl Pattern {
    /// Whether the pattern has no special characters.
    pub(super) fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Plain(_) | Part::Up))
    }

    /// Whether the first part has special characters.
    pub(super) fn starts_with_glob(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Glob(_) | Part::Other(_) | Part::Any { .. }))
    }

    /// Whether Yarn does not enter folders that the pattern excludes: if it ends with a name or with `/**`.
    pub(super) fn is_pruning(&self) -> bool {
        match self.parts.last() {
            Some(Part::Plain(_)) => true,
            Some(Part::Any { .. }) => self.parts.len() > 1,
            _ => false,
        }
    }

    /// Whether the last part matches an empty name. Yarn 4 also compares folders with a slash at their end.
    pub(super) fn ends_with_nothing(&self) -> bool {
        !self.ends_with_slash
            && matches!(self.parts.last(), Some(Part::Glob(globs)) if globs.iter().any(|glob| glob.name.matches_nothing()))
    }

    /// Whether a path matches, for patterns that exclude. `with_slash` compares it with a slash at its end, too.
    pub(super) fn matches(&self, path: &str, enters_dots: bool, with_slash: bool) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        // Where the pattern may stand after the names so far.
        let mut at = vec![false; self.parts.len() + 1];
        at[0] = true;
        self.skip_any(&mut at, 0);
        for name in names {
            let mut next = vec![false; self.parts.len() + 1];
            for (index, part) in self.parts.iter().enumerate().filter(|(index, _)| at[*index]) {
                match part {
                    Part::Any { .. } if enters_dots || !name.starts_with('.') => {
                        next[index] = true;
                        next[index + 1] = true;
                    }
                    other => next[index + 1] |= other.matches(name),
                }
            }
            at = next;
            // Zero folders are enough, except at the end of the patterns that need one.
            for index in 0..self.parts.len() {
                self.skip_any(&mut at, index);
            }
        }
        at[self.parts.len()] || (with_slash && self.ends_with_nothing() && at[self.parts.len() - 1])
    }

    fn skip_any(&self, at: &mut [bool], index: usize) {
        if at[index] && matches!(self.parts.get(index), Some(Part::Any { least: 0, .. })) {
            at[index + 1] = true;
        }
    }
}
