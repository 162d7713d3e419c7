//! Rules about `.envrc`.

pub(super) mod envrc_use_nix;
pub(super) mod envrc_without_nix_direnv;
pub(super) mod unchecked_envrc;
