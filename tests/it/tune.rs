//! `splitter tune`: the command with a real Nix, and the modules of the flake against the program's own numbers.

use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};
use splitter::{
    machine::{Computer, Family, Root, STORE, Space},
    nix::command::Nix,
    tune::{
        Installed, Profile, Situation, advise,
        measure::{Amount, measure},
    },
};

use crate::support::{TestContext, fail, run, succeed};

/// A computer with so many cores and so much memory in GiB, and a disk of 500 GiB.
struct Sized(usize, u64);

impl Root for Sized {
    fn family(&self) -> Family {
        Family::Linux
    }

    fn read(&self, path: &str) -> Option<String> {
        (path == "/proc/meminfo").then(|| format!("MemTotal: {} kB\n", self.1 << 20))
    }

    fn exists(&self, _: &str) -> bool {
        false
    }

    fn names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn link(&self, _: &str) -> Option<String> {
        None
    }

    fn run(&self, _: &str, _: &[&str]) -> Option<String> {
        None
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn space(&self, _: &str) -> Option<Space> {
        let (bytes, free_bytes) = (500 << 30, 100 << 30);
        Some(Space { bytes, free_bytes, inodes: 0, free_inodes: 0, read_only: false })
    }

    fn parallelism(&self) -> Option<usize> {
        Some(self.0)
    }
}

/// Evaluates a Nix expression with the stand-in for the module systems.
pub(crate) fn evaluated(context: &TestContext, expression: &str) -> Option<Value> {
    let nix = context.nix()?;
    let file = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules/evaluate.nix");
    let expression = format!("let evaluate = import {file}; in {expression}");
    let shown = succeed(&mut nix.command(context, &["eval", "--impure", "--json", "--expr", &expression]));
    Some(serde_json::from_str(&shown).unwrap())
}

fn module(is_darwin: bool) -> String {
    let file = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-modules/tune.nix");
    format!("(import {file} {{ isDarwin = {is_darwin}; }})")
}

#[test]
fn modules_have_the_numbers_of_the_program() {
    let context = TestContext::new();
    let computers = [(1, 1), (2, 7), (4, 16), (8, 16), (12, 32), (17, 6), (32, 128), (128, 1024)];
    let all: Vec<_> = computers.iter().flat_map(|computer| Profile::ALL.map(|profile| (*computer, profile))).collect();
    let one = |((cores, memory), profile): &((usize, u64), Profile)| {
        let values = format!(
            "enable = true; cores = {cores}; memory = {memory}; storeSize = 500; profile = \"{}\";",
            profile.name()
        );
        format!("(evaluate {{ module = {}; values.splitter.tune = {{ {values} }}; }})", module(false))
    };
    let Some(shown) = evaluated(&context, &format!("[ {} ]", all.iter().map(one).collect::<String>())) else { return };
    for (((cores, memory), profile), shown) in all.into_iter().zip(shown.as_array().unwrap()) {
        let computer = Computer::of(&Sized(cores, memory), STORE);
        let situation = Situation { computer: &computer, nix: None, caches: &[], answers: &[], for_ci: false, profile };
        let advice = advise(&situation);
        let settings = shown["nix"]["settings"].as_object().unwrap();
        for setting in &advice.settings {
            let expected = serde_json::to_value(&setting.value).unwrap();
            let name = setting.setting.as_str();
            assert_eq!(settings.get(name), Some(&expected), "{name}, {cores} cores, {memory} GiB, {profile:?}");
        }
        let extra = settings.keys().filter(|name| advice.get(name).is_none()).collect::<Vec<_>>();
        assert_eq!(extra, if profile == Profile::HighPerformance { vec!["keep-outputs"] } else { vec![] });
        let days = format!("--delete-older-than {}d", profile.days_kept());
        assert_eq!(shown["nix"]["gc"]["options"], json!(days));
    }
}

#[test]
fn modules_are_defaults_that_others_override() {
    let context = TestContext::new();
    let values = "enable = true; cores = 8; memory = 16; caches.\"https://a.example\" = [ \"a-1:key\" ];";
    let overrides = "nix.settings = { max-jobs = 99; extra-substituters = [ \"https://b.example\" ]; };";
    let of = |is_darwin, values: &str, overrides: &str| {
        let module = module(is_darwin);
        format!(
            "(evaluate {{ module = {module}; values.splitter.tune = {{ {values} }}; overrides = {{ {overrides} }}; }})"
        )
    };
    let list = [of(false, values, overrides), of(true, values, ""), of(false, "enable = false;", "")].concat();
    let Some(shown) = evaluated(&context, &format!("[ {list} ]")) else { return };
    let settings = &shown[0]["nix"]["settings"];
    assert_eq!(
        (&settings["max-jobs"], &settings["cores"], &settings["fallback"]),
        (&json!(99), &json!(2), &json!(true))
    );
    assert_eq!(settings["extra-substituters"], json!(["https://a.example", "https://b.example"]));
    assert_eq!(settings.get("min-free"), None);
    assert_eq!((&shown[0]["nix"]["gc"]["dates"], shown[0]["nix"]["gc"].get("interval")), (&json!("weekly"), None));
    assert_eq!((&shown[1]["nix"]["gc"]["interval"]["Hour"], shown[1]["nix"]["gc"].get("dates")), (&json!(3), None));
    assert_eq!(shown[2], json!({}));
}

/// Returns `splitter tune` with the test's Nix, whose settings are those of the test alone.
fn tune(context: &TestContext, nix: &crate::support::sandbox::Nix, args: &[&str]) -> Command {
    let mut command = context.splitter(&["tune", "--offline"]);
    command.args(args).env("SPLITTER_NIX", &nix.program).envs(nix.environment(context));
    command
}

#[test]
fn e2e_settings_are_written_applied_and_read_back() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let conf = context.folder("nix/conf/nix.conf");
    let wrong = "auto-optimise-store = true\nparallel-builds = 4\n";
    fs::write(&conf, format!("{}{wrong}", fs::read_to_string(&conf).unwrap())).unwrap();
    let output = run(&mut tune(&context, &nix, &["--diff"]));
    for line in [
        "-auto-optimise-store = true\n+auto-optimise-store = false\n",
        "+connect-timeout = 5\n",
        "sets `parallel-builds`",
    ] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }

    let file = context.folder("nix/conf/splitter.conf");
    let write = ["--write", file.as_str()];
    let output = run(&mut tune(&context, &nix, &write));
    assert!(output.starts_with("exit: 0\n") && output.contains("+connect-timeout = 5\n"), "{output}");
    assert!(succeed(&mut tune(&context, &nix, &write)).contains("is up to date"));
    let text = fs::read_to_string(&conf).unwrap().replace("parallel-builds = 4\n", &format!("!include {file}\n"));
    fs::write(&conf, text).unwrap();
    assert_eq!(succeed(&mut tune(&context, &nix, &["--diff"])), "nothing to change");
    let report: Value = serde_json::from_str(&succeed(&mut tune(&context, &nix, &["--json"]))).unwrap();
    let settings = report["advice"]["settings"].as_array().unwrap();
    assert!(settings.len() > 5 && settings.iter().all(|setting| setting["state"] != "change"), "{settings:#?}");
    // Nix itself shows the value, and no warning.
    let mut show = nix.command(&context, &["config", "show", "connect-timeout"]);
    assert_eq!(run(&mut show), "exit: 0\n----- stdout\n5\n----- stderr\n");

    fs::write(&file, format!("{}cores = 1\n", fs::read_to_string(&file).unwrap())).unwrap();
    let output = fail(&mut tune(&context, &nix, &[&write[..], &["--profile", "conservative"]].concat()));
    assert!(output.starts_with("exit: 1\n") && output.contains("was edited"), "{output}");

    // Modules of the same advice, evaluated by the same Nix.
    for option in ["--nixos", "--darwin"] {
        let module = context.folder(&format!("tune{option}.nix"));
        succeed(&mut tune(&context, &nix, &[option, "--write", module.as_str()]));
        let expression = format!("evaluate {{ module = import {module}; values = {{ }}; }}");
        let Some(shown) = evaluated(&context, &expression) else { return };
        assert_eq!(
            (&shown["nix"]["settings"]["connect-timeout"], &shown["nix"]["gc"]["automatic"]),
            (&json!(5), &json!(true)),
            "{option}"
        );
    }
    let config = succeed(&mut tune(&context, &nix, &["--ci"]));
    assert!(config.contains("timeout = 7200") && !config.contains("max-jobs"), "{config}");
    succeed(nix.command(&context, &["config", "show"]).env("NIX_CONFIG", config));
}

