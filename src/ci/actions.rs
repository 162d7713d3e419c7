//! The actions that written workflows use, pinned by commit. The table is data: `actions.json`.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use serde::Deserialize;

/// A version of an action and its commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pin {
    /// The tag, such as `v7.0.0`.
    pub version: String,
    /// The commit of the tag, with 40 digits.
    pub commit: String,
}

/// Actions with their pins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<String, Pin>);

/// An action that a workflow has in an older version than this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The action.
    pub action: String,
    /// The version in the workflow.
    pub found: String,
    /// The version in the table.
    pub known: String,
}

impl fmt::Display for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.action, self.found, self.known)
    }
}

impl Pins {
    /// Returns the table of this program.
    pub fn of_the_program() -> Self {
        // A test checks that the table can be read.
        Self(serde_json::from_str(include_str!("actions.json")).unwrap_or_default())
    }

    /// Returns the table with the newer versions of a written workflow: bots for dependencies update them there.
    #[must_use]
    pub fn with_newer_of(mut self, workflow: &str) -> Self {
        for (action, pin) in used(workflow) {
            if let Some(known) = self.0.get_mut(action)
                && compare(&pin.version, &known.version) == Ordering::Greater
            {
                *known = pin;
            }
        }
        self
    }

    /// Returns the actions of a workflow that are older than those of the table.
    pub fn dated_in(&self, workflow: &str) -> Vec<Dated> {
        let mut dated: Vec<Dated> = Vec::new();
        for (action, pin) in used(workflow) {
            let Some(known) = self.0.get(action) else { continue };
            if compare(&pin.version, &known.version) == Ordering::Less
                && dated.iter().all(|other| other.action != action)
            {
                dated.push(Dated { action: action.to_owned(), found: pin.version, known: known.version.clone() });
            }
        }
        dated
    }

    /// Returns an action as a workflow names it.
    pub(super) fn of(&self, action: &str) -> String {
        match self.0.get(action) {
            Some(Pin { version, commit }) => format!("{action}@{commit} # {version}"),
            None => action.to_owned(),
        }
    }

    /// Returns the version of an action.
    pub(super) fn version(&self, action: &str) -> &str {
        self.0.get(action).map_or("", |pin| &pin.version)
    }
}

/// Returns the pinned actions of a workflow.
fn used(workflow: &str) -> impl Iterator<Item = (&str, Pin)> {
    workflow.lines().filter_map(|line| {
        let used = line.trim_start().trim_start_matches("- ").strip_prefix("uses: ")?;
        let (action, pin) = used.split_once('@')?;
        let (commit, version) = pin.split_once(" # ")?;
        let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        // With other providers, the name is a URL.
        let mut parts = action.rsplit('/');
        let (name, owner) = (parts.next()?, parts.next()?);
        let start = action.len() - name.len() - owner.len() - 1;
        let pin = Pin { version: version.trim_end().to_owned(), commit: commit.to_owned() };
        is_commit.then_some((&action[start..], pin))
    })
}

/// Returns a workflow without the commits and versions of its actions, so that their updates are no edits.
pub(super) fn without_pins(workflow: &str) -> String {
    let mut text = String::with_capacity(workflow.len());
    for line in workflow.lines() {
        let is_pinned = used(line).next().is_some();
        text.push_str(if is_pinned { line.split('@').next().unwrap_or(line) } else { line });
        text.push('\n');
    }
    text
}

/// Compares versions such as `v7` and `v7.0.2` by their numbers.
fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(a).cmp(&numbers(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_pins_commits() {
        let pins = Pins::of_the_program();
        assert!(pins.0.len() > 4);
        for (action, pin) in &pins.0 {
            assert_eq!(action.split('/').count(), 2);
            assert!(pin.commit.len() == 40 && pin.version.starts_with('v'), "{action}");
        }
    }

    #[test]
    fn newer_versions_of_a_workflow_are_kept_and_older_ones_are_named() {
        let commit = "0123456789012345678901234567890123456789";
        let line = |action: &str, version: &str| format!("      - uses: {action}@{commit} # {version}\n");
        let pins = Pins::of_the_program();
        let newer = line("https://example.org/actions/checkout", "v99.1");
        assert_eq!(pins.dated_in(&newer), []);
        assert_eq!(pins.clone().with_newer_of(&newer).version("actions/checkout"), "v99.1");
        let older = line("actions/checkout", "v4.2") + &line("actions/checkout", "v4.2") + "uses: ./local\n";
        assert_eq!(pins.clone().with_newer_of(&older), pins);
        let dated = pins.dated_in(&older);
        assert_eq!(dated.len(), 1);
        assert!(dated[0].to_string().starts_with("actions/checkout v4.2 -> v"));
        assert_eq!(without_pins(&older), without_pins(&older.replace("v4.2", "v5").replace("0123", "4567")));
    }
}
