//! The structure of both formats of `yarn.lock`: keys, each with a string or with nested keys.
//!
//! The formats differ in how they write a line, which a `Grammar` knows. Strings are borrowed from the file, except the
//! few with escapes: a lockfile has tens of thousands.

use std::{borrow::Cow, collections::HashMap};

use super::{
    YarnLockError,
    line::{Line, Lines},
};
use crate::{
    diagnostic::Position,
    lockfile::{LockedDependency, json::shorten},
};

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::managers) struct Node<'a> {
    /// The key. If several keys share the value, the first.
    pub(in crate::managers) key: Cow<'a, str>,
    /// The other keys.
    pub(in crate::managers) more_keys: Vec<Cow<'a, str>>,
    /// The position of the first key.
    pub(in crate::managers) position: Position,
    /// The value.
    pub(in crate::managers) value: Value<'a>,
}

/// A string, or nested keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::managers) enum Value<'a> {
    /// A string. Numbers and booleans are strings too; no lockfile needs to tell them apart.
    Text(Cow<'a, str>),
    /// Nested keys, in the file's order.
    Map(Vec<Node<'a>>),
}

impl Node<'_> {
    /// Returns all keys that share the value.
    pub(in crate::managers) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.key).chain(&self.more_keys).map(AsRef::as_ref)
    }

    /// Returns the nested keys, or an error if the value is a string.
    pub(in crate::managers) fn map(&self) -> Result<&[Self], YarnLockError> {
        match &self.value {
            Value::Map(nodes) => Ok(nodes),
            Value::Text(text) => Err(self.unexpected("nested keys", &format!("`{}`", shorten(text)))),
        }
    }

    /// Returns the string, or an error if the value is nested keys.
    pub(in crate::managers) fn text(&self) -> Result<&str, YarnLockError> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Map(nodes) if nodes.is_empty() => Err(self.unexpected("a string", "none")),
            Value::Map(_) => Err(self.unexpected("a string", "nested keys")),
        }
    }

    /// Returns the nested node with this key.
    pub(in crate::managers) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(nodes) => nodes.iter().find(|node| node.key == key),
            Value::Text(_) => None,
        }
    }

    /// Returns the nodes nested in the nested node with this key. Without such a node, the result is empty.
    pub(in crate::managers) fn get_map(&self, key: &str) -> Result<&[Self], YarnLockError> {
        self.get(key).map_or(Ok(&[]), Self::map)
    }

    /// Returns what an entry requires, as these fields list it. Yarn refuses what is malformed there.
    pub(in crate::managers) fn dependencies(&self, fields: [&str; 2]) -> Vec<LockedDependency> {
        let lists = fields.into_iter().filter_map(|field| self.get(field)?.map().ok());
        let dependency = |node: &Self| {
            let range = node.text().ok()?.to_owned();
            Some(LockedDependency { name: node.key.clone().into_owned(), range })
        };
        lists.flatten().filter_map(dependency).collect()
    }

    fn unexpected(&self, expected: &'static str, found: &str) -> YarnLockError {
        YarnLockError::Unexpected { position: self.position, expected, found: found.to_owned() }
    }
}

/// The way a format writes a line.
pub(in crate::managers) trait Grammar {
    /// Whether a blank line or a comment at the margin ends an entry.
    const GAPS_CLOSE: bool;

    /// Reads a line.
    fn line<'a>(line: &Line<'a>) -> Result<Written<'a>, YarnLockError>;

    /// Reads the line after a long key.
    fn continued<'a>(line: &Line<'a>) -> Result<Content<'a>, YarnLockError> {
        Err(line.unexpected(0, "a key"))
    }
}

/// The content of a line.
pub(in crate::managers) struct Written<'a> {
    /// The first key, and the other keys.
    pub(in crate::managers) keys: (Cow<'a, str>, Vec<Cow<'a, str>>),
    /// What follows the keys.
    pub(in crate::managers) content: Content<'a>,
}

/// What follows the keys of a line.
pub(in crate::managers) enum Content<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// Nested lines.
    Below,
    /// The value is on the next line, which has no key.
    NextLine,
}

/// Reads a whole file.
pub(in crate::managers) fn read<G: Grammar>(text: &str) -> Result<Vec<Node<'_>>, YarnLockError> {
    let mut lines = Lines::of(text);
    let next = lines.next()?;
    Reader { lines, next }.nodes::<G>(0)
}

/// The deepest indent. Both formats need four levels; the limit keeps a hostile file from exhausting the stack.
const DEEPEST_INDENT: usize = 32;

/// The usual capacity. Most entries have fewer fields, so thousands of lists need not grow.
const USUAL_FIELDS: usize = 8;

struct Reader<'a> {
    lines: Lines<'a>,
    next: Option<Line<'a>>,
}

