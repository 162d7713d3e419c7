//! nix
