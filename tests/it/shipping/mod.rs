//! The ways to get splitter: npm packages, archives of a release, the GitHub action, and files that other tools read.

mod action;
mod files;
mod npm;

use std::{process::Command, sync::OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use crate::support::{TestContext, succeed, tools};

/// Returns the path of a file of the project.
fn of_project(path: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Records a skip if this machine has no Node.
#[track_caller]
fn node() -> Option<()> {
    if tools::node_version().is_some() { Some(()) } else { tools::skip("no Node") }
}

/// Returns the program under test without debug information, which is a third of its size.
fn program(context: &TestContext) -> Utf8PathBuf {
    let (built, small) = (env!("CARGO_BIN_EXE_splitter"), context.folder("program"));
    if !Command::new("strip").args(["-o", small.as_str(), built]).status().is_ok_and(|status| status.success()) {
        fs::copy(built, &small).unwrap();
    }
    small
}

/// A file that is made once for all tests, because compressing the program takes seconds.
struct Made {
    name: String,
    bytes: Vec<u8>,
}

/// Runs a script of the project that makes files and prints their paths.
fn made(script: &str, arguments: impl Fn(&TestContext) -> Vec<String>) -> Vec<Made> {
    let context = TestContext::new();
    let mut command = context.command("node");
    let printed = succeed(command.arg(of_project(script)).args(arguments(&context)));
    let read = |path: &Utf8Path| Made { name: path.file_name().unwrap().to_owned(), bytes: fs::read(path).unwrap() };
    printed.lines().map(|line| read(Utf8Path::new(line))).collect()
}

/// Returns the archive of a release for `target`, with the program under test.
fn archive(target: &str) -> &'static Made {
    static ARCHIVE: OnceLock<Vec<Made>> = OnceLock::new();
    let archive = ARCHIVE.get_or_init(|| {
        made(".ci/archive.mjs", |context| {
            vec![target.to_owned(), program(context).into_string(), context.folder("archives").into_string()]
        })
    });
    &archive[0]
}

/// Returns Node's name for this machine.
fn platform() -> &'static str {
    match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
        (true, true) => "darwin-arm64",
        (true, false) => "darwin-x64",
        (false, true) => "linux-arm64",
        (false, false) => "linux-x64",
    }
}

/// Returns the npm packages of a release. Those of other platforms have a small script instead of a program.
fn npm_packages() -> &'static [Made] {
    static PACKAGES: OnceLock<Vec<Made>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let table: Value = serde_json::from_str(include_str!("../../../npm/platforms.json")).unwrap();
        let names: Vec<String> = table.as_object().unwrap().keys().cloned().collect();
        made("npm/pack.mjs", |context| {
            let (own, other) = (program(context), context.folder("other"));
            fs::write(&other, "#!/bin/sh\necho the program of another platform\n").unwrap();
            let of = |name: &String| format!("{name}={}", if name == platform() { &own } else { &other });
            let out = ["--out".to_owned(), context.folder("npm").into_string()];
            out.into_iter().chain(names.iter().map(of)).collect()
        })
    })
}
