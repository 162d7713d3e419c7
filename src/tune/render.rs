//! The advice as a file.

use std::fmt::Write as _;

use super::{Advice, Recommendation, Value, rules::gib};
use crate::scaffold::signature::Signature;

/// The longest line of a comment.
const WIDTH: usize = 100;

/// The first lines of each file.
pub const SIGNATURE: Signature = Signature {
    advice: "# Written by `splitter tune`. To change it, run that again with other options; an edited file is never overwritten.",
    mark: "# splitter tune: ",
};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A file that `nix.conf` includes.
    NixConf,
    /// A module for NixOS.
    NixOs,
    /// A module for nix-darwin.
    Darwin,
}

/// Returns the text of a file, with the first lines that show edits.
pub fn file(advice: &Advice, format: Format) -> String {
    SIGNATURE.sign(&match format {
        Format::NixConf => nix_conf(advice),
        Format::NixOs => module(advice, false),
        Format::Darwin => module(advice, true),
    })
}

/// Returns lines for `nix.conf`, each with its reason.
fn nix_conf(advice: &Advice) -> String {
    let mut text =
        format!("# Profile {}. Include it in nix.conf: `!include FILE`. Later lines win.\n", advice.profile.name());
    if !advice.checked {
        text.push_str("# Nix was not asked whether it knows these settings.\n");
    }
    for setting in advice.written() {
        text.push('\n');
        comment(&mut text, "", &setting.reason);
        line(&mut text, &setting.setting, &setting.value);
    }
    text
}

/// Returns the value of `NIX_CONFIG`.
pub fn nix_config(advice: &Advice) -> String {
    let mut text = String::new();
    for setting in advice.written() {
        line(&mut text, &setting.setting, &setting.value);
    }
    text
}

/// Returns the difference between what is set and the advice, as lines of a diff.
pub fn diff(advice: &Advice) -> String {
    let mut text = String::new();
    for setting in advice.settings.iter().filter(|setting| setting.current.is_some()) {
        let current = setting.current.as_deref().unwrap_or_default();
        if setting.state != super::State::Change {
            continue;
        }
        // Words are added to what is set.
        if !matches!(setting.value, Value::Words(_)) {
            let _ = writeln!(text, "-{} = {current}", setting.setting);
        }
        let _ = writeln!(text, "+{} = {}", setting.setting, setting.value);
    }
    text
}

fn line(text: &mut String, name: &str, value: &Value) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name} = {value}");
}

fn comment(text: &mut String, indent: &str, reason: &str) {
    let mut at = 0;
    let reason = sentence(reason);
    for word in reason.split_whitespace() {
        if at == 0 || at + word.len() + 1 > WIDTH {
            let _ = write!(text, "{}{indent}# {word}", if at == 0 { "" } else { "\n" });
            at = indent.len() + 2 + word.len();
        } else {
            let _ = write!(text, " {word}");
            at += 1 + word.len();
        }
    }
    text.push('\n');
}

/// Reasons are parts of lines elsewhere.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Returns a module that needs nothing but `lib`. All values are defaults, which any other module overrides.
fn module(advice: &Advice, is_darwin: bool) -> String {
    let system = if is_darwin { "nix-darwin" } else { "NixOS" };
    let mut text =
        format!("# Profile {}. Add this file to the imports of your {system} configuration.\n", advice.profile.name());
    if !advice.checked {
        text.push_str("# Nix was not asked whether it knows these settings.\n");
    }
    text.push_str("{ lib, ... }:\n{\n  nix.settings = {\n");
    // Also what is Nix's default: NixOS has others, such as `max-jobs = auto`.
    for setting in &advice.settings {
        comment(&mut text, "    ", &setting.reason);
        let _ = writeln!(text, "    {} = {};", setting.setting, nix_value(setting));
    }
    text.push_str("  };\n");
    if let Some(schedule) = advice.schedule {
        let days = schedule.days_kept;
        text.push_str("  # Deletes what no root keeps, once a week instead of while builds wait.\n  nix.gc = {\n");
        text.push_str("    automatic = lib.mkDefault true;\n");
        text.push_str(if is_darwin {
            "    interval = lib.mkDefault { Weekday = 0; Hour = 3; Minute = 15; };\n"
        } else {
            "    dates = lib.mkDefault \"weekly\";\n    persistent = lib.mkDefault true;\n"
        });
        let _ = writeln!(text, "    options = lib.mkDefault \"--delete-older-than {days}d\";\n  }};");
        if schedule.optimise {
            text.push_str(
                "  # Links equal files of the store, at night.\n  nix.optimise.automatic = lib.mkDefault true;\n",
            );
        }
    }
    text.push_str("}\n");
    text
}

/// Lists of several modules are joined, so they need no default.
fn nix_value(setting: &Recommendation) -> String {
    match &setting.value {
        Value::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| nix_string(word)).collect();
            format!("[ {} ]", words.join(" "))
        }
        value => format!("lib.mkDefault {value}"),
    }
}

fn nix_string(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}

/// Returns a value for people: sizes in GiB.
pub fn shown(setting: &str, value: &str) -> String {
    let bytes = value.parse::<u64>().ok();
    match (setting, bytes) {
        ("max-free", Some(bytes)) if bytes >= 1 << 62 => "no limit".to_owned(),
        ("min-free" | "max-free", Some(bytes)) if bytes > 0 => gib(bytes),
        _ => value.to_owned(),
    }
}
