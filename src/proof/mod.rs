//! Compares states of a repository with the model of its derivations, and checks the model against the real Nix.
//!
//! [`split::plan`](crate::split::plan) predicts without Nix which derivations an edit changes. This module reads the states
//! from commits, the index and the working tree. It copies them to a scratch folder, where Nix evaluates them.

mod confirm;
mod edited;
mod edits;
mod error;
pub mod evaluation;
mod lock_edit;
pub mod scratch;
mod state;
pub mod trace;
mod verify;

pub use self::{
    confirm::{Confirmation, confirm},
    edited::{after_edit, with_files},
    edits::{Edit, source_of},
    error::ProofError,
    lock_edit::with_record,
    state::{Place, State, StateError},
    verify::{Cell, Proof, Row, verify},
};
