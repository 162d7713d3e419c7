//! The Node.js that a repository pins: builds take the matching one of nixpkgs.

use serde_json::json;

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Registry, monorepo::packages, succeed};

/// Returns the name of the Node.js that builds have, and what Nix warns of.
fn node(nix: &NixMonorepo) -> (String, String) {
    let apply = "package: builtins.concatStringsSep \" \" (map (input: input.name) package.nativeBuildInputs)";
    let mut eval = nix.nix(&["eval", "--raw", ".#nodeModules", "--apply", apply]);
    let output = eval.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text.split(' ').find(|name| name.starts_with("nodejs")).unwrap().to_owned(), said)
}

#[test]
fn e2e_builds_take_the_nodejs_that_the_repository_pins() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |_| ());
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let record = || context.read("nix/splitter/splitter.lock.json");
    assert!(!record().contains("nodejs"), "without a pin nothing is recorded");
    assert_eq!(node(&nix).0, "nodejs");
    let host = succeed(context.command("node").arg("--version"));
    let host = host.trim_start_matches('v').split('.').next().unwrap().to_owned();
    let pin = |version: &str| {
        context.write(".nvmrc", format!("{version}\n"));
        crate::support::fail(&mut context.splitter(&["check"]));
        succeed(&mut context.splitter(&["update-hash"]));
        context.commit_all("a pin");
        let (name, said) = node(&nix);
        (name, said.contains("wants Node.js"))
    };
    // nixpkgs' own stays if it satisfies, and refused or removed releases are none.
    assert_eq!(pin(&host), ("nodejs".to_owned(), false));
    assert_eq!(pin("v24.9.0"), ("nodejs_24".to_owned(), false));
    assert!(record().contains(r#""nodejs": {"place":".nvmrc","version":"v24.9.0","majors":[[24,24]]}"#));
    assert_eq!(pin(">=23"), ("nodejs_24".to_owned(), false));
    assert_eq!(pin("lts/hydrogen"), ("nodejs".to_owned(), true));
    assert_eq!(pin("16"), ("nodejs".to_owned(), true));
    context.edit_manifest("package.json", |manifest| manifest["engines"] = json!({ "node": ">=18" }));
    let scan = succeed(&mut context.splitter(&["scan"]));
    assert!(scan.contains("node        16 (.nvmrc), >=18 (engines.node of package.json)"), "{scan}");
    // A range that nixpkgs' own satisfies changes nothing.
    context.remove(".nvmrc");
    succeed(&mut context.splitter(&["update-hash"]));
    assert_eq!(node(&nix).0, "nodejs");
    nix.build("api");
}
