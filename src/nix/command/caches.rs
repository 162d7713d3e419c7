//! Questions about derivations, flakes, settings and other stores.

use serde_json::Value;

use super::{Nix, NixError, log, run::run};

/// Store paths and derivations of one call, which bounds the length of the command line.
const AT_ONCE: usize = 500;

/// Options that change which caches Nix uses, and how it asks them, with the number of their values.
const OPTIONS_OF_CACHES: [(&str, usize); 6] = [
    ("--option", 2),
    ("--substituters", 1),
    ("--extra-substituters", 1),
    ("--trusted-public-keys", 1),
    ("--extra-trusted-public-keys", 1),
    ("--netrc-file", 1),
];

impl Nix {
    /// Returns derivations with their inputs and outputs, in the JSON of this version of Nix: one value for each call.
    pub fn derivations(&self, paths: &[&str]) -> Result<Vec<Value>, NixError> {
        let ask = |paths: &[&str]| {
            let mut arguments = vec!["derivation", "show"];
            arguments.extend(paths);
            self.nix_command_of_two(&arguments)
        };
        paths.chunks(AT_ONCE).map(ask).collect()
    }

    /// Returns derivations and everything that they are built from, as [`Self::derivations`] does.
    pub fn derivation_closures(&self, paths: &[&str]) -> Result<Vec<Value>, NixError> {
        let ask = |paths: &[&str]| {
            let mut arguments = vec!["derivation", "show", "--recursive"];
            arguments.extend(paths);
            self.nix_command_of_two(&arguments)
        };
        paths.chunks(AT_ONCE).map(ask).collect()
    }

    /// Fetches the inputs of a flake, and returns their store paths as JSON.
    pub fn flake_sources(&self, flake: &str) -> Result<Value, NixError> {
        self.nix_command_of_two(&["flake", "archive", "--dry-run", "--json", flake])
    }

    /// Returns the settings of Nix as JSON. Of the options of this program, only those about caches count.
    pub fn settings(&self) -> Result<Value, NixError> {
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(["config", "show", "--json"]).args(self.options_of_caches());
        run(&mut command, &mut |_| {})?.json()
    }

    fn options_of_caches(&self) -> Vec<&std::ffi::OsStr> {
        let mut chosen = Vec::new();
        let mut rest = self.options.iter();
        while let Some(option) = rest.next() {
            if let Some((_, values)) = OPTIONS_OF_CACHES.iter().find(|(name, _)| option == name) {
                chosen.push(option.as_os_str());
                chosen.extend(rest.by_ref().take(*values).map(std::ffi::OsString::as_os_str));
            }
        }
        chosen
    }

    /// Returns what a store knows of these paths, in the JSON of this version of Nix: one value for each call. A path that it
    /// lacks is `null` or absent. Without a store it is the one of this machine. Nix asks anew, whatever it remembers.
    pub fn infos(&self, store: Option<&str>, paths: &[&str]) -> Result<Vec<Value>, NixError> {
        let ask = |paths: &[&str], format: &[&str]| {
            let mut arguments = vec!["path-info", "--json"];
            arguments.extend(format);
            // Without a store, Nix would ask caches for what this machine lacks.
            arguments.extend(store.map_or(vec!["--offline"], |store| vec!["--refresh", "--store", store]));
            arguments.push("--");
            arguments.extend(paths);
            self.nix(arguments)?.json()
        };
        let one = |paths: &[&str]| match ask(paths, &["--json-format", "2"]) {
            Err(NixError::Failed { last_lines, .. }) if last_lines.iter().any(|line| line.contains("json-format")) => {
                ask(paths, &[])
            }
            answer => answer,
        };
        paths.chunks(AT_ONCE).map(one).collect()
    }

    /// Returns what this machine, or another store, knows of paths and of everything that they refer to, in the JSON of this
    /// version of Nix. All must be valid.
    pub fn closure_of(&self, store: Option<&str>, paths: &[&str]) -> Result<Value, NixError> {
        let ask = |format: &[&str]| {
            let mut arguments = vec!["path-info", "--json", "--recursive"];
            arguments.extend(format);
            arguments.extend(store.into_iter().flat_map(|store| ["--store", store]));
            arguments.push("--");
            arguments.extend(paths);
            self.nix(arguments)?.json()
        };
        match ask(&["--json-format", "2"]) {
            Err(NixError::Failed { last_lines, .. }) if last_lines.iter().any(|line| line.contains("json-format")) => {
                ask(&[])
            }
            answer => answer,
        }
    }

    /// Copies paths and everything that they refer to into another store. Nix itself skips what is there; it must ask anew,
    /// because it remembers a path for a month. Passes each event of Nix's log to `watch`.
    pub fn copy(
        &self,
        paths: &[&str],
        from: Option<&str>,
        to: &str,
        options: &[&str],
        watch: &mut dyn FnMut(log::Event),
    ) -> Result<(), NixError> {
        let mut each = |line: &str| {
            if let Some(event) = log::parse(line) {
                watch(event);
            }
        };
        for paths in paths.chunks(AT_ONCE) {
            let mut arguments = vec!["copy", "--refresh", "-v", "--log-format", "internal-json", "--to", to];
            arguments.extend(from.into_iter().flat_map(|store| ["--from", store]));
            arguments.extend(options);
            arguments.push("--");
            arguments.extend(paths);
            run(&mut self.nix_command(arguments), &mut each)?;
        }
        Ok(())
    }

    /// Fetches the inputs of a flake into the store.
    pub fn fetch_flake_sources(&self, flake: &str) -> Result<Value, NixError> {
        self.nix_command_of_two(&["flake", "archive", "--json", flake])
    }

    /// Runs a command of two words. Options come after both.
    fn nix_command_of_two(&self, arguments: &[&str]) -> Result<Value, NixError> {
        let (words, rest) = arguments.split_at(2.min(arguments.len()));
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(words).args(&self.options).args(rest);
        run(&mut command, &mut |_| {})?.json()
    }
}
