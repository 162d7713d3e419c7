//! Settings that make builds differ between machines, or let builds and users do more than they should.

use super::{BUILD_DIR, DANGEROUS, Facts, SANDBOX};
use crate::{
    doctor::model::{Entry, Finding},
    machine::Family,
    nix::{installed::Installed, settings::Settings},
};

/// The permission that lets everyone write.
const OTHERS_WRITE: u32 = 0o002;

pub(super) fn check(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = sandbox(settings, nix, facts).into_iter().collect();
    entries.extend(build_dir(facts));
    entries.extend(dangerous(settings, nix, facts));
    entries
}

fn sandbox(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Option<Entry> {
    const WHY: &str = "Builds see the network, the programs and the files of this machine. They work here and fail in CI, or give \
                       other results that are then shared through caches.";
    let written =
        settings.string("sandbox").or(settings.flag("sandbox").map(|on| if on { "true" } else { "false" }))?;
    if nix.ignores("sandbox") {
        return Some(SANDBOX.unknown("the daemon ignores the setting of this user, and does not say what it uses"));
    }
    let is_mac = facts.computer.operating_system.family == Family::MacOs;
    if written == "true" {
        let is_local = nix.store.as_ref().is_ok_and(|store| store.url == "local");
        // With a daemon, what this process may do says nothing about what the daemon may do.
        if is_local && facts.namespaces == Some(false) && settings.flag("sandbox-fallback") == Some(true) {
            let finding = Finding::problem(
                76,
                "Nix builds without the sandbox, because this machine refuses it",
                format!(
                    "The setting `sandbox` is on, but namespaces are not allowed here, and `sandbox-fallback` lets Nix build all the same. {WHY}"
                ),
            );
            let finding = if facts.computer.kind.container.holds() {
                finding.so("start the container with `--privileged`, or with `--cap-add SYS_ADMIN --security-opt seccomp=unconfined`")
            } else {
                finding.so("allow user namespaces: `sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`")
            };
            return Some(SANDBOX.found(finding));
        }
        return Some(SANDBOX.fine("builds run in the sandbox"));
    }
    let what = format!(
        "the sandbox is {}: `sandbox = {written}`{}",
        if written == "false" { "off" } else { "open" },
        facts.in_file("sandbox")
    );
    let set = facts.to_set("sandbox", "true");
    Some(SANDBOX.found(match (written, is_mac) {
        // It is the default there.
        ("false", true) => Finding::advice(35, "the sandbox is off, as it is by default on macOS", WHY).so(set),
        ("false", false) => Finding::problem(76, what, WHY).so(set),
        _ => Finding::advice(44, what, "Derivations that ask for it (`__noChroot`) build without the sandbox. Machines with the default setting refuse them.").so(set),
    }))
}

fn build_dir(facts: &Facts<'_>) -> Option<Entry> {
    let (folder, mode) = facts.build_dir.as_ref()?;
    if mode & OTHERS_WRITE == 0 {
        return Some(BUILD_DIR.fine(format!("only Nix writes to {}", folder.display())));
    }
    let finding = Finding::problem(
        65,
        format!("every user of this machine can write to the folder of builds, {}", folder.display()),
        "A user or a build can change what another build makes, and leave the sandbox.",
    );
    let finding = match facts.written("build-dir") {
        Some(at) => finding.so(format!("remove `build-dir` from {at}: Nix then uses a folder of its own")),
        None => finding.run(format!("sudo chmod 755 {}", folder.display())),
    };
    Some(BUILD_DIR.found(finding))
}

fn dangerous(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut add = |finding: Finding| found.push(DANGEROUS.found(finding));
    if settings.flag("require-sigs") == Some(false) && !nix.ignores("require-sigs") {
        let what = format!(
            "Nix takes unsigned paths from every cache: `require-sigs = false`{}",
            facts.in_file("require-sigs")
        );
        let why = "Someone who controls a cache, or the way to it, can put any program on this machine.";
        add(Finding::problem(68, what, why).so(facts.to_set("require-sigs", "true")));
    }
    if settings.flag("accept-flake-config") == Some(true) {
        let what = format!(
            "every flake may change the settings of Nix: `accept-flake-config`{}",
            facts.in_file("accept-flake-config")
        );
        let why =
            "A flake, also one of a pull request, can name a cache and a key. Nix then takes any program from there.";
        add(Finding::problem(67, what, why).so(facts.to_set("accept-flake-config", "false")));
    }
    if settings.words("trusted-users").contains(&"*") {
        let what = format!(
            "every user of this machine has the rights of root through Nix: `trusted-users = *`{}",
            facts.in_file("trusted-users")
        );
        let why = "A trusted user can make Nix run anything as root. Caches for everyone go into the system's settings instead.";
        add(Finding::problem(66, what, why).so(facts.to_set("trusted-users", "root")));
    }
    if found.is_empty() {
        found.push(DANGEROUS.fine("no setting gives away more than the defaults"));
    }
    found
}
