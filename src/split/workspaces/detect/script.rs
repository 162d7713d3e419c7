//! Reading scripts of a manifest: which tool a command runs.

use super::tools::{self, Tool, ToolCommand};
use crate::split::Manifest;

/// The tools that the commands of a build script run, with their places in the list of known tools and the command's
/// words, in the order of the commands.
pub(super) fn tools(script: &str, manifest: &Manifest) -> Vec<(usize, &'static Tool, Vec<String>)> {
    let found = commands(script).into_iter().filter_map(|words| {
        let is_run = |tool: &Tool| tool.commands.iter().any(|known| runs_tool(&words, known));
        let (place, tool) = Tool::all().iter().enumerate().find(|(_, tool)| is_run(tool))?;
        let is_really = |other: &&Tool| {
            other.of.as_deref() == Some(tool.name())
                && other.packages.iter().any(|package| manifest.depends_on(package))
        };
        Some((place, Tool::all().iter().find(is_really).unwrap_or(tool), words))
    });
    found.collect()
}

/// The first program of a script that builds something other than JavaScript, if all of its commands do.
pub(super) fn foreign(script: &str) -> Option<String> {
    let commands = commands(script);
    let is_foreign = |words: &Vec<String>| words.first().is_some_and(|word| tools::is_foreign(base(word)));
    // What stands around it changes folders or prints.
    let aside =
        |words: &Vec<String>| words.first().is_some_and(|word| matches!(word.as_str(), "cd" | "echo" | "mkdir" | "rm"));
    let mut building = commands.iter().filter(|words| !aside(words)).peekable();
    let first = building.peek()?.first().map(|word| base(word).to_owned())?;
    building.all(is_foreign).then_some(first)
}

/// Programs that run tests.
const TESTERS: [&str; 7] = ["ava", "jest", "mocha", "tap", "uvu", "vitest", "wtr"];

/// Whether a script runs tests.
pub(super) fn runs_tests(script: &str) -> bool {
    commands(script).iter().any(|words| {
        let is_tester = words.iter().any(|word| TESTERS.contains(&base(word)));
        is_tester
            || ["bun", "react-scripts", "node"]
                .iter()
                .any(|program| runs(words, program, "test") || runs(words, program, "--test"))
    })
}

fn runs_tool(words: &[String], known: &ToolCommand) -> bool {
    let Some(at) = words.iter().position(|word| base(word) == known.program) else { return false };
    let behind = &words[at + 1..];
    let behind = if known.anywhere { behind } else { &behind[..behind.len().min(1)] };
    known.verbs.is_empty() || behind.iter().any(|word| known.verbs.contains(word))
}

/// Whether a command runs a program with this verb.
pub(super) fn runs(words: &[String], program: &str, verb: &str) -> bool {
    words.windows(2).any(|pair| base(&pair[0]) == program && pair[1] == verb)
}

/// Whether a command runs a program, whatever it is to do.
pub(super) fn runs_any(words: &[String], program: &str) -> bool {
    words.iter().any(|word| base(word) == program)
}

/// How deep scripts that run scripts are followed; one that runs itself ends there.
pub(super) const DEPTH: usize = 4;

/// A script with the scripts of the same manifest that it runs in their place: `yarn build:app && x` becomes
/// `vite build && x`.
pub(in crate::split) fn expanded(script: &str, manifest: &Manifest) -> String {
    expanded_to(script, manifest, DEPTH)
}

fn expanded_to(script: &str, manifest: &Manifest, depth: usize) -> String {
    let expand = |command: &Vec<String>| {
        let names = if depth > 0 { scripts_run_by(command, manifest) } else { Vec::new() };
        if names.is_empty() {
            return quoted(command);
        }
        let inner = names.iter().filter_map(|name| manifest.scripts.get(*name));
        inner.map(|inner| expanded_to(inner, manifest, depth - 1)).collect::<Vec<_>>().join(" && ")
    };
    commands(script).iter().map(expand).collect::<Vec<_>>().join(" && ")
}

/// Programs that run several scripts of a manifest, which may be named by patterns such as `build:*`.
const RUNNERS: [&str; 6] = ["run-s", "run-p", "npm-run-all", "npm-run-all2", "concurrently", "conc"];

