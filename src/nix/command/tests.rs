//! Tests with fake programs. The end-to-end tests run the real Nix.

use std::{io::Write as _, process::Stdio, time::Duration};

use fs_err as fs;
use tempfile::TempDir;

use super::*;
use crate::{
    diagnostic::{Category, Diagnose as _},
    nix::{
        installed::{Installed, NoAnswer},
        nar::{self, Folder, Tree},
        settings::{Flavour, Setting, Warning},
        store_path::StorePath,
    },
    repo::GIT_VARIABLES,
};

struct Fake {
    folder: TempDir,
}

impl Fake {
    /// Creates a `nix` from this shell script.
    fn new(script: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap() }.and("nix", script)
    }

    /// Adds a second program next to it.
    ///
    /// The shell writes the file. If this process had it open for writing, a parallel test could inherit the handle
    /// while it starts its own program, and executing the file would fail ("text file busy").
    fn and(self, name: &str, script: &str) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(self.path().join(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        self
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn nix(&self) -> Nix {
        Nix::at(self.path().join("nix"))
    }
}

#[test]
fn the_named_program_comes_before_those_in_path() {
    let fake = Fake::new("");
    let path = env::join_paths(["/nowhere".into(), fake.folder.path().to_owned()]).unwrap();
    assert_eq!(Nix::find_in(None, Some(&path)), Some(fake.nix()));
    assert_eq!(Nix::find_in(Some(OsStr::new("")), Some(&path)), Some(fake.nix()));
    assert_eq!(Nix::find_in(Some(OsStr::new("/x/nix")), Some(&path)), Some(Nix::at("/x/nix")));
    assert_eq!(Nix::find_in(None, Some(OsStr::new("/nowhere"))), None);
    assert_eq!(Nix::find_in(None, None), None);
}

#[test]
fn a_relative_program_stays_the_same_in_another_folder() {
    let here = env::current_dir().unwrap();
    assert_eq!(Nix::at("bin/nix").in_folder("/").program(), here.join("bin/nix"));
    assert_eq!(Nix::at("nix-2.18").program(), Path::new("nix-2.18"));
}

#[test]
fn a_missing_program_is_the_environments_fault() {
    let error = Nix::at("/nowhere/nix").version().unwrap_err();
    assert!(matches!(&error, NixError::Start { .. }) && error.to_string().contains("/nowhere/nix"), "{error}");
    assert_eq!(error.category(), Category::Environment);
    assert_eq!(NixError::Missing.category(), Category::Environment);
    assert!(NixError::Missing.hints().iter().any(|hint| hint.contains(NIX_VARIABLE)));
}

#[test]
fn arguments_are_passed_one_by_one() {
    let fake = Fake::new(r#"for word; do printf '<%s>' "$word"; done; pwd >&2; [ -e here ]"#);
    fs::write(fake.path().join("here"), "").unwrap();
    let nix = fake.nix().in_folder(fake.path()).with_options(["--offline"]);
    let head = "<--extra-experimental-features><nix-command flakes>";
    assert_eq!(nix.eval_raw(".#a b").unwrap(), format!("{head}<eval><--offline><--raw><--><.#a b>"));
    assert_eq!(
        nix.build(&[".#a", ".#b"]).unwrap(),
        [format!("{head}<build><--offline><--no-link><--print-out-paths><--><.#a><.#b>")]
    );
}

#[test]
fn answers_are_read_as_what_they_should_be() {
    let fake = Fake::new(r#"printf '{"a": [1]}'"#);
    assert_eq!(fake.nix().eval_json(".#x").unwrap(), serde_json::json!({ "a": [1] }));
    let error = fake.nix().hash_path(Utf8Path::new("/")).unwrap_err();
    assert!(matches!(error, NixError::Answer { expected: "sha256 hash", .. }), "{error}");
    let error = Fake::new(r"printf '\377'").nix().version().unwrap_err();
    assert!(matches!(error, NixError::Answer { expected: "UTF-8 text", .. }), "{error}");
    let error = Fake::new("echo no").nix().eval_json(".#x").unwrap_err();
    assert_eq!(error.to_string(), "unexpected output of `nix eval --json -- .#x`: expected JSON, found `no\n`");
}

#[test]
fn a_failure_holds_the_last_lines_and_all_are_seen_as_they_come() {
    let fake = Fake::new("i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i >&2; done; exit 7");
    let mut seen = 0;
    let error = fake.nix().build_watched(&[".#x"], &mut |_| seen += 1).unwrap_err();
    let NixError::Failed { command, status, last_lines } = &error else { panic!("{error}") };
    assert_eq!((command.as_str(), status.as_str()), ("nix build --no-link --print-out-paths -- .#x", "exit status: 7"));
    assert_eq!((seen, last_lines.len(), last_lines.last().unwrap().as_str()), (100, 30, "line 100"));
    assert!(error.to_string().ends_with("\n  line 99\n  line 100"));
}

#[test]
fn neither_pipe_fills_up_while_the_other_is_read() {
    let fake = Fake::new("yes | head -c 300000 >&2; yes | head -c 300000; yes | head -c 300000 >&2");
    assert_eq!(fake.nix().eval_raw(".#x").unwrap().len(), 300_000);
}

#[test]
fn every_variable_that_ties_git_to_a_repository_is_cleared() {
    let listed = Command::new("git").args(["rev-parse", "--local-env-vars"]).output().unwrap();
    for variable in String::from_utf8(listed.stdout).unwrap().lines() {
        assert!(GIT_VARIABLES.contains(&variable), "{variable}");
    }
    let fake = Fake::new("env");
    let mut command = fake.nix().nix_command([]);
    command.env("GIT_DIR", "/elsewhere").env("GIT_AUTHOR_NAME", "kept");
    let seen = run(&mut command, &mut |_| {}).unwrap().text().unwrap();
    assert!(!seen.contains("GIT_DIR=") && seen.contains("GIT_AUTHOR_NAME=kept"), "{seen}");
}

fn tree() -> Tree {
    let mut folder = Folder::new();
    folder.insert("npm/a/-/a-1.0.0.tgz", Tree::bytes("a")).unwrap();
    folder.into()
}

#[test]
fn a_tree_is_added_under_its_name_and_the_scratch_folder_removed() {
    let digest = nar::hash(&tree()).unwrap().digest;
    let name = "deps-common".parse().unwrap();
    let path = StorePath::fixed_output(&name, digest);
    let store = format!(
        r#"case "$1" in
             --check-validity) exit 1 ;;
             --add-fixed) [ "$2 $3 ${{4##*/}}" = "--recursive sha256 deps-common" ] && [ -f "$4/npm/a/-/a-1.0.0.tgz" ] &&
               echo {path} ;;
           esac"#
    );
    let fake = Fake::new("exit 9").and("nix-store", &store);
    let scratch = fake.path().join("scratch");
    assert_eq!(fake.nix().add(&tree(), &name, digest, &scratch).unwrap(), path);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn another_path_than_the_hash_gives_is_an_error() {
    let digest = nar::hash(&Tree::bytes("another")).unwrap().digest;
    let store = "[ \"$1\" = --add-fixed ] && echo /nix/store/else";
    let fake = Fake::new("").and("nix-store", store);
    let error = fake.nix().add(&tree(), &"deps".parse().unwrap(), digest, fake.path()).unwrap_err();
    assert!(matches!(&error, NixError::OtherPath { found, .. } if found == "/nix/store/else"), "{error}");
}

#[test]
fn what_the_store_has_is_not_added_again() {
    let digest = nar::hash(&tree()).unwrap().digest;
    let fake = Fake::new("").and("nix-store", "[ \"$1\" = --check-validity ]");
    let scratch = fake.path().join("scratch");
    fake.nix().add(&tree(), &"deps".parse().unwrap(), digest, &scratch).unwrap();
    assert!(!scratch.exists());
}

#[test]
fn outputs_have_the_paths_that_nix_prints_for_them() {
    let output = |derivation: &str| Output { derivation: derivation.to_owned(), name: "out".to_owned() };
    let json =
        r#"[{"drvPath": "/s/b.drv", "outputs": {"out": "/s/b"}}, {"drvPath": "a.drv", "outputs": {"out": "/s/a"}}]"#;
    let fake = Fake::new(&format!("echo '{json}'"));
    let outputs = [output("/s/a.drv"), output("/s/b.drv"), output("/s/a.drv")];
    assert_eq!(fake.nix().build_outputs(&outputs, &mut |_| {}).unwrap(), ["/s/a", "/s/b", "/s/a"]);
    let error = fake.nix().build_outputs(&[output("/s/c.drv")], &mut |_| {}).unwrap_err();
    assert!(matches!(error, NixError::Answer { expected: "a path for each output", .. }), "{error}");
    assert!(Fake::new("exit 9").nix().build_outputs(&[], &mut |_| {}).unwrap().is_empty());
}

#[test]
fn a_nix_that_requires_a_format_of_json_gets_one() {
    let fake = Fake::new(
        r#"case "$*" in *"--json-format 2"*) echo '{"info": {}}' ;; *) echo "error: '--json' needs '--json-format'" >&2; exit 1 ;; esac"#,
    );
    assert_eq!(fake.nix().path_info(&["/s/a"]).unwrap(), serde_json::json!({ "info": {} }));
    let error = Fake::new("echo 'error: no such path' >&2; exit 1").nix().path_info(&["/s/a"]).unwrap_err();
    assert!(error.to_string().contains("no such path"), "{error}");
}

#[test]
fn missing_paths_are_those_that_nix_store_prints() {
    let fake =
        Fake::new("exit 9").and("nix-store", "[ \"$1 $2\" = '--check-validity --print-invalid' ] && echo \"$4\"");
    assert_eq!(fake.nix().missing(&["/s/a", "/s/b"]).unwrap().into_iter().collect::<Vec<_>>(), ["/s/b"]);
    assert!(Fake::new("exit 9").nix().missing(&[]).unwrap().is_empty());
}

#[test]
fn the_installed_nix_says_which_settings_it_knows() {
    let script = r#"
        case "$*" in
        *config*) echo "warning: unknown setting 'max-job'" >&2; printf '{"cores": {"value": 2, "defaultValue": 0}, "said": {"value": "%s"}}' "$NIX_CONFIG";;
        *store*) echo '{"trusted":false,"url":"daemon","version":"2.34.8"}';;
        *) echo "nix (Lix, like Nix) 2.93.0";;
        esac"#;
    let nix = Fake::new(script);
    let known = nix.nix().known_settings().unwrap();
    assert_eq!(known.settings.get("cores").map(Setting::text), Some("2".to_owned()));
    assert_eq!(known.settings.get("max-job"), None);
    assert_eq!(known.warnings, [Warning::Unknown { setting: "max-job".to_owned() }]);
    let set = nix.nix().settings_of("cores = 3").unwrap();
    assert_eq!(set.settings.get("said").map(Setting::text), Some("cores = 3".to_owned()));
    let installed = Installed::ask(&nix.nix(), Duration::from_mins(1));
    let info = installed.store.unwrap();
    assert_eq!((info.trusted, info.is_daemon(), installed.store_warnings.len()), (Some(false), true, 0));
    assert_eq!(installed.version.map(|version| version.flavour), Ok(Flavour::Lix));
    assert_eq!(installed.warnings, known.warnings);
}

