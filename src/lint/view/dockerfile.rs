//! Dockerfiles: instructions with their continued lines.

use std::ops::Range;

use super::shell::{self, Command};
use crate::lint::{Context, File};

/// A Dockerfile.
#[derive(Debug)]
pub struct Dockerfile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// The instructions.
    pub instructions: Vec<Instruction<'a>>,
}

/// An instruction.
#[derive(Debug, Clone)]
pub struct Instruction<'a> {
    /// The name in capitals: `FROM`, `RUN`.
    pub name: String,
    /// What follows, with its backslashes and newlines, and with documents that follow it.
    pub arguments: &'a str,
    /// The bytes of the instruction.
    pub range: Range<usize>,
}

impl<'a> Instruction<'a> {
    /// Returns the commands of `RUN`, with their bytes in the file. Options such as `--mount` come before them.
    pub fn commands(&self) -> Vec<Command<'a>> {
        let mut rest = self.arguments;
        while rest.starts_with("--") {
            rest = rest.split_once([' ', '\t', '\n']).map_or("", |(_, rest)| rest);
            rest = rest.trim_start_matches([' ', '\t', '\\', '\r', '\n']);
        }
        let start = self.range.end - rest.len();
        shell::commands(rest).into_iter().map(|command| command.moved(start)).collect()
    }

    /// Returns the offset of the arguments in the file.
    pub fn arguments_start(&self) -> usize {
        self.range.end - self.arguments.len()
    }
}

impl<'a> Dockerfile<'a> {
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Self {
        Self { context, file, instructions: instructions(file.text) }
    }

    /// Returns the instructions of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Instruction<'a>> {
        self.instructions.iter().filter(move |instruction| instruction.name == name)
    }
}

/// Lines with their offsets, without the end of the line.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

fn instructions(text: &str) -> Vec<Instruction<'_>> {
    let mut found = Vec::new();
    let mut lines = lines(text);
    while let Some((offset, line)) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let start = offset + line.len() - trimmed.len();
        let mut end = offset + line.len();
        let mut last = line;
        // Comments and empty lines within a continued instruction do not end it.
        while last.trim_end().ends_with('\\') || (found_inner(last) && end > start) {
            let Some((offset, line)) = lines.next() else { break };
            end = offset + line.len();
            last = if found_inner(line) { "\\" } else { line };
        }
        if let Some(word) = document(&text[start..end]) {
            for (offset, line) in lines.by_ref() {
                end = offset + line.len();
                if line.trim() == word {
                    break;
                }
            }
        }
        let whole = &text[start..end];
        let length = whole.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(whole.len());
        let name = whole[..length].to_ascii_uppercase();
        found.push(Instruction { name, arguments: whole[length..].trim_start(), range: start..end });
    }
    found
}

fn found_inner(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Returns the end mark of a document in an instruction: `EOF` for `RUN <<EOF`.
fn document(instruction: &str) -> Option<&str> {
    if !instruction.get(..3).is_some_and(|name| ["RUN", "COP", "ADD"].contains(&name.to_ascii_uppercase().as_str())) {
        return None;
    }
    let (_, after) = instruction.split_once("<<")?;
    let word = after.trim_start_matches('-').trim_start_matches(['"', '\'']);
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    (end > 0 && word.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_go_over_lines() {
        let text =
            "# syntax=x\nFROM a AS b\n\nrun bun install \\\n  # why\n  && bun test\nRUN <<EOF\nnpm ci\nEOF\nCOPY . .";
        let found = instructions(text);
        let shown: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.arguments)).collect();
        assert_eq!(
            shown,
            [
                ("FROM", "a AS b"),
                ("RUN", "bun install \\\n  # why\n  && bun test"),
                ("RUN", "<<EOF\nnpm ci\nEOF"),
                ("COPY", ". .")
            ]
        );
        for one in &found {
            assert!(text[one.arguments_start()..].starts_with(one.arguments));
        }
        let text = "RUN --mount=type=cache,target=/x \\\n  --network=none npm ci";
        let command = &instructions(text)[0].commands()[0];
        assert_eq!((command.program(), &text[command.range.clone()]), ("npm", "npm ci"));
    }
}
