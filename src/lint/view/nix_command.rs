//! A call of Nix: what it does, on which installables, with which options.

use super::shell::Command;

/// Options with one value.
const ONE: [&str; 38] = [
    "--extra-experimental-features",
    "--experimental-features",
    "--system",
    "-o",
    "--out-link",
    "-j",
    "--max-jobs",
    "--cores",
    "-I",
    "--include",
    "--expr",
    "-E",
    "-f",
    "--file",
    "--profile",
    "-p",
    "--log-format",
    "--store",
    "--eval-store",
    "--substituters",
    "--extra-substituters",
    "--trusted-public-keys",
    "--extra-trusted-public-keys",
    "--inputs-from",
    "--builders",
    "--apply",
    "-A",
    "--attr",
    "--to",
    "--from",
    "--sandbox",
    "--name",
    "--update-input",
    "--flake",
    "--add-root",
    "-u",
    "--unset",
    "--json-format",
];

/// Options with two values.
const TWO: [&str; 5] = ["--option", "--arg", "--argstr", "--override-input", "--override-flake"];

/// Subcommands with a second word.
const GROUPS: [&str; 9] = ["flake", "store", "profile", "registry", "config", "derivation", "hash", "key", "nar"];

/// A call of `nix`, `nix-build`, `nix-shell` or another program of Nix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NixCall<'a> {
    /// The program.
    pub program: &'a str,
    /// The subcommand of `nix`, such as `build` or `flake check`.
    pub verb: Vec<&'a str>,
    /// The arguments that are no options. What follows `--` or `-c` is left out.
    pub arguments: Vec<&'a str>,
    /// The options with their values.
    pub options: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> NixCall<'a> {
    /// Reads a command, if its program is one of Nix.
    pub fn of(command: &Command<'a>) -> Option<Self> {
        let program = command.words.first()?.rsplit('/').next()?;
        let is_nix = program == "nix"
            || [
                "build",
                "shell",
                "env",
                "channel",
                "instantiate",
                "collect-garbage",
                "store",
                "copy-closure",
                "fast-build",
            ]
            .iter()
            .any(|name| program.strip_prefix("nix-") == Some(name));
        is_nix.then(|| Self::read(program, &command.words[1..]))
    }

    fn read(program: &'a str, words: &[&'a str]) -> Self {
        let mut call = Self { program, verb: Vec::new(), arguments: Vec::new(), options: Vec::new() };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if word == "--" || (program == "nix" && matches!(word, "-c" | "--command")) || word == "--run" {
                break;
            }
            if word.starts_with('-') && word.len() > 1 {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let count = if value.is_some() { 0 } else { call.arity(name) };
                call.options.push((name, value.into_iter().chain(words.by_ref().take(count)).collect()));
            } else if program == "nix" && call.wants_verb() {
                call.verb.push(word);
            } else {
                call.arguments.push(word);
            }
        }
        call
    }

    fn wants_verb(&self) -> bool {
        self.verb.is_empty() || (self.verb.len() == 1 && GROUPS.contains(&self.verb[0]))
    }

    fn arity(&self, option: &str) -> usize {
        // `nix-shell -p a b` takes packages, and `nix flake update --update-input` is old.
        let is_packages = self.program == "nix-shell" && matches!(option, "-p" | "--packages");
        if TWO.contains(&option) { 2 } else { usize::from(ONE.contains(&option) && !is_packages) }
    }

    /// Whether the subcommand of `nix` is this one, such as `flake check`.
    pub fn is(&self, verb: &str) -> bool {
        self.program == "nix" && self.verb.iter().copied().eq(verb.split(' '))
    }

    /// Whether an option is set.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| *name == option)
    }

    /// Returns the settings that options set: `--option NAME VALUE`, `--NAME`, `--no-NAME`.
    pub fn settings(&self) -> Vec<(&'a str, &'a str)> {
        let of_option = |(name, values): &(&'a str, Vec<&'a str>)| match (*name, values.as_slice()) {
            ("--option", [name, value]) => Some((*name, *value)),
            ("--sandbox", [value]) => Some(("sandbox", *value)),
            ("--no-sandbox", _) => Some(("sandbox", "false")),
            ("--accept-flake-config", _) => Some(("accept-flake-config", "true")),
            (
                "--extra-substituters" | "--substituters" | "--extra-trusted-public-keys" | "--trusted-public-keys",
                [value],
            ) => Some((&name[2..], *value)),
            _ => None,
        };
        self.options.iter().filter_map(of_option).collect()
    }

    /// Whether it builds something of the repository, not of another flake such as nixpkgs.
    pub fn is_own_build(&self) -> bool {
        // A flake at a URL, or one that only a variable tells.
        let is_url = |flake: &str| flake.contains([':', '+']) || flake.starts_with('$');
        let is_foreign =
            |argument: &str| argument.starts_with("nixpkgs#") || argument.split('#').next().is_some_and(is_url);
        self.is_build() && !self.arguments.iter().any(|argument| is_foreign(argument.trim_matches('"')))
    }

    /// Whether it builds derivations, not only evaluates or opens a shell.
    pub fn is_build(&self) -> bool {
        let is_dry = self.has("--dry-run") || self.has("--no-build");
        let builds = match self.program {
            "nix" => self.is("build") || self.is("flake check"),
            program => program == "nix-build" || program == "nix-fast-build",
        };
        builds && !is_dry
    }
}

#[cfg(test)]
mod tests {
    use super::{super::shell::commands, *};

    #[test]
    fn calls_have_a_verb_arguments_and_options() {
        let call = |text: &'static str| NixCall::of(&commands(text).pop().unwrap());
        let built = call("nix --option sandbox false build -L .#a .#b --out-link x -- y").unwrap();
        assert!(built.is("build") && built.is_build());
        assert_eq!(built.arguments, [".#a", ".#b"]);
        assert_eq!(built.settings(), [("sandbox", "false")]);
        assert!(call("nix flake check --no-build").is_some_and(|call| call.is("flake check") && !call.is_build()));
        assert_eq!(call("nix run nixpkgs#hello -- --impure").unwrap().arguments, ["nixpkgs#hello"]);
        assert_eq!(call("nix develop -c nix-x --impure"), call("nix develop"));
        assert_eq!(call("nix-shell -p a b --run x").unwrap().arguments, ["a", "b"]);
        assert!(call("nix build").unwrap().is_own_build() && !call("nix build git+$URL").unwrap().is_own_build());
        assert_eq!(call("bun install"), None);
    }
}