#[test]
fn without_nix_the_advice_says_that_it_is_not_checked() {
    let context = TestContext::new();
    let mut command = context.splitter(&["tune", "--offline", "--nix-conf"]);
    let output = run(command.env("PATH", "/nowhere").env_remove("SPLITTER_NIX"));
    assert!(output.starts_with("exit: 0\n") && output.contains("# Nix was not asked"), "{output}");
    assert!(output.contains("note: Nix was not found"), "{output}");
    let mut command = context.splitter(&["tune", "--offline", "--measure"]);
    let output = run(command.env("PATH", "/nowhere").env_remove("SPLITTER_NIX"));
    assert!(output.starts_with("exit: 3\n"), "{output}");
}

#[test]
fn a_nix_that_hangs_or_is_none_is_an_error_that_says_so() {
    let mut context = TestContext::new();
    let stand_in = |context: &mut TestContext, script: &str| {
        crate::doctor::use_program(context, script);
        run(&mut context.splitter(&["tune", "--offline"]))
    };
    let start = std::time::Instant::now();
    let output = stand_in(&mut context, "#!/bin/sh\nsleep 60 & sleep 60\n");
    assert!(start.elapsed() < std::time::Duration::from_secs(40), "{output}");
    assert!(output.starts_with("exit: 3\n") && output.contains("gave no answer within 5 s"), "{output}");
    // A store that hangs is a warning, because the settings are known without it.
    let settings = r#"{"cores":{"value":0,"defaultValue":0}}"#;
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version) echo 'nix (Nix) 2.34.8';; *config*) echo '{settings}';; *) sleep 60;; esac\n"
    );
    let output = stand_in(&mut context, &script);
    assert!(
        output.starts_with("exit: 0\n") && output.contains("the store does not answer: `nix store info"),
        "{output}"
    );
    for program in ["/bin/cat", "/bin/echo", "/nowhere/nix"] {
        context.set_env("SPLITTER_NIX", program.to_owned());
        let output = run(&mut context.splitter(&["tune", "--offline"]));
        assert!(output.starts_with("exit: 3\n") && output.contains(program), "{output}");
        assert!(output.contains("hint: set SPLITTER_NIX to the path of a nix, or remove the variable"), "{output}");
    }
}

