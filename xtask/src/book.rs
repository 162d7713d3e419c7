//! `cargo xtask book`: builds the documentation as a book, and checks that each link of it leads to something.
//!
//! `docs/` is the source, so the pages read the same on the pages of the repository. Only links that leave `docs/` differ:
//! in the book they lead to the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::{Result, paths, process};

/// The version of mdBook.
const VERSION: &str = "0.5.4";

/// The address of files that are not in `docs/`. Releases replace the owner.
const REPOSITORY: &str = "https://github.com/OWNER/splitter/blob/main/";

/// Builds the book into `target/book`, and fails for a page that nobody lists or a link that leads nowhere.
pub(crate) fn run() -> Result<()> {
    let mdbook = installed(&paths::tools_dir())?;
    let docs = paths::project().join("docs");
    let pages = pages(&docs)?;
    let unlisted = unlisted(&fs::read_to_string(docs.join("SUMMARY.md"))?, &pages);
    if !unlisted.is_empty() {
        return Err(format!("docs/SUMMARY.md does not list: {}", unlisted.join(", ")).into());
    }
    let source = paths::project().join("target/book-source");
    write_source(&docs, &source, &pages)?;
    process::run_silently(Command::new(mdbook).arg("build").arg(paths::project()))?;
    let broken = broken_links(&read_html(&paths::project().join("target/book"))?);
    if !broken.is_empty() {
        return Err(format!("the book has links that lead nowhere:\n  {}", broken.join("\n  ")).into());
    }
    eprintln!("book: {} pages in target/book", pages.len());
    Ok(())
}

/// Returns the path of mdBook below `tools`. Cargo builds it if it is missing, without optimisation, because that is faster.
pub(crate) fn installed(tools: &Utf8Path) -> Result<Utf8PathBuf> {
    let root = tools.join(format!("mdbook-{VERSION}"));
    let program = root.join("bin/mdbook");
    if program.is_file() {
        return Ok(program);
    }
    let start = Instant::now();
    eprintln!("setup: building mdBook {VERSION}");
    let scratch = tempfile::tempdir()?;
    let mut cargo = Command::new("cargo");
    cargo.args(["install", "--locked", "--debug", "--quiet", "--no-default-features", "--features", "search"]);
    cargo.args(["--version", VERSION, "--root", root.as_str(), "mdbook"]);
    cargo.env("CARGO_TARGET_DIR", scratch.path()).env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("RUSTFLAGS");
    process::run_silently(&mut cargo)?;
    eprintln!("setup: mdBook built in {:.0} s", start.elapsed().as_secs_f32());
    Ok(program)
}

/// Returns the paths of all Markdown files below `docs`, relative to it, without the summary.
fn pages(docs: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut pages = Vec::new();
    let mut folders = vec![docs.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let path = entry?.into_path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("md") && path.file_name() != Some("SUMMARY.md") {
                pages.push(path.strip_prefix(docs)?.to_owned());
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// Returns the pages that the summary does not name.
fn unlisted<'a>(summary: &str, pages: &'a [Utf8PathBuf]) -> Vec<&'a str> {
    let is_listed = |page: &&Utf8PathBuf| !summary.contains(&format!("]({page})"));
    pages.iter().filter(is_listed).map(|page| page.as_str()).collect()
}

/// Copies `docs` to `source`, with links that work in a book.
fn write_source(docs: &Utf8Path, source: &Utf8Path, pages: &[Utf8PathBuf]) -> Result<()> {
    if source.exists() {
        fs::remove_dir_all(source)?;
    }
    process::run_silently(Command::new("cp").args(["-R", docs.as_str(), source.as_str()]))?;
    for page in pages {
        let text = fs::read_to_string(docs.join(page))?;
        fs::write(source.join(page), with_links_of_a_book(&text, page))?;
    }
    Ok(())
}

/// Replaces each link that leaves `docs/` by one to the repository, and names a folder's page as mdBook does.
fn with_links_of_a_book(text: &str, page: &Utf8Path) -> String {
    let leaves = "../".repeat(page.components().count());
    let mut parts = text.split("](");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([')', ' ', '#']).unwrap_or(part.len());
        let (target, rest) = part.split_at(end);
        result.push_str("](");
        if let Some(path) = target.strip_prefix(&leaves) {
            result.push_str(REPOSITORY);
            result.push_str(path);
        } else if let Some(folder) = target.strip_suffix("README.md").filter(|_| !target.contains("://")) {
            result.push_str(folder);
            result.push_str("index.md");
        } else {
            result.push_str(target);
        }
        result.push_str(rest);
    }
    result
}

