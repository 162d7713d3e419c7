//! The scope that `import ./nix/splitter` returns: overrides in it, and the user's own derivations.

use camino::Utf8PathBuf;
use fs_err as fs;

use super::libraries::with_built_libraries;
use crate::support::{BUN_VERSIONS, NixMonorepo, fail, succeed};

impl NixMonorepo {
    /// Returns an expression that can use `pkgs`, `splitter` (the scope) and `call` (the function that returns it).
    fn expression(&self, expression: &str) -> String {
        let pkgs = self.context().folder("stand-in/nixpkgs");
        let repo = self.context().repo();
        format!(
            "let pkgs = import {pkgs} {{ }}; call = settings: import {repo}/nix/splitter ({{ inherit pkgs; root = {repo}; }} // settings); \
             splitter = call {{ }}; in {expression}"
        )
    }

    #[track_caller]
    fn build_expression(&self, expression: &str) -> Utf8PathBuf {
        let expression = self.expression(expression);
        let args = ["build", "--impure", "--no-link", "--print-out-paths", "--print-build-logs", "--expr", &expression];
        succeed(&mut self.nix.command(self.context(), &args)).into()
    }

    #[track_caller]
    fn evaluate(&self, expression: &str) -> String {
        let expression = self.expression(expression);
        succeed(&mut self.nix.command(self.context(), &["eval", "--impure", "--raw", "--expr", &expression]))
    }
}

fn monorepo() -> Option<NixMonorepo> {
    NixMonorepo::with_bun(BUN_VERSIONS[2])
}

#[test]
fn e2e_override_attrs_adds_to_the_phases_of_a_build() {
    let Some(nix) = monorepo() else { return };
    let context = nix.context();
    let source = context.read("apps/web/src/index.ts");
    let patch = format!(
        "--- a/apps/web/src/index.ts\n+++ b/apps/web/src/index.ts\n@@ -1,1 +1,2 @@\n+console.log(\"patched\");\n {}\n",
        source.lines().next().unwrap()
    );
    fs::write(context.folder("first.patch"), patch).unwrap();
    let patch = context.folder("first.patch");
    let web = nix.build_expression(&format!(
        r#"splitter.packages.web.overrideAttrs (old: {{
          patches = [ {patch} ];
          preBuild = "pwd > where.txt";
          postInstall = "cp where.txt $out/";
          doCheck = true;
          preCheck = "test -e dist && touch checked";
          doInstallCheck = true;
          installCheckPhase = "test -e $out/where.txt && test -e checked";
          passthru = old.passthru // {{ mine = 1; }};
        }})"#
    ));
    assert!(fs::read_to_string(web.join("where.txt")).unwrap().trim_end().ends_with("/source/apps/web"));
    let said = succeed(context.command("node").arg(web.join("index.js")));
    assert!(said.starts_with("patched\n"), "{said}");
}

#[test]
fn e2e_the_build_of_a_workspace_is_a_hook_for_a_derivation_of_ones_own() {
    let Some(nix) = monorepo() else { return };
    let own = nix.build_expression(
        r#"pkgs.stdenvNoCC.mkDerivation {
          pname = "own";
          version = "1";
          nativeBuildInputs = [ splitter.hooks.web ];
          postInstall = "echo more > $out/more.txt";
        }"#,
    );
    assert!(own.join("index.js").is_file() && own.join("more.txt").is_file());
}