#[test]
fn a_place_that_is_no_file_is_refused_before_anything_is_printed() {
    let context = TestContext::new();
    let write = |path: &str| {
        let mut command = context.splitter(&["tune", "--offline", "--write", path]);
        run(command.env("PATH", "/nowhere").env_remove("SPLITTER_NIX"))
    };
    for (path, hint) in [
        ("-", "leave out `--write`"),
        ("missing/x.conf", "run `mkdir -p missing` first"),
        (".", "name a file in it, such as `./splitter.conf`"),
    ] {
        let output = write(path);
        assert!(output.starts_with("exit: 2\n----- stdout\n----- stderr\nerror: "), "{output}");
        assert!(output.contains(hint), "{output}");
    }
}

#[test]
fn e2e_a_small_set_is_built_and_downloaded_with_both_settings() {
    let context = TestContext::new();
    let Some(found) = context.nix() else { return };
    let nix = Nix::at(found.program.as_std_path());
    let known = nix.settings_of("auto-optimise-store = true\nmax-jobs = 1\ncores = 1").unwrap();
    let installed = Installed { version: None, settings: known.settings, warnings: known.warnings, store: None };
    let computer = Computer::of(&Sized(8, 16), STORE);
    let situation = Situation {
        computer: &computer,
        nix: Some(&installed),
        caches: &[],
        answers: &[],
        for_ci: false,
        profile: Profile::Balanced,
    };
    let advice = advise(&situation);
    let delay = std::time::Duration::from_millis(1);
    let amount = Amount { pairs: 1, most_pairs: 1, builds: 2, steps: 3000, paths: 5, files: 45, delay };
    let folder = context.folder("measured");
    let trials = measure(&nix, &advice, &folder, &amount, &mut |_| {}).unwrap();
    let settings: Vec<_> = trials.iter().map(|trial| trial.settings[0].setting.as_str()).collect();
    assert_eq!(settings, ["max-jobs", "http-connections", "auto-optimise-store"]);
    for trial in &trials {
        assert!(trial.before.len() == 1 && trial.after.len() == 1 && trial.before[0] > 0.0, "{trial:?}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
