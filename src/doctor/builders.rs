//! Checks of other machines that build for this one.

use std::{path::Path, thread, time::Duration};

use super::{
    caches::probe::store_answers,
    model::{Entry, Finding},
    nix::place::Place,
};
use crate::{nix::settings::Settings, reading};

checks! {
    Nix;
    BUILDERS = "builders", SlowCi, SlowBuilds;
    BUILDERS_DOWNLOAD = "builders-download", SlowCi, SlowBuilds;
}

/// A machine that builds for this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// Its address.
    pub url: String,
    /// The file of its ssh key.
    key: Option<String>,
}

/// Reads the builders of the settings: separated by `;`, or by lines in the file that `@` names.
pub fn list(settings: &Settings) -> Vec<Builder> {
    let text = settings.string("builders").unwrap_or_default().trim();
    let text = match text.strip_prefix('@') {
        Some(path) => reading::text(path).unwrap_or_default(),
        None => text.to_owned(),
    };
    let lines = text.split(['\n', ';']).map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter_map(builder).collect()
}

fn builder(line: &str) -> Option<Builder> {
    let mut words = line.split_whitespace();
    let url = words.next()?;
    let url = if url.contains("://") || url.starts_with('/') { url.to_owned() } else { format!("ssh://{url}") };
    let key = words.nth(1).filter(|key| *key != "-").map(str::to_owned);
    Some(Builder { url, key })
}

/// Asks all builders at once, and returns why each does not answer.
pub fn ask(builders: &[Builder], program: &Path, limit: Duration) -> Vec<Option<String>> {
    let one = |builder: &Builder| {
        let with_key =
            |key: &String| format!("{}{}ssh-key={key}", builder.url, if builder.url.contains('?') { '&' } else { '?' });
        let url = builder.key.as_ref().map_or_else(|| builder.url.clone(), with_key);
        store_answers(program, &url, limit)
    };
    // One thread for each, because they all wait.
    thread::scope(|scope| {
        let all: Vec<_> = builders.iter().map(|builder| scope.spawn(move || one(builder))).collect();
        all.into_iter().map(|answer| answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Makes all checks of builders. `answers` has why each builder does not answer; nothing if none may be asked.
pub fn check(
    builders: &[Builder],
    answers: Option<&[Option<String>]>,
    settings: &Settings,
    place: &Place,
) -> Vec<Entry> {
    if builders.is_empty() {
        return Vec::new();
    }
    let mut entries = Vec::new();
    match answers {
        None => entries.push(BUILDERS.unknown("`--offline` asks no builder")),
        Some(answers) => {
            entries.extend(builders.iter().zip(answers).map(|(builder, answer)| one(builder, answer.as_deref())));
        }
    }
    entries.push(if settings.flag("builders-use-substitutes") == Some(false) {
        let finding = Finding::advice(
            41,
            "builders get everything from this machine, and download nothing themselves",
            "This machine first downloads what a builder needs, and then sends it there. A builder in a data centre downloads it \
             faster.",
        );
        BUILDERS_DOWNLOAD.found(finding.so(place.to_set("builders-use-substitutes", "true")))
    } else {
        BUILDERS_DOWNLOAD.fine("builders download from caches themselves")
    });
    entries
}

fn one(builder: &Builder, answer: Option<&str>) -> Entry {
    let Some(reason) = answer else { return BUILDERS.fine(format!("{} answers", builder.url)) };
    let is_refused =
        ["Permission denied", "Host key verification", "not trusted"].iter().any(|text| reason.contains(text));
    let what = format!("the builder {} does not answer: {reason}", builder.url);
    if is_refused {
        let why = "The daemon logs in as root, with other keys than you, so it may still reach the builder. If it does not, builds \
                   wait for it and are then made here.";
        return BUILDERS
            .found(Finding::advice(36, what, why).run(format!("sudo nix store info --store '{}'", builder.url)));
    }
    let why = "Nix tries it for every build that it could make, waits, and then builds here.";
    let finding = Finding::problem(59, what, why);
    BUILDERS.found(finding.so("start the machine, or remove it from the setting `builders`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::model::State;

    fn settings(builders: &str) -> Settings {
        Settings::of(&json!({ "builders": { "value": builders }, "builders-use-substitutes": { "value": false } }))
    }

    #[test]
    fn builders_are_read_from_the_setting_and_from_a_file() {
        let read = |text: &str| list(&settings(text)).into_iter().map(|builder| builder.url).collect::<Vec<_>>();
        assert_eq!(read("ssh-ng://a x86_64-linux /key 4 ; b - ; "), ["ssh-ng://a", "ssh://b"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "# none\nssh://c aarch64-linux - 2\n\n").unwrap();
        assert_eq!(read(&format!("@{}", file.path().display())), ["ssh://c"]);
        assert!(read("@/nowhere").is_empty() && read("").is_empty());
        assert_eq!(list(&settings("a x /key"))[0].key.as_deref(), Some("/key"));
    }

    #[test]
    fn a_builder_that_is_away_is_told_from_one_that_refuses_this_user() {
        let place = Place::Modules;
        let builders = list(&settings("ssh-ng://a;ssh-ng://b;ssh-ng://c"));
        let answers = [None, Some("Permission denied (publickey)".to_owned()), Some("no answer within 5 s".to_owned())];
        let entries = check(&builders, Some(&answers), &settings(""), &place);
        let weights: Vec<Option<u8>> = entries
            .iter()
            .map(|entry| if let State::Found(finding) = &entry.state { Some(finding.weight) } else { None })
            .collect();
        assert_eq!(weights, [None, Some(36), Some(59), Some(41)]);
        assert!(check(&[], None, &settings(""), &place).is_empty());
        assert!(matches!(check(&builders, None, &settings(""), &place)[0].state, State::Unknown(_)));
    }
}
