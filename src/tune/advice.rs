//! Settings with values and reasons.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Profile, Situation, notes::Note};
use crate::{machine::Sureness, nix::settings::text_of};

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(u64),
    /// A list.
    Words(Vec<String>),
}

/// As in `nix.conf`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Words(words) => f.write_str(&words.join(" ")),
        }
    }
}

impl Value {
    /// Whether Nix shows this value. A list is set if Nix has each of its words.
    fn is_shown(&self, shown: &Json) -> bool {
        match self {
            Self::Bool(value) => shown.as_bool() == Some(*value),
            Self::Number(value) => shown.as_u64() == Some(*value),
            Self::Words(words) => {
                let text = text_of(shown);
                let plain = |word: &str| word.trim_end_matches('/').to_owned();
                words.iter().all(|word| text.split_whitespace().any(|found| plain(found) == plain(word)))
            }
        }
    }
}

/// How a recommendation differs from what is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is the default, and nothing else is set.
    Default,
    /// It is set already.
    Set,
    /// Something else is set, or the default.
    Change,
    /// What is set is unknown, because Nix is missing.
    Unknown,
}

/// A setting with a value and a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// The name, as the installed Nix prefers it.
    pub setting: String,
    /// The value.
    pub value: Value,
    /// What is set now.
    pub current: Option<String>,
    /// The default of the installed Nix.
    pub default: Option<String>,
    /// How both differ.
    pub state: State,
    /// Why.
    pub reason: String,
    /// How sure the facts behind it are.
    pub sureness: Sureness,
    /// Whether a user whom the daemon does not trust can set it.
    pub user_may_set: bool,
}

impl Recommendation {
    /// Whether a file of settings needs it.
    pub fn is_written(&self) -> bool {
        self.state != State::Default
    }
}

/// A setting that does not come out, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Withheld {
    /// The name.
    pub setting: String,
    /// Why.
    pub reason: String,
}

/// Work that belongs into a timer instead of every build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// How many days `nix-collect-garbage --delete-older-than` keeps old generations.
    pub days_kept: u32,
    /// Whether `nix store optimise` helps: it links equal files.
    pub optimise: bool,
}

/// The whole advice.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// The profile.
    pub profile: Profile,
    /// Whether the installed Nix confirmed the names of all settings.
    pub checked: bool,
    /// The settings.
    pub settings: Vec<Recommendation>,
    /// Settings that do not come out.
    pub withheld: Vec<Withheld>,
    /// What belongs into a timer; none on computers that are thrown away.
    pub schedule: Option<Schedule>,
    /// What else a user should know.
    pub notes: Vec<Note>,
}

impl Advice {
    /// Returns a setting.
    pub fn get(&self, setting: &str) -> Option<&Recommendation> {
        self.settings.iter().find(|recommendation| recommendation.setting == setting)
    }

    /// Returns the settings that a file needs.
    pub fn written(&self) -> impl Iterator<Item = &Recommendation> {
        self.settings.iter().filter(|recommendation| recommendation.is_written())
    }

    /// Returns the settings that would change.
    pub fn changes(&self) -> impl Iterator<Item = &Recommendation> {
        self.settings.iter().filter(|recommendation| recommendation.state == State::Change)
    }

    /// Takes a setting back.
    pub fn withdraw(&mut self, setting: &str, reason: String) {
        let before = self.settings.len();
        self.settings.retain(|recommendation| recommendation.setting != setting);
        if self.settings.len() < before {
            self.withheld.push(Withheld { setting: setting.to_owned(), reason });
        }
    }
}

/// Settings that a user whom the daemon does not trust can set.
const OPEN: [&str; 8] =
    ["max-jobs", "cores", "keep-going", "keep-failed", "fallback", "max-silent-time", "timeout", "connect-timeout"];

/// Collects settings, and checks each with the installed Nix.
pub(super) struct Collector<'a> {
    situation: &'a Situation<'a>,
    pub(super) settings: Vec<Recommendation>,
    pub(super) withheld: Vec<Withheld>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(situation: &'a Situation<'a>) -> Self {
        Self { situation, settings: Vec::new(), withheld: Vec::new() }
    }

    /// Recommends a setting, unless the installed Nix does not know it.
    pub(super) fn set(&mut self, setting: &str, value: Value, sureness: Sureness, reason: impl Into<String>) {
        let reason = reason.into();
        let base = setting.strip_prefix("extra-").unwrap_or(setting);
        let user_may_set = OPEN.contains(&base);
        let Some(settings) = self.situation.settings() else {
            let (setting, state) = (setting.to_owned(), State::Unknown);
            let unknown =
                Recommendation { setting, value, current: None, default: None, state, reason, sureness, user_may_set };
            return self.settings.push(unknown);
        };
        // `extra-platforms` is a whole name, `extra-substituters` adds to another setting.
        let Some((name, shown)) = settings.named(base) else {
            return self.withhold(setting, "the installed Nix does not know it");
        };
        let name = if base.len() < setting.len() { format!("extra-{name}") } else { name.to_owned() };
        let (is_set, is_default) = (value.is_shown(&shown.value), value.is_shown(&shown.default_value));
        let state = match (is_set, is_default) {
            (true, true) => State::Default,
            (true, false) => State::Set,
            (false, _) => State::Change,
        };
        let (current, default) = (Some(shown.text()), Some(text_of(&shown.default_value)));
        self.settings.push(Recommendation {
            setting: name,
            value,
            current,
            default,
            state,
            reason,
            sureness,
            user_may_set,
        });
    }

    pub(super) fn withhold(&mut self, setting: &str, reason: impl Into<String>) {
        self.withheld.push(Withheld { setting: setting.to_owned(), reason: reason.into() });
    }
}
