//! What the settings files of both Yarns share: YAML, which Yarn 1 falls back to, settings with their places, variables,
//! errors.

mod error;
pub(in crate::managers) mod npm;
pub(crate) mod variables;
pub(in crate::managers) mod yaml;

pub use self::error::YarnRcError;
pub(crate) use self::npm::{NetworkSettings, NpmAuth, NpmSettings, Setting};

/// The lines of a text without what ends them, `\n` or `\r\n`.
pub(in crate::managers) fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(|line| line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line))
}
