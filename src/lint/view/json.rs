//! `flake.lock` and `package.json`.

use std::ops::Range;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{ObjectProp, Value},
    common::Ranged as _,
};

use crate::lint::{Context, File};

/// A JSON file.
#[derive(Debug)]
pub struct JsonFile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// The outermost value.
    pub root: Value<'a>,
}

impl<'a> JsonFile<'a> {
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Option<Self> {
        let parsed = jsonc_parser::parse_to_ast(file.text, &CollectOptions::default(), &ParseOptions::default());
        Some(Self { context, file, root: parsed.ok()?.value? })
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Value<'a>> {
        path.iter().try_fold(&self.root, |value, key| get(value, key))
    }

    /// Returns the bytes of a value.
    pub fn range(value: &Value<'a>) -> Range<usize> {
        value.start()..value.end()
    }
}

/// Returns the value of a key.
pub fn get<'v, 'a>(value: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    entries(value).find(|property| property.name.as_str() == key).map(|property| &property.value)
}

/// Returns the text of a string.
pub fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    value.as_string_lit().map(|text| text.value.as_ref())
}

/// Returns the entries of an object. Other values have none.
pub fn entries<'v, 'a>(value: &'v Value<'a>) -> impl Iterator<Item = &'v ObjectProp<'a>> {
    value.as_object().into_iter().flat_map(|object| &object.properties)
}
