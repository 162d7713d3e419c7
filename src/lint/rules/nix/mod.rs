//! Rules about Nix files.

pub(super) mod broken_setting;
pub(super) mod compiler_flags;
pub(super) mod dangerous_setting;
pub(super) mod for_all_systems;
pub(super) mod import_from_derivation;
pub(super) mod impure_lookup;
pub(super) mod install_in_build;
pub(super) mod layers_out_of_order;
pub(super) mod missing_lock;
pub(super) mod mutable_created;
pub(super) mod network_in_build;
pub(super) mod no_chroot;
pub(super) mod node_modules_hash;
pub(super) mod nodejs_with_bun;
pub(super) mod one_layer_image;
pub(super) mod renamed_setting;
pub(super) mod revision_in_name;
mod settings;
pub(super) mod substituter_without_key;
pub(super) mod tool_in_nix_image;
pub(super) mod unknown_setting;
pub(super) mod whole_repository;
mod words;

pub(in crate::lint) use self::words::Words;
