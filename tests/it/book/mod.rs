//! The README and the book: every block of commands is run as a reader types it, and its output compared. A marker in front of
//! each block says where it runs, or why it does not. CONTRIBUTING.md explains the markers.

mod command_lines;
mod examples;
mod marker;
mod matching;
mod page;
mod sample;
mod scene;
mod screens;

use std::collections::BTreeMap;

use camino::Utf8Path;
use fs_err as fs;

use self::{
    marker::{Marker, REASONS, Steps, marker},
    page::{Block, Page, pages},
    scene::{Answer, Scene},
};

/// A command of a block, and the lines that the page shows below it.
#[derive(Debug, PartialEq)]
struct Shown {
    command: String,
    output: Vec<String>,
}

/// Returns the commands of a block. A block without prompts is one script.
fn commands(block: &Block) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let has_prompts = block.body.iter().any(|line| line.starts_with("$ "));
    if !has_prompts {
        let command = format!("set -e\n{}", block.text());
        return vec![Shown { command, output: Vec::new() }];
    }
    for line in &block.body {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push(Shown { command: command.to_owned(), output: Vec::new() }),
            (None, Some(last)) if last.output.is_empty() && last.command.ends_with('\\') => {
                last.command = format!("{}\n{line}", last.command);
            }
            (None, Some(last)) => last.output.push(line.clone()),
            (None, None) => {
                shown.push(Shown { command: "false # the first line has no `$ `".to_owned(), output: vec![] });
            }
        }
    }
    shown
}

#[test]
#[expect(clippy::print_stdout, reason = "`--nocapture` shows how many blocks are run")]
fn each_command_block_is_run_or_says_why_not() {
    let blocks: Vec<Block> = pages().iter().flat_map(Page::blocks).collect();
    let (mut problems, mut counts) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for block in blocks.iter().filter(|block| block.has_commands() || has_marker(block)) {
        match marker(block) {
            Ok(Marker::Run(_)) => *counts.entry("run").or_default() += 1,
            Ok(Marker::Output(_)) => *counts.entry("output of a command that ran").or_default() += 1,
            Ok(Marker::NotRun(reason, test)) => {
                *counts.entry(REASONS[reason].0).or_default() += 1;
                problems.extend(test.filter(|test| !exists(test)).map(|test| {
                    format!(
                        "{}: no test `{test}`; expected the file below tests/it and the name, such as `a/b.rs::c`",
                        block.place()
                    )
                }));
            }
            Err(problem) => problems.push(format!("{}: {problem}", block.place())),
        }
    }
    let unmarked = blocks.iter().filter(|block| block.language.is_empty() && looks_like_commands(block));
    problems
        .extend(unmarked.map(|block| format!("{}: commands; expected the language `console` or `sh`", block.place())));
    for (what, count) in counts {
        println!("{count:4} {what}");
    }
    assert!(problems.is_empty(), "{} blocks:\n{}", problems.len(), problems.join("\n"));
}

/// Whether the comment of a block is a marker. Blocks of other languages can be output.
fn has_marker(block: &Block) -> bool {
    let comment = block.comment.as_deref().unwrap_or_default();
    ["run:", "output", "not run:"].iter().any(|verb| comment.starts_with(verb))
}

fn looks_like_commands(block: &Block) -> bool {
    let first = block.body.first().map(String::as_str).unwrap_or_default();
    !has_marker(block)
        && ["$ ", "splitter ", "cargo ", "nix ", "git "].iter().any(|start| first.starts_with(start))
        && !first.contains(": ")
}

/// Whether there is a test, such as `ci/matrix.rs::name`.
fn exists(test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
    fs::read_to_string(path).is_ok_and(|source| source.contains(&format!("fn {name}(")))
}

