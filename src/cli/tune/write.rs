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
    shell,
    tune::{Advice, Situation, notes::file_of, render::SIGNATURE},
};

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("could not read `{path}`")]
    Read { path: Utf8PathBuf, source: io::Error },
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: io::Error },
    #[error("`--write` needs the name of a file, found `-`")]
    Stdout,
    #[error("`{path}` is a folder; `--write` needs the name of a file")]
    IsFolder { path: Utf8PathBuf },
    #[error("could not write `{path}`: the folder `{folder}` does not exist")]
    NoFolder { path: Utf8PathBuf, folder: Utf8PathBuf },
}

impl Diagnose for WriteError {
    fn category(&self) -> Category {
        match self {
            Self::Read { .. } | Self::Write { .. } => Category::Environment,
            Self::Stdout | Self::IsFolder { .. } | Self::NoFolder { .. } => Category::Input,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Write { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec![format!(
                    "only root may write to {}: write the file elsewhere, and copy it with sudo",
                    parent(path)
                )]
            }
            Self::Read { .. } | Self::Write { .. } => Vec::new(),
            Self::Stdout => vec!["leave out `--write` to print to the terminal or into a pipe".to_owned()],
            Self::IsFolder { path } => vec![format!("name a file in it, such as `{}`", path.join("splitter.conf"))],
            Self::NoFolder { folder, .. } => vec![format!("run `mkdir -p {}` first", shell::word(folder.as_str()))],
        }
    }
}

/// Refuses what is no place for a file, before anything is printed.
pub(super) fn check(path: &Utf8Path) -> Result<(), Failure> {
    let folder = parent(path);
    Err(if path == "-" {
        WriteError::Stdout
    } else if path.is_dir() {
        WriteError::IsFolder { path: path.to_owned() }
    } else if !folder.is_dir() {
        WriteError::NoFolder { path: path.to_owned(), folder: folder.to_owned() }
    } else {
        return Ok(());
    }
    .into())
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
