//! The settings of Nix, as `nix config show --json` prints them.

use serde_json::Value;

/// The settings. A setting that this Nix does not have is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings(pub Value);

impl Settings {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)?.get("value")
    }

    /// Returns a boolean.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            // `sandbox` is true, false or "relaxed".
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        }
    }

    /// Returns a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.as_u64()
    }

    /// Returns a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// Returns a list of words.
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.value(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}
