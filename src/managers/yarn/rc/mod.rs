//! Parts that the settings files of Yarn 1 and later Yarns share: YAML (to which Yarn 1 falls back), settings with
//! their positions, variables and errors.

mod error;
pub(in crate::managers) mod npm;
pub(crate) mod variables;
pub(crate) mod yaml;

pub use self::error::YarnRcError;
pub(crate) use self::npm::{NetworkSettings, NpmAuth, NpmSettings, Setting};

/// Returns the lines of a text without their ends, `\n` or `\r\n`.
pub(in crate::managers) fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(|line| line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line))
}
