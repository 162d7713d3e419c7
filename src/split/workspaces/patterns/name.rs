//! One part of a pattern between slashes: what it says, and which names it matches.
//!
//! The matcher keeps sets of positions, and works each part of a pattern out once for each position. So no pattern takes
//! more than polynomial time: a manifest comes from outside, and `+(+(a)+(a))` must not hang.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use fixedbitset::FixedBitSet;

/// What the characters of a pattern mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) struct Syntax {
    /// Whether `!(a)`, `@(a|b)`, `?(a)`, `+(a)` and `*(a)` are groups.
    pub(in crate::split) extended: bool,
    /// Whether `(a|b)` is a group without a character before it, and `[[:alpha:]]` a class.
    pub(in crate::split) like_regex: bool,
    /// Which names with a dot match.
    pub(in crate::split) dots: Dots,
    /// What `!(a)b` refuses.
    pub(in crate::split) refuses: Refuses,
}

/// Which names with a dot at the start match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Dots {
    /// None.
    Never,
    /// All.
    Always,
    /// If the pattern starts with the dot.
    Written,
    /// Unless the pattern starts with `*` or `?`.
    UnlessWild,
}

/// The names that `!(a)b` refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Refuses {
    /// Those that start with `ab`.
    Rest,
    /// Those that start with `a`; at the end of a pattern `a` itself.
    Start,
}

/// The deepest nesting of groups. The parser and the matcher call themselves for each.
const DEEPEST: usize = 30;

/// One part of a pattern.
#[derive(Debug, Clone)]
pub(in crate::split) struct Name {
    nodes: Vec<Node>,
    syntax: Syntax,
    starts_with_dot: bool,
    /// Whether the pattern ends here: `!(a)` then refuses `a` alone.
    is_last: bool,
}

#[derive(Debug, Clone)]
enum Node {
    Character(char),
    Any,
    Star,
    Class(Class),
    Group { id: usize, repeat: Repeat, alternatives: Vec<Vec<Self>> },
    Not { id: usize, alternatives: Vec<Vec<Self>>, has_star: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Once,
    Optional,
    AtLeastOnce,
    AnyTimes,
}

#[derive(Debug, Clone, Default)]
struct Class {
    is_negated: bool,
    ranges: Vec<(char, char)>,
    named: Vec<Named>,
}

type Named = fn(char) -> bool;

impl Name {
    /// Reads a part. Returns `None` if its groups are nested too deeply.
    pub(in crate::split) fn parse(text: &str, syntax: Syntax, is_last: bool) -> Option<Self> {
        let characters: Vec<char> = text.chars().collect();
        let mut parser = Parser { characters: &characters, at: 0, syntax, groups: 0, unclosed: HashSet::new() };
        let nodes = parser.sequence(0)?;
        Some(Self { nodes, syntax, starts_with_dot: text.starts_with('.'), is_last })
    }

    /// Returns the name if it has no special characters.
    pub(in crate::split) fn literal(&self) -> Option<String> {
        let character = |node: &Node| match node {
            Node::Character(character) => Some(*character),
            _ => None,
        };
        self.nodes.iter().map(character).collect()
    }

    /// Whether the last character of the pattern is a `*`.
    pub(in crate::split) fn ends_with_star(&self) -> bool {
        matches!(self.nodes.last(), Some(Node::Star))
    }

    /// Whether the pattern matches an empty name: `*` and `?` at its start do not.
    pub(in crate::split) fn matches_nothing(&self) -> bool {
        !matches!(self.nodes.first(), Some(Node::Star | Node::Any)) && self.matches("")
    }

    /// Whether a name matches.
    pub(in crate::split) fn matches(&self, name: &str) -> bool {
        if name.starts_with('.') {
            let is_wild = matches!(self.nodes.first(), Some(Node::Star | Node::Any));
            let may = match self.syntax.dots {
                Dots::Never => false,
                Dots::Always => true,
                Dots::Written => self.starts_with_dot,
                Dots::UnlessWild => !is_wild,
            };
            if !may {
                return false;
            }
        }
        let characters: Vec<char> = name.chars().collect();
        let run = Run { text: &characters, name: self, known: RefCell::default(), refused: RefCell::default() };
        run.sequence(&self.nodes, run.only(0), true).contains(characters.len())
    }
}

/// Matches one name.
struct Run<'a> {
    text: &'a [char],
    name: &'a Name,
    /// Where one run of a group ends if it starts at a position.
    known: RefCell<HashMap<(usize, usize), FixedBitSet>>,
    /// Whether a `!(…)` may not start at a position.
    refused: RefCell<HashMap<(usize, usize), bool>>,
}

