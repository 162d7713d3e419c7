//! The arguments of `lint`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(in crate::cli) struct LintOptions {
    /// Show findings in these files and folders only [default: the whole repository]
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<Utf8PathBuf>,
    /// Print the findings in this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LintFormat::Text)]
    pub(in crate::cli) format: LintFormat,
    /// Mend what needs no person, say what changed, and print the rest
    #[arg(long)]
    pub(in crate::cli) fix: bool,
    /// Also show what is only worth to know, and matters of taste
    #[arg(long)]
    pub(in crate::cli) pedantic: bool,
    /// Print the page of a rule: why, what to do, examples
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "format", "fix", "pedantic"])]
    pub(in crate::cli) explain: Option<String>,
}

/// Output formats of `lint`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LintFormat {
    /// Plain text
    #[default]
    Text,
    /// JSON
    Json,
    /// Plain text with annotations for GitHub workflows
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}