/// The scripts of the same manifest that a command runs.
fn scripts_run_by<'m>(command: &[String], manifest: &'m Manifest) -> Vec<&'m str> {
    if let Some(name) = run_script(command) {
        return manifest.scripts.get_key_value(name).map(|(name, _)| name.as_str()).into_iter().collect();
    }
    let Some((program, arguments)) = command.split_first() else { return Vec::new() };
    if !RUNNERS.contains(&base(program)) {
        return Vec::new();
    }
    // `concurrently` names scripts as `npm:build:*` or `yarn:build:*`, or in full.
    let named = arguments.iter().filter(|word| !word.starts_with('-'));
    named.flat_map(|word| matching(word, manifest)).collect()
}

/// The scripts that a word of a runner means.
fn matching<'m>(word: &str, manifest: &'m Manifest) -> Vec<&'m str> {
    let runners = ["npm:", "yarn:", "pnpm:", "bun:", "npm run ", "yarn run ", "bun run ", "pnpm run ", "yarn "];
    let word = runners.iter().find_map(|runner| word.strip_prefix(runner)).unwrap_or(word);
    let matches = |name: &&String| match word.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end.trim_start_matches('*')),
        None => *name == word,
    };
    manifest.scripts.keys().filter(matches).map(String::as_str).collect()
}

/// Whether a script of a manifest does nothing, together with those that run before and after it: `exit 0`, `true`, `:`, or an
/// `echo` to the terminal, also by way of other scripts.
pub(in crate::split) fn does_nothing(name: &str, manifest: &Manifest) -> bool {
    does_nothing_to(name, manifest, DEPTH)
}

fn does_nothing_to(name: &str, manifest: &Manifest, depth: usize) -> bool {
    let scripts = ["pre", "", "post"].map(|hook| manifest.scripts.get(&format!("{hook}{name}")));
    let is_idle = |command: &Vec<String>| match run_script(command) {
        Some(inner) if manifest.scripts.contains_key(inner) => depth > 0 && does_nothing_to(inner, manifest, depth - 1),
        _ => is_idle(command),
    };
    scripts.into_iter().flatten().all(|script| is_plain(script) && commands(script).iter().all(is_idle))
}

/// Whether a script writes no files and has no commands in others.
fn is_plain(script: &str) -> bool {
    !script.contains(['\n', '`', '<', '>']) && !script.contains("$(")
}

fn is_idle(command: &[String]) -> bool {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["exit" | "true" | ":"] | ["exit", "0"] => true,
        // Commands may follow without a space before them: `echo a&&tsc`.
        ["echo", text @ ..] => !text.iter().any(|word| word.contains(['&', '|'])),
        _ => false,
    }
}

/// Words as a script again.
pub(super) fn quoted(command: &[String]) -> String {
    let quote = |word: &String| match word.contains(|c: char| c.is_whitespace() || c == ';') {
        true if word.contains('"') => format!("'{word}'"),
        true => format!("\"{word}\""),
        false => word.clone(),
    };
    command.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The name of the script that a command runs.
fn run_script(command: &[String]) -> Option<&str> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["npm" | "pnpm" | "yarn" | "bun", "run", name, ..] | ["yarn" | "pnpm", name, ..] => Some(name),
        _ => None,
    }
}

