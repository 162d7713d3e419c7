//! Parsed files, each with what rules ask of it.

mod dockerfile;
pub mod jobs;
mod json;
pub mod nix;
mod nix_command;
mod script;
mod settings;
pub mod shell;
pub mod yaml;

pub use self::{
    dockerfile::{Dockerfile, Instruction},
    json::{JsonFile, entries, get, text},
    nix::NixFile,
    nix_command::NixCall,
    script::Script,
    settings::{Broken, Setting, SettingsFile, broken_in, settings_in},
    shell::Command,
    yaml::YamlFile,
};
