//! What is read from the scripts that start workspaces.

use super::*;
use crate::repo::MemoryTree;

fn found_with(scripts: &[(&str, &str)], manager: ManagerName) -> Start {
    let scripts: serde_json::Map<_, _> =
        scripts.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
    let text = serde_json::json!({ "scripts": scripts }).to_string();
    let manifest = Manifest::parse("package.json", &text).unwrap();
    let tree = MemoryTree::new(["main.js", "pre.js", "src/x.ts", "my file.js"].map(|file| (file, "")));
    find(&tree, &RepoPath::root(), &manifest, manager).unwrap()
}

fn found(scripts: &[(&str, &str)]) -> String {
    match found_with(scripts, ManagerName::Bun) {
        Start::Nothing => "nothing".to_owned(),
        Start::Program(program) => match program.entry {
            Entry::File(file) | Entry::Bin(file) => file,
        },
        Start::Unclear(Unclear { script, part, file, .. }) => format!("{script}: {part} ({file}?)"),
    }
}

#[test]
fn a_script_that_runs_one_file_is_understood() {
    for script in [
        "node main.js",
        "node ./main.js",
        "bun main.js",
        "bun run main.js;",
        "bun --hot run ./main.js",
        "tsx watch main.js",
        "exec node main.js",
        "yarn node main.js",
        "npx tsx main.js",
        "node --watch 'main.js'",
        "/usr/bin/node main.js",
    ] {
        assert_eq!(found(&[("start", script)]), "main.js", "{script}");
    }
    assert_eq!(found(&[("start", "node 'my file.js'")]), "my file.js");
}

#[test]
fn a_script_that_is_only_a_file_is_unclear() {
    assert_eq!(found(&[("start", "src/x.ts")]), "start: src/x.ts (src/x.ts?)");
    assert_eq!(found(&[("start", "NODE_ENV=production ./main.js")]), "start: ./main.js (main.js?)");
    assert_eq!(found(&[("start", "missing.js")]), "nothing");
}

#[test]
fn options_arguments_and_variables_are_kept_and_files_are_placed() {
    for (script, shown) in [
        ("node --import ./pre.js main.js", "node --import ./pre.js main.js"),
        ("node -r pre.js main.js", "node -r ./pre.js main.js"),
        ("node -r dotenv/config main.js", "node -r {resolve:dotenv/config} main.js"),
        ("bun --preload ./pre.js main.js", "bun --preload ./pre.js main.js"),
        ("bun run --smol main.js", "bun --smol main.js"),
        ("node --env-file=.env main.js", "node --env-file=.env main.js"),
        ("node --env-file=pre.js main.js", "node --env-file=./pre.js main.js"),
        ("NODE_ENV=production node main.js", "NODE_ENV=production node main.js"),
        ("cross-env A=b node main.js", "A=b node main.js"),
        ("node main.js --port 1", "node main.js --port 1"),
        ("node main.js --config ./pre.js", "node main.js --config ./pre.js"),
    ] {
        let Start::Program(program) = found_with(&[("start", script)], ManagerName::Bun) else {
            panic!("{script}: no program")
        };
        assert_eq!(program.shown(), shown, "{script}");
    }
}

#[test]
fn what_is_not_understood_is_named_with_the_likeliest_file() {
    for (script, part) in [
        ("NODE_OPTIONS='--import ./pre.js' node main.js", "NODE_OPTIONS=--import ./pre.js"),
        ("dotenv -- node main.js", "dotenv"),
        ("nodemon --exec bun main.js", "nodemon"),
        ("node main.js && node pre.js", "&&"),
        ("node main.js & node pre.js", "&"),
        ("node main.js; node pre.js", ";"),
        ("node main.js | pino-pretty", "|"),
        ("node main.js > log.txt", ">"),
        ("node main.js 2>&1", "2>&1"),
        ("node main.js $ARGS", "$ARGS"),
        ("node main.js `cat args`", "`cat"),
        ("set NODE_ENV=production&& node main.js", "NODE_ENV=production&&"),
        ("PORT=%PORT% node main.js", "PORT=%PORT%"),
    ] {
        assert_eq!(found(&[("start", script)]), format!("start: {part} (main.js?)"), "{script}");
    }
}

