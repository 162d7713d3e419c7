//! Scripts of workspaces as checks: the files that they see, and the edits that run them again.

use std::collections::BTreeMap;

use crate::support::{BUN_VERSIONS, NixMonorepo, fail, stand_in::system, succeed};

pub(super) fn with_checks() -> Option<NixMonorepo> {
    let nix = NixMonorepo::with_bun(BUN_VERSIONS[2])?;
    let context = nix.context();
    for app in ["web", "api"] {
        context.edit_manifest(&format!("apps/{app}/package.json"), |manifest| {
            manifest["scripts"]["test"] = "bun test".into();
        });
        context.write(
            &format!("apps/{app}/src/index.test.ts"),
            "import { expect, test } from \"bun:test\";\nimport cataloged from \"cataloged\";\n\ntest(\"it is there\", () => expect(cataloged).toBe(\"cataloged@1.1.0\"));\n",
        );
    }
    context.write("apps/api/README.md", "# The api\n");
    context.write("splitter.json", "{ \"checks\": [\"test\"] }\n");
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    Some(nix)
}

fn derivations(nix: &NixMonorepo) -> BTreeMap<String, String> {
    let apply = "builtins.mapAttrs (_: check: check.drvPath)";
    serde_json::from_value(nix.eval(&format!("checks.{}", system()), apply)).unwrap()
}

#[test]
fn e2e_scripts_are_checks_that_run_again_only_for_what_they_read() {
    let Some(nix) = with_checks() else { return };
    let context = nix.context();
    let output = nix.build_command(&format!("checks.{}.web-test", system())).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 pass"), "{said}");
    let before = derivations(&nix);
    let changed = |path: &str, text: &str| {
        let old = context.read(path);
        context.write(path, text);
        let after = derivations(&nix);
        context.write(path, old);
        let names = before.iter().filter(|(name, drv)| after[*name] != **drv).map(|(name, _)| name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(changed("apps/web/src/index.test.ts", "// nothing\n"), ["web-test"]);
    assert_eq!(changed("apps/api/src/index.ts", "// nothing\n"), ["api", "api-test"]);
    assert_eq!(changed("apps/api/README.md", "# api\n"), [""; 0]);
    context.write("apps/web/src/index.test.ts", "throw new Error(\"it is broken\");\n");
    let said = fail(&mut nix.build_command(&format!("checks.{}.web-test", system())));
    assert!(said.contains("it is broken") && said.contains("`bun run test` failed in apps/web: exit code 1"), "{said}");
    assert!(said.contains("install scripts that were not run: untrusted@1.0.0"), "{said}");
}
