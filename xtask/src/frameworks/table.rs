//! The table of what was built, started and answered, and its place in `docs/support.md`.

use std::collections::BTreeMap;

use fs_err as fs;

use super::{
    apps::{App, Manager},
    built::size,
};
use crate::{Result, paths};

const BEGIN: &str = "<!-- frameworks: written by `cargo xtask frameworks --write` -->";
const END: &str = "<!-- end of frameworks -->";

/// How far one app came with one package manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) built: bool,
    pub(super) started: bool,
    pub(super) answered: bool,
    /// The bytes of its closure, if Nix built it.
    pub(super) closure: Option<u64>,
    /// Why it came no further.
    pub(super) problem: Option<String>,
}

impl Outcome {
    /// The outcome as a cell.
    fn cell(&self) -> String {
        let reached = match self {
            Self { answered: true, .. } => "answers",
            Self { started: true, .. } => "starts, no answer",
            Self { built: true, .. } => "built, does not start",
            _ => "not built",
        };
        let size = self.closure.map_or(String::new(), |bytes| format!(", {}", size(bytes)));
        format!("{reached}{size}")
    }
}

/// The cells by title of the app and title of the package manager.
#[derive(Default)]
pub(super) struct Table(BTreeMap<(String, &'static str), String>);

impl Table {
    pub(super) fn add(&mut self, app: &App, manager: Manager, outcome: &Outcome) {
        self.0.insert((app.title.clone(), manager.title()), outcome.cell());
    }

    /// The table in Markdown, with the rows in the order of `apps`. Rows without a cell are left out.
    pub(super) fn render(&self, apps: &[App]) -> String {
        let heads = Manager::ALL.map(Manager::title);
        let mut text = format!("| | {} |\n| --- |{}\n", heads.join(" | "), " --- |".repeat(heads.len()));
        for app in apps {
            let cells = Manager::ALL.map(|manager| match self.0.get(&(app.title.clone(), manager.title())) {
                Some(cell) => cell.as_str(),
                None if app.managers.contains(&manager) => "",
                None => "—",
            });
            if cells.iter().any(|cell| !matches!(*cell, "" | "—")) {
                text.extend(["| ", &app.title, " | ", &cells.join(" | "), " |\n"]);
            }
        }
        text
    }

    /// Takes the cells of an older table, except those that this run filled.
    fn keep(&mut self, older: &str) {
        for line in older.lines().skip(2) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [title, cells @ ..] = cells.as_slice() else { continue };
            for (manager, cell) in Manager::ALL.iter().zip(cells) {
                if !matches!(*cell, "" | "—") {
                    let key = ((*title).to_owned(), manager.title());
                    self.0.entry(key).or_insert_with(|| (*cell).to_owned());
                }
            }
        }
    }
}

/// Puts the table between the two marks of `docs/support.md`. Rows that were not run stay.
pub(super) fn write(mut table: Table, apps: &[App]) -> Result<()> {
    let file = paths::project().join("docs/support.md");
    let text = fs::read_to_string(&file)?;
    let (before, older, after) = cut(&text).ok_or_else(|| format!("{file} lacks `{BEGIN}` or `{END}`"))?;
    table.keep(older.trim());
    Ok(fs::write(&file, format!("{before}{BEGIN}\n{}{END}{after}", table.render(apps)))?)
}

fn cut(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (older, after) = rest.split_once(END)?;
    Some((before, older, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frameworks::apps;

    #[test]
    fn a_later_run_keeps_the_cells_of_others() -> Result<()> {
        let apps = apps::load(&["vite".to_owned(), "bun-source".to_owned()])?;
        let mut table = Table::default();
        let answers = Outcome { built: true, started: true, answered: true, closure: Some(1_200_000), problem: None };
        table.add(&apps[1], Manager::Yarn, &answers);
        let older = "| | Bun 1.4 | Yarn 1 | Yarn 4 |\n| --- | --- | --- | --- |\n\
                     | Bun server from source | not built | — | — |\n| Vite site | answers, 2.0 MB | not built | |\n";
        table.keep(older);
        let expected = "| | Bun 1.4 | Yarn 1 | Yarn 4 |\n| --- | --- | --- | --- |\n\
                        | Bun server from source | not built | — | — |\n\
                        | Vite site | answers, 2.0 MB | answers, 1.2 MB |  |\n";
        assert_eq!(table.render(&apps), expected);
        Ok(())
    }

    #[test]
    fn the_page_has_the_marks() -> Result<()> {
        let text = fs::read_to_string(paths::project().join("docs/support.md"))?;
        assert!(cut(&text).is_some());
        Ok(())
    }
}
