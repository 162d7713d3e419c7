//! `splitter link`: puts the packages of the Nix build into the checkout.

use super::{
    arguments::{Global, LinkOptions},
    failure::{Failure, Outcome},
    repository::work_tree,
};
use crate::nix::command::Nix;

/// The program in the flake that does the work.
const PROGRAM: &str = ".#link";

pub(super) fn run(global: &Global, options: &LinkOptions) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let nix = Nix::require()?.in_folder(tree.root()).with_options(&options.nix_options);
    let chosen = [(options.copy, "--copy"), (options.undo, "--undo")];
    let arguments = chosen.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, argument)| argument);
    Err(nix.become_program(PROGRAM, arguments).into())
}
