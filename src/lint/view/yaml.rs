//! YAML files of CI systems, read leniently: tags are ignored, of equal keys both are kept, aliases are followed within limits.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, options};

use super::shell::{self, Command};
use crate::lint::{Context, File};

/// The deepest nesting of collections, aliases included.
const DEEPEST: usize = 64;

/// The largest number of values, aliases included.
const MOST: usize = 1 << 17;

/// A YAML file.
#[derive(Debug)]
pub struct YamlFile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// The values of its documents.
    pub documents: Vec<Node>,
}

/// A value and its bytes.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The bytes of the value, without its key.
    pub range: Range<usize>,
    /// How many values it has, itself included.
    size: usize,
    /// How deeply collections nest in it.
    depth: usize,
}

/// A value. Scalars are texts: `true` and `1` too.
#[derive(Debug, Clone)]
pub enum Value {
    /// A missing value.
    Null,
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Mapping(Vec<(Key, Node)>),
}

/// A key and its bytes.
#[derive(Debug, Clone)]
pub struct Key {
    /// The text.
    pub text: String,
    /// The bytes.
    pub range: Range<usize>,
}

impl Node {
    /// Returns the scalar.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// Returns the items of a list. Other values have none.
    pub fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// Returns the entries of a mapping. Other values have none.
    pub fn entries(&self) -> &[(Key, Self)] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    /// Returns the value of a key, which may come through `<<`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let own = self.entries().iter().rev().find(|(name, _)| name.text == key).map(|(_, node)| node);
        own.or_else(|| self.entries().iter().filter(|(name, _)| name.text == "<<").find_map(|(_, node)| node.get(key)))
    }

    /// Returns the items of a list, or the value itself.
    pub fn one_or_more(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { std::slice::from_ref(self) }
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Calls a function with each value, the outermost first.
    pub fn each<'n>(&'n self, visit: &mut impl FnMut(&'n Self)) {
        visit(self);
        self.items().iter().chain(self.entries().iter().map(|(_, node)| node)).for_each(|node| node.each(visit));
    }
}

impl<'a> YamlFile<'a> {
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Option<Self> {
        Some(Self { context, file, documents: documents(file.text)? })
    }

    /// Returns the first document, or nothing if the file is empty.
    pub fn root(&self) -> Option<&Node> {
        self.documents.first()
    }

    /// Returns the bytes in the file of a part of a scalar, such as a command in a script. A scalar is not written as it is read, so this
    /// looks for the line that holds the part.
    pub fn place(&self, node: &Node, part: &Range<usize>) -> Range<usize> {
        self.find(node, part).unwrap_or_else(|| node.range.clone())
    }

    fn find(&self, node: &Node, part: &Range<usize>) -> Option<Range<usize>> {
        let value = node.text()?;
        let source = self.file.text.get(node.range.clone())?;
        let start = value.get(..part.start)?.rfind('\n').map_or(0, |at| at + 1);
        let line = value.get(start..)?.lines().next()?;
        // Of equal lines, the one that comes after the earlier ones.
        let earlier = value[..start].lines().filter(|other| other.trim() == line.trim()).count();
        let mut offset = 0;
        let mut same = 0;
        for written in source.split_inclusive('\n') {
            if let Some(at) = written.find(line.trim()).filter(|_| !line.trim().is_empty()) {
                if same == earlier {
                    let indent = line.len() - line.trim_start().len();
                    let begin = node.range.start + offset + at + (part.start - start).saturating_sub(indent);
                    let length = value.get(part.clone())?.lines().next().unwrap_or_default().len();
                    return self.file.text.get(begin..begin + length).map(|_| begin..begin + length);
                }
                same += 1;
            }
            offset += written.len();
        }
        None
    }

    /// Returns the commands of a scalar, with their bytes in the file.
    pub fn commands<'n>(&self, node: &'n Node) -> Vec<Command<'n>> {
        let commands = shell::commands(node.text().unwrap_or_default()).into_iter();
        let placed = commands.map(|command| Command { range: self.place(node, &command.range), ..command });
        placed.collect()
    }
}

/// Reads all documents of a text. Returns nothing if it is not YAML.
fn documents(text: &str) -> Option<Vec<Node>> {
    let limits = options! { flow_nesting_limit: DEEPEST / 2, block_nesting_limit: DEEPEST / 2 };
    let mut reader =
        Reader { offsets: Offsets::new(text), open: Vec::new(), anchors: BTreeMap::new(), done: Vec::new(), size: 0 };
    for event in Parser::new_from_str_with_options(text, limits) {
        let (event, span) = event.ok()?;
        reader.take(event, span)?;
    }
    Some(reader.done)
}

/// Turns offsets in characters into offsets in bytes.
struct Offsets<'a> {
    text: &'a str,
    /// The last question and its answer: events come in order.
    last: (usize, usize),
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, last: (0, 0) }
    }

    fn bytes(&mut self, marker: &Marker) -> usize {
        if let Some(offset) = marker.byte_offset() {
            return offset.min(self.text.len());
        }
        let (characters, bytes) = if marker.index() >= self.last.0 { self.last } else { (0, 0) };
        let rest = &self.text[bytes..];
        let more = rest.char_indices().nth(marker.index() - characters).map_or(rest.len(), |(at, _)| at);
        self.last = (marker.index(), bytes + more);
        bytes + more
    }
}

