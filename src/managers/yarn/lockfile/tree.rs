//! What both formats of `yarn.lock` are made of: keys, each with a text or with further keys below it.
//!
//! The formats differ in how a line is written, which a `Grammar` knows. The texts are borrowed from the file but for
//! the few that have escapes in them: a lockfile has tens of thousands.

use std::{borrow::Cow, collections::HashMap};

use super::{
    YarnLockError,
    line::{Line, Lines},
};
use crate::{diagnostic::Position, lockfile::json::shorten};

/// A key with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::managers) struct Node<'a> {
    /// The key, the first where several share the value.
    pub(in crate::managers) key: Cow<'a, str>,
    /// The other keys.
    pub(in crate::managers) more_keys: Vec<Cow<'a, str>>,
    /// Where the first key stands.
    pub(in crate::managers) position: Position,
    /// What belongs to it.
    pub(in crate::managers) value: Value<'a>,
}

/// A text, or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::managers) enum Value<'a> {
    /// A text; also numbers and booleans, which no lockfile needs apart from texts.
    Text(Cow<'a, str>),
    /// Keys, in the file's order.
    Map(Vec<Node<'a>>),
}

impl Node<'_> {
    /// All its keys.
    pub(in crate::managers) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.key).chain(&self.more_keys).map(AsRef::as_ref)
    }

    /// What is below it.
    pub(in crate::managers) fn map(&self) -> Result<&[Self], YarnLockError> {
        match &self.value {
            Value::Map(nodes) => Ok(nodes),
            Value::Text(text) => Err(self.unexpected("keys below this one", &format!("`{}`", shorten(text)))),
        }
    }

    /// Its text.
    pub(in crate::managers) fn text(&self) -> Result<&str, YarnLockError> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Map(nodes) if nodes.is_empty() => Err(self.unexpected("a text", "none")),
            Value::Map(_) => Err(self.unexpected("a text", "keys")),
        }
    }

    /// The node below it with this key.
    pub(in crate::managers) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(nodes) => nodes.iter().find(|node| node.key == key),
            Value::Text(_) => None,
        }
    }

    /// What is below the node below it with this key; nothing where there is none.
    pub(in crate::managers) fn get_map(&self, key: &str) -> Result<&[Self], YarnLockError> {
        self.get(key).map_or(Ok(&[]), Self::map)
    }

    fn unexpected(&self, expected: &'static str, found: &str) -> YarnLockError {
        YarnLockError::Unexpected { position: self.position, expected, found: found.to_owned() }
    }
}

/// How a format writes a line.
pub(in crate::managers) trait Grammar {
    /// Whether a gap ends what was opened before it.
    const GAPS_CLOSE: bool;

    /// Reads a line.
    fn line<'a>(line: &Line<'a>) -> Result<Written<'a>, YarnLockError>;

    /// Reads what follows a long key on a line of its own.
    fn continued<'a>(line: &Line<'a>) -> Result<Content<'a>, YarnLockError> {
        Err(line.unexpected(0, "a key"))
    }
}

/// What a line says.
pub(in crate::managers) struct Written<'a> {
    /// Its keys, the first and the others.
    pub(in crate::managers) keys: (Cow<'a, str>, Vec<Cow<'a, str>>),
    /// What follows.
    pub(in crate::managers) content: Content<'a>,
}

/// What follows a line's keys.
pub(in crate::managers) enum Content<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Deeper lines.
    Below,
    /// The rest of the sentence is on the next line, which has no key.
    NextLine,
}

/// Reads a whole file.
pub(in crate::managers) fn read<G: Grammar>(text: &str) -> Result<Vec<Node<'_>>, YarnLockError> {
    let mut lines = Lines::of(text);
    let next = lines.next()?;
    Reader { lines, next }.nodes::<G>(0)
}

/// No format nests deeper than four levels; a limit keeps a hostile file from exhausting the stack.
const DEEPEST_INDENT: usize = 32;

/// An entry has fewer: thousands of lists need not grow.
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
                return Err(line.unexpected(0, "a line that is not deeper"));
            }
            if G::GAPS_CLOSE && line.after_gap && indent > 0 {
                return Err(line.unexpected(0, "no gap within an entry (Yarn 1 would stop reading there)"));
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
            // a line that continues one is not continued itself
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

/// Refuses a key that stands before it already. Most maps are small or in order, which needs no table.
fn refuse_duplicates(nodes: &[Node<'_>]) -> Result<(), YarnLockError> {
    let first = |node: &Node<'_>, first: &Node<'_>| {
        let key = shorten(&node.key).into_owned();
        Err(YarnLockError::Duplicate { position: node.position, first: first.position, key })
    };
    // Later Yarn puts what it says of the file itself before all else.
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

/// Which bytes are signs of a format. A table, since nearly every byte of a file is looked up in one.
pub(in crate::managers) const fn table(signs: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut index = 0;
    while index < signs.len() {
        table[signs[index] as usize] = true;
        index += 1;
    }
    table
}

/// A JSON string at the start of `text`, and the length of what it is written in. None where there is none.
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
