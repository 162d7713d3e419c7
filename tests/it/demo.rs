//! `splitter demo`, where it cannot go on. (The whole of it needs a registry with its sample's packages.)

use crate::support::{Registry, TestContext, run};

#[test]
fn a_demo_without_its_registry_ends_with_the_environments_exit_code() {
    let mut context = TestContext::new();
    context.use_registry(&Registry::start([]));
    let output = run(&mut context.splitter(&["demo", "sample"]));
    assert!(output.starts_with("exit: 3"), "{output}");
    assert!(output.contains("no connection"), "{output}");
}

#[test]
fn a_demo_takes_no_folder_that_holds_something() {
    let context = TestContext::new();
    context.write("full/mine.txt", "mine");
    let output = run(&mut context.splitter(&["demo", "full"]));
    assert!(output.starts_with("exit: 2"), "{output}");
    assert_eq!(context.read("full/mine.txt"), "mine");
}
