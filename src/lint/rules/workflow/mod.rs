//! Rules about workflows and pipelines of CI systems.

pub(super) mod accept_flake_config;
mod actions;
pub(super) mod cache_before_nix;
pub(super) mod cache_order;
pub(super) mod dated_action;
pub(super) mod full_clone;
pub(super) mod garbage_in_ci;
pub(super) mod image_tar_in_cache;
pub(super) mod imperative_nix;
pub(super) mod impure_build;
pub(super) mod no_nix_cache;
pub(super) mod push_after_build;
pub(super) mod sandbox_off;
pub(super) mod secrets_for_forks;
pub(super) mod settings;
pub(super) mod unlocked_tool;
pub(super) mod unpinned_action;
pub(super) mod update_in_build;
