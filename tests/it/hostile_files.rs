//! Files of a repository that never end or answer, and names that programs trip over.

use std::{
    os::unix::ffi::OsStrExt as _,
    time::{Duration, Instant},
};

use fs_err as fs;

use crate::support::{Small, TestContext, YARN_VERSIONS, YarnMonorepo, run, succeed};

/// The record.
const RECORD: &str = "nix/splitter/splitter.lock.json";

/// Commands that read everything.
const COMMANDS: [&[&str]; 6] =
    [&["scan"], &["check"], &["graph"], &["explain"], &["init"], &["update-hash", "--offline"]];

/// The longest time of a command, on a busy machine too. A file that never answers takes all of it.
const LONGEST: Duration = Duration::from_secs(15);

/// Runs splitter with a limit of time and of memory. Returns its exit code and its output.
fn bounded(context: &TestContext, args: &[&str]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_splitter");
    let script = format!("ulimit -v 3000000; exec timeout {} '{program}' \"$@\"", LONGEST.as_secs());
    let output = context.command("sh").args(["-c", &script, "sh"]).args(args).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// What must happen if a file never ends or answers.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Every command fails.
    Fails,
    /// `scan` fails. A link out of the repository counts as missing.
    FailsUnlessLink,
    /// Each command fails or does without the file.
    Ends,
}

/// Replaces a file by a link to `/dev/zero`, by a named pipe, and by a file of 3 GB.
fn never_hangs(context: &TestContext, path: &str, then: Then) {
    let file = context.repo().join(path);
    let before = fs::read(&file).ok();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for kind in ["zero", "pipe", "huge"] {
        let _ = fs::remove_file(&file);
        match kind {
            "zero" => fs::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
            "pipe" => drop(succeed(context.command("mkfifo").arg(&file))),
            _ => fs::File::create(&file).unwrap().set_len(3 << 30).unwrap(),
        }
        // Git hashes a file of any size, which takes its time.
        let is_git = |command: &&&[&str]| matches!(command[0], "graph" | "explain");
        for command in COMMANDS.iter().filter(|command| kind != "huge" || !is_git(command)).copied() {
            let began = Instant::now();
            let (code, text) = bounded(context, command);
            let place = format!("{path} as {kind}, {command:?}, {:?}: {code}\n{text}", began.elapsed());
            assert!([0, 1, 2, 3].contains(&code), "{place}");
            let must_fail = match then {
                Then::Fails => true,
                Then::FailsUnlessLink => kind != "zero" && command == ["scan"],
                Then::Ends => false,
            };
            assert!(!must_fail || code >= 2, "{place}");
            let is_said = text.contains(path.rsplit('/').next().unwrap()) || text.contains("no record yet");
            assert!(code < 2 || is_said || command.contains(&"--offline"), "{place}");
        }
    }
    let _ = fs::remove_file(&file);
    if let Some(before) = before {
        fs::write(&file, before).unwrap();
    }
}

#[test]
fn files_that_never_end_or_answer_are_an_error() {
    let small = Small::new();
    let context = &small.context;
    succeed(&mut context.splitter(&["init"]));
    let fails = ["package.json", "apps/web/package.json", "bun.lock", "splitter.json", ".npmrc", "bunfig.toml"];
    let unless_link = ["turbo.json", "lerna.json", ".nvmrc", "apps/web/tsconfig.json", ".gitmodules"];
    let ends = [
        ".bun-version",
        ".gitignore",
        "apps/web/.gitignore",
        ".gitattributes",
        "flake.nix",
        "nix/splitter/deps.nix",
        RECORD,
    ];
    for (paths, then) in [(&fails[..], Then::Fails), (&unless_link, Then::FailsUnlessLink), (&ends, Then::Ends)] {
        for path in paths {
            never_hangs(context, path, then);
        }
    }
}

/// The model of such a file would take more than half a gigabyte.
#[test]
fn lockfiles_and_manifests_over_24_mib_are_refused() {
    let small = Small::new();
    let context = &small.context;
    for path in ["bun.lock", "package.json", "apps/web/package.json", "splitter.json"] {
        let before = fs::read(context.repo().join(path)).ok();
        context.write(path, format!("{{\"x\": [{}0]}}", "[],".repeat(9 << 20)));
        let output = run(&mut context.splitter(&["scan"]));
        assert!(output.starts_with("exit: 2\n"), "{path}: {output}");
        let expected = format!("could not read `{path}`: the file is larger than 24 MiB");
        assert!(output.contains(&expected), "{path}: {output}");
        match before {
            Some(before) => context.write(path, before),
            None => context.remove(path),
        }
    }
}

#[test]
fn settings_of_yarn_that_never_end_or_answer_are_an_error() {
    let Some(monorepo) = YarnMonorepo::with_yarn(YARN_VERSIONS[2]) else { return };
    for path in [".yarnrc.yml", "yarn.lock"] {
        never_hangs(&monorepo.context, path, Then::Fails);
    }
    never_hangs(&monorepo.context, ".env.yarn", Then::Ends);
}

