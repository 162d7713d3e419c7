//! Rules about `flake.lock`.

pub(super) mod dropped_system;
#[expect(clippy::module_inception, reason = "it is what `flake.lock` is")]
mod lock;
pub(super) mod moving_nixpkgs;
pub(super) mod old_lock;
pub(super) mod several_nixpkgs;
pub(super) mod unsupported_nixpkgs;

pub use lock::{Nixpkgs, main_nixpkgs};