/// Builds the values from the parser's events.
struct Reader<'a> {
    offsets: Offsets<'a>,
    /// The collections that are still open, the outermost first.
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    done: Vec<Node>,
    size: usize,
}

struct Open {
    collection: Collection,
    start: usize,
    anchor: usize,
}

enum Collection {
    List(Vec<Node>),
    /// The entries so far, and the key that waits for its value.
    Mapping(Vec<(Key, Node)>, Option<Key>),
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let start = self.offsets.bytes(&span.start);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let end = self.offsets.bytes(&span.end);
                let is_missing = style == ScalarStyle::Plain && start == end;
                self.scalar(if is_missing { Cow::Borrowed("") } else { text }, is_missing, anchor, start..end);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { collection: Collection::List(Vec::new()), start, anchor });
            }
            Event::MappingStart(_, anchor, _) => {
                self.open.push(Open { collection: Collection::Mapping(Vec::new(), None), start, anchor });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop()?;
                let end = self.offsets.bytes(&span.end).max(open.start);
                let value = match open.collection {
                    Collection::List(items) => Value::List(items),
                    Collection::Mapping(entries, _) => Value::Mapping(entries),
                };
                self.add(node(value, open.start..end), open.anchor);
            }
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor)?.clone();
                if self.size + found.size > MOST || self.open.len() + found.depth > DEEPEST {
                    return None;
                }
                // It keeps the bytes of its definition, so findings in it are where the text is.
                self.add(found, 0);
            }
            _ => {}
        }
        (self.size <= MOST).then_some(())
    }

    fn scalar(&mut self, text: Cow<'_, str>, is_missing: bool, anchor: usize, range: Range<usize>) {
        if let Some(Open { collection: Collection::Mapping(_, key @ None), .. }) = self.open.last_mut() {
            *key = Some(Key { text: text.into_owned(), range });
            return;
        }
        let value = if is_missing { Value::Null } else { Value::Text(text.into_owned()) };
        self.add(node(value, range), anchor);
    }

    fn add(&mut self, node: Node, anchor: usize) {
        self.size += node.size;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.done.push(node),
            Some(Collection::List(items)) => items.push(node),
            // A key that is a collection is rare, and of no interest.
            Some(Collection::Mapping(_, key @ None)) => *key = Some(Key { text: String::new(), range: node.range }),
            Some(Collection::Mapping(entries, key)) => entries.extend(key.take().map(|key| (key, node))),
        }
    }
}

fn node(value: Value, range: Range<usize>) -> Node {
    let inner = match &value {
        Value::Null | Value::Text(_) => Vec::new(),
        Value::List(items) => items.iter().collect(),
        Value::Mapping(entries) => entries.iter().map(|(_, node)| node).collect(),
    };
    let size = 1 + inner.iter().map(|node| node.size).sum::<usize>();
    let depth = inner.iter().map(|node| node.depth + 1).max().unwrap_or_default();
    Node { value, range, size, depth }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Kind;

    fn with<T>(text: &str, read: impl FnOnce(&YamlFile<'_>) -> T) -> T {
        let context = Context::default();
        let file = File { path: "a.yml", kind: Kind::Workflow, text };
        read(&YamlFile::parse(&context, file).unwrap())
    }

    #[test]
    fn values_have_their_bytes() {
        let text = "é: &a\n  on: [x, \"y\"]\n  r: !ref 1\nb: *a\nc:\n  <<: *a\n  on:\n";
        with(text, |file| {
            let root = file.root().unwrap();
            let on = root.at(&["é", "on"]).unwrap();
            assert_eq!(&text[on.range.clone()], "[x, \"y\"]");
            assert_eq!(&text[on.items()[1].range.clone()], "\"y\"");
            assert_eq!(root.at(&["b", "r"]).and_then(Node::text), Some("1"));
            assert_eq!(root.at(&["c", "r"]).and_then(Node::text), Some("1"));
            assert!(matches!(root.at(&["c", "on"]).unwrap().value, Value::Null));
        });
    }

    #[test]
    fn commands_are_found_in_their_lines() {
        let text =
            "run: |\n  echo é\n  nix build\n    && nix build\none: nix build .#a\nfold: >-\n  nix\n  flake check\n";
        with(text, |file| {
            let root = file.root().unwrap();
            let shown = |key: &str| {
                let commands = file.commands(root.get(key).unwrap());
                commands.iter().map(|one| (one.range.start, text[one.range.clone()].to_owned())).collect::<Vec<_>>()
            };
            let at = |needle: &str| text.find(needle).unwrap();
            let run = shown("run");
            assert_eq!(run[1], (at("nix build"), "nix build".to_owned()));
            assert_eq!(run[2], (at("&& nix build") + 3, "nix build".to_owned()));
            assert_eq!(shown("one"), [(at("nix build .#a"), "nix build .#a".to_owned())]);
            assert_eq!(shown("fold").len(), 1);
        });
    }

    #[test]
    fn hostile_texts_end_in_an_answer() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert!(documents(bomb).is_none());
        assert!(documents(&"[".repeat(100_000)).is_none());
        assert!(documents("a: [").is_none());
        assert!(documents("").unwrap().is_empty());
        assert_eq!(documents("? [a]\n: b\n").unwrap().len(), 1);
    }
}