impl Run<'_> {
    fn only(&self, position: usize) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.text.len() + 1);
        set.insert(position);
        set
    }

    fn none(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.text.len() + 1)
    }

    /// Where a sequence may end. `is_outer` says that nothing follows it.
    fn sequence(&self, nodes: &[Node], mut set: FixedBitSet, is_outer: bool) -> FixedBitSet {
        for (index, node) in nodes.iter().enumerate() {
            if set.is_clear() {
                break;
            }
            set = self.node(node, &nodes[index + 1..], &set, is_outer);
        }
        set
    }

    fn node(&self, node: &Node, rest: &[Node], set: &FixedBitSet, is_outer: bool) -> FixedBitSet {
        match node {
            Node::Character(expected) => self.one(set, |character| character == *expected),
            Node::Any => self.one(set, |_| true),
            Node::Class(class) => self.one(set, |character| class.has(character)),
            Node::Star => self.from(set.minimum()),
            Node::Group { id, repeat, alternatives } => self.group(*id, *repeat, alternatives, set),
            Node::Not { id, alternatives, has_star } => {
                let is_refused = |start: usize| {
                    if let Some(known) = self.refused.borrow().get(&(*id, start)) {
                        return *known;
                    }
                    let is_refused = self.refuses(*id, alternatives, *has_star, rest, start, is_outer);
                    self.refused.borrow_mut().insert((*id, start), is_refused);
                    is_refused
                };
                self.from(set.ones().find(|start| !is_refused(*start)))
            }
        }
    }

    fn one(&self, set: &FixedBitSet, is_meant: impl Fn(char) -> bool) -> FixedBitSet {
        let mut next = self.none();
        for position in set.ones().filter(|position| self.text.get(*position).is_some_and(|at| is_meant(*at))) {
            next.insert(position + 1);
        }
        next
    }

    fn from(&self, first: Option<usize>) -> FixedBitSet {
        let mut set = self.none();
        if let Some(first) = first {
            set.insert_range(first..);
        }
        set
    }

    /// Where a group may end, for all positions where it may start at once.
    fn group(&self, id: usize, repeat: Repeat, alternatives: &[Vec<Node>], set: &FixedBitSet) -> FixedBitSet {
        let is_optional = matches!(repeat, Repeat::Optional | Repeat::AnyTimes);
        let mut ends = if is_optional { set.clone() } else { self.none() };
        let is_repeated = matches!(repeat, Repeat::AtLeastOnce | Repeat::AnyTimes);
        let (mut todo, mut seen): (Vec<usize>, _) = (set.ones().collect(), set.clone());
        while let Some(position) = todo.pop() {
            let next = self.step(id, alternatives, position);
            ends.union_with(&next);
            if is_repeated {
                todo.extend(next.ones().filter(|position| !seen.put(*position)));
            }
        }
        ends
    }

    /// Where one of the alternatives may end, if it starts here.
    fn step(&self, id: usize, alternatives: &[Vec<Node>], start: usize) -> FixedBitSet {
        if let Some(known) = self.known.borrow().get(&(id, start)) {
            return known.clone();
        }
        let mut ends = self.none();
        for alternative in alternatives {
            ends.union_with(&self.sequence(alternative, self.only(start), false));
        }
        self.known.borrow_mut().insert((id, start), ends.clone());
        ends
    }

    /// Whether `!(…)` may not start here.
    fn refuses(
        &self,
        id: usize,
        alternatives: &[Vec<Node>],
        has_star: bool,
        rest: &[Node],
        start: usize,
        is_outer: bool,
    ) -> bool {
        let ends = self.step(id, alternatives, start);
        if rest.is_empty() && is_outer {
            let whole = ends.contains(self.text.len());
            let is_last = self.name.is_last || self.name.syntax.refuses == Refuses::Rest;
            return if is_last { whole } else { !ends.is_clear() };
        }
        match self.name.syntax.refuses {
            Refuses::Rest => !self.sequence(rest, ends, is_outer).is_clear(),
            // In `!(*.d).ts` the end counts.
            Refuses::Start if has_star && is_file_ending(rest) => !self.sequence(rest, ends, is_outer).is_clear(),
            Refuses::Start => !ends.is_clear(),
        }
    }
}

fn is_file_ending(rest: &[Node]) -> bool {
    let mut rest = rest.iter();
    matches!(rest.next(), Some(Node::Character('.')))
        && rest.len() > 0
        && rest.all(|node| !matches!(node, Node::Character('.' | '\\')))
}

