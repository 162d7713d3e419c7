//! Manifests and lockfiles that package managers accept and strict readers do not.

use fs_err as fs;

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages, succeed,
};

/// Adds what Bun accepts: a byte order mark, comments, trailing commas, single quotes.
fn loosened(text: &str) -> String {
    let text = text.trim_end().trim_end_matches('}').trim_end();
    format!("\u{feff}// \"It's\" here, }}\n{text}, /* {{ \" */ 'loose': 'so \"quoted\"',\n}}\n")
        .replace("\"private\"", "'private'")
}

/// Names that are no names of registry packages.
const NAMES: [(&str, &str); 2] = [("@acme/stamp", "@acme/stämp +1"), ("\"api\"", "\"ünï API\"")];

/// Loose manifests, names of workspaces beyond ASCII, and the `yarn.lock` that Bun prints.
#[test]
fn e2e_bun_accepts_loose_manifests_odd_names_and_its_own_yarn_lock() {
    // Bun 1.2 and 1.3 agree.
    for version in [BUN_VERSIONS[0], BUN_VERSIONS[2]] {
        let monorepo = Monorepo::with_registry(version, Registry::start(packages()), |monorepo| {
            let context = &monorepo.context;
            context.write("bunfig.toml", "[install.lockfile]\nprint = \"yarn\"\n");
            for path in ["package.json", "apps/api/package.json", "packages/stamp/package.json"] {
                let text = NAMES.iter().fold(context.read(path), |text, (old, new)| text.replace(old, new));
                // Node.js runs the program of `stamp`, and reads its manifest strictly.
                let is_strict = path.starts_with("packages/");
                context.write(path, if is_strict { text } else { loosened(&text) });
            }
            succeed(&mut monorepo.bun(&["install"]));
        });
        let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
        let context = nix.context();
        assert!(context.read("yarn.lock").contains("# bun ./bun.lockb --hash: "));
        let before = nix.derivations();
        let name = before.keys().find(|name| name.contains("api") || name.contains("API")).unwrap().clone();
        let api = nix.build(&name);
        assert!(fs::read_to_string(api.join("stamp.txt")).unwrap().starts_with("stamped api by #!"), "{version}");
        // The printed lockfile is no input of anything, and comments are none of an install.
        context.write("yarn.lock", "# edited\n");
        context.write("package.json", context.read("package.json").replace("It's", "It was"));
        context.git(&["add", "--all"]);
        succeed(&mut context.splitter(&["check"]));
        assert_eq!(before, nix.derivations(), "{version}");
    }
}

/// The name of a workspace in Yarn may hold any character, too.
#[test]
fn e2e_yarn_accepts_names_beyond_ascii() {
    for version in &YARN_VERSIONS[1..] {
        let monorepo = YarnMonorepo::with_linker(version, "node-modules", |monorepo| {
            for path in ["apps/api/package.json", "packages/stamp/package.json"] {
                let text = NAMES.iter().fold(monorepo.context.read(path), |text, (old, new)| text.replace(old, new));
                monorepo.context.write(path, format!("\u{feff}{text}"));
            }
        });
        let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
        let name = nix.derivations().into_keys().find(|name| name.contains("api") || name.contains("API")).unwrap();
        let api = nix.build(&name);
        assert!(fs::read_to_string(api.join("stamp.txt")).unwrap().starts_with("stamped api by #!"), "{version}");
    }
}

/// Bun 1.4 uses the first of equal fields and dependencies, and the last of equal scripts. Nix reads them alike.
#[test]
fn e2e_of_equal_keys_the_one_that_bun_uses_counts() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let context = &monorepo.context;
        let text = context.read("apps/api/package.json");
        let dependencies = "\"devDependencies\": {\"colour\": \"^0.9.0\", \"colour\": \"^1.0.0\"},";
        let text = text.replacen('{', &format!("{{ {dependencies}"), 1);
        context.write("apps/api/package.json", text.replace("\"build\":", "\"build\": \"false\", \"build\":"));
        let text = context.read("apps/web/package.json");
        context.write("apps/web/package.json", text.replacen('{', "{ \"name\": \"wéb\",", 1));
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let record = nix.context().read("nix/splitter/splitter.lock.json");
    assert!(record.contains("\"name\":\"wéb\"") && record.contains("\"looseManifest\":true"), "{record}");
    succeed(&mut nix.context().splitter(&["check"]));
    nix.build("api");
    let installed = nix.build("nodeModules").join("apps/api/node_modules/colour/package.json");
    assert!(fs::read_to_string(installed).unwrap().contains("0.9.0"));
}
