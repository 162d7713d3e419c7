//! `splitter explain`: what an edit rebuilds, without Nix.

use crate::support::{Package, Small, small, splitter_snapshot, succeed};

#[test]
fn an_unchanged_repository_rebuilds_nothing() {
    let small = Small::new();
    small.init();
    splitter_snapshot!(small.context, small.context.splitter(&["explain"]), @"");
}

#[test]
fn edits_are_told_with_what_they_rebuild() {
    let small = Small::new();
    small.init();
    let context = &small.context;
    context.write("packages/ui/index.ts", "export const a = 1;\n");
    context.write("apps/web/src/index.test.ts", "// more\n");
    context.write("README.md", "# more\n");
    context.write("apps/api/src/new.ts", "\n");
    splitter_snapshot!(context, context.splitter(&["explain"]), @"");
    // What is staged alone.
    context.git(&["add", "packages"]);
    splitter_snapshot!(context, context.splitter(&["explain", "--staged"]), @"");
}

#[test]
fn a_package_is_told_with_who_asks_for_it() {
    let small = Small::new();
    small.init();
    let context = &small.context;
    let beta = small.publish(Package::new("@scope/beta", "2.2.0"));
    let mut packages = small::packages();
    packages[1] = beta;
    packages.push(small.publish(Package::new("delta", "1.0.0")));
    small.lock(&packages);
    splitter_snapshot!(context, context.splitter(&["explain"]), @"");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("newer packages");
    splitter_snapshot!(context, context.splitter(&["explain", "HEAD~1..HEAD", "--json"]), @"");
}

#[test]
fn an_unknown_commit_is_refused() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["explain", "nowhere"]), @"");
    let small = Small::without_git();
    splitter_snapshot!(small.context, small.context.splitter(&["explain"]), @"");
}
