//! The offer of the git hook: a question on a terminal, a line of advice elsewhere.

use std::io::{self, IsTerminal as _, Write as _};

use crate::{
    cli::{
        failure::Failure,
        hook,
        printer::{BOLD, NOTE, Printer},
    },
    guard::hook::{HookPlace, Status, status},
    repo::WorkTree,
};

/// Offers the hook, unless it runs already or there is no git repository.
pub(super) fn hook(tree: &WorkTree, printer: Printer) -> Result<(), Failure> {
    let Ok(place) = HookPlace::find(tree.root()) else { return Ok(()) };
    if status(&place).is_ok_and(|all| all.iter().all(Status::runs)) {
        return Ok(());
    }
    if can_ask(printer) && is_wanted() {
        hook::install(&place, printer)?;
    } else {
        printer.note(format_args!(
            "{NOTE}hook{NOTE:#}: `{BOLD}splitter hook install{BOLD:#}` sets up a git hook that stops a commit with stale hashes"
        ));
    }
    Ok(())
}

fn can_ask(printer: Printer) -> bool {
    !printer.is_quiet() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks. Only a yes is one: an answer that cannot be read changes nothing.
fn is_wanted() -> bool {
    let mut stderr = anstream::stderr();
    let question = "Set up a git hook that stops a commit with stale hashes? [y/N] ";
    if write!(stderr, "{question}").and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}
