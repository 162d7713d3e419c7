//! The arguments of `splitter doctor`.

use clap::{Args, ValueEnum};

use crate::doctor::Symptom;

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorOptions {
    /// Make only the checks that explain this [default: all checks]
    #[arg(value_name = "SYMPTOM", value_enum)]
    pub(in crate::cli) symptom: Option<SymptomName>,
    /// Ask no cache and no builder
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Names of symptoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SymptomName {
    /// CI takes long
    SlowCi,
    /// Nix builds what a cache should have, without a change
    CacheMisses,
    /// Builds on this machine take long
    SlowBuilds,
    /// The disk is full, or soon will be
    DiskFull,
    /// Nix reports a hash mismatch, or `check` reports stale hashes
    HashMismatch,
}

impl From<SymptomName> for Symptom {
    fn from(name: SymptomName) -> Self {
        match name {
            SymptomName::SlowCi => Self::SlowCi,
            SymptomName::CacheMisses => Self::CacheMisses,
            SymptomName::SlowBuilds => Self::SlowBuilds,
            SymptomName::DiskFull => Self::DiskFull,
            SymptomName::HashMismatch => Self::HashMismatch,
        }
    }
}