impl<'a> Reader<'a> {
    fn nodes<G: Grammar>(&mut self, indent: usize) -> Result<Vec<Node<'a>>, YarnLockError> {
        let mut nodes = Vec::with_capacity(USUAL_FIELDS);
        while let Some(line) = self.next.filter(|line| line.indent >= indent) {
            if line.indent > indent || indent > DEEPEST_INDENT {
                return Err(line.unexpected(0, "a smaller indent"));
            }
            if G::GAPS_CLOSE && line.after_gap && indent > 0 {
                return Err(
                    line.unexpected(0, "no blank line or comment within an entry (Yarn 1 would stop reading there)")
                );
            }
            nodes.push(self.node::<G>(&line)?);
        }
        refuse_duplicates(&nodes)?;
        Ok(nodes)
    }

    fn node<G: Grammar>(&mut self, line: &Line<'a>) -> Result<Node<'a>, YarnLockError> {
        let written = G::line(line)?;
        self.next = self.lines.next()?;
        let content = match written.content {
            Content::NextLine => self.continuation::<G>(line)?,
            content => content,
        };
        let value = match content {
            Content::Text(text) => Value::Text(text),
            // A continuation line has no continuation itself.
            Content::Below | Content::NextLine => Value::Map(self.nodes::<G>(line.indent + 2)?),
        };
        let (key, more_keys) = written.keys;
        Ok(Node { key, more_keys, position: line.position(), value })
    }

    fn continuation<G: Grammar>(&mut self, first: &Line<'a>) -> Result<Content<'a>, YarnLockError> {
        let Some(line) = self.next.filter(|line| line.indent == first.indent && line.text.starts_with(':')) else {
            return Err(self.next.unwrap_or(*first).unexpected(0, "`:` on the line after a long key"));
        };
        let content = G::continued(&line)?;
        self.next = self.lines.next()?;
        Ok(content)
    }
}

/// Refuses a key that appears twice. Most maps are small or sorted, and need no hash table.
fn refuse_duplicates(nodes: &[Node<'_>]) -> Result<(), YarnLockError> {
    let first = |node: &Node<'_>, first: &Node<'_>| {
        let key = shorten(&node.key).into_owned();
        Err(YarnLockError::Duplicate { position: node.position, first: first.position, key })
    };
    // Later Yarns write `__metadata` before all sorted keys.
    let [head, rest @ ..] = nodes else { return Ok(()) };
    if rest.is_sorted_by(|a, b| a.key < b.key) && rest.binary_search_by(|node| node.key.cmp(&head.key)).is_err() {
        return Ok(());
    }
    if nodes.len() <= 16 {
        let twice = |(index, node): (usize, &Node<'_>)| nodes[..index].iter().position(|other| other.key == node.key);
        return match nodes.iter().enumerate().find_map(|(index, node)| Some((index, twice((index, node))?))) {
            Some((second, earlier)) => first(&nodes[second], &nodes[earlier]),
            None => Ok(()),
        };
    }
    let mut seen = HashMap::with_capacity(nodes.len());
    match nodes.iter().find_map(|node| Some((node, seen.insert(node.key.as_ref(), node)?))) {
        Some((node, earlier)) => first(node, earlier),
        None => Ok(()),
    }
}

/// Returns a table of the bytes that have a meaning in a format. Nearly every byte of a file is looked up in one.
pub(in crate::managers) const fn table(signs: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut index = 0;
    while index < signs.len() {
        table[signs[index] as usize] = true;
        index += 1;
    }
    table
}

/// Reads a JSON string at the start of `text`. Returns it with its length as written, or `None` if there is none.
pub(in crate::managers) fn quoted(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let inner = text.strip_prefix('"')?;
    let stop = inner.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
    if inner.as_bytes()[stop] == b'"' {
        return Some((Cow::Borrowed(&inner[..stop]), stop + 2));
    }
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })?;
    let length = end + 2;
    let decoded: String = serde_json::from_str(&text[..length]).ok()?;
    (!decoded.contains(char::is_control)).then_some((Cow::Owned(decoded), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_texts_are_json() {
        assert_eq!(quoted(r#""a b": c"#), Some(("a b".into(), 5)));
        assert_eq!(quoted(r#""a\"\\" x"#), Some((r#"a"\"#.into(), 7)));
        for text in ["", "a", r#"""#, r#""a"#, r#""\x""#, r#""\u001b""#, r#""\"#] {
            assert_eq!(quoted(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_json_writes_is_read(text in "\\PC{0,20}", after in "\\PC{0,5}") {
            let written = serde_json::to_string(&text).unwrap();
            let read = quoted(&format!("{written}{after}")).map(|(text, length)| (text.into_owned(), length));
            prop_assert_eq!(read, Some((text, written.len())));
        }
    }
}
