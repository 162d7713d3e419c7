//! Nix's log as data: the lines of `--log-format internal-json`.
//!
//! Nix's source describes the format (`src/libutil/include/nix/util/logging.hh`), and no document does. So lines and kinds
//! that are not known here are passed on or ignored, never an error.

use serde_json::Value;

/// The start of each line in this format.
const MARK: &str = "@nix ";

/// The kinds of activities, and of results of an activity, by Nix's numbers.
mod kind {
    pub(super) const COPY_PATH: u64 = 100;
    pub(super) const FILE_TRANSFER: u64 = 101;
    pub(super) const BUILDS: u64 = 104;
    pub(super) const BUILD: u64 = 105;
    pub(super) const SUBSTITUTE: u64 = 108;
    pub(super) const BUILD_WAITING: u64 = 111;
    pub(super) const LOG_LINE: u64 = 101;
    pub(super) const SET_PHASE: u64 = 104;
    pub(super) const PROGRESS: u64 = 105;
    pub(super) const POST_BUILD_LOG_LINE: u64 = 107;
}

/// Something that Nix does, with a beginning and an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It builds a derivation.
    Build {
        /// The path of the derivation.
        derivation: String,
        /// The other machine that builds it. Empty for this one.
        machine: String,
    },
    /// It gets a store path from a cache.
    Substitute {
        /// The store path.
        path: String,
        /// The cache.
        from: String,
    },
    /// It copies a store path to or from another store.
    Copy {
        /// The store path.
        path: String,
        /// The store that has it.
        from: String,
    },
    /// It downloads a file.
    Download {
        /// The address.
        url: String,
    },
    /// All builds of this run.
    Builds,
    /// A build waits: for a lock, or for another machine that is free.
    Waiting,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An activity begins.
    Start {
        /// Its number, unique in this log.
        id: u64,
        /// The number of the activity that it is a part of. 0 if there is none.
        parent: u64,
        /// What it is.
        activity: Activity,
    },
    /// An activity ends. Nix does not say here whether it succeeded.
    Stop {
        /// Its number.
        id: u64,
    },
    /// A line that a builder printed.
    Line {
        /// The number of its build.
        id: u64,
        /// The line, with its colours.
        text: String,
    },
    /// A build enters a phase.
    Phase {
        /// The number of the build.
        id: u64,
        /// The name, such as `buildPhase`.
        name: String,
    },
    /// How far an activity is, in its own unit: bytes for a download.
    Progress {
        /// Its number.
        id: u64,
        /// What is done.
        done: u64,
        /// What is expected, 0 if unknown.
        expected: u64,
        /// What failed.
        failed: u64,
    },
    /// A message of Nix.
    Message {
        /// 0 for an error, 1 for a warning, 3 for information.
        level: u64,
        /// The text, with its colours. It may have several lines.
        text: String,
    },
}

/// Reads a line of Nix's stderr. A line of another form, such as one of a program that Nix runs, is a message. Returns nothing
/// for an event that splitter does not need.
pub fn parse(line: &str) -> Option<Event> {
    let plain = || (!line.trim().is_empty()).then(|| Event::Message { level: 3, text: line.to_owned() });
    let Some(json) = line.strip_prefix(MARK) else { return plain() };
    let Ok(value) = serde_json::from_str::<Value>(json) else { return plain() };
    let id = || value["id"].as_u64();
    match value["action"].as_str()? {
        "start" => Some(Event::Start {
            id: id()?,
            parent: value["parent"].as_u64().unwrap_or_default(),
            activity: activity(&value)?,
        }),
        "stop" => Some(Event::Stop { id: id()? }),
        "result" => result(id()?, &value),
        "msg" => Some(Event::Message { level: value["level"].as_u64()?, text: value["msg"].as_str()?.to_owned() }),
        _ => None,
    }
}

fn activity(value: &Value) -> Option<Activity> {
    let field = |at: usize| value["fields"][at].as_str().map(str::to_owned);
    Some(match value["type"].as_u64()? {
        kind::BUILD => Activity::Build { derivation: field(0)?, machine: field(1).unwrap_or_default() },
        kind::SUBSTITUTE => Activity::Substitute { path: field(0)?, from: field(1)? },
        kind::COPY_PATH => Activity::Copy { path: field(0)?, from: field(1)? },
        kind::BUILDS => Activity::Builds,
        kind::BUILD_WAITING => Activity::Waiting,
        kind::FILE_TRANSFER => Activity::Download { url: field(0)? },
        _ => return None,
    })
}

fn result(id: u64, value: &Value) -> Option<Event> {
    let fields = &value["fields"];
    let text = || fields[0].as_str().map(str::to_owned);
    Some(match value["type"].as_u64()? {
        kind::LOG_LINE | kind::POST_BUILD_LOG_LINE => Event::Line { id, text: text()? },
        kind::SET_PHASE => Event::Phase { id, name: text()? },
        kind::PROGRESS => {
            let number = |at: usize| fields[at].as_u64().unwrap_or_default();
            Event::Progress { id, done: number(0), expected: number(1), failed: number(3) }
        }
        _ => return None,
    })
}

