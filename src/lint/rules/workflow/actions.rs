//! Actions that have to do with Nix. The table is data: `actions.json`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::lint::{
    File, Kind,
    view::{
        Command, YamlFile,
        jobs::{self, Job, Step, Uses},
        yaml::Node,
    },
};

/// What a table says of an action.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Action {
    /// What it does for Nix.
    pub(super) role: Option<Role>,
    /// The newest version that this program knows.
    pub(super) pin: Option<Pin>,
    /// The first major version whose inputs the newest one still takes.
    pub(super) compatible: Option<u64>,
    /// The input that makes an old version work as well as a new one.
    pub(super) unless: Option<String>,
    /// Versions that no longer work well.
    #[serde(default)]
    pub(super) dated: Vec<Dated>,
}

/// Versions of an action that no longer work well.
#[derive(Debug, Deserialize)]
pub(super) struct Dated {
    /// The first of these major versions, if it is not the very first one.
    #[serde(default)]
    since: u64,
    /// The first major version that works again.
    before: u64,
    /// What is wrong with them.
    because: String,
}

impl Action {
    /// Returns what is wrong with a major version.
    pub(super) fn fault(&self, major: u64) -> Option<&str> {
        let dated = self.dated.iter().find(|dated| (dated.since..dated.before).contains(&major));
        dated.map(|dated| dated.because.as_str())
    }
}

/// A version and its commit.
#[derive(Debug, Deserialize)]
pub(super) struct Pin {
    pub(super) version: String,
    pub(super) commit: String,
}

/// What an action does for Nix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// Installs Nix.
    Installer,
    /// Restores `/nix` from an archive, and saves it.
    StoreCache,
    /// Sets up a binary cache with the Nix that is installed.
    BinaryCache,
    /// Serves a binary cache of its own.
    Cache,
    /// Only runs something with Nix.
    Shell,
}

static ACTIONS: LazyLock<BTreeMap<String, Action>> = LazyLock::new(|| {
    let table: BTreeMap<String, Action> = serde_json::from_str(include_str!("actions.json")).unwrap_or_default();
    table.into_iter().map(|(name, action)| (name.to_ascii_lowercase(), action)).collect()
});

/// Returns what is known of an action. GitHub ignores the case of its name.
pub(super) fn known(uses: &Uses<'_>) -> Option<&'static Action> {
    ACTIONS.get(&uses.action.to_ascii_lowercase())
}

/// Returns what a step's action does for Nix.
pub(super) fn role(step: &Step<'_>) -> Option<Role> {
    known(step.uses.as_ref()?)?.role
}

/// Whether the step only saves a cache that another step restored.
pub(super) fn only_saves(step: &Step<'_>) -> bool {
    step.uses.as_ref().is_some_and(|uses| uses.folder == "save")
}

/// What the composite actions of the repository do, which a job uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Local {
    /// Whether one installs Nix.
    pub(super) installs: bool,
    /// Whether one may set up a cache: it says so, or its file is not here.
    pub(super) may_cache: bool,
    /// Whether one sets up a cache that everything built is pushed to.
    pub(super) pushes: bool,
}

/// Looks into the local actions of a job.
pub(super) fn local(file: &YamlFile<'_>, job: &Job<'_>) -> Local {
    let mut local = Local::default();
    let paths = job.steps.iter().filter_map(|step| step.uses.as_ref()).filter(|uses| uses.action.starts_with("./"));
    for uses in paths {
        let folder = uses.action.trim_start_matches("./").trim_end_matches('/');
        let of_name = |name: &str| file.context.file(&format!("{folder}/{name}"));
        let Some(action) = of_name("action.yml").or_else(|| of_name("action.yaml")) else {
            local.may_cache = true;
            continue;
        };
        let view = YamlFile::parse(file.context, File { kind: Kind::Action, ..*action });
        for job in view.as_ref().map(jobs::jobs).unwrap_or_default() {
            local.installs |= job.steps.iter().any(|step| role(step) == Some(Role::Installer));
            local.may_cache |= may_cache(&job);
            local.pushes |= job.steps.iter().any(pushes);
        }
        local.may_cache |= view.is_none() || mentions_cache(action.text);
    }
    local
}

/// Whether something in a job may bring what earlier runs built.
pub(super) fn may_cache(job: &Job<'_>) -> bool {
    let of_step = |step: &Step<'_>| match (&step.uses, role(step)) {
        (_, Some(Role::StoreCache | Role::BinaryCache | Role::Cache)) => true,
        // An action that nobody here knows: its name tells whether to expect a cache.
        (Some(uses), None) => {
            let name = uses.action.to_ascii_lowercase();
            let is_plain = ["actions/", "docker/", "actions-rs/"].iter().any(|owner| name.starts_with(owner));
            !name.starts_with("./")
                && (name.contains("nix") || (name.contains("cache") && !is_plain) || has_nix_path(step))
        }
        (_, Some(Role::Installer | Role::Shell)) | (None, None) => false,
    };
    job.steps.iter().any(of_step)
}

/// Whether the inputs of a step have a path below `/nix`.
fn has_nix_path(step: &Step<'_>) -> bool {
    step.node.get("with").is_some_and(|with| {
        let mut found = false;
        with.each(&mut |node: &Node| found |= node.text().is_some_and(|text| text.contains("/nix")));
        found
    })
}

/// Whether everything that is built after a step is pushed to a binary cache.
pub(super) fn pushes(step: &Step<'_>) -> bool {
    let has = |name: &str| step.input(name).and_then(Node::text).is_some_and(|text| !text.is_empty());
    let is_chosen = has("pushFilter") || has("pathsToPush") || has("skipPush");
    role(step) == Some(Role::BinaryCache) && has("authToken") && !is_chosen
}

/// Whether a job commits or publishes: such a job is run for its effect, not for its answer.
pub(super) fn commits(job: &Job<'_>) -> bool {
    let is_commit = |command: &Command<'_>| match command.program() {
        "git" => command.has("commit") || command.has("push"),
        program => program == "gh",
    };
    let publishes = job.steps.iter().filter_map(|step| step.uses.as_ref()).any(|uses| {
        ["pull-request", "commit", "push", "update", "pages", "release"].iter().any(|word| uses.action.contains(word))
    });
    publishes || job.commands().any(is_commit)
}

/// Whether a text has something by which Nix finds a cache.
pub(super) fn mentions_cache(text: &str) -> bool {
    [
        "substituters",
        "cachix use",
        "cachix watch",
        "attic use",
        "attic watch",
        "post-build-hook",
        "nix copy --from",
        "--from http",
    ]
    .iter()
    .any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        assert!(ACTIONS.len() > 15);
        for (name, action) in ACTIONS.iter() {
            assert_eq!(name.split('/').count(), 2);
            assert!(action.dated.iter().all(|dated| dated.since < dated.before && !dated.because.is_empty()), "{name}");
            if let Some(pin) = &action.pin {
                assert!(pin.commit.len() == 40 && pin.version.starts_with('v'), "{name}");
            }
        }
    }

    #[test]
    fn its_pins_are_those_that_ci_init_writes() {
        let written = include_str!("../../../ci/actions.json");
        let written: BTreeMap<String, Pin> = serde_json::from_str(written).unwrap();
        for (name, pin) in written {
            let known = ACTIONS[&name.to_ascii_lowercase()].pin.as_ref().unwrap();
            assert_eq!((&known.version, &known.commit), (&pin.version, &pin.commit), "{name}");
        }
    }
}
