//! `yarn.lock`: two formats under one name. Yarn 1 has its own format; Yarn 2 and later write a strict subset of YAML.

use super::{
    yarn::lockfile::{YarnLockError, line::Lines},
    yarn_berry::lockfile as berry,
    yarn_classic::lockfile as classic,
};
use crate::{
    diagnostic::Position,
    lockfile::{Format, Lockfile},
};

/// Reads the content of a `yarn.lock` of either format.
pub fn parse(text: &str) -> Result<Lockfile, YarnLockError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii_start().starts_with('{') {
        return Err(YarnLockError::Json);
    }
    if is_berry(text) {
        return berry::parse(text);
    }
    if classic::header(text)? {
        return classic::parse(text);
    }
    // Yarn 1 also reads a file without its header. So does splitter, if the text looks like a lockfile.
    match classic::parse(text) {
        Ok(lockfile) if lockfile.packages.is_empty() => {
            Err(YarnLockError::Unknown { position: Position { line: 1, column: 1 } })
        }
        Err(error) => Err(unless_it_is_no_lockfile(text, error)),
        read => read,
    }
}

/// Returns the format of the content of a `yarn.lock`, without reading all of it.
pub(crate) fn format(text: &str) -> Format {
    if !is_berry(text) {
        return Format::YarnClassic;
    }
    let mut metadata = text.lines().skip_while(|line| !line.contains("__metadata")).skip(1);
    let version = metadata.find_map(|line| line.trim().trim_matches('"').strip_prefix("version:")?.trim().parse().ok());
    Format::YarnBerry(version.unwrap_or(u64::MAX))
}

/// Whether the text has the key `__metadata`. Yarn 2 and later write it; a lockfile of Yarn 1 cannot have it.
fn is_berry(text: &str) -> bool {
    text.contains("__metadata")
        && text.split('\n').any(|line| line.starts_with("__metadata:") || line.starts_with("\"__metadata\":"))
}

/// Returns the error. If it is about the first line with content, the text is not a lockfile at all.
fn unless_it_is_no_lockfile(text: &str, error: YarnLockError) -> YarnLockError {
    match (&error, Lines::of(text).next()) {
        (YarnLockError::Unexpected { position, .. }, Ok(Some(first))) if position.line == first.number => {
            YarnLockError::Unknown { position: first.position() }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
