//! What builds of a repository will do: its states, compared by the model, and the model held against the real Nix.
//!
//! [`split::derivations`](crate::split::derivations) says without Nix which derivations an edit changes. Here states of a
//! repository are read for it from commits, the index and the work tree, and laid out in a scratch folder for Nix to say
//! the same of them.

mod state;

pub use state::{Place, State, StateError};