/// The commands of a script, each as its words, without the variables that are set before it.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    for word in words(script) {
        if matches!(word.as_str(), "&&" | "||" | ";" | "|" | "&") {
            commands.push(Vec::new());
        } else if let Some(command) = commands.last_mut() {
            let sets_variable = command.is_empty()
                && word
                    .split_once('=')
                    .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            if !sets_variable {
                command.push(word);
            }
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// Words as a shell splits them, near enough: quotes group, `;` stands alone.
pub(in crate::split) fn words(script: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for character in script.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ';') => {
                words.push(std::mem::take(&mut word));
                words.push(";".to_owned());
            }
            (None, _) if character.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The value of an option, given as `--name value`, `--name=value`.
pub(super) fn option(script: &str, names: &[&str]) -> Option<String> {
    option_in(&words(script), names)
}

/// The value of an option among the words of a command.
pub(super) fn option_in(words: &[String], names: &[&str]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        names.iter().find_map(|name| match word.strip_prefix(name) {
            Some("") => words.get(at + 1).filter(|value| !value.starts_with('-')).cloned(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str, dependency: &str) -> Option<&'static str> {
        let text = format!(r#"{{"devDependencies": {{"{dependency}": "1"}}}}"#);
        let tools = tools(script, &Manifest::parse("package.json", &text).unwrap());
        tools.iter().min_by_key(|(place, ..)| *place).map(|(_, tool, _)| tool.name())
    }

    #[test]
    fn the_tool_is_found_in_the_build_script() {
        assert_eq!(found("NODE_ENV=production next build --turbopack", "x"), Some("Next.js"));
        assert_eq!(found("tsc -b && vite build", "x"), Some("Vite"));
        assert_eq!(found("vite --mode production build", "x"), Some("Vite"));
        assert_eq!(found("bunx --bun vite build", "@sveltejs/kit"), Some("SvelteKit"));
        assert_eq!(found("vite build", "@tanstack/react-start"), Some("TanStack Start"));
        assert_eq!(found("remix vite:build", "x"), Some("React Router"));
        assert_eq!(found("./node_modules/.bin/tsup src/a.ts", "x"), Some("tsup"));
        assert_eq!(found("bun build src/a.ts --outdir out", "x"), Some("bun build"));
        assert_eq!(found("rm -rf dist; tsc -p tsconfig.build.json", "x"), Some("tsc"));
        assert_eq!(found("bun run scripts/build.ts", "x"), None);
        assert_eq!(found("echo vite", "x"), None);
    }

    #[test]
    fn scripts_that_run_tests_are_found() {
        for script in
            ["vitest run && vite build", "bun test && tsc", "npx jest --ci; tsc", "c8 mocha && x", "node --test && x"]
        {
            assert!(runs_tests(script), "{script}");
        }
        for script in ["vite build", "echo test && tsc", "bun run build", "tsc -p tsconfig.test.json"] {
            assert!(!runs_tests(script), "{script}");
        }
    }

    #[test]
    fn options_have_two_forms() {
        assert_eq!(option("bun build a.ts --outdir ./out --minify", &["--outdir"]).as_deref(), Some("./out"));
        assert_eq!(option("bun build a.ts --outdir=out", &["--outdir"]).as_deref(), Some("out"));
        assert_eq!(option("tsup -d 'my out'", &["--out-dir", "-d"]).as_deref(), Some("my out"));
        assert_eq!(option("tsup --dts", &["--out-dir", "-d"]), None);
    }

    #[test]
    fn a_script_that_does_nothing_is_told_from_one_that_does() {
        let nothing = |scripts: &str| {
            let manifest = Manifest::parse("package.json", &format!(r#"{{"scripts": {{{scripts}}}}}"#)).unwrap();
            does_nothing("build", &manifest)
        };
        for script in
            ["exit 0", "true", ":", " ", "echo 'No build; skipped'", "CI=1 echo no build && exit 0", "exit 0;"]
        {
            assert!(nothing(&format!(r#""build": "{script}""#)), "{script}");
        }
        for script in
            ["exit 1", "echo a > b", "echo a&&tsc", "echo $(tsc)", "echo `tsc`", "echo a | sh", "echo a\\ntsc"]
        {
            assert!(!nothing(&format!(r#""build": "{script}""#)), "{script}");
        }
        assert!(nothing(r#""build": "yarn noop && bun run noop", "noop": "exit 0""#));
        assert!(!nothing(r#""build": "yarn some", "some": "echo && tsc""#));
        assert!(!nothing(r#""build": "yarn build""#));
        assert!(!nothing(r#""build": "exit 0", "prebuild": "tsc""#));
        assert!(!nothing(r#""build": "npm run noop", "noop": "true", "postnoop": "tsc""#));
    }

    #[test]
    fn scripts_that_run_scripts_are_followed() {
        let text = r#"{"scripts": {"build:app": "cross-env A=1 vite build --outDir 'a b'", "build:version": "node v.js",
            "again": "yarn again && yarn run build:version", "build": "tsc"}}"#;
        let manifest = Manifest::parse("package.json", text).unwrap();
        let of = |script: &str| expanded(script, &manifest);
        assert_eq!(
            of("yarn build:app && npm run build:version"),
            "cross-env A=1 vite build --outDir \"a b\" && node v.js"
        );
        assert_eq!(of("yarn other && bun run --silent x"), "yarn other && bun run --silent x");
        assert_eq!(of("bun build src/a.ts"), "bun build src/a.ts");
        assert!(of("yarn again").ends_with("node v.js"));
    }
}
