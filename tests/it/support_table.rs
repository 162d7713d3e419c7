//! Checks that the table of `docs/support.md` links to an existing test for each kind of dependency.

use camino::Utf8Path;
use fs_err as fs;

/// Returns the links with a title in a text, as target and title.
fn titled_links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.filter_map(|(link, _)| link.strip_suffix('"')?.split_once(" \""))
}

#[test]
fn every_linked_test_exists() {
    let docs = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let text = fs::read_to_string(docs.join("support.md")).unwrap();
    let links: Vec<_> = titled_links(&text).collect();
    assert!(links.len() > 60, "{}", links.len());
    for (path, name) in links {
        let source = fs::read_to_string(docs.join(path)).unwrap_or_default();
        assert!(source.contains(&format!("fn {name}(")), "no test `{name}` in {path}");
    }
}

/// A cell is a link to a test, or a dash if the package manager does not have that kind.
#[test]
fn every_cell_of_the_table_is_a_link_or_a_dash() {
    let text = fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/support.md")).unwrap();
    let table = text.split("| | Bun | Yarn 1 | Yarn 2 and later |").nth(1).unwrap();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, cells @ ..] = cells.as_slice() else { panic!("{row}") };
        let is_heading = kind.starts_with("**");
        let is_good = |cell: &&str| *cell == "—" || titled_links(cell).count() == 1;
        assert!(cells.len() == 3 && (is_heading || cells.iter().all(is_good)), "{row}");
    }
}
