//! Offers the git hook: a question on a terminal, a line of advice elsewhere.

use std::io::{self, IsTerminal as _, Write as _};

use crate::{
    cli::{
        failure::Failure,
        hook,
        printer::Printer,
        style::{BOLD, NOTE},
    },
    guard::hook::{HookPlace, Status, status},
    repo::WorkTree,
};

/// Offers the hook, unless it already runs or this is not a git repository.
pub(super) fn hook(tree: &WorkTree, printer: Printer) -> Result<(), Failure> {
    let Ok(place) = HookPlace::find(tree.root()) else { return Ok(()) };
    if status(&place).is_ok_and(|all| all.iter().all(Status::runs)) {
        return Ok(());
    }
    if can_ask(printer) && is_wanted() {
        hook::install(&place, printer)?;
    } else {
        printer.note(format_args!(
            "{NOTE}hook{NOTE:#}: run `{BOLD}splitter hook install{BOLD:#}` to add a git hook that stops commits with stale hashes"
        ));
    }
    Ok(())
}

fn can_ask(printer: Printer) -> bool {
    !printer.is_quiet() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks the user. Anything but a yes changes nothing.
fn is_wanted() -> bool {
    let mut stderr = anstream::stderr();
    let question = "Add a git hook that stops commits with stale hashes? [y/N] ";
    if write!(stderr, "{question}").and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}
