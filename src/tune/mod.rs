//! Settings of Nix for this computer, each with its reason: [`advise`].
//!
//! Advice on Nix's speed is often copied from other computers. Here, each value follows from what the computer has, and the installed
//! Nix says whether it knows the setting. What cannot be known is left out, with the reason.
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`situation`] | what the advice is made from | no |
//! | [`profile`] | how much of the computer builds may take | no |
//! | [`advice`] | settings with values and reasons | no |
//! | `rules` | the values | no |
//! | [`notes`] | where settings are ignored, and which usual advice is wrong here | no |
//! | [`render`] | a file for `nix.conf`, modules, `NIX_CONFIG`, the difference | no |
//! | [`network`] | how fast caches answer | network |
//! | [`measure`] | whether settings help | runs `nix` in scratch stores |

pub mod advice;
pub mod measure;
pub mod network;
pub mod notes;
pub mod profile;
pub mod render;
mod rules;
pub mod situation;
#[cfg(test)]
mod tests;

pub use self::{
    advice::{Advice, Recommendation, Schedule, State, Value, Withheld},
    profile::{Fit, Jobs, Profile},
    rules::advise,
    situation::{Installed, Situation, TeamCache},
};
