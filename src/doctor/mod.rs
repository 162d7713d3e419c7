//! What slows builds down or makes them fail on this machine and in this repository: checks, each with findings that say what
//! is wrong, why it matters here, and what mends it.
//!
//! Checks are pure functions over facts. Facts are gathered by the modules below in parallel, with limits, so that a dead
//! cache or a hanging daemon costs seconds.
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`model`] | checks, findings, remedies, symptoms, and their order | no |
//! | `examine` | gathering all facts at once, and making all checks | through the others |
//! | [`nix`] | the Nix that is installed: its version, its daemon, its settings | runs `nix` |
//! | [`caches`] | the caches that Nix asks, and those of `splitter.json` | network |
//! | [`clock`] | the clock of this machine, compared with those of caches | no |
//! | [`builders`] | other machines that build for this one | runs `nix` |
//! | [`host`] | disks, memory, processors, proxies, git | reads files, runs git |
//! | [`repository`] | the record, the hook, `flake.lock`, sources | reads files, runs git |

/// Makes the checks of a module: each with its name and the symptoms that it explains.
macro_rules! checks {
    ($group:ident; $($(#[$doc:meta])* $name:ident = $text:literal $(, $symptom:ident)*;)*) => {
        $(
            $(#[$doc])*
            static $name: $crate::doctor::model::Check = $crate::doctor::model::Check {
                name: $text,
                group: $crate::doctor::model::Group::$group,
                symptoms: &[$($crate::doctor::model::Symptom::$symptom),*],
            };
        )*
        /// All checks of this module.
        pub static CHECKS: &[&$crate::doctor::model::Check] = &[$(&$name),*];
    };
}

pub mod builders;
pub mod caches;
pub mod clock;
mod examine;
pub mod host;
pub mod model;
pub mod nix;
pub mod repository;

pub use self::examine::{Examination, examine};
pub use self::model::{Check, Entry, Finding, Group, Remedy, Report, Severity, State, Symptom};
pub use crate::nix::installed::NoAnswer;

/// Every check, in the order of their groups.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [nix::CHECKS, builders::CHECKS, caches::CHECKS, host::CHECKS, clock::CHECKS, repository::CHECKS]
        .into_iter()
        .flatten()
        .copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn checks_have_names_of_their_own_and_every_symptom_has_checks() {
        let names: Vec<&str> = checks().map(|check| check.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in &names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
        for symptom in Symptom::ALL {
            let concerned = checks().filter(|check| check.symptoms.contains(&symptom)).count();
            assert!(concerned >= 4, "{}: {concerned}", symptom.name());
        }
    }

    #[test]
    fn every_check_is_in_the_documentation() {
        let page = include_str!("../../docs/doctor.md");
        for check in checks() {
            assert!(page.contains(&format!("`{}`", check.name)), "{} is not in docs/doctor.md", check.name);
        }
    }
}
