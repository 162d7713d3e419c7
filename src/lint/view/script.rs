//! `.envrc`, justfiles and Makefiles: texts whose lines a shell reads.

use super::shell::{self, Command};
use crate::lint::{Context, File, Kind};

/// A script.
#[derive(Debug)]
pub struct Script<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// Its commands, with offsets in the file.
    pub commands: Vec<Command<'a>>,
}

impl<'a> Script<'a> {
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Self {
        let commands = if file.kind == Kind::Envrc { shell::commands(file.text) } else { recipes(file.text) };
        Self { context, file, commands }
    }
}

/// Returns the commands of recipes: the indented lines, with `@` and `-` before them.
fn recipes(text: &str) -> Vec<Command<'_>> {
    let mut offset = 0;
    let mut commands = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        if line.starts_with([' ', '\t']) {
            let body = line.trim_start().trim_start_matches(['@', '-', '+']);
            let indent = line.len() - body.len();
            commands.extend(shell::commands(body).into_iter().map(|command| command.moved(start + indent)));
        }
    }
    commands
}
