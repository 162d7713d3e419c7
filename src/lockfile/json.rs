//! JSON with positions, so that errors can name line and column.
//!
//! By default the `jsonc-parser` crate accepts looser dialects, and the first of two equal keys wins. This module allows
//! only what each format allows. A duplicate key is an error, unless the format says which one counts.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    mem,
};

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{Array, NullKeyword, Object, ObjectProp, Value},
    common::{Range, Ranged},
};

use crate::diagnostic::{Category, Diagnose, Location, Position, did_you_mean};
use crate::names::BUN_LOCK;

/// The JSON dialect of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Plain JSON (RFC 8259): `package.json`.
    Json,
    /// JSON with comments and trailing commas: `bun.lock`, `tsconfig.json`.
    Jsonc,
    /// The same, and single quotes: `package.json` as Bun reads it.
    Bun,
}

/// Which of several equal keys of an object counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// The first one.
    First,
    /// The last one, at the place of the first one, as in JavaScript.
    Last,
}

/// A key that an object already has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The position of the later one.
    pub position: Position,
    /// The key.
    pub key: String,
    /// Which one counts.
    pub counts: Counts,
}

/// Why a JSON text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is not JSON.
    #[error("{message}")]
    Syntax {
        /// The file.
        file: String,
        /// The position of the error.
        position: Position,
        /// The parser's message.
        message: String,
    },
    /// An object has the same key twice.
    #[error("duplicate key `{key}`")]
    Duplicate {
        /// The file.
        file: String,
        /// The position of the second one.
        position: Position,
        /// The key.
        key: String,
    },
    /// A value has the wrong type for the format.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// The file.
        file: String,
        /// The position of the value.
        position: Position,
        /// What the format requires.
        expected: String,
        /// A description of the value.
        found: String,
    },
    /// The file has conflict markers of git.
    #[error("merge conflict markers in `{file}`")]
    Conflict {
        /// The file.
        file: String,
        /// The position of the first marker.
        position: Position,
    },
}

impl Diagnose for JsonError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Syntax { file, position, .. }
            | Self::Duplicate { file, position, .. }
            | Self::Unexpected { file, position, .. }
            | Self::Conflict { file, position } => Some(Location::at(file.as_str(), *position)),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Conflict { file, .. } if file.ends_with(BUN_LOCK) => vec![
                "resolve the conflict in the manifests, take either side of `bun.lock`, and run `bun install`"
                    .to_owned(),
            ],
            Self::Conflict { .. } => vec!["resolve the merge conflict and run again".to_owned()],
            Self::Unexpected { expected, found, .. } => near(expected, found).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns the hint for an unknown key, if one of the expected names is similar.
fn near(expected: &str, found: &str) -> Option<String> {
    let key = found.strip_prefix("the key \"")?.strip_suffix('"')?;
    did_you_mean(expected.split('`').skip(1).step_by(2), key)
}

/// A parsed file.
#[derive(Debug)]
pub struct Document<'a> {
    file: &'a str,
    text: &'a str,
    root: Value<'a>,
}

impl<'a> Document<'a> {
    /// Parses `text`, the content of `file`. Refuses duplicate keys.
    pub fn parse(file: &'a str, text: &'a str, dialect: Dialect) -> Result<Self, JsonError> {
        let document = Self::parse_any(file, text, dialect)?;
        document.refuse_duplicates(&document.root)?;
        Ok(document)
    }

    /// Parses `text`, and keeps one of equal keys. `counts` says which one in the object at a path of keys, or `None` to refuse them.
    pub fn parse_with(
        file: &'a str,
        text: &'a str,
        dialect: Dialect,
        counts: impl Fn(&[String]) -> Option<Counts>,
    ) -> Result<(Self, Vec<DuplicateKey>), JsonError> {
        let mut document = Self::parse_any(file, text, dialect)?;
        let mut duplicates = Vec::new();
        // Paths are made only for the few files that need them.
        if document.refuse_duplicates(&document.root).is_err() {
            let root = mem::replace(&mut document.root, Value::NullKeyword(NullKeyword { range: Range::new(0, 0) }));
            let mut settle = Settle { document: &document, counts: &counts, duplicates: Vec::new(), path: Vec::new() };
            let root = settle.value(root)?;
            duplicates = settle.duplicates;
            document.root = root;
        }
        Ok((document, duplicates))
    }

