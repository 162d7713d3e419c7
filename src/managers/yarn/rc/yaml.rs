//! YAML as Yarn reads it: a mapping at the top, and every scalar a string.
//!
//! Yarn uses the failsafe schema, in which `true` and `1` are strings too. It takes the last of two equal keys, and
//! knows no tags. This reader refuses both, and a second document. It follows aliases within limits, so a small file
//! cannot expand without bound.

use std::{borrow::Cow, collections::BTreeMap};

use camino::Utf8Path;
use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, options};

use super::YarnRcError;
use crate::diagnostic::Position;

/// The deepest nesting of collections, aliases included.
const DEEPEST: usize = 64;

/// The largest size of a file, aliases included: bytes of text, plus [`NODE`] for each node.
const LARGEST: usize = 8 << 20;
const NODE: usize = 32;

/// A mapping with strings as keys.
pub(crate) type Mapping = BTreeMap<String, Node>;

/// A value and its position. In a mapping, that is the position of its key. Equality compares values only.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) position: Position,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A value. It may be a secret, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    /// A key without a value.
    Null,
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Mapping(Mapping),
}

impl Node {
    /// Returns the name of the kind in messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// Returns every string in the value that is not a key.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::Null => Vec::new(),
            Value::Text(text) => vec![text],
            Value::List(items) => items.iter().flat_map(Self::texts).collect(),
            Value::Mapping(fields) => fields.values().flat_map(Self::texts).collect(),
        }
    }

    fn depth(&self) -> usize {
        match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
            Value::Mapping(fields) => 1 + fields.values().map(Self::depth).max().unwrap_or_default(),
        }
    }

    fn size(&self) -> usize {
        NODE + match &self.value {
            Value::Null => 0,
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Mapping(fields) => fields.iter().map(|(key, node)| key.len() + node.size()).sum(),
        }
    }
}

/// Reads the text of the file at `path`. An empty file is an empty mapping.
pub(crate) fn read(path: &Utf8Path, text: &str) -> Result<Mapping, YarnRcError> {
    match root(path, text)? {
        None | Some(Node { value: Value::Null, .. }) => Ok(Mapping::new()),
        Some(Node { value: Value::Mapping(mapping), .. }) => Ok(mapping),
        Some(other) => Err(reader_error(path, other.position, &format!("expected a mapping, found {}", other.kind()))),
    }
}

/// Reads the top-level value of the file at `path`, if there is one.
pub(crate) fn root(path: &Utf8Path, text: &str) -> Result<Option<Node>, YarnRcError> {
    let limits = options! { flow_nesting_limit: DEEPEST / 2, block_nesting_limit: DEEPEST / 2 };
    let mut reader = Reader { path, open: Vec::new(), anchors: BTreeMap::new(), root: None, size: 0 };
    for event in Parser::new_from_str_with_options(text, limits) {
        let (event, span) = event.map_err(|error| reader.wrong(position(error.marker()), &error.info()))?;
        reader.take(event, span)?;
    }
    Ok(reader.root)
}

/// Builds the tree from the parser's events.
struct Reader<'a> {
    path: &'a Utf8Path,
    /// The collections that are still open, the outermost first.
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    size: usize,
}

struct Open {
    collection: Collection,
    position: Position,
    anchor: usize,
}

enum Collection {
    List(Vec<Node>),
    /// The fields so far, and the key that waits for its value.
    Mapping(Mapping, Option<(String, Position)>),
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YarnRcError> {
        let at = position(&span.start);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err(self.wrong(at, "a second document")),
            Event::Scalar(.., Some(_)) | Event::SequenceStart(.., Some(_)) | Event::MappingStart(.., Some(_)) => {
                Err(self.wrong(at, "a tag"))
            }
            // The parser reports a missing value as `~`, which Yarn would read as a string.
            Event::Scalar(_, ScalarStyle::Plain, anchor, None) if span.start.index() == span.end.index() => {
                self.scalar(None, anchor, at)
            }
            Event::Scalar(text, _, anchor, None) => self.scalar(Some(text), anchor, at),
            Event::SequenceStart(_, anchor, None) => self.begin(Collection::List(Vec::new()), anchor, at),
            Event::MappingStart(_, anchor, None) => self.begin(Collection::Mapping(Mapping::new(), None), anchor, at),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: Option<Cow<'_, str>>, anchor: usize, at: Position) -> Result<(), YarnRcError> {
        if let Some(Open { collection: Collection::Mapping(fields, key @ None), .. }) = self.open.last_mut() {
            let text = text.unwrap_or_default();
            if fields.contains_key(text.as_ref()) {
                return Err(self.wrong(at, "duplicate key"));
            }
            *key = Some((text.into_owned(), at));
            return Ok(());
        }
        let value = text.map_or(Value::Null, |text| Value::Text(text.into_owned()));
        self.add(Node { value, position: at }, anchor)
    }

