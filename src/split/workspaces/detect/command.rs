//! Reading a command that starts a program: `NODE_ENV=production node --import ./pre.js dist/main.js --port 1`.
//!
//! A command is understood whole or not at all. `node --import ./pre.js main.js` runs `main.js`, and not without `pre.js`.

use std::collections::BTreeMap;

use super::{program::Runtime, script::base};

/// A command that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) env: BTreeMap<String, String>,
    pub(super) runner: Runner,
    pub(super) options: Vec<String>,
    pub(super) arguments: Vec<String>,
}

/// What a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runner {
    /// A file, with Node.js or Bun; none for a runner such as `tsx`, which the usual runtime replaces.
    File(Option<Runtime>, String),
    /// A command of a package.
    Bin(String),
}

/// Options that restart a program when its sources change. Sources in the store never do.
const WATCH_OPTIONS: [&str; 4] = ["--hot", "--watch", "--no-clear-screen", "--bun"];

/// Options whose value is the next word.
const WITH_VALUE: [&str; 14] = [
    "--import",
    "-r",
    "--require",
    "--loader",
    "--experimental-loader",
    "--preload",
    "-C",
    "--conditions",
    "--env-file",
    "--env-file-if-exists",
    "--tsconfig",
    "--tsconfig-override",
    "--title",
    "--stack-trace-limit",
];

/// Options that run something other than a file.
const NO_FILE: [&str; 9] = ["-e", "--eval", "-p", "--print", "--test", "-c", "--check", "--run", "-i"];

const ENDINGS: [&str; 8] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/// Reads the words of a command; an error is the first word that is not understood.
pub(super) fn read(words: &[String]) -> Result<Command, String> {
    let mut rest: Vec<&str> = words.iter().map(String::as_str).collect();
    if rest.last() == Some(&";") {
        rest.pop();
    }
    if let Some(word) = rest.iter().find(|word| word.contains(['$', '`', '<', '>', '|', '&', '(', '%', '\\', ';'])) {
        return Err((*word).to_owned());
    }
    let (env, rest) = environment(&rest);
    let rest = without(rest, &["exec"]);
    let rest = without(rest, &["npx", "bunx", "yarn", "pnpm"]);
    let Some((program, rest)) = rest.split_first() else { return Err(words.first().cloned().unwrap_or_default()) };
    let runtime = match base(program) {
        "bun" => Some(Runtime::Bun),
        "node" => Some(Runtime::Node),
        "tsx" => None,
        _ if has_ending(program) || program.contains('/') => return Err((*program).to_owned()),
        bin => {
            let (runner, options) = (Runner::Bin(bin.to_owned()), Vec::new());
            return Ok(Command { env, runner, options, arguments: owned(rest) });
        }
    };
    let (options, rest) = options(program, without(without(rest, &["run", "watch"]), &WATCH_OPTIONS))?;
    match rest.split_first() {
        Some((file, arguments)) if may_be_file(file) => {
            let file = file.trim_start_matches("./").to_owned();
            Ok(Command { env, runner: Runner::File(runtime, file), options, arguments: owned(arguments) })
        }
        Some((word, _)) => Err((*word).to_owned()),
        None => Err((*program).to_owned()),
    }
}

/// The variables that a command sets, by itself or with `cross-env`, and the rest of it.
fn environment<'a, 'b>(words: &'a [&'b str]) -> (BTreeMap<String, String>, &'a [&'b str]) {
    let mut env = BTreeMap::new();
    let mut rest = words;
    while let [first, more @ ..] = rest {
        match first.split_once('=') {
            Some((name, value)) if is_variable(name) => {
                env.insert(name.to_owned(), value.to_owned());
            }
            _ if matches!(base(first), "cross-env" | "env") => {}
            _ => break,
        }
        rest = more;
    }
    (env, rest)
}

/// The options before the file, without those that watch.
fn options<'a, 'b>(program: &str, words: &'a [&'b str]) -> Result<(Vec<String>, &'a [&'b str]), String> {
    let mut options = Vec::new();
    let mut rest = words;
    while let [first, more @ ..] = rest
        && first.starts_with('-')
    {
        if NO_FILE.contains(first) {
            return Err((*first).to_owned());
        }
        rest = more;
        if WATCH_OPTIONS.contains(first) {
            continue;
        }
        options.push((*first).to_owned());
        if WITH_VALUE.contains(first) {
            let Some((value, more)) = rest.split_first() else { return Err((*first).to_owned()) };
            options.push((*value).to_owned());
            rest = more;
        }
    }
    // `bun --hot run x.ts`
    let rest = if base(program) == "bun" { without(rest, &["run"]) } else { rest };
    Ok((options, without(rest, &WATCH_OPTIONS)))
}

/// Words without those of `known` that they begin with.
fn without<'a, 'b>(mut words: &'a [&'b str], known: &[&str]) -> &'a [&'b str] {
    while let [first, rest @ ..] = words
        && known.contains(first)
    {
        words = rest;
    }
    words
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a word has the ending of a script's file.
pub(super) fn has_ending(word: &str) -> bool {
    ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Whether a word names a file: it has its ending, or a folder (`node dist/main`).
fn may_be_file(word: &str) -> bool {
    !word.starts_with('-') && (has_ending(word) || word.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::workspaces::detect::script;

    fn shown(text: &str) -> String {
        match read(&script::words(text)) {
            Ok(command) => {
                let runner = match command.runner {
                    Runner::File(runtime, file) => format!("{runtime:?} {file}"),
                    Runner::Bin(name) => format!("bin {name}"),
                };
                format!("{:?} {runner} {:?} {:?}", command.options, command.arguments, command.env)
            }
            Err(word) => format!("not understood: {word}"),
        }
    }

    #[test]
    fn a_command_keeps_options_arguments_and_variables() {
        assert_eq!(shown("node main.js"), "[] Some(Node) main.js [] {}");
        assert_eq!(shown("exec bun --hot run ./main.ts;"), "[] Some(Bun) main.ts [] {}");
        assert_eq!(shown("npx tsx watch main.ts"), "[] None main.ts [] {}");
        assert_eq!(
            shown("NODE_ENV=production node --import ./pre.js main.js --port 1"),
            r#"["--import", "./pre.js"] Some(Node) main.js ["--port", "1"] {"NODE_ENV": "production"}"#
        );
        assert_eq!(
            shown("cross-env A=b C='d e' node --env-file=.env -r dotenv/config dist/main"),
            r#"["--env-file=.env", "-r", "dotenv/config"] Some(Node) dist/main [] {"A": "b", "C": "d e"}"#
        );
        assert_eq!(shown("bun run --smol main.ts"), r#"["--smol"] Some(Bun) main.ts [] {}"#);
        assert_eq!(shown("next start -p 80"), r#"[] bin next ["start", "-p", "80"] {}"#);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, word) in [
            ("node main.js && node b.js", "&&"),
            ("node main.js > log", ">"),
            ("node main.js $ARGS", "$ARGS"),
            ("node -e 1", "-e"),
            ("node --test", "--test"),
            ("node", "node"),
            ("bun build", "build"),
            ("./start.sh", "./start.sh"),
            ("set A=b&& node main.js", "A=b&&"),
        ] {
            assert_eq!(shown(text), format!("not understood: {word}"), "{text}");
        }
    }
}