    fn parse_any(file: &'a str, text: &'a str, dialect: Dialect) -> Result<Self, JsonError> {
        let syntax = |offset, message| JsonError::Syntax {
            file: file.to_owned(),
            position: Position::of_offset(text, offset),
            message,
        };
        let parsed =
            jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &options(dialect)).map_err(|error| {
                // Conflict markers are never valid JSON, so only an invalid text is searched for them.
                let conflict = refuse_conflict_markers(file, text).err();
                conflict.unwrap_or_else(|| syntax(error.range().start, error.kind().to_string().to_lowercase()))
            })?;
        let root = parsed.value.ok_or_else(|| syntax(0, "the file is empty; expected an object".to_owned()))?;
        Ok(Self { file, text, root })
    }

    /// Returns the outermost value, which must be an object.
    pub fn object(&self) -> Result<&Object<'a>, JsonError> {
        self.as_object(&self.root)
    }

    /// Returns `value` as an object, or an error.
    pub fn as_object<'v>(&self, value: &'v Value<'a>) -> Result<&'v Object<'a>, JsonError> {
        value.as_object().ok_or_else(|| self.unexpected(value, "an object"))
    }

    /// Returns `value` as an array, or an error.
    pub fn as_array<'v>(&self, value: &'v Value<'a>) -> Result<&'v Array<'a>, JsonError> {
        value.as_array().ok_or_else(|| self.unexpected(value, "an array"))
    }

    /// Returns `value` as a string, or an error.
    pub fn as_str<'v>(&self, value: &'v Value<'a>) -> Result<&'v str, JsonError> {
        value.as_string_lit().map(|text| text.value.as_ref()).ok_or_else(|| self.unexpected(value, "a string"))
    }

    /// Makes an error about `value`, with a description of the expected value.
    pub fn unexpected(&self, value: &Value<'a>, expected: &str) -> JsonError {
        self.unexpected_at(value.range().start, expected, &describe(value))
    }

    /// Makes an error about the text at a byte offset.
    pub fn unexpected_at(&self, offset: usize, expected: &str, found: &str) -> JsonError {
        JsonError::Unexpected {
            file: self.file.to_owned(),
            position: Position::of_offset(self.text, offset),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    /// Returns the name of the file.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// Returns the line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        Position::of_offset(self.text, offset)
    }

    /// Returns the line and column of a byte offset, counted from a known line start. Faster than [`Self::position`].
    pub(crate) fn position_from(&self, line_start: usize, line: usize, offset: usize) -> Position {
        let within = Position::of_offset(&self.text[line_start..], offset.saturating_sub(line_start));
        Position { line: within.line + line - 1, column: within.column }
    }

    fn duplicate(&self, second: &ObjectProp<'a>) -> JsonError {
        JsonError::Duplicate {
            file: self.file.to_owned(),
            position: self.position(second.range.start),
            key: second.name.as_str().to_owned(),
        }
    }

    fn refuse_duplicates(&self, value: &Value<'a>) -> Result<(), JsonError> {
        match value {
            Value::Object(object) => {
                if let Some(second) = duplicate(object) {
                    return Err(self.duplicate(second));
                }
                object.properties.iter().try_for_each(|property| self.refuse_duplicates(&property.value))
            }
            Value::Array(array) => array.elements.iter().try_for_each(|element| self.refuse_duplicates(element)),
            _ => Ok(()),
        }
    }
}

/// Takes out the duplicate keys of a document.
struct Settle<'d, 'a> {
    document: &'d Document<'a>,
    counts: &'d dyn Fn(&[String]) -> Option<Counts>,
    duplicates: Vec<DuplicateKey>,
    /// The keys that lead to the value in hand.
    path: Vec<String>,
}

