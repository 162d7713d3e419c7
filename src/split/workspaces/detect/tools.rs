//! The tools and frameworks that are known. The table is data: `tools.json`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::program::{Listens, Part};

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
    /// Parts of the output that nothing needs.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// Globs of files that it reads though a rule excludes them from source sets.
    #[serde(default)]
    pub(in crate::split) reads: Vec<String>,
    /// What the build is for; the first rule whose condition holds decides.
    #[serde(default)]
    pub(super) products: Vec<ProductRule>,
}

/// What a build with a tool is for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProductRule {
    pub(super) when: Option<Condition>,
    pub(super) kind: ProductKind,
    pub(super) program: Option<ToolProgram>,
    /// What is installed beside the output: `none`, or else a production install.
    pub(super) runtime: Option<NoInstall>,
    #[serde(default)]
    pub(super) files: Vec<String>,
    #[serde(default)]
    pub(super) layout: Vec<Part>,
    /// Where the server listens, if not where most do.
    pub(super) listens: Option<Listens>,
}

/// What a build is for, as the table says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ProductKind {
    Site,
    Server,
    Files,
}

/// Nothing is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum NoInstall {
    None,
}

/// When a rule holds. What is absent is not asked for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Condition {
    /// A configuration file, named without its ending, which `mentions` a text or has a `setting` that `is` a value.
    pub(super) file: Option<String>,
    pub(super) mentions: Option<String>,
    pub(super) setting: Option<String>,
    pub(super) is: Option<String>,
    /// A package that the manifest depends on.
    pub(super) package: Option<String>,
    /// An option of the command.
    pub(super) option: Option<String>,
}

/// The program of a server.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ToolProgram {
    /// Relative to the workspace's folder; `{output}` is the output.
    pub(super) file: Option<String>,
    /// A command of a package.
    pub(super) bin: Option<String>,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// The folder that it runs in, relative to the workspace's; `.` is that folder itself.
    pub(super) directory: Option<String>,
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
    /// The first word behind the verb that is no option, with `below` in it.
    Argument { below: String },
    /// The file that a command with `--compile` writes.
    Compiled {},
    /// Always this folder.
    Folder { folder: String },
}

#[derive(Debug, Default, Deserialize)]
struct Known {
    tools: Vec<Tool>,
    foreign: Vec<String>,
}

/// The table. The file is part of the program and a test reads it, so that the fallback is never used.
static KNOWN: LazyLock<Known> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// Whether a program builds something other than JavaScript.
pub(super) fn is_foreign(program: &str) -> bool {
    KNOWN.foreign.iter().any(|known| known == program)
}

impl Tool {
    /// All that are known, in the order in which they are looked for.
    pub(super) fn all() -> &'static [Self] {
        &KNOWN.tools
    }

    /// Its name as users write it.
    pub fn name(&self) -> &str {
        &self.name
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
            for rule in &tool.products {
                let program = rule.program.as_ref();
                assert_eq!(rule.kind == ProductKind::Server, program.is_some(), "{}", tool.name);
                assert!(program.is_none_or(|program| program.file.is_some() != program.bin.is_some()), "{}", tool.name);
            }
        }
    }

    #[test]
    fn the_documentation_has_each_tool_with_its_outputs() {
        let text = include_str!("../../../../docs/support.md");
        for tool in Tool::all() {
            let rows = text.lines().filter(|line| line.starts_with(&format!("| {} |", tool.name)));
            let rows: Vec<&str> = rows.collect();
            for rule in &tool.output {
                let words = match rule {
                    OutputRule::Option { names, .. } => &names[..names.len().min(2)],
                    OutputRule::Setting { name, .. } => std::slice::from_ref(name),
                    OutputRule::SettingIs { folder, .. }
                    | OutputRule::Mentions { folder, .. }
                    | OutputRule::Folder { folder } => std::slice::from_ref(folder),
                    OutputRule::TsConfig {} | OutputRule::Argument { .. } | OutputRule::Compiled {} => &[],
                };
                let is_said = |word: &String| rows.iter().any(|row| row.contains(&format!("`{word}`")));
                assert!(!rows.is_empty() && words.iter().all(is_said), "{}: {words:?}", tool.name);
            }
            let guess = tool.output.iter().all(|rule| !matches!(rule, OutputRule::Folder { .. }));
            assert_eq!(guess, rows.iter().any(|row| row.contains("`dist?`")), "{}", tool.name);
        }
    }
}
