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
    /// The secret key of the cache.
    secret: String,
}

impl Runner {
    /// Writes a workflow with a folder as its cache.
    #[track_caller]
    fn new(cache: &str) -> Option<Self> {
        let nix = NixMonorepo::with_bun(BUN_VERSIONS[2])?;
        let context = nix.context();
        // With the stand-in locked, the steps need no options for it.
        let stand_in = format!("path:{}", context.folder("stand-in").join("nixpkgs"));
        succeed(&mut nix.nix.command(context, &["flake", "lock", "--override-input", "nixpkgs", &stand_in]));
        fs::create_dir(context.folder("runner")).unwrap();
        let secret = succeed(&mut nix.nix.command(context, &["key", "generate-secret", "--key-name", "ci-1"]));
        fs::write(context.folder("runner").join("secret"), &secret).unwrap();
        let mut convert = nix.nix.command(context, &["key", "convert-secret-to-public"]);
        convert.stdin(fs::File::open(context.folder("runner").join("secret")).unwrap().into_parts().0);
        let public = succeed(&mut convert);
        init(
            context,
            &format!(
                "--provider github --cache file://{cache}?compression=none --public-key {public} --system {}",
                system()
            ),
        );
        context.commit_all("a workflow");
        let workflow = context.read(".github/workflows/splitter.yml");
        Some(Self { nix, workflow, secret })
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
        command.env("NIX_CONFIG", settings_of(&self.workflow));
        command.env("RUNNER_TEMP", self.file("")).env("GITHUB_REF", "refs/heads/main").env("IS_TRUSTED", "true");
        command
    }

    /// Runs the step that plans, and returns its outputs.
    #[track_caller]
    fn plan(&self) -> Value {
        let _ = fs::remove_file(self.file("output"));
        succeed(&mut self.step("Evaluate the flake and ask the caches"));
        let text = fs::read_to_string(self.file("output")).unwrap();
        let outputs = text.lines().map(|line| line.split_once('=').unwrap());
        outputs.map(|(name, value)| (name.to_owned(), serde_json::from_str::<Value>(value).unwrap())).collect()
    }

    /// Runs the steps of each job of a stage.
    #[track_caller]
    fn build(&self, stage: &Value) {
        for job in stage["include"].as_array().unwrap() {
            let value = |name: &str| job[name].as_str().unwrap();
            let mut push = self.step("Build and push to");
            push.env("NAMES", value("names")).env("NIX_SECRET_KEY", &self.secret).env("SCRATCH", self.file(""));
            succeed(push.env("SPLITTER_HISTORY", self.file("history.jsonl")));
            let log = succeed(self.step("Build\n").env("INSTALLABLES", value("installables")));
            assert!(!log.contains("building '"), "{log}");
            let mut say = self.step("Say what was built");
            succeed(say.env("NAME", value("name")).env("SPLITTER_HISTORY", self.file("history.jsonl")));
        }
    }
}

/// Returns the settings of Nix that the first step with them has.
fn settings_of(workflow: &str) -> String {
    let (_, settings) = workflow.split_once("extra_nix_config: |\n").unwrap();
    let lines = settings.lines().take_while(|line| line.starts_with("            "));
    lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
}

