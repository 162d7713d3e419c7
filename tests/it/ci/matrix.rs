//! `splitter ci matrix` with a real Nix and a real cache, and the shell of the written workflow.

use std::process::Command;

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;

use super::init;
use crate::support::{BUN_VERSIONS, NixMonorepo, TestContext, run, stand_in::system, succeed, tools};

/// A runner of GitHub: the monorepo with a workflow, and what a job has in its environment.
struct Runner {
    nix: NixMonorepo,
    workflow: String,
}

impl Runner {
    fn new(options: &str) -> Option<Self> {
        let nix = NixMonorepo::with_bun(BUN_VERSIONS[2])?;
        // A locked stand-in, so that the steps need no options for it.
        succeed(&mut nix.nix(&["flake", "lock"]));
        fs::create_dir(nix.context().folder("runner")).unwrap();
        init(nix.context(), options);
        nix.context().commit_all("a workflow");
        let workflow = nix.context().read(".github/workflows/splitter.yml");
        Some(Self { nix, workflow })
    }

    fn context(&self) -> &TestContext {
        self.nix.context()
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        self.context().folder("runner").join(name)
    }

    /// Returns a command that runs the shell of a step as GitHub does.
    fn step(&self, name: &str) -> Command {
        let script = self.file("step.sh");
        fs::write(&script, run_of(&self.workflow, name)).unwrap();
        let mut command = self.context().command("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", script.as_str()]);
        let folders = [
            Utf8PathBuf::from(env!("CARGO_BIN_EXE_splitter")).parent().unwrap().to_string(),
            self.nix.nix.program.parent().unwrap().to_string(),
            tools::search_path(),
        ];
        command.env("PATH", folders.join(":")).envs(self.nix.nix.environment(self.context()));
        for (variable, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary.md")] {
            command.env(variable, self.file(file));
        }
        command.env("RUNNER_TEMP", self.file("")).env("GITHUB_REF", "refs/heads/main").env("IS_TRUSTED", "true");
        command
    }

    /// Runs the step that plans, and returns its outputs.
    fn plan(&self) -> Value {
        let _ = fs::remove_file(self.file("output"));
        succeed(&mut self.step("Evaluate the flake and ask the caches"));
        let text = fs::read_to_string(self.file("output")).unwrap();
        let outputs = text.lines().map(|line| line.split_once('=').unwrap());
        outputs.map(|(name, value)| (name.to_owned(), serde_json::from_str::<Value>(value).unwrap())).collect()
    }
}

/// Returns the shell of the first step with this name.
fn run_of(workflow: &str, name: &str) -> String {
    let step = workflow.split(&format!("      - name: {name}")).nth(1).unwrap_or_else(|| panic!("no step {name}"));
    let step = step.split("\n      - name: ").next().unwrap();
    let (_, shell) = step.split_once("        run: ").unwrap();
    match shell.strip_prefix("|\n") {
        Some(block) => {
            let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("          "));
            lines.map(|line| format!("{}\n", line.get(10..).unwrap_or_default())).collect()
        }
        None => shell.lines().next().unwrap().to_owned(),
    }
}

#[test]
fn e2e_the_steps_build_what_the_cache_lacks_and_then_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let options = format!("--provider github --cache file://{cache} --system {}", system());
    let Some(runner) = Runner::new(&options) else { return };
    let plan = runner.plan();
    eprintln!("{plan:#}");
}
