//! `cargo xtask release`: says what still forbids a release, and prints its notes. It changes nothing.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use fs_err as fs;

use crate::{Result, paths, process};

#[derive(Args)]
pub(crate) struct Options {
    /// The tag of the release, such as v1.2.3
    #[arg(long)]
    tag: Option<String>,
    /// Write the notes of the release, from the changelog, to this file
    #[arg(long, value_name = "FILE")]
    notes: Option<Utf8PathBuf>,
}

/// The owner of the repository, until it has one. See docs/releasing.md.
const PLACEHOLDER: &str = concat!("OWNER", "/splitter");
/// The file that explains the placeholder.
const EXPLAINS: &str = "docs/releasing.md";
/// The version of this workspace, which is also that of splitter.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Files that users copy or refer to, with a line for the current version. Cargo's own files are not among them.
const VERSIONED: [(&str, &str); 5] = [
    ("action.yml", "default: \"{}\""),
    ("templates/check.yml", "default: \"{}\""),
    ("templates/check.yml", "splitter/check@v{}"),
    ("docs/installing.md", "splitter/check@v{}"),
    ("docs/installing.md", "rev: v{}"),
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut findings = versions(|path| Ok(fs::read_to_string(paths::project().join(path))?))?;
    let changelog = fs::read_to_string(paths::project().join("CHANGELOG.md"))?;
    findings.extend(of_changelog(&changelog));
    findings.extend(
        options
            .tag
            .iter()
            .filter(|tag| **tag != format!("v{VERSION}"))
            .map(|tag| format!("the tag is {tag}; the version in Cargo.toml is {VERSION}")),
    );
    findings.extend(placeholders(paths::project())?);
    if !findings.is_empty() {
        return Err(format!("not ready to release {VERSION}:\n  {}", findings.join("\n  ")).into());
    }
    if let Some(path) = &options.notes {
        fs::write(path, notes(&changelog).unwrap_or_default())?;
    }
    println!("ready to release {VERSION}");
    Ok(())
}

/// Finds files that name another version.
fn versions(read: impl Fn(&str) -> Result<String>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for (path, line) in VERSIONED {
        let wanted = line.replace("{}", VERSION);
        if !read(path)?.contains(&wanted) {
            findings.push(format!("{path}: expected `{wanted}`"));
        }
    }
    Ok(findings)
}

/// Finds what the changelog lacks: a dated section for the version, and nothing that is still unreleased.
fn of_changelog(text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if section(text, "Unreleased").is_some_and(|(_, body)| !body.trim().is_empty()) {
        findings.push("CHANGELOG.md: changes are still below [Unreleased]".to_owned());
    }
    match section(text, VERSION) {
        None => findings.push(format!("CHANGELOG.md: there is no section [{VERSION}]")),
        Some((heading, _)) if !is_dated(heading) => {
            findings.push(format!("CHANGELOG.md: expected `## [{VERSION}] - YYYY-MM-DD`, found `{heading}`"));
        }
        Some(_) => {}
    }
    findings
}

fn is_dated(heading: &str) -> bool {
    let date = heading.rsplit(" - ").next().unwrap_or_default();
    date.len() == 10
        && date.bytes().enumerate().all(
            |(at, byte)| {
                if [4, 7].contains(&at) { byte == b'-' } else { byte.is_ascii_digit() }
            },
        )
}

/// Returns the heading and the text of a section of the changelog.
fn section<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let start = text.find(&format!("## [{name}]"))?;
    let (heading, rest) = text[start..].split_once('\n')?;
    Some((heading, rest.split("\n## [").next().unwrap_or_default()))
}

fn notes(text: &str) -> Option<String> {
    Some(format!("{}\n", section(text, VERSION)?.1.trim()))
}

/// Finds tracked files that name the placeholder instead of the owner of the repository.
fn placeholders(project: &Utf8Path) -> Result<Vec<String>> {
    let listed = process::run_silently(Command::new("git").arg("-C").arg(project).arg("ls-files"))?;
    let mut findings = Vec::new();
    for path in listed.lines().filter(|path| *path != EXPLAINS) {
        // Files that are no text name nobody.
        let text = fs::read(project.join(path)).unwrap_or_default();
        if String::from_utf8_lossy(&text).contains(PLACEHOLDER) {
            findings.push(format!("{path}: replace {PLACEHOLDER}"));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_this_checkout_have_one_version() {
        let read = |path: &str| Ok(fs::read_to_string(paths::project().join(path))?);
        assert_eq!(versions(read).unwrap(), [""; 0]);
    }

    #[test]
    fn another_version_is_found() {
        let findings = versions(|_| Ok("default: \"0.0.1\"".to_owned())).unwrap();
        assert_eq!(findings.len(), VERSIONED.len(), "{findings:?}");
    }

    #[test]
    fn a_release_has_a_dated_section_and_nothing_unreleased() {
        let ready = format!(
            "# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-12-01\n\n- News.\n\n## [0.0.1] - 2025-01-01\n"
        );
        assert_eq!(of_changelog(&ready), [""; 0]);
        assert_eq!(notes(&ready).unwrap(), "- News.\n");
        let unreleased = format!("## [Unreleased]\n\n- News.\n\n## [{VERSION}] - soon\n");
        assert_eq!(of_changelog(&unreleased).len(), 2);
        assert_eq!(of_changelog("## [Unreleased]\n").len(), 1);
    }

    #[test]
    fn a_placeholder_forbids_a_release() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("action.yml"), format!("https://example.org/{PLACEHOLDER}\n")).unwrap();
        for words in [&["init", "--quiet"][..], &["add", "."]] {
            process::run(Command::new("git").arg("-C").arg(root).args(words)).unwrap();
        }
        assert_eq!(placeholders(root).unwrap(), [format!("action.yml: replace {PLACEHOLDER}")]);
    }
}
