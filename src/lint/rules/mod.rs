//! The rules, one file each. A new rule is a file here and a line in [`RULES`].

mod docker;
mod dockerfile_beside_flake;
mod fake_hash;
mod lock;
mod nix;
mod scripts;
mod store_in_actions_cache;
mod workflow;

pub use self::lock::{Nixpkgs, main_nixpkgs};
pub(super) use self::nix::Words;
use super::model::Rule;

/// All rules.
pub const RULES: &[&Rule] = &[
    &workflow::accept_flake_config::RULE,
    &docker::base_without_digest::RULE,
    &nix::broken_setting::RULE,
    &workflow::cache_before_nix::RULE,
    &workflow::cache_order::RULE,
    &nix::compiler_flags::RULE,
    &nix::dangerous_setting::RULE,
    &workflow::dated_action::RULE,
    &dockerfile_beside_flake::RULE,
    &lock::dropped_system::RULE,
    &scripts::envrc_use_nix::RULE,
    &scripts::envrc_without_nix_direnv::RULE,
    &fake_hash::RULE,
    &nix::for_all_systems::RULE,
    &workflow::full_clone::RULE,
    &workflow::garbage_in_ci::RULE,
    &workflow::image_tar_in_cache::RULE,
    &workflow::imperative_nix::RULE,
    &nix::import_from_derivation::RULE,
    &workflow::impure_build::RULE,
    &nix::impure_lookup::RULE,
    &docker::install_after_sources::RULE,
    &nix::install_in_build::RULE,
    &nix::layers_out_of_order::RULE,
    &nix::missing_lock::RULE,
    &lock::moving_nixpkgs::RULE,
    &nix::mutable_created::RULE,
    &nix::network_in_build::RULE,
    &nix::no_chroot::RULE,
    &workflow::no_nix_cache::RULE,
    &nix::node_modules_hash::RULE,
    &nix::nodejs_with_bun::RULE,
    &lock::old_lock::RULE,
    &nix::one_layer_image::RULE,
    &workflow::push_after_build::RULE,
    &nix::renamed_setting::RULE,
    &nix::revision_in_name::RULE,
    &workflow::sandbox_off::RULE,
    &workflow::secrets_for_forks::RULE,
    &lock::several_nixpkgs::RULE,
    &store_in_actions_cache::RULE,
    &nix::substituter_without_key::RULE,
    &docker::tool_in_image::RULE,
    &nix::tool_in_nix_image::RULE,
    &scripts::unchecked_envrc::RULE,
    &nix::unknown_setting::RULE,
    &workflow::unlocked_tool::RULE,
    &workflow::unpinned_action::RULE,
    &lock::unsupported_nixpkgs::RULE,
    &workflow::update_in_build::RULE,
    &nix::whole_repository::RULE,
];

/// Returns the rule of a name.
pub fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::shown;

    #[test]
    fn each_rule_finds_its_faults_and_nothing_else() {
        for rule in RULES {
            for example in rule.examples {
                let found = shown(rule.name, example.files);
                assert_eq!(found.len(), example.findings, "{} in {:#?}\n{found:#?}", rule.name, example.files);
            }
            assert!(rule.examples.iter().any(|example| example.findings > 0), "{} has no fault", rule.name);
            assert!(rule.examples.iter().any(|example| example.findings == 0), "{} has no good example", rule.name);
        }
    }

    #[test]
    fn rules_have_names_and_sentences() {
        for rule in RULES {
            assert!(
                rule.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{}",
                rule.name
            );
            for text in [rule.why, rule.remedy] {
                assert!(
                    text.ends_with('.')
                        && text.starts_with(|c: char| c.is_uppercase() || c == '`')
                        && !text.contains('\n'),
                    "{}: {text}",
                    rule.name
                );
            }
        }
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "sorted, and each once");
    }

    /// Each example is cut and mixed with others at many places.
    #[test]
    fn no_damaged_file_panics() {
        let files: Vec<(&str, &str)> =
            RULES.iter().flat_map(|rule| rule.examples).flat_map(|example| example.files).copied().collect();
        let cut = |text: &str, at: usize| text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
        for (number, (path, text)) in files.iter().enumerate() {
            let other = files[(number * 7 + 3) % files.len()].1;
            for at in (0..text.chars().count()).step_by(text.len() / 12 + 1) {
                let place = cut(text, at);
                let inserted = ["\u{e9}", "\"", "'", "$(", "\\", "${{", "&a [*a]", "<<EOF\n", "#", "\r\n"][at % 10];
                let damaged = [
                    text[..place].to_owned(),
                    format!("{}{inserted}{}", &text[..place], &text[place..]),
                    format!("{}{}", &text[..place], &other[cut(other, at)..]),
                ];
                for damaged in &damaged {
                    shown("fake-hash", &[(path, damaged), ("flake.nix", other), ("flake.lock", other)]);
                }
            }
        }
    }
}
