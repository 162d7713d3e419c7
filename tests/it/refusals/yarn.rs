//! Repositories of Yarn that cannot be split: packages from outside the repository, and settings that a build cannot
//! have.

use crate::support::{TestContext, run, splitter_snapshot};

/// Creates a repository of Yarn that asks for a package, with this entry in its lockfile.
fn yarn_asks_for(rc: &str, specifier: &str, entry: &str) -> TestContext {
    let context = with_yarn_rc(rc, "\n");
    context.write("package.json", format!("{{\n  \"dependencies\": {{\n    \"x\": \"{specifier}\"\n  }}\n}}\n"));
    context.write("yarn.lock", format!("{}\n{entry}", context.read("yarn.lock")));
    context
}

#[test]
fn what_yarn_1_has_outside_of_the_repository_is_refused() {
    let context = yarn_asks_for(".yarnrc", "link:../x", "");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `x` links out of the repository (`link:../x`): path leaves the repository
      at package.json:3:5
    hint: move the folder into the repository, or publish the package and depend on a version
    ");
    let context = yarn_asks_for(".yarnrc", "file:../x", "\"x@file:../x\":\n  version \"1.0.0\"\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: package `x@file:../x`: wrong path `file:../x`: path leaves the repository
      at yarn.lock:3:1
    hint: move the file or folder into the repository
    ");
}

#[test]
fn what_later_yarn_has_outside_of_the_repository_is_refused() {
    for protocol in ["link", "portal"] {
        let context = yarn_asks_for(".yarnrc.yml", &format!("{protocol}:../x"), "");
        let said = run(&mut context.splitter(&["scan"]));
        let expected = format!(
            "error: `x` links out of the repository (`{protocol}:../x`): path leaves the repository\n  at package.json:3:5\n"
        );
        assert!(said.contains(&expected), "{said}");
    }
    for protocol in ["file", "exec"] {
        let locator = format!("x@{protocol}:../x#../x::hash=0a1b2c&locator=acme%40workspace%3A.");
        let entry = format!(
            "\"x@{protocol}:../x::locator=acme%40workspace%3A.\":\n  version: 1.0.0\n  resolution: \"{locator}\"\n  linkType: hard\n"
        );
        let context = yarn_asks_for(".yarnrc.yml", &format!("{protocol}:../x"), &entry);
        let said = run(&mut context.splitter(&["scan"]));
        assert!(said.contains("path leaves the repository\n  at yarn.lock:13:"), "{said}");
        assert!(said.contains("hint: move the file or folder into the repository"), "{said}");
    }
}

/// Creates a repository of Yarn with this rc file.
fn with_yarn_rc(file: &str, text: &str) -> TestContext {
    let context = TestContext::new();
    context.write("package.json", r#"{"name": "acme"}"#);
    let is_later = file == ".yarnrc.yml";
    let workspace =
        "version: 0.0.0-use.local\n  resolution: \"acme@workspace:.\"\n  languageName: unknown\n  linkType: soft";
    let later = format!("__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"acme@workspace:.\":\n  {workspace}\n");
    context.write("yarn.lock", if is_later { later } else { "# yarn lockfile v1\n".to_owned() });
    context.write(file, text);
    context
}

#[test]
fn settings_of_yarn_that_a_build_could_not_have_are_refused_with_their_place() {
    let context = with_yarn_rc(".yarnrc.yml", "npmAuthToken: ${NOT_NEEDED}\n'nodeLinker': pnp\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `nodeLinker` is not written in the plain form that the Nix build can read
      at .yarnrc.yml:2:1
    hint: write it as plain block YAML: the key at the start of a line, its value after it or indented below, without `#` or empty lines inside a string
    ");
    let context = with_yarn_rc(".yarnrc.yml", "nodeLinker: pnp\npatchFolder: ./${DIR}\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `patchFolder` uses the variable `DIR` without a default, so the install depends on the environment
      at .yarnrc.yml:2:1
    hint: write the value itself, or add a default: `${DIR:-…}`
    ");
    let context = with_yarn_rc(".yarnrc.yml", "yarnPath: ../yarn.cjs\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong path `../yarn.cjs` in `yarnPath`: path leaves the repository
      at .yarnrc.yml:1:1
    hint: move the file into the repository, so that a build can read it
    ");
    let context = with_yarn_rc(".yarnrc", "workspaces-experimental true\nregistry https://registry.example\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `workspaces-experimental` is not written in the plain form that the Nix build can read
      at .yarnrc:1:1
    hint: write it as one line, `key value`
    ");
}

#[test]
fn a_registry_of_yarn_that_depends_on_the_environment_is_refused() {
    let scope = "npmScopes:\n  acme:\n    npmRegistryServer: \"https://${HOST-registry.example}\"\n";
    let context = with_yarn_rc(".yarnrc.yml", scope);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `npmScopes.acme.npmRegistryServer` in `.yarnrc.yml` depends on the environment: expected a URL without variables, found `https://${HOST-registry.example}`
      at .yarnrc.yml:3:5
    hint: write the URL itself into the file, so that splitter.lock.json is the same on every machine; tokens may stay variables
    hint: set a personal mirror in your own ~/.npmrc, ~/.bunfig.toml or ~/.yarnrc.yml
    ");
}
