//! What the installed Nix says of itself: [`Installed`]. A Nix that hangs costs a fixed time.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    command::{NIX_VARIABLE, Nix, limited},
    settings::{Settings, StoreInfo, Version, Warning},
};
use crate::diagnostic::{Category, Diagnose};

/// The time for each question to Nix. A daemon that hangs must not hold up who asks what hangs.
pub const LIMIT: Duration = Duration::from_secs(5);

/// The option without which `nix config show` does nothing. With `flakes` in it, nobody could tell whether flakes are enabled.
const FEATURE: [&str; 2] = ["--extra-experimental-features", "nix-command"];
/// How a Nix says that it does not have a command.
const NO_COMMAND: [&str; 3] = ["is not a recognised command", "is not a recognized command", "no subcommand"];

/// The Nix that is installed.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The program.
    pub program: PathBuf,
    /// Its version.
    pub version: Result<Version, NoAnswer>,
    /// Its settings, as it printed them.
    pub shown: Value,
    /// Its settings.
    pub settings: Result<Settings, NoAnswer>,
    /// What it says about its settings.
    pub warnings: Vec<Warning>,
    /// The store, and who asked for it.
    pub store: Result<StoreInfo, NoAnswer>,
    /// What it says when it connects to the store.
    pub store_warnings: Vec<Warning>,
}

/// Why Nix gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It was still running at the end of the time.
    #[error("`{command}` gave no answer within {} s", limit.as_secs())]
    Late {
        /// The command.
        command: String,
        /// The time.
        limit: Duration,
    },
    /// It cannot be started.
    #[error("could not run `{program}`: {why}")]
    Start {
        /// The program.
        program: String,
        /// The system's reason.
        why: String,
    },
    /// It failed.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The command.
        command: String,
        /// Its first error.
        reason: String,
    },
    /// It failed with words that no Nix would use.
    #[error("`{program}` does not answer as Nix does: {reason}")]
    Other {
        /// The program.
        program: String,
        /// The first line of what it said.
        reason: String,
    },
    /// It failed, and does not say why.
    #[error("`{command}` failed without a message ({status})")]
    Silent {
        /// The command.
        command: String,
        /// How it ended.
        status: String,
    },
    /// Its answer is in an unknown form.
    #[error("`{command}` answered in a form that splitter does not know")]
    Form {
        /// The command.
        command: String,
    },
}

impl NoAnswer {
    /// Returns the reason that Nix itself gave.
    pub fn reason(&self) -> Option<&str> {
        if let Self::Failed { reason, .. } = self { Some(reason) } else { None }
    }
}

impl Diagnose for NoAnswer {
    fn category(&self) -> Category {
        Category::Environment
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Late { command, .. } => vec![
                format!("run `{command}` yourself to see what it waits for, such as a daemon or a network file system"),
                format!("or set {NIX_VARIABLE} to the path of another nix"),
            ],
            Self::Start { .. } | Self::Other { .. } | Self::Form { .. } => {
                vec![format!("set {NIX_VARIABLE} to the path of a nix, or remove the variable to use the one in PATH")]
            }
            Self::Failed { .. } | Self::Silent { .. } => {
                vec!["run `nix config show` yourself: no command of Nix works until it does".to_owned()]
            }
        }
    }
}

impl Installed {
    /// Returns why the program is no Nix at all, or none that starts.
    pub fn is_other(&self) -> Option<NoAnswer> {
        // A Nix with an unknown name lists its settings all the same.
        let (Err(error), Err(_)) = (&self.version, &self.settings) else { return None };
        match error {
            NoAnswer::Start { .. } | NoAnswer::Other { .. } => Some(error.clone()),
            NoAnswer::Form { .. } => Some(NoAnswer::Other {
                program: self.program.display().to_string(),
                reason: "`--version` prints no version of Nix".to_owned(),
            }),
            NoAnswer::Late { .. } | NoAnswer::Failed { .. } | NoAnswer::Silent { .. } => None,
        }
    }

    /// Whether the daemon ignores what this user set.
    pub fn ignores(&self, name: &str) -> bool {
        self.store_warnings.iter().any(|warning| matches!(warning, Warning::Restricted { setting } if setting == name))
    }

    /// Whether the daemon ignores a cache that this user named.
    pub fn ignores_cache(&self, url: &str) -> bool {
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        let is_it =
            |warning: &Warning| matches!(warning, Warning::Substituter { url: ignored } if bare(ignored) == bare(url));
        self.store_warnings.iter().any(is_it)
    }