impl<'a> Settle<'_, 'a> {
    fn value(&mut self, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        match value {
            Value::Object(mut object) => {
                let properties = self.without_duplicates(mem::take(&mut object.properties))?;
                object.properties =
                    properties.into_iter().map(|property| self.property(property)).collect::<Result<_, _>>()?;
                Ok(Value::Object(object))
            }
            Value::Array(mut array) => {
                let elements = mem::take(&mut array.elements);
                array.elements = elements.into_iter().map(|element| self.value(element)).collect::<Result<_, _>>()?;
                Ok(Value::Array(array))
            }
            value => Ok(value),
        }
    }

    fn property(&mut self, property: ObjectProp<'a>) -> Result<ObjectProp<'a>, JsonError> {
        self.path.push(property.name.as_str().to_owned());
        let value = self.value(property.value)?;
        self.path.pop();
        Ok(ObjectProp { value, ..property })
    }

    fn without_duplicates(&mut self, properties: Vec<ObjectProp<'a>>) -> Result<Vec<ObjectProp<'a>>, JsonError> {
        let mut places = HashMap::with_capacity(properties.len());
        let mut kept: Vec<ObjectProp<'a>> = Vec::with_capacity(properties.len());
        for property in properties {
            let key = property.name.as_str().to_owned();
            let Some(place) = places.get(&key).copied() else {
                places.insert(key, kept.len());
                kept.push(property);
                continue;
            };
            let counts = (self.counts)(&self.path).ok_or_else(|| self.document.duplicate(&property))?;
            self.duplicates.push(DuplicateKey { position: self.document.position(property.range.start), key, counts });
            if counts == Counts::Last {
                kept[place] = property;
            }
        }
        Ok(kept)
    }
}

/// Returns the first property whose key already occurred. Most programs write keys in order, and strictly sorted keys
/// have no duplicates. Only other objects need a set.
fn duplicate<'o, 'a>(object: &'o Object<'a>) -> Option<&'o ObjectProp<'a>> {
    let properties = &object.properties;
    if properties.is_sorted_by(|a, b| a.name.as_str() < b.name.as_str()) {
        return None;
    }
    let mut seen = HashSet::with_capacity(properties.len());
    properties.iter().find(|property| !seen.insert(property.name.as_str()))
}

fn options(dialect: Dialect) -> ParseOptions {
    let loose = dialect != Dialect::Json;
    ParseOptions {
        allow_comments: loose,
        allow_trailing_commas: loose,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: dialect == Dialect::Bun,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Returns an error if a line starts with a conflict marker. No line of JSON that a program wrote starts like this.
pub(crate) fn refuse_conflict_markers(file: &str, text: &str) -> Result<(), JsonError> {
    let markers = ["<<<<<<< ", ">>>>>>> "];
    let starts = |offset: usize| markers.iter().any(|marker| text[offset..].starts_with(marker));
    let first = std::iter::once(0)
        .filter(|offset| starts(*offset))
        .chain(markers.iter().filter_map(|marker| text.find(&format!("\n{marker}")).map(|at| at + 1)))
        .min();
    match first {
        Some(offset) => Err(JsonError::Conflict { file: file.to_owned(), position: Position::of_offset(text, offset) }),
        None => Ok(()),
    }
}

fn describe(value: &Value<'_>) -> String {
    match value {
        Value::StringLit(text) => format!("the string \"{}\"", shorten(&text.value)),
        Value::NumberLit(number) => format!("the number {}", number.value),
        Value::BooleanLit(literal) => format!("`{}`", literal.value),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(array) => format!("an array of {}", array.elements.len()),
        Value::NullKeyword(_) => "`null`".to_owned(),
    }
}

/// Returns at most 60 characters of an untrusted text, with control characters escaped.
pub(crate) fn shorten(text: &str) -> Cow<'_, str> {
    let long = text.chars().count() > 60;
    if !long && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if long {
        short.push('…');
    }
    Cow::Owned(short)
}

/// Converts a value to `serde_json`, with objects sorted by key.
pub fn to_serde(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::StringLit(text) => serde_json::Value::String(text.value.clone().into_owned()),
        Value::NumberLit(number) => number
            .value
            .parse()
            .map_or_else(|_| serde_json::Value::String(number.value.to_owned()), serde_json::Value::Number),
        Value::BooleanLit(literal) => serde_json::Value::Bool(literal.value),
        Value::Object(object) => serde_json::Value::Object(
            object
                .properties
                .iter()
                .map(|property| (property.name.as_str().to_owned(), to_serde(&property.value)))
                .collect(),
        ),
        Value::Array(array) => serde_json::Value::Array(array.elements.iter().map(to_serde).collect()),
        Value::NullKeyword(_) => serde_json::Value::Null,
    }
}

/// Reads a text as a value, whatever dialect it has. Returns null if it has none. For advice alone.
pub(crate) fn lenient(text: &str) -> serde_json::Value {
    let document = Document::parse_with("", text, Dialect::Bun, |_| Some(Counts::Last));
    document.map_or(serde_json::Value::Null, |(document, _)| to_serde(&document.root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_equal_keys_counts() {
        let read = |text, counts: fn(&[String]) -> Option<Counts>| {
            let (document, duplicates) = Document::parse_with("x", text, Dialect::Bun, counts).unwrap();
            let found: Vec<String> =
                duplicates.iter().map(|found| format!("{}:{}", found.position.column, found.key)).collect();
            (to_serde(&document.root).to_string(), found)
        };
        let text = "{'a': {'b': 1, 'b': 2}, 'c': 3, 'a': [{'d': 4, 'd': 5}], 'c': 6}";
        assert_eq!(
            read(text, |_| Some(Counts::Last)),
            (r#"{"a":[{"d":5}],"c":6}"#.to_owned(), ["33:a", "58:c", "48:d"].map(str::to_owned).to_vec())
        );
        let first = |path: &[String]| Some(if path.is_empty() { Counts::First } else { Counts::Last });
        assert_eq!(read(text, first).0, r#"{"a":{"b":2},"c":3}"#);
        let refused = |path: &[String]| path.is_empty().then_some(Counts::First);
        let error = Document::parse_with("x", text, Dialect::Bun, refused).unwrap_err();
        assert_eq!(error.to_string(), "duplicate key `b`");
        assert_eq!(lenient("{\n// x\n'a': 1,}").to_string(), r#"{"a":1}"#);
        assert!(lenient("{").is_null());
    }

    fn error(text: &str, dialect: Dialect) -> String {
        let error = Document::parse("x.json", text, dialect).unwrap_err();
        format!("{}: {error}", error.location().unwrap())
    }

    #[test]
    fn each_dialect_takes_what_its_format_allows() {
        assert!(Document::parse("x", "{\"a\": [1, 2,],} // c", Dialect::Jsonc).is_ok());
        for text in ["{\"a\": [1,]}", "{} // c", "{a: 1}", "{'a': 1}", "{\"a\": NaN}", "{\"a\": 1 \"b\": 2}", ""] {
            assert!(Document::parse("x", text, Dialect::Json).is_err(), "{text}");
        }
    }

    #[test]
    fn errors_name_their_place() {
        assert_eq!(error("{\n  \"a\": 1,\n  \"a\": 2\n}", Dialect::Json), "x.json:3:3: duplicate key `a`");
        assert!(error("{\n  \"a\": [\n", Dialect::Json).starts_with("x.json:2:8: "));
        assert_eq!(
            error("{\n<<<<<<< HEAD\n  \"a\": 1\n=======\n>>>>>>> b\n}", Dialect::Jsonc),
            "x.json:2:1: merge conflict markers in `x.json`"
        );
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_an_overflow() {
        assert!(Document::parse("x", &"[".repeat(100_000), Dialect::Jsonc).is_err());
    }
}