/// Reads all HTML files below `folder`, by path relative to it.
fn read_html(folder: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in current.read_dir_utf8()? {
            let path = entry?.into_path();
            let relative = path.strip_prefix(folder)?.to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("html") {
                files.insert(relative, fs::read_to_string(&path)?);
            } else {
                files.insert(relative, String::new());
            }
        }
    }
    Ok(files)
}

/// Returns each link of a page whose file or anchor is not in the book. Links to other hosts are not followed.
fn broken_links(files: &BTreeMap<Utf8PathBuf, String>) -> Vec<String> {
    let anchors: BTreeMap<&Utf8Path, BTreeSet<&str>> =
        files.iter().map(|(path, html)| (path.as_path(), values(html, " id=\"").collect())).collect();
    let mut broken = BTreeSet::new();
    // The page for unknown addresses has links from the root of a site.
    for (path, html) in files.iter().filter(|(path, _)| path.as_str() != "404.html") {
        for link in values(html, " href=\"").chain(values(html, " src=\"")) {
            if link.contains("://") || link.starts_with("mailto:") || link.starts_with("data:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { joined(path, file) };
            let leads = match anchors.get(target.as_path()) {
                Some(ids) => anchor.is_empty() || ids.contains(anchor),
                None => false,
            };
            if !leads {
                broken.insert(format!("{path}: {link}"));
            }
        }
    }
    broken.into_iter().collect()
}

/// Returns the values of an attribute.
fn values<'a>(html: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(attribute).skip(1).filter_map(|rest| rest.split_once('"').map(|(value, _)| value))
}

/// Returns the path that `link` on the page `from` means.
fn joined(from: &Utf8Path, link: &str) -> Utf8PathBuf {
    let mut path = from.parent().unwrap_or(Utf8Path::new("")).to_owned();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> BTreeMap<Utf8PathBuf, String> {
        entries.iter().map(|(path, html)| ((*path).into(), (*html).to_owned())).collect()
    }

    #[test]
    fn a_link_leads_to_a_file_and_to_an_anchor() {
        let files = files(&[
            ("a.html", r#"<a href="b/c.html#x">, <a href="b/missing.html">, <a href="https://example.org/#y">"#),
            ("b/c.html", r##"<h2 id="x">, <a href="../a.html">, <a href="#x">, <a href="#z">, <img src="../a.svg">"##),
            ("a.svg", ""),
        ]);
        assert_eq!(broken_links(&files), ["a.html: b/missing.html", "b/c.html: #z"]);
    }

    #[test]
    fn links_that_leave_the_docs_lead_to_the_repository() {
        let text = "[a](../src/main.rs \"title\") [b](build.md) [c](../README.md) [d](README.md#words)";
        let expected = format!(
            "[a]({REPOSITORY}src/main.rs \"title\") [b](build.md) [c]({REPOSITORY}README.md) [d](index.md#words)"
        );
        assert_eq!(with_links_of_a_book(text, "page.md".into()), expected);
        let text = "[a](../../src/main.rs) [b](../build.md) [c](../README.md)";
        let expected = format!("[a]({REPOSITORY}src/main.rs) [b](../build.md) [c](../index.md)");
        assert_eq!(with_links_of_a_book(text, "lint/page.md".into()), expected);
    }

    #[test]
    fn the_summary_lists_every_page() {
        let docs = paths::project().join("docs");
        let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
        assert_eq!(unlisted(&summary, &pages(&docs).unwrap()), [""; 0]);
    }

    #[test]
    fn a_page_that_the_summary_lacks_is_named() {
        let pages = ["a.md".into(), "b/c.md".into()];
        assert_eq!(unlisted("- [A](a.md)", &pages), ["b/c.md"]);
    }
}