#[test]
fn a_program_that_is_no_nix_is_told_from_a_nix_that_refuses_its_settings() {
    let ask = |script: &str, limit| Installed::ask(&Fake::new(script).nix(), limit);
    let minute = Duration::from_mins(1);
    let cat = ask("echo \"cat: unrecognized option '--x'\" >&2; echo 'Try cat --help' >&2; exit 1", minute);
    assert!(
        matches!(cat.is_other(), Some(NoAnswer::Other { reason, .. }) if reason == "cat: unrecognized option '--x'"),
        "{cat:?}"
    );
    assert!(matches!(ask("echo \"$@\"", minute).is_other(), Some(NoAnswer::Other { .. })));
    let refusing = ask("echo \"error: syntax error in configuration line 'a=b'\" >&2; exit 1", minute);
    assert_eq!((refusing.is_other(), refusing.settings.is_err()), (None, true));
    let none = Installed::ask(&Nix::at("/nowhere/nix"), minute);
    let start = none.is_other().unwrap();
    assert!(start.to_string().starts_with("could not run `/nowhere/nix`"), "{start}");
    assert!(start.hints()[0].contains("remove the variable"), "{:?}", start.hints());
    let late = ask("sleep 60", Duration::from_millis(200));
    assert_eq!(late.is_other(), None);
    assert_eq!(late.settings.unwrap_err().to_string(), "`nix config show --json` gave no answer within 0 s");
}