#[test]
fn e2e_what_is_replaced_in_the_scope_reaches_all_that_is_made_of_it() {
    let Some(nix) = monorepo() else { return };
    with_built_libraries(&nix);
    let drv = |scope: &str, attribute: &str| nix.evaluate(&format!("({scope}).{attribute}.drvPath"));
    let with = |overlay: &str| format!("splitter.overrideScope (final: prev: {{ {overlay} }})");
    let library =
        with("libraries = prev.libraries // { ui = prev.libraries.ui.overrideAttrs { preBuild = \"export A=1\"; }; };");
    assert_ne!(drv("splitter", "libraries.ui"), drv(&library, "libraries.ui"));
    assert_ne!(drv("splitter", "packages.web"), drv(&library, "packages.web"));
    assert_eq!(drv("splitter", "packages.api"), drv(&library, "packages.api"));
    let modules = with("nodeModules = prev.nodeModules.overrideAttrs { A = \"1\"; };");
    for package in ["packages.web", "packages.api", "libraries.ui"] {
        assert_ne!(drv("splitter", package), drv(&modules, package), "{package}");
    }
    // Settings of a single build, as in the documentation.
    let copied = "packages.web.override (old: { settings = old.settings // { nodeModules = \"copy\"; }; })";
    assert!(nix.evaluate(&format!("(splitter.{copied}).splitterSpec")).contains(r#""mode":"copy""#));
    // Variables in the environment of a package affect that package alone.
    let own = with("packages = prev.packages // { api = prev.packages.api.overrideAttrs { A = \"1\"; }; };");
    assert_eq!(drv("splitter", "packages.web"), drv(&own, "packages.web"));
    assert_ne!(drv("splitter", "packages.api"), drv(&own, "packages.api"));
}

#[test]
fn e2e_what_nix_makes_is_among_the_sources_of_those_that_have_the_workspace() {
    let Some(nix) = monorepo() else { return };
    let scope = r#"call {
      files."packages/ui/generated" = pkgs.runCommand "generated" { } "mkdir $out; echo made > $out/by-nix.txt";
      apps.web.buildCommand = "mkdir dist && cp ../../packages/ui/generated/by-nix.txt dist/";
    }"#;
    let web = nix.build_expression(&format!("({scope}).packages.web"));
    assert_eq!(fs::read_to_string(web.join("by-nix.txt")).unwrap(), "made\n");
    let api = |scope: &str| nix.evaluate(&format!("({scope}).packages.api.drvPath"));
    assert_eq!(api(scope), api("splitter"), "api does not depend on ui");
}

#[test]
fn e2e_settings_are_checked_without_a_module_system() {
    let Some(nix) = monorepo() else { return };
    let refused = |settings: &str| {
        let expression = nix.expression(&format!("(call {{ {settings} }}).packages.web.drvPath"));
        fail(&mut nix.nix.command(nix.context(), &["eval", "--impure", "--raw", "--expr", &expression]))
    };
    let said = refused("apps.web.buildCommnd = \"x\";");
    assert!(
        said.contains("splitter: unknown setting `apps.web.buildCommnd`; expected one of buildCommand, "),
        "{said}"
    );
    let said = refused("apps.wbe.env = { };");
    assert!(said.contains("splitter: unknown setting `apps.wbe`; expected one of api, web"), "{said}");
    let said = refused("apps.web.env.X = 1;");
    assert!(
        said.contains("splitter: the setting `apps.web.env.X` has the wrong type: expected str, found int"),
        "{said}"
    );
    let said = refused("apps.web.nativeBuildInputs = [ pkgs.nodejs \"pkg-config\" ];");
    assert!(said.contains("splitter: the setting `apps.web.nativeBuildInputs[1]` has the wrong type"), "{said}");
    let said = refused("splitter.apps.web.env = { };");
    assert!(said.contains("(without flake-parts, settings have no `splitter.` before them)"), "{said}");
    let said = refused("apps.web.install = \"mine\";");
    let expected = "splitter: the setting `apps.web.install` has the wrong type: expected enum, found \"mine\"";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn e2e_a_package_says_what_its_manifest_says() {
    let Some(nix) = monorepo() else { return };
    nix.context().edit_manifest("apps/web/package.json", |manifest| {
        manifest["version"] = "1.2.3".into();
        manifest["description"] = "A site".into();
        manifest["license"] = "MIT".into();
    });
    let web = nix.evaluate(
        "builtins.toJSON { inherit (splitter.packages.web) name pname version; \
         inherit (splitter.packages.web.meta) description; licence = splitter.packages.web.meta.license.spdxId; }",
    );
    assert_eq!(web, r#"{"description":"A site","licence":"MIT","name":"web-1.2.3","pname":"web","version":"1.2.3"}"#);
}

/// The files for other package managers are not part of a build.
#[test]
fn e2e_a_fix_for_one_package_manager_changes_no_build_of_another() {
    let Some(nix) = monorepo() else { return };
    let templates = nix.context().folder("templates");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/nix-templates");
    succeed(nix.context().command("cp").args(["-R", source, templates.as_str()]));
    let web = || {
        let (pkgs, repo) = (nix.context().folder("stand-in/nixpkgs"), nix.context().repo());
        let scope = format!("import {templates} {{ pkgs = import {pkgs} {{ }}; root = {repo}; }}");
        let expression = format!("({scope}).packages.web.drvPath");
        succeed(&mut nix.nix.command(nix.context(), &["eval", "--impure", "--raw", "--expr", &expression]))
    };
    let before = web();
    let edit = |path: &str| {
        let file = templates.join(path);
        fs::write(&file, format!("{}// fixed\n", fs::read_to_string(&file).unwrap())).unwrap();
    };
    for path in ["managers/yarn/git-builds.mjs", "managers/yarn-classic/install.mjs", "managers/yarn-berry/install.mjs"]
    {
        edit(path);
        assert_eq!(web(), before, "{path}");
    }
    edit("managers/bun/install.mjs");
    assert_ne!(web(), before);
}
