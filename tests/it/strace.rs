//! How traces read strace: `tools/strace.mjs` and `tools/trace.mjs` on the output of the real strace, which is kept in
//! `support/trace/strace.txt`. `support/trace/build.sh` is the script that was traced, in `/build/source/app`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    TestContext, succeed,
    tools::{self, skip},
};

const OUTPUT: &str = include_str!("support/trace/strace.txt");

/// Reads lines of strace in Node with the program of the builds. `links` are the links below the root.
fn note(output: &str, links: &Value) -> Option<Value> {
    if tools::program("node").is_none() {
        return skip("no node");
    }
    let context = TestContext::new();
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/nix-templates/tools");
    context.write("lines.txt", output);
    let program = format!(
        "import {{ readFileSync }} from 'node:fs';\nimport {{ Files }} from '{tools}/trace.mjs';\n\
         import {{ Trace }} from '{tools}/strace.mjs';\nconst links = {links};\n\
         const files = new Files('/build/source', (path) => links[path.slice('/build/source/'.length)]);\n\
         const trace = new Trace('/build/source/app', (...happened) => files.happened(...happened));\n\
         for (const line of readFileSync('lines.txt', 'utf8').split('\\n')) trace.line(line);\n\
         console.log(JSON.stringify(files.note(() => false)));\n"
    );
    context.write("read.mjs", program);
    Some(serde_json::from_str(&succeed(context.command("node").arg("read.mjs"))).unwrap())
}

/// Returns the lists of a note that are not empty, each on a line.
fn lists(note: &Value) -> String {
    let lists: BTreeMap<&str, Vec<&str>> = note
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, paths)| {
            (name.as_str(), paths.as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect())
        })
        .collect();
    let line = |(name, paths): (&&str, &Vec<&str>)| format!("{name}: {}", paths.join(", "));
    lists.iter().filter(|(_, paths)| !paths.is_empty()).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_note_tells_what_was_read_from_what_was_missing() {
    let links = json!({ "app/src/shared": "../../shared", "node_modules/lib": "../lib" });
    let Some(note) = note(OUTPUT, &links) else { return };
    insta::assert_snapshot!(lists(&note), @r#"
    listed: app/dist/deep, app/src, shared
    made: app/dist/late
    missing: app/asked, app/src/gone, by-child, by-dots, lib/missing.js, nope/x.txt, outside.txt, s.txt, shared/by-pool0, shared/by-pool1, shared/by-pool2, shared/by-worker, shared/pool0, shared/pool1, shared/pool2, shared/pool3
    packages: app/node_modules/@scope/absent, node_modules/absent
    read: app/build.sh, app/src/a.txt, app/src/b.txt, app/src/café "q>.txt, app/src/shared, lib/index.js, shared/s.txt
    seen: , app
    "#);
}

#[test]
fn calls_may_be_cut_and_processes_start_in_any_order() {
    let lines = r#"
1  vfork( <unfinished ...>
2  chdir("sub") = 0
2  access("a", F_OK) = -1 ENOENT (No such file or directory)
2  execve("./run.sh", ["./run.sh"], 0x1 /* 3 vars */ <unfinished ...>
1  <... vfork resumed>) = 2
2  <... execve resumed>) = 0
1  access("b", F_OK) = -1 ENOENT (No such file or directory)
1  clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 3
3  fchdir(4</build/source/lib>) = 0
3  open("c", O_RDONLY <unfinished ...>
1  access("d", F_OK <unfinished ...>
3  <... open resumed>) = 5</build/source/lib/c>
1  <... access resumed>) = -1 ENOTDIR (Not a directory)
1  openat2(AT_FDCWD</build/source/app>, "e", {flags=O_RDWR|O_CREAT, mode=0644, resolve=0}, 24) = 3</build/source/app/e>
1  openat(AT_FDCWD</build/source/app>, "made", O_RDONLY) = -1 ENOENT (No such file or directory)
1  openat(AT_FDCWD</build/source/app>, "made.tmp", O_WRONLY|O_CREAT|O_EXCL, 0644) = 3</build/source/app/made.tmp>
1  rename("made.tmp", "made") = 0
1  openat(AT_FDCWD</build/source/app>, "made", O_RDONLY) = 3</build/source/app/made>
1  symlink("nowhere", "exists") = -1 EEXIST (File exists)
1  unlink("gone") = 0
1  stat("gone", 0x1) = -1 ENOENT (No such file or directory)
1  stat("../../../outside", 0x1) = -1 ENOENT (No such file or directory)
1  openat(AT_FDCWD</build/source/app>, "cut
--- SIGCHLD {si_signo=SIGCHLD} ---
1  +++ exited with 0 +++
2  <... write resumed>) = 1
"#;
    let Some(note) = note(lines, &json!({})) else { return };
    insta::assert_snapshot!(lists(&note), @"
    made: app/made
    missing: app/b, app/d, app/sub/a
    read: app/e, app/sub/run.sh, lib/c
    seen: app/exists, app/gone, app/sub
    ");
}
