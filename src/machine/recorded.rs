//! A computer recorded as text, for tests.

use std::collections::BTreeMap;

use super::{Family, Root, Space};

/// Sections `== /path`, `== $ program arguments`, `== link /path`, and `== facts` with lines `name = value`: `family`,
/// `parallelism`, `space`, and variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    sections: BTreeMap<String, String>,
    facts: BTreeMap<String, String>,
}

impl Recorded {
    pub(crate) fn new(text: &str) -> Self {
        let mut all = Self::default();
        let sections = text.split("\n== ").map(|section| section.strip_prefix("== ").unwrap_or(section));
        for section in sections {
            let (title, content) = section.split_once('\n').unwrap_or((section, ""));
            all.sections.insert(title.trim().to_owned(), content.to_owned());
        }
        let facts = all.sections.remove("facts").unwrap_or_default();
        let facts = facts.lines().filter_map(|line| line.split_once(" = "));
        all.facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        all
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.facts.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn with_file(mut self, path: &str, text: &str) -> Self {
        self.sections.insert(path.to_owned(), text.to_owned());
        self
    }
}

impl Root for Recorded {
    fn family(&self) -> Family {
        match self.facts.get("family").map(String::as_str) {
            Some("macos") => Family::MacOs,
            Some("other") => Family::Other,
            _ => Family::Linux,
        }
    }

    fn read(&self, path: &str) -> Option<String> {
        self.sections.get(path).cloned()
    }

    fn exists(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.sections.keys().any(|key| key == path || key.starts_with(&below))
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let below = format!("{folder}/");
        let rest = self.sections.keys().filter_map(|key| key.strip_prefix(&below));
        let mut names: Vec<_> = rest.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
        names.dedup();
        names
    }

    fn link(&self, path: &str) -> Option<String> {
        self.sections.get(&format!("link {path}")).map(|target| target.trim().to_owned())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let name = program.rsplit('/').next().unwrap_or(program);
        self.sections.get(&format!("$ {name} {}", arguments.join(" "))).cloned()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.facts.get(name).cloned()
    }

    fn space(&self, _: &str) -> Option<Space> {
        let mut numbers = self.facts.get("space")?.split(' ').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Space { bytes: next()?, free_bytes: next()?, inodes: next()?, free_inodes: next()?, read_only: false })
    }

    fn parallelism(&self) -> Option<usize> {
        self.facts.get("parallelism")?.parse().ok()
    }
}