    fn begin(&mut self, collection: Collection, anchor: usize, at: Position) -> Result<(), YarnRcError> {
        if matches!(self.open.last(), Some(Open { collection: Collection::Mapping(_, None), .. })) {
            return Err(self.wrong(at, "a key that is not a string"));
        }
        self.open.push(Open { collection, position: at, anchor });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YarnRcError> {
        let Some(Open { collection, position, anchor }) = self.open.pop() else { return Ok(()) };
        let value = match collection {
            Collection::List(items) => Value::List(items),
            Collection::Mapping(fields, _) => Value::Mapping(fields),
        };
        self.add(Node { value, position }, anchor)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), YarnRcError> {
        if matches!(self.open.last(), Some(Open { collection: Collection::Mapping(_, None), .. })) {
            return Err(self.wrong(at, "a key that is not a string"));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.wrong(at, "an alias of a value that contains it"));
        };
        if self.open.len() + node.depth() > DEEPEST || self.size + node.size() > LARGEST {
            return Err(self.wrong(at, "an alias of a value that is too large"));
        }
        let node = Node { value: node.value.clone(), position: at };
        self.size += node.size();
        self.add(node, 0)
    }

    /// Adds a complete node to its collection.
    fn add(&mut self, mut node: Node, anchor: usize) -> Result<(), YarnRcError> {
        self.size += NODE;
        if self.size > LARGEST {
            return Err(self.wrong(node.position, "too many values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.root = Some(node),
            Some(Collection::List(items)) => items.push(node),
            Some(Collection::Mapping(fields, key)) => {
                if let Some((key, at)) = key.take() {
                    node.position = at;
                    fields.insert(key, node);
                }
            }
        }
        Ok(())
    }

    fn wrong(&self, position: Position, message: &str) -> YarnRcError {
        reader_error(self.path, position, message)
    }
}

fn reader_error(path: &Utf8Path, position: Position, message: &str) -> YarnRcError {
    YarnRcError::Yaml { path: path.to_owned(), position, message: message.to_owned() }
}

/// Converts a position. The parser counts lines from 1, and columns from 0.
fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Diagnose as _;

    fn read(text: &str) -> Result<Mapping, YarnRcError> {
        super::read(Utf8Path::new("x.yml"), text)
    }

    /// Converts a value to JSON. A missing value is `null`.
    fn json(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(json).collect(),
            Value::Mapping(fields) => fields.iter().map(|(key, node)| (key.clone(), json(node))).collect(),
        }
    }

    fn value(text: &str) -> serde_json::Value {
        json(&read(text).ok().unwrap()["a"])
    }

    #[test]
    fn every_scalar_is_a_text() {
        assert_eq!(
            value("a: [1, true, ~, null, '', \"\\u0041\", b: , ]"),
            serde_json::json!(["1", "true", "~", "null", "", "A", {"b": null}])
        );
        assert_eq!(value("a:"), serde_json::Value::Null);
        assert_eq!(value("a: |\n  x\n  y\nb: 1"), "x\ny\n");
        assert_eq!(value("a: {b: &x [c], d: *x}"), serde_json::json!({"b": ["c"], "d": ["c"]}));
        assert!(read("").ok().unwrap().is_empty() && read("# note\n---\n").ok().unwrap().is_empty());
    }

    #[test]
    fn what_yarn_would_not_read_is_refused_with_its_place() {
        for (text, place, message) in [
            ("é: [1,\n", "1:4", "unclosed bracket"),
            ("a: 1\n\tb: 2\n", "1:4", "found a tab"),
            ("a: 1\na : 2\n", "2:1", "duplicate key"),
            ("a: 1\n---\nb: 2\n", "2:1", "a second document"),
            ("- a\n", "1:1", "expected a mapping, found a list"),
            ("a: !x 1\n", "1:7", "a tag"),
            ("[a]: 1\n", "1:1", ""),
            ("a: *b\n", "1:4", ""),
            ("a: &b [*b]\n", "1:8", "an alias of a value that contains it"),
        ] {
            let error = read(text).err().unwrap();
            assert_eq!(error.location().unwrap().to_string(), format!("x.yml:{place}"), "{text:?} {error}");
            assert!(error.to_string().contains(message), "{text:?} {error}");
        }
    }

    #[test]
    fn aliases_do_not_blow_up() {
        let level = |level: usize, times| {
            let alias = format!("*a{},", level - 1);
            format!("a{level}: &a{level} [{}]\n", alias.repeat(times))
        };
        let of_levels = |levels, times| {
            let lines: Vec<String> = (1..levels).map(|number| level(number, times)).collect();
            read(&format!("a0: &a0 x\n{}", lines.concat()))
        };
        assert!(of_levels(5, 9).is_ok() && of_levels(60, 1).is_ok());
        for (levels, times) in [(20, 9), (99, 1)] {
            assert!(of_levels(levels, times).err().unwrap().to_string().contains("too large"));
        }
        assert!(read(&"[".repeat(100_000)).is_err() && read(&"a: \n ".repeat(9)).is_err());
        assert!(read(&format!("a: {}", "x".repeat(2000))).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"([ab:\-?#&*!|>'"{}\[\], \n\r\t%@~.]|\PC){0,30}"#) {
            let _ = read(&text);
        }
    }
}
