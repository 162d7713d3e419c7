//! Writes a file, unless somebody edited it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Failure, Outcome, Printer, parent};
use crate::{
    ci::diff::diff,
    cli::{
        interrupt,
        style::{BAD, BOLD, NOTE},
    },
    diagnostic::{Category, Diagnose},
    reading,
    scaffold::{files, signature::Found},
    tune::{Advice, Situation, notes::file_of, render::SIGNATURE},
};

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("could not read `{path}`")]
    Read { path: Utf8PathBuf, source: io::Error },
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: io::Error },
}

impl Diagnose for WriteError {
    fn category(&self) -> Category {
        Category::Environment
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Write { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec![format!(
                    "only root may write to {}: write the file elsewhere, and copy it with sudo",
                    parent(path)
                )]
            }
            _ => Vec::new(),
        }
    }
}

pub(super) fn write(
    path: &Utf8Path,
    text: &str,
    (situation, advice): (&Situation<'_>, &Advice),
    printer: Printer,
) -> Result<Outcome, Failure> {
    let old = match reading::text(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(WriteError::Read { path: path.to_owned(), source }.into()),
    };
    let why = match SIGNATURE.found(old.as_deref()) {
        Found::Nothing | Found::Ours => None,
        Found::Edited => Some("was edited"),
        Found::Foreign => Some("was not written by splitter"),
    };
    let old = old.unwrap_or_default();
    if old == text {
        printer.data(format_args!("{BOLD}{path}{BOLD:#} is up to date"));
        return Ok(Outcome::Done);
    }
    let from = if old.is_empty() { "/dev/null".to_owned() } else { path.to_string() };
    printer.data(format_args!("--- {from}\n+++ {path}"));
    printer.data(diff(&old, text).trim_end_matches('\n'));
    if let Some(why) = why {
        printer.error_line(format_args!("{BAD}not written{BAD:#}: {BOLD}{path}{BOLD:#} {why}"));
        printer.note(format_args!("{NOTE}hint{NOTE:#}: write to another file, or remove this one first"));
        return Ok(Outcome::Difference);
    }
    let put = interrupt::uninterrupted(|| files::put(path, text.as_bytes()));
    put.map_err(|source| WriteError::Write { path: path.to_owned(), source })?;
    if path.extension() == Some("nix") {
        printer.note(format_args!("wrote {BOLD}{path}{BOLD:#}; add it to `imports` of your configuration"));
    } else {
        let place = file_of(situation);
        printer.note(format_args!(
            "wrote {BOLD}{path}{BOLD:#}; add `!include FILE` with its absolute path to {place}, as root"
        ));
    }
    super::show::notes(advice, printer);
    Ok(Outcome::Done)
}
