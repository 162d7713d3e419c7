//! What builds of a repository will do: its states, compared by the model, and the model held against the real Nix.
//!
//! [`split::plan`](crate::split::plan) says without Nix which derivations an edit changes. Here states of a
//! repository are read for it from commits, the index and the work tree, and laid out in a scratch folder for Nix to say
//! the same of them.

mod confirm;
mod edited;
mod edits;
mod error;
pub mod evaluation;
mod lock_edit;
mod scratch;
mod state;
mod verify;

pub use self::{
    confirm::{Confirmation, confirm},
    edited::after_edit,
    edits::Edit,
    error::ProofError,
    state::{Place, State, StateError},
    verify::{Cell, Proof, Row, verify},
};
