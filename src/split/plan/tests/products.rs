//! What packages hold and what their programs run with.

use super::*;

const SERVER: &str = r#"{"name": "web", "scripts": {"build": "tsc --outDir dist", "start": "node dist/main.js"}, "dependencies": {"ui": "workspace:*", "react": "^18.0.0"}}"#;

/// The files with `web` as a server that is built.
fn with_server() -> Files<'static> {
    let mut files = files();
    files.insert("apps/web/package.json", SERVER);
    files
}

/// Returns the causes of `web`, if only `web` changes, when `splitter.json` changes from one text to another.
fn choice(from: &str, to: &str) -> String {
    let of_web = |choices: &str| format!(r#"{{"workspaces": {{"apps/web": {choices}}}}}"#);
    let (from, to) = (of_web(from), of_web(to));
    let mut files = with_server();
    files.insert("splitter.json", &from);
    let changed = edit_of(&files, "splitter.json", &to);
    let of_web = changed.iter().map(|(name, effect, causes)| match effect {
        Effect::Rebuilt if name == "web" => causes.clone(),
        effect => format!("{name} {effect:?}"),
    });
    of_web.collect::<Vec<_>>().join(" ")
}

fn setting(name: &str, from: &str, to: &str) -> String {
    let value = |text: &str| if text.is_empty() { "null".to_owned() } else { format!("\"{text}\"") };
    format!(r#"[{{"kind":"setting","name":"{name}","from":{},"to":{}}}]"#, value(from), value(to))
}

#[test]
fn a_changed_program_is_named() {
    let causes = choice(r#"{"start": "dist/main.js"}"#, r#"{"start": "node dist/main.js --port 1"}"#);
    assert_eq!(causes, setting("programs", "web: bun dist/main.js", "web: node dist/main.js --port 1"));
    // A word with a space is one argument.
    let causes = choice(r#"{"start": "node dist/a.js b c"}"#, r#"{"start": "node dist/a.js 'b c'"}"#);
    assert!(causes.contains(r#""to":"web: node dist/a.js \"b c\"""#), "{causes}");
    let causes = choice("{}", r#"{"runtime": {"directory": "workspace"}}"#);
    assert_eq!(causes, setting("programs", "web: node dist/main.js", "web: node dist/main.js (in its folder)"));
}

#[test]
fn what_a_package_keeps_is_named() {
    let causes = choice("{}", r#"{"runtime": {"files": ["views/**", "locales"]}}"#);
    let kept = "outputs with packages";
    assert_eq!(causes, setting("kept", kept, &format!("{kept}, with views/** locales")));
    let causes = choice(r#"{"start": "dist/a.js"}"#, r#"{"start": "a.js"}"#);
    let programs = setting("programs", "web: bun dist/a.js", "web: bun a.js");
    let kept = setting("kept", kept, "sources with packages");
    let both = format!("{},{}", kept.trim_end_matches(']'), programs.trim_start_matches('['));
    assert_eq!(causes, both);
}

#[test]
fn outputs_that_need_not_be_there_and_guesses_are_told_apart() {
    let script = |build: &str| SERVER.replace("tsc --outDir dist", build);
    let outputs = |build: &str| {
        let mut files = with_server();
        let manifest = script(build);
        files.insert("apps/web/package.json", &manifest);
        let all = derivations(&files);
        all.all[&Id::App("web".to_owned())].inputs[&Input::Setting("outputs")].clone()
    };
    assert_eq!(outputs("vite build && tsc --outDir types"), "dist, (types)");
    assert_eq!(outputs("vite build --outDir types"), "types");
    assert_eq!(outputs("node build.js"), "dist?");
    assert_eq!(choice(r#"{"output": "lib"}"#, r#"{"output": ["lib", "es"]}"#), setting("outputs", "lib", "lib, es"));
}

#[test]
fn programs_run_with_an_install_of_their_own() {
    let mut files = with_server();
    files.insert("nix/splitter/node-modules.nix", "{ }");
    let state = derivations(&files);
    let production = Id::RuntimeInstall("web".to_owned(), Install::Production);
    assert_eq!(production.to_string(), "installs.web.production");
    assert_eq!(needs_of(&state, &Id::App("web".to_owned())), ["nodeModules", "installs.web.production"]);
    assert_eq!(needs_of(&state, &Id::App("api".to_owned())), ["nodeModules"]);
    assert_eq!(needs_of(&state, &production), needs_of(&state, &Id::NodeModules));
    // The lockfile is an input of every install.
    let lock = LOCK.replace("loose@1.0.0", "loose@1.1.0");
    let changed = edit_of(&files, "bun.lock", &lock);
    assert_eq!(names(&changed), ["deps-common", "nodeModules", "installs.web.production", "api", "web"]);
    assert_eq!(
        causes_of(&changed, "web"),
        r#"[{"kind":"derivation","name":"nodeModules"},{"kind":"derivation","name":"installs.web.production"}]"#
    );
    let changed = edit_of(&files, "apps/web/package.json", &SERVER.replace("^18.0.0", "^18.2.0"));
    assert_eq!(names(&changed), ["nodeModules", "installs.web.production", "api", "web"]);
    // Nix alone can tell what a changed rule does.
    let changed = edit_of(&files, "nix/splitter/node-modules.nix", "{ x = 1; }");
    assert_eq!(causes_of(&changed, "installs.web.production"), causes_of(&changed, "nodeModules"));
    assert_eq!(names(&edit_of(&files, "apps/web/main.ts", "2")), ["web"]);
}

#[test]
fn the_install_of_programs_may_be_that_of_the_build() {
    let needs = |choices: &str| {
        let config = format!(r#"{{"workspaces": {{"apps/web": {choices}}}}}"#);
        let mut files = with_server();
        files.insert("splitter.json", &config);
        let state = derivations(&files);
        let installs: Vec<String> =
            state.all.keys().filter(|id| id.kind() == "nodeModules").map(ToString::to_string).collect();
        format!("{} of {}", needs_of(&state, &Id::App("web".to_owned())).join(" "), installs.join(" "))
    };
    let shared = "nodeModules of nodeModules";
    assert_eq!(needs(r#"{"runtime": {"install": "shared"}}"#), shared);
    assert_eq!(needs(r#"{"runtime": {"install": "none"}}"#), shared);
    assert_eq!(needs(r#"{"install": "production"}"#), "nodeModules-web of nodeModules nodeModules-web");
    assert_eq!(
        needs(r#"{"install": "own"}"#),
        "nodeModules-web installs.web.production of nodeModules nodeModules-web installs.web.production"
    );
    assert_eq!(
        needs(r#"{"install": "production", "runtime": {"install": "own"}}"#),
        "nodeModules-web installs.web.own of nodeModules nodeModules-web installs.web.own"
    );
    assert_eq!(
        needs(r#"{"install": "own", "runtime": {"install": "shared"}}"#),
        "nodeModules nodeModules-web of nodeModules nodeModules-web"
    );
}

#[test]
fn another_install_for_programs_is_named() {
    let mut files = with_server();
    let choice =
        |install: &str| format!(r#"{{"workspaces": {{"apps/web": {{"runtime": {{"install": "{install}"}}}}}}}}"#);
    let (production, own, none) = (choice("production"), choice("own"), choice("none"));
    files.insert("splitter.json", &production);
    let changed = edit_of(&files, "splitter.json", &own);
    assert_eq!(
        changed.iter().map(|(name, effect, _)| format!("{name} {effect:?}")).collect::<Vec<_>>(),
        ["installs.web.own Added", "installs.web.production Removed", "web Rebuilt"]
    );
    let without = "of the app, without development dependencies";
    let expected = setting("run-time install", without, "of the app");
    assert!(changed[2].2.ends_with(expected.trim_start_matches('[')), "{}", changed[2].2);
    let changed = edit_of(&files, "splitter.json", &none);
    let expected = setting("run-time install", without, "");
    assert!(causes_of(&changed, "web").ends_with(expected.trim_start_matches('[')), "{changed:?}");
}

#[test]
fn a_workspace_that_is_used_is_installed_for_too() {
    let mut files = with_server();
    files.insert("apps/web/package.json", r#"{"name": "web", "scripts": {"build": "tsc --outDir dist", "start": "node dist/main.js"}, "devDependencies": {"ui": "workspace:*"}}"#);
    let changed = edit_of(&files, "splitter.json", r#"{"workspaces": {"apps/web": {"uses": ["packages/ui"]}}}"#);
    assert_eq!(names(&changed), ["installs.web.production", "web"]);
    assert_eq!(changed[0].2, setting("workspaces that it installs for", "", "., apps/web, packages/ui"));
    let changed = edit_of(&files, "splitter.json", r#"{"workspaces": {"apps/web": {"uses": ["apps/api"]}}}"#);
    assert!(changed[0].2.contains(r#""to":"., apps/api, apps/web""#), "{changed:?}");
}
