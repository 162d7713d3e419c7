//! Which rules run, and at which level: `"lint"` in `splitter.json`, and `--pedantic`.

use std::collections::BTreeMap;

use globset::GlobSet;

use super::{
    kind::is_sample,
    model::{Level, Rule},
};

/// The choice for one rule.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The level, if it is not the rule's own.
    pub level: Option<Level>,
    /// Whether the rule is off.
    pub is_off: bool,
    /// The files in which it is off.
    pub allow: GlobSet,
}

/// The choices for all rules.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Choices by the names of rules.
    pub rules: BTreeMap<String, Choice>,
    /// The files that are not read.
    pub ignore: GlobSet,
    /// Whether everything is shown: [`Level::Info`] and matters of taste.
    pub is_pedantic: bool,
}

impl Choices {
    /// Returns the level of a rule's findings in a file, or nothing if the rule is off.
    pub fn level(&self, rule: &Rule, path: &str) -> Option<Level> {
        let choice = self.rules.get(rule.name);
        if choice.is_some_and(|choice| choice.is_off || choice.allow.is_match(path)) {
            return None;
        }
        let level = choice.and_then(|choice| choice.level);
        let is_chosen = level.is_some() || self.is_pedantic;
        let own = if is_sample(path) { Level::Info } else { rule.level };
        let level = level.unwrap_or(own);
        (is_chosen || (!rule.is_taste && level > Level::Info)).then_some(level)
    }

    /// Whether a rule can have findings at all.
    pub(super) fn is_on(&self, rule: &Rule) -> bool {
        let choice = self.rules.get(rule.name);
        let is_off = choice.is_some_and(|choice| choice.is_off);
        let is_chosen = choice.is_some_and(|choice| choice.level.is_some()) || self.is_pedantic;
        !is_off && (is_chosen || (!rule.is_taste && rule.level > Level::Info))
    }
}