    /// Asks Nix, all questions at once.
    pub fn ask(nix: &Nix, limit: Duration) -> Self {
        let program = nix.program();
        let one = |words: &'static [&'static str]| move || ask(program, words, limit);
        let ((version, config), store) = thread::scope(|scope| {
            let version = scope.spawn(one(&["--version"]));
            let config =
                scope.spawn(move || either(program, &["config", "show", "--json"], &["show-config", "--json"], limit));
            let store = either(program, &["store", "info", "--json"], &["store", "ping", "--json"], limit);
            let resume = |panic| std::panic::resume_unwind(panic);
            ((version.join().unwrap_or_else(resume), config.join().unwrap_or_else(resume)), store)
        });
        Self::of(program, &version, config, store)
    }

    fn of(program: &Path, version: &Answered, config: Answered, store: Answered) -> Self {
        let version = version.text().and_then(|text| {
            Version::parse(&text).ok_or_else(|| NoAnswer::Form { command: "nix --version".to_owned() })
        });
        let (shown, settings) = match config.json::<Value>() {
            Ok(shown) => (shown.clone(), Ok(Settings::of(&shown))),
            Err(error) => (Value::Null, Err(error)),
        };
        let store_info = store.json();
        Self {
            program: program.to_owned(),
            version,
            shown,
            settings,
            warnings: config.warnings,
            store: store_info,
            store_warnings: store.warnings,
        }
    }
}

/// An answer, and the warnings beside it.
struct Answered {
    command: String,
    stdout: Result<Vec<u8>, NoAnswer>,
    warnings: Vec<Warning>,
}

impl Answered {
    fn text(&self) -> Result<String, NoAnswer> {
        self.stdout.clone().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        let bytes = self.stdout.clone()?;
        serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Form { command: self.command.clone() })
    }

    fn lacks_command(&self) -> bool {
        let reason = self.stdout.as_ref().err().and_then(NoAnswer::reason);
        reason.is_some_and(|reason| NO_COMMAND.iter().any(|words| reason.contains(words)))
    }
}

/// Asks with the name of a command, and with its older name if this Nix does not have it.
fn either(program: &Path, words: &[&str], older: &[&str], limit: Duration) -> Answered {
    let answer = ask(program, words, limit);
    if answer.lacks_command() { ask(program, older, limit) } else { answer }
}

fn ask(program: &Path, words: &[&str], limit: Duration) -> Answered {
    let command = format!("nix {}", words.join(" "));
    let mut process = Command::new(program);
    process.args(FEATURE).args(words);
    match limited::output(&mut process, limit) {
        Ok(Some(output)) => answered(program, command, output),
        Ok(None) => {
            Answered { stdout: Err(NoAnswer::Late { command: command.clone(), limit }), command, warnings: Vec::new() }
        }
        Err(error) => {
            let start = NoAnswer::Start { program: program.display().to_string(), why: error.to_string() };
            Answered { stdout: Err(start), command, warnings: Vec::new() }
        }
    }
}

fn answered(program: &Path, command: String, output: Output) -> Answered {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let warnings = stderr.lines().filter_map(Warning::parse).collect();
    if output.status.success() {
        return Answered { command, stdout: Ok(output.stdout), warnings };
    }
    let error = match (first_error(&stderr), first_line(&stderr)) {
        (Some(reason), _) => NoAnswer::Failed { command: command.clone(), reason },
        (None, Some(reason)) => NoAnswer::Other { program: program.display().to_string(), reason },
        (None, None) => NoAnswer::Silent { command: command.clone(), status: output.status.to_string() },
    };
    Answered { stdout: Err(error), command, warnings }
}

/// Returns the first error that Nix printed.
fn first_error(stderr: &str) -> Option<String> {
    let error = |line: String| line.strip_prefix("error: ").map(|text| text.trim().to_owned());
    stderr.lines().map(plain).find_map(error)
}

/// Returns the first line with words.
fn first_line(stderr: &str) -> Option<String> {
    stderr.lines().map(|line| plain(line).trim().to_owned()).find(|line| !line.is_empty())
}

/// Returns a line without colours.
fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_the_reason() {
        let stderr = "warning: unknown setting 'x'\nerror: cannot connect to socket\n       at y\n";
        assert_eq!(first_error(stderr).as_deref(), Some("cannot connect to socket"));
        assert_eq!(first_error("\u{1b}[31;1merror:\u{1b}[0m a\n").as_deref(), Some("a"));
        assert_eq!((first_error("killed\n\n"), first_line("killed\n\n").as_deref()), (None, Some("killed")));
        assert_eq!((first_error(""), first_line("")), (None, None));
    }
}
