//! The tools and frameworks that are known: a table that is data, `tools.json`.

use std::sync::LazyLock;

use serde::Deserialize;

const TEXT: &str = include_str!("tools.json");

/// A tool whose output folder is known.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    name: String,
    /// What runs it.
    #[serde(default)]
    pub(super) commands: Vec<ToolCommand>,
    /// The tool that runs it too, where one of [`Self::packages`] is a dependency.
    pub(super) of: Option<String>,
    #[serde(default)]
    pub(super) packages: Vec<String>,
    /// Where it writes; the first rule that gives a folder decides.
    pub(super) output: Vec<OutputRule>,
}

/// A command that runs a tool.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCommand {
    pub(super) program: String,
    /// One of these must follow, where there are any.
    #[serde(default)]
    pub(super) verbs: Vec<String>,
    /// Whether options may stand before the verb.
    #[serde(default)]
    pub(super) anywhere: bool,
}

/// What says where a tool writes.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "rule", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum OutputRule {
    /// An option of the command, by any of its names; with `parent`, the folder of the file that it names.
    Option {
        names: Vec<String>,
        #[serde(default)]
        parent: bool,
    },
    /// A plain setting in a configuration file, which is named without its ending.
    Setting { file: String, name: String },
    /// A folder, where a setting has this value.
    SettingIs { file: String, name: String, is: String, folder: String },
    /// A folder, where a configuration file holds a text.
    Mentions { file: String, text: String, folder: String },
    /// `outDir` of the `tsconfig.json` that the command names.
    #[serde(rename = "tsconfig")]
    TsConfig {},
    /// Always this folder.
    Folder { folder: String },
}

#[derive(Debug, Default, Deserialize)]
struct Known {
    tools: Vec<Tool>,
}

/// The table. The file is part of the program and a test reads it, so that the fallback is never used.
static KNOWN: LazyLock<Known> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

impl Tool {
    /// All that are known, in the order in which they are looked for.
    pub(super) fn all() -> &'static [Self] {
        &KNOWN.tools
    }

    /// Its name as users write it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tool of this name.
    #[cfg(test)]
    pub(super) fn named(name: &str) -> &'static Self {
        Self::all().iter().find(|tool| tool.name == name).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_its_tools_are_found() {
        let known: Known = serde_json::from_str(TEXT).unwrap();
        assert!(!known.tools.is_empty());
        for tool in &known.tools {
            assert!(!tool.commands.is_empty() || !tool.packages.is_empty(), "nothing runs {}", tool.name);
            assert!(tool.of.as_ref().is_none_or(|of| known.tools.iter().any(|tool| tool.name == *of)), "{}", tool.name);
            assert!(!tool.output.is_empty(), "{} writes nowhere", tool.name);
        }
    }
}
