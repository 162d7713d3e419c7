//! `splitter lint`: the command, its formats, and what splitter itself writes.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;
use splitter::lint::{self, Choices, Context, File, rules::RULES};

use crate::{
    ci,
    support::{TestContext, splitter_snapshot, succeed},
};

const FLAKE: &str = "{\n  inputs.nixpkgs.url = \"github:NixOS/nixpkgs/nixos-26.05\";\n  outputs = { nixpkgs, ... }: {\n    web = f { hash = nixpkgs.lib.fakeHash; };\n  };\n}\n";

/// Returns the findings in a format that is JSON.
fn report(context: &TestContext, format: &str) -> Value {
    let output = context.splitter(&["lint", "--format", format]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn files_that_no_rule_can_read_are_named() {
    let context = TestContext::new();
    context.write("flake.nix", "{ outputs = ");
    context.write("flake.lock", "");
    context.write(".github/workflows/ci.yml", "jobs:\n  a: {\n");
    context.write("Dockerfile", [0xff, 0xfe, 0x00]);
    context.write("other.txt", "text\n");
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 0
    ----- stdout
    no findings in 0 files; 4 files not checked
    ----- stderr
    warning: .github/workflows/ci.yml: not checked, because it is not YAML
    warning: Dockerfile: not checked, because it is not text in UTF-8
    warning: flake.lock: not checked, because it is not JSON
    warning: flake.nix: not checked, because it is not Nix, or nests too deeply
    ");
    assert_eq!(report(&context, "json")["unread"].as_array().unwrap().len(), 4);
    splitter_snapshot!(context, context.splitter(&["lint", "other.txt"]), @"
    exit: 0
    ----- stdout
    no findings in 0 files; 1 file not checked
    ----- stderr
    warning: other.txt: not checked, because it has nothing that a rule reads, or git ignores it
    ");
}

#[test]
fn findings_are_printed_with_their_remedies() {
    let context = TestContext::new();
    context.write("flake.nix", FLAKE);
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 1
    ----- stdout
    flake.nix:2:3: error: there is no `flake.lock` [missing-lock]
      Without a `flake.lock` in git, everyone builds with other versions of the inputs, and the caches have none of them.
      Run `nix flake lock`, and add `flake.lock` to git.
    flake.nix:4:22: error: `hash` is a placeholder [fake-hash]
      A placeholder for a hash is left, so this never builds.
      Build it once, and put the hash that Nix prints in its place.
    2 errors in 1 file
    `splitter lint --explain missing-lock` says more about a rule
    ----- stderr
    ");
    splitter_snapshot!(context, context.splitter(&["lint", "--format", "github"]), @"
    exit: 1
    ----- stdout
    flake.nix:2:3: error: there is no `flake.lock` [missing-lock]
      Without a `flake.lock` in git, everyone builds with other versions of the inputs, and the caches have none of them.
      Run `nix flake lock`, and add `flake.lock` to git.
    flake.nix:4:22: error: `hash` is a placeholder [fake-hash]
      A placeholder for a hash is left, so this never builds.
      Build it once, and put the hash that Nix prints in its place.
    2 errors in 1 file
    `splitter lint --explain missing-lock` says more about a rule
    ::error file=flake.nix,line=2,col=3,endLine=2,endColumn=21,title=splitter/missing-lock::there is no `flake.lock`. Without a `flake.lock` in git, everyone builds with other versions of the inputs, and the caches have none of them. Run `nix flake lock`, and add `flake.lock` to git.
    ::error file=flake.nix,line=4,col=22,endLine=4,endColumn=42,title=splitter/fake-hash::`hash` is a placeholder. A placeholder for a hash is left, so this never builds. Build it once, and put the hash that Nix prints in its place.
    ----- stderr
    ");
    context.write("flake.lock", "{}");
    context.write("nested/a.nix", "{ }");
    splitter_snapshot!(context, context.splitter(&["lint", "nested"]), @"
    exit: 0
    ----- stdout
    clean: no findings in 1 file
    ----- stderr
    ");
    splitter_snapshot!(context, context.splitter(&["lint", "../outside"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: `../outside` does not exist
    ");
}

#[test]
fn a_comment_and_splitter_json_allow_findings() {
    let context = TestContext::new();
    context.write("a.nix", "{\n  # splitter-lint: allow fake-hash — the first build tells it\n  hash = lib.fakeHash;\n  b.hash = \"\"; # splitter-lint: allow no-such-rule\n}\n");
    context.write("old/b.nix", "{ hash = lib.fakeHash; c.__noChroot = true; }\n");
    context.write("skipped/c.nix", "{ hash = lib.fakeHash; }\n");
    context.write(
        "splitter.json",
        r#"{ "lint": { "ignore": ["skipped"], "rules": { "fake-hash": { "level": "warning", "allow": ["old/**"] }, "no-chroot": "off" } } }"#,
    );
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 1
    ----- stdout
    a.nix:4:12: warning: `hash` is a placeholder [fake-hash]
      A placeholder for a hash is left, so this never builds.
      Build it once, and put the hash that Nix prints in its place.
    1 warning in 3 files
    `splitter lint --explain fake-hash` says more about a rule
    ----- stderr
    warning: a.nix:4: a comment allows `no-such-rule`, which is no rule
    ");
    context.write("splitter.json", r#"{ "lint": { "rules": { "fake-hahs": "off" } } }"#);
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: no rule `fake-hahs`
      at splitter.json:1:24
    hint: did you mean `fake-hash`?
    ");
}

#[test]
fn fix_changes_what_needs_no_person() {
    let context = TestContext::new();
    context.write("nix.conf", "max-job = 4\nparallel-builds = 2\n");
    splitter_snapshot!(context, context.splitter(&["lint", "--fix"]), @"
    exit: 1
    ----- stdout
    nix.conf:2:1: error: no Nix has the setting `parallel-builds` [unknown-setting]
      Nix ignores a setting that it does not know, and a NixOS or nix-darwin configuration with one does not build.
      `max-jobs` sets how many builds run at once.
    1 error in 1 file
    `splitter lint --explain unknown-setting` says more about a rule
    ----- stderr
    nix.conf:1: Write `max-jobs`.
    changed 1 file
    ");
    assert_eq!(context.read("nix.conf"), "max-jobs = 4\nparallel-builds = 2\n");
}

#[test]
fn json_and_sarif_name_rule_and_place() {
    let context = TestContext::new();
    context.write("a.nix", "{\n  hash = lib.fakeHash;\n}\n");
    let json: Value = report(&context, "json");
    let finding = &json["findings"][0];
    assert_eq!((&finding["rule"], &finding["level"]), (&"splitter/fake-hash".into(), &"error".into()));
    assert_eq!((&finding["start"]["line"], &finding["start"]["column"]), (&2.into(), &10.into()));
    let sarif: Value = report(&context, "sarif");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), RULES.len());
    assert_eq!(
        run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"],
        "splitter/fake-hash"
    );
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn files_that_git_ignores_are_not_read() {
    let context = TestContext::new();
    context.git_init();
    context.write("flake.nix", FLAKE.replace("nixpkgs.lib.fakeHash", "x"));
    context.write("flake.lock", "{}");
    context.write("build/a.nix", "{ hash = \"\"; }");
    context.write(".gitignore", "build\nflake.lock\n");
    let json = report(&context, "json");
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!(json["findings"][0]["message"], "git ignores `flake.lock`");
}

#[test]
fn a_rule_is_explained_by_the_program() {
    let context = TestContext::new();
    let output = succeed(&mut context.splitter(&["lint", "--explain", "splitter/fake-hash"]));
    assert!(output.starts_with("# fake-hash\n\nLevel: error.") && output.contains("## Not found"), "{output}");
    splitter_snapshot!(context, context.splitter(&["lint", "--explain", "fake-hsh"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: no rule `fake-hsh`
    hint: did you mean `fake-hash`?
    ");
    splitter_snapshot!(context, context.splitter(&["lint", "--explain", "fake-hash", "flake.nix"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the argument '--explain <RULE>' cannot be used with '[PATH]...'

    Usage: splitter lint --explain <RULE> [PATH]...

    For more information, try '--help'.
    ");
}

#[test]
fn choices_without_effect_are_named() {
    let context = TestContext::new();
    context.write(
        "a.nix",
        "# splitter-lint: allow\n{ hash = lib.fakeHash; # splitter-lint: ignore fake-hash\n  x = 1; # splitter-lint: allow nothing\n}\n",
    );
    context.write(
        "splitter.json",
        "{ \"lint\": { \"ignore\": [\"old\", \"*.nix\"], \"rules\": { \"fake-hash\": { \"allow\": [\"legacy/**\"] } } } }",
    );
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 0
    ----- stdout
    clean: no findings in 1 file
    ----- stderr
    warning: a.nix:1: a comment allows no rule by name: write `splitter-lint: allow RULE`
    warning: a.nix:2: a comment says `splitter-lint: ignore`, and only `splitter-lint: allow RULE` has an effect
    warning: a.nix:3: a comment allows `nothing`, which is no rule
    warning: splitter.json: `old` in `lint.ignore` matches no file
    warning: splitter.json: `legacy/**` in `lint.rules.fake-hash.allow` matches no file
    ");
}

#[test]
fn settings_that_are_a_folder_are_an_error() {
    let context = TestContext::new();
    context.write("splitter.json/a", "");
    splitter_snapshot!(context, context.splitter(&["lint"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: `[REPO]/splitter.json` is no file
    hint: remove it, or write the settings into a file of this name
    ");
}

/// With git and without, a file with an odd name is named and does not stop the others.
#[cfg(unix)]
#[test]
fn files_with_odd_names_are_named() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    for has_git in [false, true] {
        let context = TestContext::new();
        if has_git {
            context.git_init();
        }
        context.write("a.nix", "{ hash = lib.fakeHash; }\n");
        for name in [&b"b\n.nix"[..], b"c\xff.nix", b"d\xff.txt"] {
            if fs::write(context.repo().as_std_path().join(OsStr::from_bytes(name)), "{ }").is_err() {
                return; // macOS refuses names that are not UTF-8.
            }
        }
        let json = report(&context, "json");
        let unread: Vec<&str> =
            json["unread"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert_eq!(unread, ["b\n.nix", "c\u{fffd}.nix"], "{has_git}: {json:#}");
        assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn fixes_say_what_they_change() {
    let context = TestContext::new();
    context.write("nix.conf", "max-jobs=3\nbinary-caches = https://cache.nixos.org\n");
    context.write(
        ".github/workflows/ci.yml",
        "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/cachix-action@v15 # v15.1\n      - { uses: cachix/cachix-action@v15, with: { name: a } }\n",
    );
    splitter_snapshot!(context, context.splitter(&["lint", "--fix"]), @"
    exit: 1
    ----- stdout
    .github/workflows/ci.yml:6:17: warning: `cachix/cachix-action` v15 runs on Node.js 20 or older, which GitHub's runners no longer have [dated-action]
      This version of the action brings an old Nix, or runs on a Node.js that the runners no longer have.
      Write `cachix/cachix-action@1eb2ef646ac0255473d23a5907ad7b04ce94065c # v17` instead of v15. The major version changes: read the release notes. `--fix` leaves a line that goes on behind the action, or whose comment says more about a version.
    1 warning in 2 files
    `splitter lint --explain dated-action` says more about a rule
    ----- stderr
    .github/workflows/ci.yml:5: Pin cachix/cachix-action v17 instead of v15. The major version changes: read the release notes
    nix.conf:1: Write `max-jobs = 3`.
    changed 2 files
    ");
    assert_eq!(context.read("nix.conf"), "max-jobs = 3\nbinary-caches = https://cache.nixos.org\n");
    assert!(context.read(".github/workflows/ci.yml").contains("@1eb2ef646ac0255473d23a5907ad7b04ce94065c # v17\n"));
}

/// The real Nix stops at the lines that `broken-setting` names, and has the aliases that `renamed-setting` names.
#[test]
fn nix_says_the_same_of_settings() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let show = |text: &str| {
        context.write("nix.conf", text);
        let mut command =
            nix.command(&context, &["--extra-experimental-features", "nix-command", "config", "show", "--json"]);
        command.env("NIX_CONF_DIR", context.repo()).output().unwrap()
    };
    for line in ["max-jobs 3", "max-jobs=3", "max-jobs"] {
        let output = show(&format!("{line}\n"));
        assert!(String::from_utf8_lossy(&output.stderr).contains("syntax error in configuration line"), "{line}");
        assert_eq!(report(&context, "json")["findings"][0]["rule"], "splitter/broken-setting", "{line}");
    }
    let settings: Value = serde_json::from_slice(&show("").stdout).unwrap();
    let aliases = settings.as_object().unwrap().values().flat_map(|setting| setting["aliases"].as_array().unwrap());
    let lines: Vec<String> = aliases.map(|alias| format!("{} = 1\n", alias.as_str().unwrap())).collect();
    assert!(lines.len() > 10);
    context.write("nix.conf", lines.concat());
    let output = context.splitter(&["lint", "--pedantic", "--format", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let renamed = json["findings"].as_array().unwrap().iter().filter(|one| one["rule"] == "splitter/renamed-setting");
    assert_eq!(renamed.count(), lines.len(), "{json:#}");
}

/// Everything that splitter writes, as files of a repository.
fn own_files() -> Vec<(String, String)> {
    let project = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![project.join("nix-templates"), project.join("templates"), project.join("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path: Utf8PathBuf = entry.unwrap().into_path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                // In a repository they are below `nix/splitter`, where nothing is read, and they say that they are generated.
                let text = text.replace("Generated by splitter: do not edit.", "").replace("@release@", "26.05");
                found.push((path.strip_prefix(project).unwrap().as_str().replace("templates", "written"), text));
            }
        }
    }
    for name in ["flake.nix", "package.nix"] {
        found.push((name.to_owned(), fs::read_to_string(project.join(name)).unwrap()));
    }
    found.push(("flake.lock".to_owned(), "{}".to_owned()));
    let mut number = 0;
    for choice in ci::CHOICES {
        let own = ci::repository();
        ci::init(&own, choice.options);
        for path in ci::paths(&own) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            number += 1;
            let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let name =
                if name == ".gitlab-ci.yml" { format!("{number}.gitlab-ci.yml") } else { format!("{number}-{name}") };
            found.push((format!("{folder}{name}"), own.read(&path)));
        }
    }
    found
}

#[test]
fn what_splitter_writes_is_clean() {
    let owned = own_files();
    let files: Vec<File<'_>> =
        owned.iter().filter_map(|(path, text)| Some(File { path, kind: lint::kind_of(path)?, text })).collect();
    let mut paths: Vec<String> = owned.iter().map(|(path, _)| path.clone()).collect();
    paths.sort();
    assert!(files.len() > 60, "{}", files.len());
    let context = Context { paths: &paths, ignored_locks: &[], files: &files, now: 1_796_000_000 };
    let findings = lint::lint(&context, &Choices { is_pedantic: true, ..Choices::default() }).findings;
    let shown: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}:{}: {}: {}", finding.path, finding.start.line, finding.rule.name, finding.message))
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
}

/// `SPLITTER_WRITE_DOCS=1` writes the pages instead of comparing them.
#[test]
fn each_rule_has_its_page() {
    let docs = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let is_written = std::env::var_os("SPLITTER_WRITE_DOCS").is_some();
    let compare = |path: &Utf8Path, expected: &str| {
        if is_written {
            fs::write(path, expected).unwrap();
        }
        let found = fs::read_to_string(path).unwrap_or_default();
        assert!(found == expected, "{path} is not what the rules say; run this test with SPLITTER_WRITE_DOCS=1");
    };
    for rule in RULES {
        compare(&docs.join(format!("lint/{}.md", rule.name)), &lint::page(rule));
    }
    let overview = docs.join("lint.md");
    let text = fs::read_to_string(&overview).unwrap();
    let (before, rest) = text.split_once("<!-- rules -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of rules -->\n").unwrap();
    compare(&overview, &format!("{before}<!-- rules -->\n{}<!-- end of rules -->\n{after}", lint::overview()));
    let pages = fs::read_dir(docs.join("lint")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let expected: BTreeSet<String> = RULES.iter().map(|rule| format!("{}.md", rule.name)).collect();
    assert_eq!(pages.collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_folder_without_git_and_lockfile_is_clean_if_it_is_empty() {
    let context = TestContext::new();
    let output = succeed(&mut context.splitter(&["lint"]));
    assert_eq!(output, "clean: no findings in 0 files");
}