/// Git opens these files and waits for a writer.
#[test]
fn named_pipes_where_git_reads_do_not_make_it_wait() {
    let small = Small::new();
    small.init();
    let context = &small.context;
    for path in [
        ".git/HEAD",
        ".git/config",
        ".git/index",
        ".git/info/exclude",
        ".git/info/attributes",
        ".git/packed-refs",
        ".gitattributes",
        ".gitignore",
        "apps/web/.gitattributes",
        "apps/web/.gitignore",
    ] {
        let file = context.repo().join(path);
        let before = fs::read(&file).ok();
        let _ = fs::remove_file(&file);
        succeed(context.command("mkfifo").arg(&file));
        for command in [&["explain"][..], &["graph"], &["scan"], &["check", "--staged"], &["hook", "status"], &["init"]]
        {
            let (code, text) = bounded(context, command);
            assert!([0, 1, 2, 3].contains(&code), "{path}, {command:?}: {code}\n{text}");
            let is_said = text.contains(path.rsplit('/').next().unwrap()) && text.contains("a named pipe");
            assert!(command != ["explain"] || (code == 2 && is_said), "{path}: {code}\n{text}");
        }
        fs::remove_file(&file).unwrap();
        if let Some(before) = before {
            fs::write(&file, before).unwrap();
        }
    }
}

#[test]
fn a_socket_is_no_file() {
    let small = Small::new();
    small.context.remove("apps/web/package.json");
    let _listener = std::os::unix::net::UnixListener::bind(small.context.repo().join("apps/web/package.json")).unwrap();
    let output = run(&mut small.context.splitter(&["scan"]));
    assert!(output.starts_with("exit: 2\n"), "{output}");
    assert!(
        output.contains("could not read `apps/web/package.json`: expected a regular file, found a socket"),
        "{output}"
    );
}

/// Returns a path of the repository whose last part has these bytes.
fn named(context: &TestContext, folder: &str, name: &[u8]) -> std::path::PathBuf {
    context.repo().join(folder).into_std_path_buf().join(std::ffi::OsStr::from_bytes(name))
}

#[test]
fn a_workspace_whose_folder_cannot_be_named_is_an_error() {
    for name in [b"a\nb".as_slice(), b"a\xffb"] {
        let small = Small::new();
        small.init();
        let folder = named(&small.context, "apps", name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("package.json"), r#"{ "name": "odd" }"#).unwrap();
        for command in COMMANDS {
            let output = run(&mut small.context.splitter(command));
            assert!(output.starts_with("exit: 2\n"), "{command:?}: {output}");
            assert!(output.contains("is not UTF-8, or has a control character"), "{command:?}: {output}");
        }
    }
}

#[test]
fn a_source_whose_name_cannot_be_written_counts() {
    for name in [b"a\nb.ts".as_slice(), b"a\xffb.ts"] {
        let small = Small::new();
        let context = &small.context;
        let file = named(context, "apps/web", name);
        fs::write(&file, "1").unwrap();
        let added = context.command("git").args(["add", "--all"]).output().unwrap();
        assert!(added.status.success(), "{added:?}");
        small.init();
        let context = &small.context;
        let before = succeed(&mut context.splitter(&["explain"]));
        fs::write(&file, "2").unwrap();
        let after = succeed(&mut context.splitter(&["explain"]));
        assert!(after.contains("web") && after != before, "{after}");
        succeed(&mut context.splitter(&["check"]));
        let output = run(&mut context.splitter(&["scan"]));
        assert!(output.starts_with("exit: 2\n") && output.contains("is not UTF-8, or has a control"), "{output}");
    }
}

#[test]
fn texts_that_are_not_utf8_are_named_with_their_place() {
    let small = Small::new();
    let context = &small.context;
    for path in ["package.json", "apps/web/package.json", "bun.lock", ".npmrc", "bunfig.toml", "splitter.json"] {
        let before = fs::read(context.repo().join(path)).ok();
        context.write(path, b"{}\n\xff");
        for command in [["scan"], ["init"]] {
            let output = run(&mut context.splitter(&command));
            assert!(output.starts_with("exit: 2\n"), "{path}, {command:?}: {output}");
            assert!(output.contains(&format!("at {path}:2:1")), "{path}, {command:?}: {output}");
        }
        match before {
            Some(before) => context.write(path, before),
            None => context.remove(path),
        }
    }
}

/// An edit of a manifest.
type Change<'a> = &'a dyn Fn(&mut serde_json::Value);

/// File systems refuse names over 255 bytes, so the repository only asks for them.
#[test]
fn names_over_255_bytes_are_an_error_or_no_matter() {
    let long = "n".repeat(300);
    let small = Small::new();
    let context = &small.context;
    let before = context.read("package.json");
    let edits: [(&str, Change<'_>); 4] = [
        ("package.json", &|manifest| {
            manifest["workspaces"] = serde_json::json!(["apps/*", "packages/*", format!("apps/{long}")]);
        }),
        ("package.json", &|manifest| manifest["patchedDependencies"]["alpha@1.0.0"] = format!("patches/{long}").into()),
        ("apps/web/package.json", &|manifest| manifest["name"] = long.clone().into()),
        ("apps/web/package.json", &|manifest| manifest["scripts"]["start"] = format!("bun {long}/{long}.js").into()),
    ];
    for (number, (path, edit)) in edits.iter().enumerate() {
        let old = context.read(path);
        context.edit_manifest(path, |manifest| edit(manifest));
        for command in [&["scan"][..], &["graph"], &["explain"], &["init"]] {
            let output = run(&mut context.splitter(command));
            let code = output.lines().next().unwrap();
            assert!(["exit: 0", "exit: 2", "exit: 3"].contains(&code), "{number}, {command:?}: {output}");
            assert!(code == "exit: 0" || output.contains(&long), "{number}, {command:?}: {output}");
        }
        context.write(path, old);
        let _ = fs::remove_dir_all(context.repo().join("nix"));
    }
    assert_eq!(context.read("package.json"), before);
}
