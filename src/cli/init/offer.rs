//! Offers the git hook: a question on a terminal, a line of advice elsewhere. Offers direnv to those who have it.

use std::io::{self, IsTerminal as _, Write as _};

use crate::{
    cli::{
        failure::Failure,
        hook,
        printer::Printer,
        style::{BOLD, NOTE},
    },
    guard::hook::{HookPlace, Status, status},
    repo::{RepoPath, Tree as _, WorkTree},
    scaffold::direnv,
};

/// Offers the hook, unless it already runs or this is not a git repository.
pub(super) fn hook(tree: &WorkTree, printer: Printer) -> Result<(), Failure> {
    let Ok(place) = HookPlace::find(tree.root()) else { return Ok(()) };
    if status(&place).is_ok_and(|all| all.iter().all(Status::runs)) {
        return Ok(());
    }
    if can_ask(printer) && is_wanted("Add a git hook that stops commits with stale hashes?") {
        hook::install(&place, printer)?;
    } else {
        printer.note(format_args!(
            "{NOTE}hook{NOTE:#}: run `{BOLD}splitter hook install{BOLD:#}` to add a git hook that stops commits with stale hashes"
        ));
    }
    Ok(())
}

/// Returns whether to write `.envrc`. Asks only on a terminal if direnv is installed and there is no `.envrc`.
pub(super) fn direnv(tree: &WorkTree, printer: Printer) -> Result<bool, Failure> {
    let has_direnv = || which::which("direnv").is_ok();
    if !can_ask(printer) || !has_direnv() || tree.is_file(&RepoPath::root().child(direnv::FILE))? {
        return Ok(false);
    }
    Ok(is_wanted("Write .envrc, with which direnv enters the dev shell?"))
}

fn can_ask(printer: Printer) -> bool {
    !printer.is_quiet() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks the user. Anything but a yes changes nothing.
fn is_wanted(question: &str) -> bool {
    let mut stderr = anstream::stderr();
    if write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}
