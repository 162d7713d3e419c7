//! Lines for the configurations of tools that manage hooks. They are printed, not written, because users edit those files and
//! keep comments in them.

use super::{EVENTS, place::Tool};
use crate::shell;

/// Returns the value of `PATH` for a hook: after the usual folders, the commands of installed packages, because splitter can be a
/// development dependency. Git starts hooks at the top of the working tree.
pub(super) fn search_path<'a>(roots: impl IntoIterator<Item = &'a str>) -> String {
    let below = roots.into_iter().filter(|root| !root.is_empty());
    let below = below.map(|root| format!(":$PWD/{}/{COMMANDS}", shell::word(root)));
    // A shell does not split the values of assignments, so variables need no quotes.
    format!("$PATH:$PWD/{COMMANDS}{}", below.collect::<String>())
}

/// The folder of the commands of installed packages.
pub(super) const COMMANDS: &str = "node_modules/.bin";

/// Returns the command for a configuration. It succeeds if splitter is not installed.
pub fn command(root: &str) -> String {
    let path = search_path([root]);
    let chosen = if root.is_empty() { String::new() } else { format!("--repo {} ", shell::word(root)) };
    format!("PATH={path}; ! command -v splitter >/dev/null 2>&1 || splitter {chosen}hook run")
}

/// Returns where to add lines, and the lines.
pub fn of_tool(tool: Tool, root: &str) -> (String, String) {
    let command = command(root);
    match tool {
        Tool::Lefthook => {
            let of = |event: &str| format!("{event}:\n  commands:\n    splitter:\n      run: '{}'\n", yaml(&command));
            ("lefthook.yml, merged with the existing keys".to_owned(), EVENTS.map(of).concat())
        }
        Tool::PreCommit | Tool::Prek => (
            format!(".pre-commit-config.yaml, then run `{} install -t pre-commit -t pre-merge-commit`", tool.name()),
            format!(
                "repos:\n  - repo: local\n    hooks:\n      - id: splitter\n        name: splitter\n        \
                 entry: sh -c {}\n        language: system\n        stages: [pre-commit, pre-merge-commit]\n        \
                 always_run: true\n        pass_filenames: false\n",
                shell::word(&command)
            ),
        ),
        Tool::GitHooksNix => (
            "the settings of git-hooks.nix (`pre-commit.settings` with flake-parts)".to_owned(),
            format!(
                "hooks.splitter = {{\n  enable = true;\n  entry = {:?};\n  \
                 stages = [ \"pre-commit\" \"pre-merge-commit\" ];\n  always_run = true;\n  pass_filenames = false;\n}};\n",
                format!("sh -c {}", shell::word(&command))
            ),
        ),
        Tool::SimpleGitHooks => {
            // In brackets, because a `||` after an existing command would hide its failure.
            let of = |event: &str| format!("  \"{event}\": {}", serde_json::json!(format!("({command})")));
            (
                "\"simple-git-hooks\" in package.json (after existing commands, joined by ` && `), then run \
                 `npx simple-git-hooks`"
                    .to_owned(),
                format!("{}\n", EVENTS.map(of).join(",\n")),
            )
        }
        Tool::OldHusky => {
            let of = |event: &str| format!("    \"{event}\": {}", serde_json::json!(format!("({command})")));
            let lines = EVENTS.map(of).join(",\n");
            ("\"husky\" in package.json".to_owned(), format!("  \"hooks\": {{\n{lines}\n  }}\n"))
        }
        Tool::Overcommit => (
            ".overcommit.yml".to_owned(),
            format!("PreCommit:\n  Splitter:\n    enabled: true\n    command: ['sh', '-c', '{}']\n", yaml(&command)),
        ),
    }
}

/// Escapes a text for single quotes of YAML.
fn yaml(text: &str) -> String {
    text.replace('\'', "''")
}