#[test]
fn commands_in_texts_are_those_of_the_program() {
    let mut problems = Vec::new();
    for page in pages() {
        for (line, text) in page.prose() {
            let spans = text.split('`').skip(1).step_by(2).filter(|span| span.starts_with("splitter "));
            let found = spans.flat_map(|span| command_lines::problems(span, true));
            problems.extend(found.map(|problem| format!("{}:{line}: {problem}", page.file)));
        }
        for block in page.blocks().iter().filter(|block| block.has_commands()) {
            let all = commands(block).into_iter().flat_map(|shown| command_lines::problems(&shown.command, false));
            problems.extend(all.map(|problem| format!("{}: {problem}", block.place())));
        }
    }
    assert!(problems.is_empty(), "{} command lines:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn examples_in_nix_and_json_parse() {
    let pages = pages();
    let blocks = pages.iter().flat_map(Page::blocks);
    let problems: Vec<_> =
        blocks.filter_map(|block| Some(format!("{}: {}", block.place(), examples::problem(&block)?))).collect();
    assert!(problems.is_empty(), "{} examples:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn e2e_pages_in_an_empty_folder() {
    tell("empty", true);
}

#[test]
fn e2e_pages_in_the_sample() {
    tell("sample", true);
}

/// All pages share the scene, because each Nix store starts empty.
#[test]
fn e2e_pages_with_nix() {
    tell("acme", false);
}

/// Runs the blocks of all pages with this scene. `SPLITTER_BOOK_PAGE` chooses one page.
fn tell(name: &str, is_fresh: bool) {
    let chosen = std::env::var("SPLITTER_BOOK_PAGE").ok();
    let pages = pages().into_iter().filter(|page| chosen.as_ref().is_none_or(|chosen| page.file.ends_with(chosen)));
    let (mut failures, mut shared) = (Vec::new(), None);
    for page in pages {
        let steps: Vec<_> = page.blocks().into_iter().filter_map(|block| Some((marker(&block).ok()?, block))).collect();
        let is_here = |marker: &Marker| match marker {
            Marker::Run(steps) | Marker::Output(Some(steps)) => steps.scene == name,
            _ => false,
        };
        if !steps.iter().any(|(marker, _)| is_here(marker)) {
            continue;
        }
        let Some(mut scene) = shared.take().filter(|_| !is_fresh).or_else(|| Scene::of(name)) else { return };
        let mut last = None;
        for (marker, block) in steps {
            match &marker {
                _ if is_here(&marker) => last = play(&mut scene, &marker, &block, &mut failures),
                Marker::Output(None) => failures.extend(last.as_ref().and_then(|last| compare_part(&block, last))),
                // A block of another scene: what follows is not the output of this one.
                Marker::Run(_) | Marker::Output(Some(_)) => last = None,
                Marker::NotRun(..) => {}
            }
        }
        if !is_fresh {
            scene.reset();
            shared = Some(scene);
        }
    }
    if let Some(scene) = shared.as_mut().filter(|_| chosen.is_none()) {
        failures.extend(screens::with_nix(scene));
    }
    assert!(failures.is_empty(), "{} commands of pages:\n\n{}", failures.len(), failures.join("\n"));
}

/// Runs a block, and returns the output of its last command.
fn play(scene: &mut Scene, marker: &Marker, block: &Block, failures: &mut Vec<String>) -> Option<Answer> {
    let (Marker::Run(steps) | Marker::Output(Some(steps))) = marker else { return None };
    let Steps { hidden, codes, is_unordered, .. } = steps;
    let compare = if *is_unordered { matching::has_lines } else { matching::matches };
    let is_output = matches!(marker, Marker::Output(_));
    let mut last = None;
    for (index, command) in hidden.iter().enumerate() {
        let answer = scene.run(command);
        let is_shown = is_output && index + 1 == hidden.len();
        let expected = if is_shown { codes.first().copied().unwrap_or(0) } else { 0 };
        if answer.code != Some(expected) {
            failures.push(report(block, command, &format!("exit code {expected}"), &answer));
        }
        last = Some(answer);
    }
    if is_output {
        failures.extend(last.as_ref().and_then(|last| compare_part(block, last)));
        return last;
    }
    let shown = commands(block);
    // A list of commands shows no output.
    let has_output = shown.iter().any(|shown| !shown.output.is_empty());
    for (index, Shown { command, output }) in shown.iter().enumerate() {
        let answer = scene.run(command);
        let expected = codes.get(index).copied().unwrap_or(0);
        if answer.code != Some(expected) {
            failures.push(report(block, command, &format!("exit code {expected}"), &answer));
        } else if has_output && !compare(output, &answer.lines) {
            failures.push(report(block, command, &format!("the output\n{}", output.join("\n")), &answer));
        }
        last = Some(answer);
    }
    last
}

fn compare_part(block: &Block, last: &Answer) -> Option<String> {
    (!matching::is_part(&block.body, &last.lines))
        .then(|| report(block, "the command before", &format!("output with\n{}", block.text()), last))
}

fn report(block: &Block, command: &str, expected: &str, answer: &Answer) -> String {
    let code = answer.code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
    let found = answer.lines.join("\n");
    format!("{}: `{command}`\n--- expected {expected}\n--- found {code}\n{found}\n---\n", block.place())
}

#[test]
fn commands_of_a_block_have_their_output() {
    let of = |text: &str| {
        let body = text.lines().map(str::to_owned).collect();
        let block = Block { file: String::new(), line: 1, language: String::new(), body, comment: None };
        commands(&block).into_iter().map(|shown| (shown.command, shown.output.join("|"))).collect::<Vec<_>>()
    };
    let owned = |command: &str, output: &str| (command.to_owned(), output.to_owned());
    assert_eq!(of("$ a \\\n  b\nc\n\nd\n$ e"), [owned("a \\\n  b", "c||d"), owned("e", "")]);
    assert_eq!(of("a\nb"), [owned("set -e\na\nb", "")]);
}