/// Returns the shell of the first step with this name.
fn run_of(workflow: &str, name: &str) -> String {
    let step = workflow.split(&format!("      - name: {name}")).nth(1).unwrap_or_else(|| panic!("no step {name}"));
    let step = step.split("\n      - name: ").next().unwrap();
    let (_, shell) = step.split_once("        run: ").unwrap();
    match shell.strip_prefix("|\n") {
        Some(block) => {
            let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("          "));
            lines.map(|line| line.get(10..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        }
        None => shell.lines().next().unwrap().to_owned(),
    }
}

/// Returns the names of all jobs' items, sorted.
fn names(stage: &Value) -> Vec<String> {
    let jobs = stage["include"].as_array().unwrap().iter();
    let mut names: Vec<String> =
        jobs.flat_map(|job| job["names"].as_str().unwrap().lines().map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn e2e_the_steps_build_what_the_cache_lacks_and_then_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    let Some(runner) = Runner::new(cache.to_str().unwrap()) else { return };
    let plan = runner.plan();
    assert_eq!((&plan["any"], &plan["any-shared"]), (&true.into(), &true.into()), "{plan:#}");
    let shared = names(&plan["shared"]);
    assert!(shared.contains(&"nodeModules".to_owned()), "{plan:#}");
    assert!(names(&plan["matrix"]).contains(&"web".to_owned()), "{plan:#}");
    assert_eq!(plan["matrix"]["include"][0]["system"], system());
    // A fork has no job whose results another one gets.
    let mut fork = runner.step("Evaluate the flake and ask the caches");
    succeed(fork.env("IS_TRUSTED", "false").env("GITHUB_OUTPUT", runner.file("fork")));
    let text = fs::read_to_string(runner.file("fork")).unwrap();
    assert!(text.starts_with("any=true\nany-shared=false\nshared={\"include\":[]}\n"), "{text}");
    // Without the secret, nothing is pushed, and the job succeeds.
    let notice = succeed(runner.step("Build and push to").env("NIX_SECRET_KEY", "").env("NAMES", "web"));
    assert!(notice.starts_with("::notice::nothing was pushed"), "{notice}");

    runner.build(&plan["shared"]);
    let after_shared = runner.plan();
    assert_eq!(after_shared["any-shared"], false, "{after_shared:#}");
    runner.build(&after_shared["matrix"]);
    let done = runner.plan();
    assert_eq!((&done["any"], &done["any-shared"]), (&false.into(), &false.into()), "{done:#}");
    let summary = fs::read_to_string(runner.file("summary.md")).unwrap();
    for text in ["No cache has ", "where the time went", "nodeModules", "Nothing: the caches have everything."] {
        assert!(summary.contains(text), "{text} is not in\n{summary}");
    }

    // An edit of an app builds that app.
    let context = runner.context();
    let source = "apps/web/src/index.ts";
    context.write(source, format!("{}\nexport const edited = true;\n", context.read(source)));
    context.commit_all("an edit");
    let edited = runner.plan();
    assert_eq!(edited["any-shared"], false, "{edited:#}");
    let built = names(&edited["matrix"]);
    assert!(!built.is_empty() && built.iter().all(|name| name.contains("web")), "{edited:#}");

    for (results, is_fine) in [("success skipped", true), ("success failure", false), ("success cancelled", false)] {
        let status = runner.step("Every job succeeded").env("RESULTS", results).output().unwrap().status;
        assert_eq!(status.success(), is_fine, "{results}");
    }
    formats(&runner);
}

/// The other formats are valid for their CI systems. A cache that is away is named, and everything is built.
fn formats(runner: &Runner) {
    let mut matrix = runner.context().splitter(&["ci", "matrix", "--cache", "http://127.0.0.1:1"]);
    matrix.env("SPLITTER_NIX", &runner.nix.nix.program).envs(runner.nix.nix.environment(runner.context()));
    let output = run(&mut matrix);
    assert!(output.starts_with("exit: 0\n") && output.contains("http://127.0.0.1:1 is not asked: "), "{output}");
    assert!(output.contains("first, because several jobs need it:\n") && output.contains("nodeModules"), "{output}");
    let Some(linters) = tools::linters() else { return };
    for (format, schema) in [("gitlab", "vendor.gitlab-ci"), ("buildkite", "vendor.buildkite"), ("json", "")] {
        let mut matrix = runner.context().splitter(&["ci", "matrix", "--format", format, "--provider", "gitlab"]);
        matrix.env("SPLITTER_NIX", &runner.nix.nix.program).envs(runner.nix.nix.environment(runner.context()));
        let text = succeed(&mut matrix);
        let value: Value = serde_json::from_str(&text).unwrap();
        if schema.is_empty() {
            assert_eq!((&value["version"], &value["any"]), (&1.into(), &true.into()), "{text}");
            continue;
        }
        let file = runner.file(&format!("{format}.json"));
        fs::write(&file, text).unwrap();
        let mut check = runner.context().command(linters.join("check-jsonschema"));
        succeed(check.args(["--builtin-schema", schema, file.as_str()]));
    }
}

#[test]
fn the_plan_needs_a_fresh_record_and_a_file_for_github() {
    let Some(nix) = tools::nix() else { return };
    let context = super::repository();
    let mut matrix = context.splitter(&["ci", "matrix", "--github-output"]);
    let output = run(matrix.env("SPLITTER_NIX", nix.program));
    assert!(output.starts_with("exit: 2\n") || output.starts_with("exit: 3\n"), "{output}");
    assert!(output.contains("`nix/splitter/splitter.lock.json` is missing or stale"), "{output}");
}
