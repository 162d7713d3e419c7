//! A workspace's own scripts that package managers run when they install: `postinstall`, `prepare` and the like, and those around
//! a build that nothing runs.
//!
//! An install sees no sources, so it cannot run them. Some make files that a build needs (`svelte-kit sync`), most set up git
//! hooks. `splitter.json` says which run before a build, and `scan` and a failed build name the others.

use super::script::{self, base};
use crate::split::{ManagerName, Manifest};

/// The events of an install, in their order.
const EVENTS: [&str; 7] =
    ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];

/// Scripts around a build. Yarn 2 and later do not run them by themselves, and no other does where there is no `build`: a script
/// of the root does, `yarn workspaces foreach run prebuild`.
const AROUND_BUILDS: [&str; 2] = ["prebuild", "postbuild"];

/// Programs that make nothing for a build. `patch-package` is run by the install itself.
const IDLE: [&str; 21] = [
    "[",
    "cd",
    "corepack",
    "del-cli",
    "echo",
    "exit",
    "fi",
    "git",
    "husky",
    "is-ci",
    "lefthook",
    "only-allow",
    "patch-package",
    "playwright",
    "pre-commit",
    "rimraf",
    "rm",
    "simple-git-hooks",
    "skip-ci",
    "test",
    "true",
];

/// Words that run the program after them.
const RUNNERS: [&str; 16] = [
    "!",
    "bun",
    "bunx",
    "cross-env",
    "dlx",
    "else",
    "exec",
    "if",
    "npm",
    "npx",
    "pnpm",
    "pnpx",
    "run",
    "then",
    "x",
    "yarn",
];

/// The names of a manifest's scripts that a checkout would run, that no build runs, and that may make something for one.
pub(in crate::split) fn names(manifest: &Manifest, manager: ManagerName) -> Vec<String> {
    let build = manifest.scripts.get("build").map(|text| script::expanded(text, manifest));
    // Two names of the same commands do the same, and a name of the build is the build.
    let mut known: Vec<String> = build.into_iter().collect();
    let mut is_one = |name: &&&str| {
        let Some(text) = manifest.scripts.get(**name).filter(|text| !is_idle(text, manifest)) else { return false };
        let commands = script::expanded(text, manifest);
        let is_new = !known.contains(&commands);
        known.push(commands);
        is_new
    };
    let is_run = manifest.scripts.contains_key("build") && manager.manager().runs_pre_scripts();
    let around = AROUND_BUILDS.iter().filter(|_| !is_run);
    EVENTS.iter().chain(around).filter(|name| is_one(name)).map(|name| (*name).to_owned()).collect()
}

fn is_idle(text: &str, manifest: &Manifest) -> bool {
    script::commands(&script::expanded(text, manifest)).iter().all(|words| {
        let program = words.iter().find(|word| !RUNNERS.contains(&word.as_str()) && !word.starts_with('-'));
        program.is_none_or(|program| IDLE.contains(&base(program))) || words.iter().any(|word| word.contains("husky"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scripts: &str) -> Vec<String> {
        found_by(ManagerName::Bun, scripts)
    }

    fn found_by(manager: ManagerName, scripts: &str) -> Vec<String> {
        names(&Manifest::parse("package.json", &format!(r#"{{"scripts": {{{scripts}}}}}"#)).unwrap(), manager)
    }

    #[test]
    fn the_same_commands_count_once() {
        assert_eq!(found(r#""prepare": "node gen.mjs", "prebuild": "node gen.mjs""#), ["prepare"]);
        assert_eq!(found(r#""prepublish": "bun run build", "build": "tsc""#), [""; 0]);
    }

    #[test]
    fn scripts_around_a_build_count_where_nothing_runs_them() {
        let own = r#""prebuild": "node gen.mjs", "postbuild": "rimraf tmp""#;
        assert_eq!(found(own), ["prebuild"]);
        assert_eq!(found(&format!(r#"{own}, "build": "tsc""#)), [""; 0]);
        assert_eq!(found_by(ManagerName::YarnBerry, &format!(r#"{own}, "build": "tsc""#)), ["prebuild"]);
    }

    #[test]
    fn scripts_that_may_make_something_are_named_in_their_order() {
        for script in ["svelte-kit sync", "nuxt prepare", "panda codegen", "prisma generate", "node scripts/patch.js"] {
            assert_eq!(found(&format!(r#""prepare": "husky && {script}""#)), ["prepare"], "{script}");
        }
        assert_eq!(
            found(r#""prepare": "tsc", "postinstall": "yarn generate", "generate": "prisma generate", "build": "x""#),
            ["postinstall", "prepare"]
        );
    }

    #[test]
    fn scripts_that_set_up_git_hooks_or_say_something_are_not() {
        for script in [
            "husky",
            "husky install || true",
            "node .husky/install.mjs",
            "cd ../.. && husky install",
            "if [ -d .git ]; then husky; fi",
            "npm run hooks",
            "patch-package && husky",
            "test -d patches && patch-package --error-on-fail; lefthook install -f",
            "is-ci || husky",
            "npx lefthook install",
            "bunx simple-git-hooks",
            "npx only-allow bun",
            "patch-package",
            "git config core.hooksPath .githooks",
            "echo done",
            "yarn dlx playwright install",
            "",
        ] {
            let scripts = format!(r#""prepare": "{script}", "postinstall": "{script}", "hooks": "husky""#);
            assert_eq!(found(&scripts), [""; 0], "{script}");
        }
        assert_eq!(found(r#""prepare": "yarn hooks", "hooks": "husky""#), [""; 0]);
    }
}
