//! `dated-action`: an action for Nix in a version that no longer works well.

use super::actions;
use crate::lint::{
    Check, Edit, Example, Found, Level, Rule,
    view::{
        YamlFile,
        jobs::{self, Uses},
    },
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "dated-action",
    level: Level::Warning,
    is_taste: false,
    why: "This version of the action brings an old Nix, or runs on a Node.js that the runners no longer have.",
    remedy: "Use the newest version, and let Dependabot or Renovate keep it current.",
    about: "Only actions for Nix are in the table. An installer with a version of Nix of its own (`install_url`, `nix_version`) is not found: \
            what counts there is that version. A commit is found if a comment names its version. `--fix` writes the commit of the newest \
            version that this program knows, if that version takes the same inputs, and says so if the major version changes. It leaves lines that go on \
            behind the action (`{ uses: …, with: … }`). Other actions are left to actionlint, zizmor and \
            Dependabot.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v22\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - uses: cachix/cachix-action@v17\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/install-nix-action@v27\n        with:\n          install_url: https://releases.nixos.org/nix/nix-2.34.8/install\n      - uses: cachix/install-nix-action@main\n      - uses: actions/checkout@v2\n",
            )],
        },
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: DeterminateSystems/nix-installer-action@v4\n      - uses: cachix/install-nix-action@v15\n",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                ".forgejo/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: https://github.com/cachix/cachix-action@ad2ddac53f961de1989924296a1f236fcfbaa4fc # v15\n      - uses: nix-community/cache-nix-action/restore@v5\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        for step in &job.steps {
            let Some(uses) = &step.uses else { continue };
            let Some(action) = actions::known(uses) else { continue };
            let Some(fault) = uses.major().and_then(|major| action.fault(major)) else { continue };
            let is_mended = action.unless.as_deref().is_some_and(|input| step.input(input).is_some());
            if !is_mended {
                let version = uses.version().unwrap_or(uses.reference);
                let message = format!("`{}` {version} {fault}", uses.action);
                mend(uses, action, message, found);
            }
        }
    }
}

/// Adds a finding with the newest version as its fix, or says why `--fix` does not write it.
pub(super) fn mend(uses: &Uses<'_>, action: &actions::Action, message: String, found: &mut Found<'_>) {
    let Some(pin) = action.pin.as_ref().filter(|pin| takes_the_same(uses, action, pin)) else {
        return found.add(uses.range.clone(), message);
    };
    let step = match (uses.major(), uses.version()) {
        (Some(major), Some(version)) if numbers(&pin.version).first() != Some(&major) => {
            format!(" instead of {version}. The major version changes: read the release notes")
        }
        _ => String::new(),
    };
    if let Some(comment) = uses.comment_range.clone() {
        let title = format!("Pin {} {}{step}", uses.action, pin.version);
        let commit = Edit { range: uses.reference_range.clone(), text: pin.commit.clone() };
        let comment = Edit { range: comment, text: format!(" # {}", pin.version) };
        return found.add_fixed(uses.range.clone(), message, &title, vec![commit, comment]);
    }
    let remedy = format!(
        "Write `{}@{} # {}`{step}. `--fix` leaves a line that goes on behind the action, or whose comment says more about a version.",
        uses.action, pin.commit, pin.version
    );
    found.add_with(uses.range.clone(), message, remedy);
}

/// Whether the newest version takes the inputs of the one in the file, and is newer.
fn takes_the_same(uses: &Uses<'_>, action: &actions::Action, pin: &actions::Pin) -> bool {
    let is_newer = uses.version().is_some_and(|version| numbers(version) > numbers(&pin.version));
    !(is_newer || uses.major().is_some() && uses.major() < action.compatible)
}

fn numbers(version: &str) -> Vec<u64> {
    version.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::{Choices, apply, testing};

    #[test]
    fn a_fix_pins_the_newest_commit() {
        let pinned = "cachix/cachix-action@1eb2ef646ac0255473d23a5907ad7b04ce94065c";
        for (before, after) in [
            ("uses: cachix/cachix-action@v15", format!("uses: {pinned} # v17")),
            ("uses: 'cachix/cachix-action@v15'  # v15 ", format!("uses: '{pinned}' # v17")),
            ("uses: \"cachix/cachix-action@v15\" # why", format!("uses: \"{pinned}\" # v17 # why")),
            ("uses: cachix/cachix-action@v15 # pin@v15", format!("uses: {pinned} # v17")),
            ("uses: cachix/cachix-action@v15 # v3", format!("uses: {pinned} # v17")),
            ("uses: cachix/cachix-action@v15 # tag=v15.1", format!("uses: {pinned} # v17")),
            ("uses: cachix/cachix-action@v15 # ratchet:cachix/cachix-action@v15", format!("uses: {pinned} # v17")),
            // What a comment says of a version may be wrong of another one.
            (
                "uses: cachix/cachix-action@v15 # v15 for macOS",
                "uses: cachix/cachix-action@v15 # v15 for macOS".to_owned(),
            ),
            ("uses: cachix/cachix-action@v15 # not v16!", "uses: cachix/cachix-action@v15 # not v16!".to_owned()),
            ("{ uses: cachix/cachix-action@v15, with: {} }", "{ uses: cachix/cachix-action@v15, with: {} }".to_owned()),
            ("uses: cachix/cachix-action@v5", "uses: cachix/cachix-action@v5".to_owned()),
            ("uses: https://x.org/cachix/cachix-action@v16", format!("uses: https://x.org/{pinned} # v17")),
        ] {
            let text = format!("jobs:\n  a:\n    steps:\n      - {before}\n      - run: x\n");
            let found = testing::findings(&[(".github/workflows/a.yml", &text)], &Choices::default());
            let dated: Vec<_> = found.iter().filter(|finding| finding.rule.name == "dated-action").collect();
            assert_eq!(dated.len(), 1, "{before}");
            let fixed = apply(&text, dated).unwrap_or_else(|| text.clone());
            assert_eq!(fixed, text.replace(before, &after));
        }
    }

    #[test]
    fn another_major_version_is_said_and_a_line_that_goes_on_is_explained() {
        let finding = |uses: &str| {
            let text = format!("jobs:\n  a:\n    steps:\n      - {uses}\n");
            testing::findings(&[(".github/workflows/a.yml", &text)], &Choices::default()).remove(0)
        };
        let title = finding("uses: cachix/cachix-action@v15").fix.unwrap().title;
        assert!(title.contains("v17 instead of v15") && title.contains("release notes"), "{title}");
        let remedy = finding("{ uses: cachix/cachix-action@v15, with: {} }").remedy.unwrap();
        assert!(remedy.contains("cachix/cachix-action@1eb2") && remedy.contains("`--fix` leaves"), "{remedy}");
    }

    #[test]
    fn a_fix_never_goes_back() {
        let choices = Choices { is_pedantic: true, ..Choices::default() };
        for (reference, is_fixed) in
            [("v31", true), ("main", true), ("v31.10.5", true), ("v32", false), ("v31.99.0", false)]
        {
            let text = format!("jobs:\n  a:\n    steps:\n      - uses: cachix/install-nix-action@{reference}\n");
            let found = testing::findings(&[(".github/workflows/a.yml", &text)], &choices);
            assert_eq!(apply(&text, &found).is_some(), is_fixed, "{reference}");
        }
    }
}