/// Returns what a line of stderr says if the command fails: of a line in this format the error, without colours, and of every
/// other line all of it. Nothing for an event that is no error.
pub fn of_failure(line: &str) -> Option<String> {
    if !line.starts_with(MARK) {
        return Some(line.to_owned());
    }
    match parse(line) {
        // The answer of a server may be a whole page.
        Some(Event::Message { level: 0, text }) => {
            Some(plain(&text).split("response body:").next().unwrap_or_default().trim_end().to_owned())
        }
        _ => None,
    }
}

/// Returns the derivations that Nix announces to build, if a message is such an announcement: one line per derivation, each in a
/// message of its own.
pub fn announced(text: &str) -> Option<&str> {
    let path = text.strip_prefix("  ")?;
    (path.starts_with('/') && path.rsplit('.').next() == Some("drv") && !path.contains(' ')).then_some(path)
}

/// Returns the name in a path of the store, without its hash: `web-1.0.0` for `/nix/store/<hash>-web-1.0.0.drv`.
pub fn name_of(path: &str) -> &str {
    let base = path.rsplit('/').next().unwrap_or(path);
    let base = base.strip_suffix(".drv").unwrap_or(base);
    base.split_once('-').map_or(base, |(_, name)| name)
}

/// Removes colours and other control sequences from a text.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().replace(|c: char| c.is_control() && c != '\n' && c != '\t', "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_a_build_are_read() {
        let start = r#"@nix {"action":"start","fields":["/nix/store/n67n8hjgyaxbr13ih5jm9kgxxb4mqpwb-web-1.drv","",1,1],"id":53,"level":3,"parent":0,"text":"building","type":105}"#;
        let derivation = "/nix/store/n67n8hjgyaxbr13ih5jm9kgxxb4mqpwb-web-1.drv".to_owned();
        let activity = Activity::Build { derivation, machine: String::new() };
        assert_eq!(parse(start), Some(Event::Start { id: 53, parent: 0, activity }));
        let line = r#"@nix {"action":"result","fields":["a \u001b[31mb"],"id":53,"type":101}"#;
        assert_eq!(parse(line), Some(Event::Line { id: 53, text: "a \u{1b}[31mb".to_owned() }));
        assert_eq!(parse(r#"@nix {"action":"stop","id":53}"#), Some(Event::Stop { id: 53 }));
        let unknown = r#"@nix {"action":"start","id":1,"type":109,"fields":["x"]}"#;
        assert_eq!(parse(unknown), None);
        assert_eq!(parse("@nix {"), Some(Event::Message { level: 3, text: "@nix {".to_owned() }));
        assert_eq!(parse("  "), None);
    }

    #[test]
    fn of_a_failure_only_the_errors_are_kept() {
        let error = r#"@nix {"action":"msg","level":0,"msg":"\u001b[31;1merror:\u001b[0m unable to upload\n   'x'\n\n   response body:\n\n<html>","raw_msg":"x"}"#;
        assert_eq!(of_failure(error).as_deref(), Some("error: unable to upload\n   'x'"));
        assert_eq!(of_failure("a program's line").as_deref(), Some("a program's line"));
        for line in
            [r#"@nix {"action":"msg","level":1,"msg":"warning"}"#, r#"@nix {"action":"stop","id":53}"#, "@nix {"]
        {
            assert_eq!(of_failure(line), None, "{line}");
        }
    }

    #[test]
    fn names_and_announcements() {
        assert_eq!(name_of("/nix/store/n67n8hjgyaxbr13ih5jm9kgxxb4mqpwb-pty-x.drv"), "pty-x");
        assert_eq!((name_of(""), name_of("/"), name_of("x")), ("", "", "x"));
        assert_eq!(announced("  /nix/store/a-b.drv"), Some("/nix/store/a-b.drv"));
        assert_eq!(announced("these 2 derivations will be built:"), None);
        assert_eq!(announced("  /nix/store/a-b"), None);
        assert_eq!(plain("\u{1b}[31;1merror:\u{1b}[0m x\ty\r"), "error: x\ty");
    }

    proptest! {
        #[test]
        fn no_line_panics(text in "\\PC{0,80}", json in "(@nix )?\\{(\"(action|id|type|fields|level|msg)\":(\"(start|stop|result|msg)\"|[0-9]{1,25}|\\[[0-9\",a-z]{0,9}\\]),?){0,5}\\}?") {
            let _ = (parse(&text), parse(&json), parse(&format!("@nix {text}")), announced(&text), name_of(&text), plain(&text));
        }
    }
}
