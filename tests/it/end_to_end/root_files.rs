//! `rootFiles` of a workspace: files of the root or of another workspace that its build reads.

use serde_json::json;

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, succeed};

#[test]
fn e2e_a_file_of_another_workspace_is_a_source_of_the_one_that_names_it() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("apps/api/openapi.yaml", "paths: {}\n");
    context.write("docs/guide/one.md", "one\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        let copy = "cp $(echo ../api)/openapi.yaml $(echo ../../docs)/guide/*.md dist/";
        manifest["scripts"]["build"] = format!("{build} && {copy}").into();
    });
    let files = json!(["apps/api/openapi.yaml", "docs/**/*.md"]);
    context.write("splitter.json", json!({ "workspaces": { "apps/web": { "rootFiles": files } } }).to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let web = nix.build("web");
    assert!(web.join("openapi.yaml").is_file() && web.join("one.md").is_file());
    succeed(&mut splitter(&nix, &["verify"]));

    let before = nix.derivations();
    context.write("docs/guide/two.md", "two\n");
    context.git(&["add", "--all"]);
    let after = nix.derivations();
    assert!(before["web"] != after["web"] && before["api"] == after["api"]);
}
