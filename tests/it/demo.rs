//! Failures of `splitter demo`. (A full run needs a registry with the packages of the sample.)

use splitter::nix::command::NixError;

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

/// Recognises the message of the real Nix for an input that it cannot fetch.
#[test]
fn e2e_an_input_that_is_out_of_reach_is_known_by_what_nix_says() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let build = |flake: &str| {
        context.write("flake.nix", flake);
        let output = nix.command(&context, &["build", "--no-link", "path:.#x"]).output().unwrap();
        assert!(!output.status.success());
        let last_lines = String::from_utf8_lossy(&output.stderr).lines().map(ToOwned::to_owned).collect();
        NixError::Failed { command: "nix build".to_owned(), status: output.status.to_string(), last_lines }
    };
    for url in ["http://127.0.0.1:1/x.tar.gz", "git+http://127.0.0.1:1/x.git"] {
        let error = build(&format!("{{ inputs.a.url = \"{url}\"; outputs = {{ a, ... }}: {{ x = a; }}; }}"));
        assert!(error.unfetched_input().is_some_and(|reason| reason.contains("127.0.0.1:1")), "{error}");
    }
    let error = build("{ outputs = _: { x = throw \"unable to download\"; }; }");
    assert_eq!(error.unfetched_input(), None, "{error}");
}
