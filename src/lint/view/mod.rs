//! Parsed files, each with what rules ask of it.

mod dockerfile;
mod json;
pub mod nix;
mod script;
mod settings;
pub mod shell;
pub mod yaml;

pub use self::{
    dockerfile::{Dockerfile, Instruction},
    json::{JsonFile, entries, get, text},
    nix::NixFile,
    script::Script,
    settings::{Setting, SettingsFile, settings_in},
    yaml::YamlFile,
};