impl Class {
    fn has(&self, character: char) -> bool {
        let is_in = self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&character))
            || self.named.iter().any(|named| named(character));
        is_in != self.is_negated
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    syntax: Syntax,
    groups: usize,
    /// Where groups open that are never closed. Reading each twice would take exponential time.
    unclosed: HashSet<usize>,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Reads to the end of the text, or, in a group, to `|` or `)`.
    fn sequence(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        while let Some(character) = self.peek(0) {
            if depth > 0 && matches!(character, '|' | ')') {
                break;
            }
            if let Some(group) = self.group(character, depth)? {
                nodes.push(group);
                continue;
            }
            self.at += 1;
            match character {
                '\\' => {
                    let escaped = self.peek(0).unwrap_or('\\');
                    self.at += 1;
                    nodes.push(Node::Character(escaped));
                }
                '*' if matches!(nodes.last(), Some(Node::Star)) => {}
                '*' => nodes.push(Node::Star),
                '?' => nodes.push(Node::Any),
                '[' => match self.class() {
                    Some(class) => nodes.push(Node::Class(class)),
                    None => nodes.push(Node::Character('[')),
                },
                other => nodes.push(Node::Character(other)),
            }
        }
        Some(nodes)
    }

    /// Reads a group, if one starts here and is closed. The outer `None` means nested too deeply.
    #[expect(clippy::option_option, reason = "the two kinds of nothing mean different things")]
    fn group(&mut self, character: char, depth: usize) -> Option<Option<Node>> {
        let is_extended = self.syntax.extended && "!@?+*".contains(character) && self.peek(1) == Some('(');
        let is_plain = self.syntax.like_regex && character == '(';
        if (!is_extended && !is_plain) || self.unclosed.contains(&self.at) {
            return Some(None);
        }
        if depth >= DEEPEST {
            return None;
        }
        let start = (self.at, self.groups);
        self.at += if is_extended { 2 } else { 1 };
        let (from, id) = (self.at, self.groups);
        self.groups += 1;
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.sequence(depth + 1)?);
            self.at += 1;
            match self.characters.get(self.at - 1) {
                Some('|') => {}
                Some(_) => break,
                // Without its closing bracket it is plain text.
                None => {
                    (self.at, self.groups) = start;
                    self.unclosed.insert(self.at);
                    return Some(None);
                }
            }
        }
        let has_star = self.characters[from..self.at].contains(&'*');
        Some(Some(match character {
            '!' => Node::Not { id, alternatives, has_star },
            '?' => Node::Group { id, repeat: Repeat::Optional, alternatives },
            '+' => Node::Group { id, repeat: Repeat::AtLeastOnce, alternatives },
            '*' => Node::Group { id, repeat: Repeat::AnyTimes, alternatives },
            _ => Node::Group { id, repeat: Repeat::Once, alternatives },
        }))
    }

    /// Reads a class after its `[`, or nothing if it is not closed or has a range that runs backwards.
    fn class(&mut self) -> Option<Class> {
        let start = self.at;
        let class = self.class_inside();
        if class.is_none() {
            self.at = start;
        }
        class
    }

    fn class_inside(&mut self) -> Option<Class> {
        let mut class = Class::default();
        if matches!(self.peek(0), Some('!' | '^')) {
            class.is_negated = true;
            self.at += 1;
        }
        let first = self.at;
        loop {
            let mut low = self.peek(0)?;
            if low == ']' && self.at > first {
                self.at += 1;
                return Some(class);
            }
            if low == '[' && self.syntax.like_regex && self.named(&mut class) {
                continue;
            }
            self.at += 1;
            if low == '\\' {
                low = self.peek(0)?;
                self.at += 1;
            }
            let mut high = low;
            if self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']') {
                high = self.peek(1)?;
                self.at += 2;
                if high == '\\' {
                    high = self.peek(0)?;
                    self.at += 1;
                }
            }
            if low > high {
                return None;
            }
            class.ranges.push((low, high));
        }
    }

    /// Reads `[:alpha:]` in a class.
    fn named(&mut self, class: &mut Class) -> bool {
        let rest: String = self.characters[self.at..].iter().take(12).collect();
        let known: [(&str, Named); 6] = [
            ("[:alpha:]", |c| c.is_ascii_alphabetic()),
            ("[:digit:]", |c| c.is_ascii_digit()),
            ("[:alnum:]", |c| c.is_ascii_alphanumeric()),
            ("[:lower:]", |c| c.is_ascii_lowercase()),
            ("[:upper:]", |c| c.is_ascii_uppercase()),
            ("[:punct:]", |c| c.is_ascii_punctuation()),
        ];
        let found = known.iter().find(|(text, _)| rest.starts_with(text));
        if let Some((text, named)) = found {
            class.named.push(*named);
            self.at += text.len();
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests;
