//! The language of `ci-templates/`: a file is the written workflow, with a few lines and words that are replaced.
//!
//! | in a template | becomes |
//! | --- | --- |
//! | `#if NAME`, `#if !NAME`, `#else`, `#end` | the lines between them, if the flag is set or not |
//! | `#use FILE` | the lines of another template |
//! | `#block NAME` | lines that the program made |
//! | `@NAME@` | a text |
//! | `owner/action@PIN` | the action's place, commit and version; with a URL before it, that place |
//!
//! So a reader of a template sees what is written. The lines of another template are indented as its `#use` is.

use std::collections::{BTreeMap, BTreeSet};

use super::actions::Pins;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../ci-templates/", $name)))),*]
    };
}

/// Every template with its text.
const TEMPLATES: &[(&str, &str)] = templates![
    "bots.yml",
    "build.yml",
    "buildkite-push.sh",
    "buildkite.sh",
    "buildkite.yml",
    "caches.yml",
    "checkout.yml",
    "gitlab-jobs.yml",
    "gitlab-push.yml",
    "gitlab.yml",
    "nix.yml",
    "program-env.yml",
    "program.yml",
    "push-program.yml",
    "push-secrets.yml",
    "push-setup.sh",
    "push.sh",
    "push.yml",
    "store-cache-saved.yml",
    "store-cache.yml",
    "workflow.yml",
];

/// What replaces the names in a template.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    flags: BTreeSet<&'static str>,
    texts: BTreeMap<&'static str, String>,
    pins: Pins,
    /// Precedes the name of an action, for providers whose actions are elsewhere by default.
    prefix: &'static str,
}

impl Values {
    pub(super) fn new(pins: &Pins, prefix: &'static str) -> Self {
        Self { pins: pins.clone(), prefix, ..Self::default() }
    }

    /// Sets a flag.
    pub(super) fn flag(&mut self, name: &'static str, is_set: bool) {
        if is_set {
            self.flags.insert(name);
        }
    }

    /// Sets a text, which may be the lines of a block.
    pub(super) fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.texts.insert(name, text.into());
    }

    /// Returns the text of a template. Tests check that templates use only names that exist.
    pub(super) fn render(&self, template: &str) -> String {
        let mut written = String::new();
        self.write(template, "", &mut written);
        written
    }

    fn write(&self, template: &str, indent: &str, written: &mut String) {
        let text = TEMPLATES.iter().find(|(name, _)| *name == template).map_or("", |(_, text)| text);
        // Whether the lines at each depth of `#if` are written.
        let mut shown: Vec<bool> = Vec::new();
        for line in text.lines() {
            let is_shown = shown.iter().all(|shown| *shown);
            let word = line.trim_start();
            let own = &line[..line.len() - word.len()];
            match word.split_once(' ').unwrap_or((word, "")) {
                ("#if", flag) => shown.push(match flag.strip_prefix('!') {
                    Some(flag) => !self.flags.contains(flag),
                    None => self.flags.contains(flag),
                }),
                ("#else", _) => shown.last_mut().into_iter().for_each(|last| *last = !*last),
                ("#end", _) => drop(shown.pop()),
                _ if !is_shown => {}
                ("#use", other) => self.write(other, &format!("{indent}{own}"), written),
                ("#block", name) => written.push_str(self.texts.get(name).map_or("", String::as_str)),
                _ => {
                    let line = self.line(line);
                    written.push_str(if line.is_empty() { "" } else { indent });
                    written.push_str(&line);
                    written.push('\n');
                }
            }
        }
    }

    /// Replaces the words of a line.
    fn line(&self, line: &str) -> String {
        if let Some((before, action)) = line.split_once("uses: ")
            && let Some(action) = action.strip_suffix("@PIN")
        {
            // An action with a URL is only there.
            let (prefix, action) = action.match_indices('/').nth_back(1).map_or((self.prefix, action), |(at, _)| {
                let (url, action) = action.split_at(at + 1);
                (url, action)
            });
            return format!("{before}uses: {prefix}{}", self.pins.of(action));
        }
        let mut parts = line.split('@');
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        let mut is_open = false;
        for part in parts {
            match self.texts.get(part).filter(|_| !is_open) {
                Some(text) => {
                    replaced.push_str(text);
                    is_open = true;
                }
                None if is_open => {
                    replaced.push_str(part);
                    is_open = false;
                }
                None => {
                    replaced.push('@');
                    replaced.push_str(part);
                }
            }
        }
        replaced.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_and_other_signs_are_kept() {
        let mut values = Values::new(&Pins::of_the_program(), "https://example.org/");
        values.text("A", "one");
        values.text("B", "two");
        assert_eq!(
            values.line("x @A@@B@ y@z @A@ @C@ ${names[@]} --to @B@"),
            "x onetwo y@z one @C@ ${names[@]} --to two"
        );
        assert_eq!(values.line("a@b.org @A@"), "a@b.org one");
        let line = values.line("      - uses: actions/checkout@PIN");
        assert!(
            line.starts_with("      - uses: https://example.org/actions/checkout@") && line.contains(" # v"),
            "{line}"
        );
    }

    #[test]
    fn every_condition_has_an_end_and_every_file_exists() {
        for (name, text) in TEMPLATES {
            let count =
                |word: &str| text.lines().filter(|line| line.trim_start().split(' ').next() == Some(word)).count();
            assert_eq!(count("#if"), count("#end"), "{name}");
            for line in text.lines() {
                if let Some(other) = line.trim_start().strip_prefix("#use ") {
                    assert!(TEMPLATES.iter().any(|(name, _)| *name == other), "{name} uses {other}");
                }
            }
        }
    }
}