#[test]
fn what_was_built_is_started_by_the_likeliest_script() {
    let built = |scripts: &[(&str, &str)], dependency: &str| {
        let scripts: serde_json::Map<_, _> =
            scripts.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
        let text = serde_json::json!({ "scripts": scripts, "dependencies": { dependency: "1" } }).to_string();
        let manifest = Manifest::parse("package.json", &text).unwrap();
        let tree = MemoryTree::new([("server.js", "")]);
        let outputs = ["dist".to_owned()];
        match find_built(&tree, &RepoPath::root(), &manifest, ManagerName::YarnBerry, &outputs).unwrap() {
            Start::Program(program) => program.shown(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(built(&[("start", "nest start"), ("start:prod", "node dist/main")], "x"), "node dist/main.js");
    assert_eq!(built(&[("start", "node ./dist/index.mjs")], "x"), "node dist/index.mjs");
    assert_eq!(built(&[("start", "node server.js")], "x"), "node server.js");
    assert_eq!(built(&[("start", "next start -p 80")], "next"), "next start -p 80");
    assert_eq!(built(&[("start", "next start -p 80")], "x"), "Nothing");
    assert_eq!(built(&[("start", "node dist")], "x"), "node dist/index.js");
    assert_eq!(built(&[("start", "node lib/x.js")], "x"), "Nothing");
}

#[test]
fn a_script_that_runs_no_source_starts_nothing() {
    for script in [
        "next start",
        "expo start",
        "node dist/main.js",
        "node --enable-source-maps dist/main.js",
        "bun build src/x.ts --outdir dist && node dist/x.js",
        "bun test src/x.ts",
        "node ../main.js",
        "node src\\\\x.js",
        "yarn start",
        "yarn other",
        "",
    ] {
        assert_eq!(found(&[("start", script)]), "nothing", "{script}");
    }
}

#[test]
fn scripts_that_only_run_another_are_followed() {
    assert_eq!(found(&[("start", "yarn serve"), ("serve", "bun run go"), ("go", "node main.js")]), "main.js");
    assert_eq!(found(&[("start", "npm run go"), ("go", "A=b node main.js")]), "main.js");
    assert_eq!(found(&[("start", "bun run dev"), ("dev", "A=b bun --watch main.js")]), "main.js");
}

#[test]
fn a_dev_script_counts_where_no_other_starts() {
    let dev = ("dev", "TZ=UTC bun run --hot src/x.ts");
    assert_eq!(found(&[dev]), "src/x.ts");
    assert_eq!(found(&[dev, ("start", "echo none")]), "src/x.ts");
    assert_eq!(found(&[dev, ("start", "pm2-runtime ecosystem.json")]), "start: pm2-runtime (src/x.ts?)");
    assert_eq!(found(&[dev, ("start", "node dist/x.js")]), "nothing");
    assert_eq!(found(&[("dev", "bun run src/x.ts import")]), "nothing");
    // What is not understood is no error for a script that was not meant to start a package.
    assert_eq!(found(&[("dev", "bun --watch --preload ./pre.js src/x.ts")]), "nothing");
    assert!(matches!(found_with(&[("dev", "bun --hot src/x.ts --port 1")], ManagerName::Bun), Start::Program(_)));
}

#[test]
fn a_prestart_script_counts_where_the_package_manager_runs_it() {
    let scripts = [("start", "node main.js"), ("prestart", "node pre.js")];
    assert_eq!(found(&scripts), "prestart: node pre.js (main.js?)");
    assert!(matches!(found_with(&scripts, ManagerName::YarnBerry), Start::Program(_)));
    assert_eq!(found(&[("start", "node main.js"), ("prestart", "echo starting")]), "main.js");
}

#[test]
fn node_runs_no_typescript() {
    let found = |script| found_with(&[("start", script)], ManagerName::YarnClassic);
    assert_eq!(found("tsx src/x.ts"), Start::Nothing);
    assert_eq!(found("node --experimental-strip-types src/x.ts"), Start::Nothing);
}
