//! Reads `lint` of `splitter.json`. The names of rules are compared by `splitter lint`, so that other commands accept those of a newer one.

use std::collections::BTreeMap;

use jsonc_parser::{
    ast::{Object, Value},
    common::Ranged as _,
};

use super::{globs, unknown_key};
use crate::{
    diagnostic::Position,
    lockfile::json::{Document, JsonError},
};

/// The choices for `splitter lint`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintConfig {
    /// Globs of files that are not read.
    pub ignore: Vec<String>,
    /// Choices by the names of rules.
    pub rules: BTreeMap<String, LintRule>,
}

/// The choice for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintRule {
    /// `error`, `warning`, `info` or `off`.
    pub level: Option<String>,
    /// Globs of files in which the rule is off.
    pub allow: Vec<String>,
    /// The place of the name.
    pub position: Position,
}

/// Reads `{ "ignore": ["examples/**"], "rules": { "fake-hash": "off", "no-chroot": { "level": "warning", "allow": ["a.nix"] } } }`.
pub(super) fn read(document: &Document<'_>, value: &Value<'_>) -> Result<LintConfig, JsonError> {
    let mut config = LintConfig::default();
    for property in &document.as_object(value)?.properties {
        match property.name.as_str() {
            "ignore" => config.ignore = globs(document, &property.value)?,
            "rules" => {
                for rule in &document.as_object(&property.value)?.properties {
                    let position = document.position(rule.range.start);
                    let choice = choice(document, &rule.value, position)?;
                    config.rules.insert(rule.name.as_str().to_owned(), choice);
                }
            }
            _ => return Err(unknown_key(document, property, "`ignore` or `rules`")),
        }
    }
    Ok(config)
}

fn choice(document: &Document<'_>, value: &Value<'_>, position: Position) -> Result<LintRule, JsonError> {
    match value {
        Value::Object(object) => of_object(document, object, position),
        Value::StringLit(_) => Ok(LintRule { level: Some(level(document, value)?), allow: Vec::new(), position }),
        _ => Err(document.unexpected_at(
            value.range().start,
            "a level, or an object with `level` and `allow`",
            "another value",
        )),
    }
}

fn of_object(document: &Document<'_>, object: &Object<'_>, position: Position) -> Result<LintRule, JsonError> {
    let mut rule = LintRule { level: None, allow: Vec::new(), position };
    for property in &object.properties {
        match property.name.as_str() {
            "level" => rule.level = Some(level(document, &property.value)?),
            "allow" => rule.allow = globs(document, &property.value)?,
            _ => return Err(unknown_key(document, property, "`level` or `allow`")),
        }
    }
    Ok(rule)
}

fn level(document: &Document<'_>, value: &Value<'_>) -> Result<String, JsonError> {
    let text = document.as_str(value)?;
    if !["error", "warning", "info", "off"].contains(&text) {
        return Err(document.unexpected(value, "`error`, `warning`, `info` or `off`"));
    }
    Ok(text.to_owned())
}
