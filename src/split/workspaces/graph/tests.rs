use super::*;
use crate::{
    managers::bun::lockfile as bun,
    repo::MemoryTree,
    split::{
        ProgramSearch, config, workspaces,
        workspaces::{detect, links},
    },
};

fn graph(files: &[(&str, &str)]) -> Result<Graph, SplitError> {
    let tree = MemoryTree::new(files.iter().copied());
    let workspaces = workspaces::read(&tree)?;
    let links = links::find(&tree, &workspaces, &bun::parse(r#"{"lockfileVersion": 1, "packages": {}}"#).unwrap())?;
    let mut config = config::read(&tree)?;
    config.resolve(&workspaces)?;
    Graph::build(&tree, &workspaces, &config, &links, ManagerName::Bun, ProgramSearch::Whole)
}

fn summary(graph: &Graph) -> Vec<String> {
    let line = |workspace: &Workspace| match &workspace.role {
        Role::App { name, product } => {
            let outputs = workspace.build.iter().flat_map(|build| build.kept().cloned());
            let programs = product.programs.iter().map(detect::program::Program::shown);
            let how: Vec<String> = outputs.chain(programs).collect();
            format!("{}: app {name} ({}) {}", workspace.path, how.join(", "), workspace.reason)
        }
        Role::Library => format!("{}: library, {}", workspace.path, workspace.reason),
    };
    graph.workspaces().map(line).collect()
}

const ROOT: (&str, &str) = (
    "package.json",
    r#"{"name": "acme", "workspaces": ["apps/*", "packages/*"], "scripts": {"build": "turbo build"}}"#,
);

#[test]
fn kinds_are_found_with_their_reasons() {
    let graph = graph(&[
        ROOT,
        ("apps/web/package.json", r#"{"name": "@acme/web", "scripts": {"build": "vite build"}, "dependencies": {"@acme/ui": "workspace:*", "@acme/api": "workspace:*"}}"#),
        ("apps/api/package.json", r#"{"name": "@acme/api", "scripts": {"start": "bun run src/server.ts"}}"#),
        ("apps/api/src/server.ts", ""),
        ("packages/ui/package.json", r#"{"name": "@acme/ui", "scripts": {"build": "tsup"}, "devDependencies": {"@acme/config": "*"}}"#),
        ("packages/config/package.json", r#"{"name": "@acme/config"}"#),
        ("packages/cli/package.json", r#"{"name": "@acme/cli", "scripts": {"build": "bun build src/cli.ts --outdir=out"}}"#),
    ])
    .unwrap();
    assert_eq!(
        summary(&graph),
        [
            ".: library, is the workspace root",
            "apps/api: app api (bun src/server.ts) runs a server from source and is in apps/",
            "apps/web: app web (dist) is built with Vite and is in apps/",
            "packages/cli: app cli (out) has a build script and no workspace depends on it",
            "packages/config: library, its package.json has no `build`, `start` or `dev` script",
            "packages/ui: library, apps/web depends on it",
        ]
    );
    let closure: Vec<_> =
        graph.closure(&"apps/web".parse().unwrap()).into_iter().map(|path| path.to_string()).collect();
    assert_eq!(closure, ["apps/api", "apps/web", "packages/config", "packages/ui"]);
}

#[test]
fn a_build_script_that_does_nothing_is_none() {
    let graph = graph(&[
        ROOT,
        (
            "apps/api/package.json",
            r#"{"scripts": {"build": "exit 0", "start": "bun s.ts"}, "dependencies": {"a": "*"}}"#,
        ),
        ("apps/api/s.ts", ""),
        ("packages/a/package.json", r#"{"name": "a", "main": "dist/i.js", "scripts": {"build": "echo no build"}}"#),
        ("packages/b/package.json", r#"{"name": "b", "scripts": {"build": "true"}}"#),
    ])
    .unwrap();
    assert_eq!(
        summary(&graph)[1..],
        [
            "apps/api: app api (bun s.ts) runs a server from source and is in apps/",
            "packages/a: library, its package.json has no `start` or `dev` script; `build` does nothing",
            "packages/b: library, its package.json has no `start` or `dev` script; `build` does nothing",
        ]
    );
    assert_eq!(graph.libraries().count(), 0);
}

#[test]
fn a_repository_of_one_package_is_an_app() {
    let graph = graph(&[("package.json", r#"{"name": "@me/site", "scripts": {"build": "astro build"}}"#)]).unwrap();
    assert_eq!(summary(&graph), [".: app me-site (dist) is built with Astro and no workspace depends on it"]);
}

#[test]
fn colliding_folders_are_named_by_package() {
    let app = |name: &str| format!(r#"{{"name": "{name}", "scripts": {{"build": "x"}}}}"#);
    let (a, b, c) = (app("@acme/shop"), app("@acme/blog-web"), app("deps-app"));
    let graph = graph(&[
        ("package.json", r#"{"workspaces": ["*/*"]}"#),
        ("shop/web/package.json", &a),
        ("blog/web/package.json", &b),
        ("x/deps/package.json", &c),
    ])
    .unwrap();
    let names: Vec<_> = graph.apps().map(|(name, _)| name).collect();
    assert_eq!(names, ["acme-blog-web", "acme-shop", "deps-app"]);
}

#[test]
fn choices_go_before_what_is_found() {
    let files = [
        ROOT,
        (
            "splitter.json",
            r#"{"workspaces": {"packages/ui": {"kind": "app", "app": "storybook", "build": "bun run sb", "output": "sb"}}}"#,
        ),
        ("packages/ui/package.json", r#"{"name": "ui"}"#),
    ];
    assert_eq!(summary(&graph(&files).unwrap())[1], "packages/ui: app storybook (sb) set in splitter.json");
    let both = [
        ROOT,
        ("splitter.json", r#"{"workspaces": {"apps/a": {"start": "s.ts"}}}"#),
        ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
    ];
    assert!(summary(&graph(&both).unwrap())[1].starts_with("apps/a: app a (dist, bun s.ts)"));
    let empty =
        [ROOT, ("splitter.json", r#"{"workspaces": {"apps/a": {"kind": "app"}}}"#), ("apps/a/package.json", "{}")];
    assert!(graph(&empty).unwrap_err().to_string().contains("has nothing to build or start"));
    let used = [
        ROOT,
        ("splitter.json", r#"{"workspaces": {"apps/a": {"uses": ["packages/tool"]}}}"#),
        ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
        ("packages/tool/package.json", r#"{"scripts": {"build": "x"}}"#),
    ];
    let used = graph(&used).unwrap();
    assert_eq!(summary(&used)[2], "packages/tool: library, apps/a depends on it");
    assert_eq!(used.closure(&"apps/a".parse().unwrap()).len(), 2);
    let found = [
        ROOT,
        ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
        ("apps/a/src/a.ts", "import 'tool'"),
        ("packages/tool/package.json", r#"{"name": "tool"}"#),
    ];
    let size_with =
        |more: &[(&str, &str)]| graph(&[&found[..], more].concat()).unwrap().closure(&"apps/a".parse().unwrap()).len();
    let off = ("splitter.json", r#"{"workspaces": {"apps/a": {"uses": ["!packages/tool"]}}}"#);
    assert_eq!((size_with(&[]), size_with(&[off])), (2, 1));
    let warned = |choice: &str| {
        let config = format!(r#"{{"workspaces": {{{choice}}}}}"#);
        let files = [
            ROOT,
            ("splitter.json", config.as_str()),
            (
                "apps/a/package.json",
                r#"{"scripts": {"build": "cp ../../packages/tool/.gen/a . && x", "prepare": "y"}}"#,
            ),
            ("packages/tool/package.json", r#"{"scripts": {"prepare": "y"}}"#),
        ];
        graph(&files).unwrap().warnings.len()
    };
    assert_eq!(warned(""), 1);
    assert_eq!(warned(r#""apps/a": {"ownScripts": ["prepare"]}"#), 0);
    assert_eq!(warned(r#""packages/tool": {"ownScripts": ["prepare"]}"#), 0);
    assert_eq!(warned(r#""apps/a": {"uses": ["packages/tool"]}"#), 0);
    let unknown = [ROOT, ("splitter.json", r#"{"workspaces": {"": {"uses": ["packages/x"]}}}"#)];
    assert_eq!(graph(&unknown).unwrap_err().to_string(), "there is no workspace in `packages/x`");
    let unknown = [ROOT, ("splitter.json", r#"{"workspaces": {"packages/x": {}}}"#)];
    assert_eq!(graph(&unknown).unwrap_err().to_string(), "there is no workspace in `packages/x`");
}

/// A library that is built, which depends on these.
fn built(name: &str, more: &str) -> String {
    format!(r#"{{"name": "{name}", "main": "dist/i.js", "scripts": {{"build": "tsc", "generate": "x"}}{more}}}"#)
}

#[test]
fn libraries_with_a_build_that_others_need_have_names() {
    let app = r#"{"name": "web", "scripts": {"build": "x"}, "dependencies": {"a": "*", "@x/ui": "*", "@y/ui": "*"}}"#;
    let graph = graph(&[
        ("package.json", r#"{"name": "acme", "workspaces": ["*/*"], "main": "dist/i.js", "scripts": {"build": "x"}}"#),
        ("apps/web/package.json", app),
        ("apps/library-a/package.json", r#"{"scripts": {"build": "x"}}"#),
        ("packages/a/package.json", &built("a", "")),
        ("x/ui/package.json", &built("@x/ui", "")),
        ("y/ui/package.json", &built("@y/ui", "")),
    ])
    .unwrap();
    let names: Vec<_> = graph.libraries().map(|(name, workspace)| format!("{} {name}", workspace.path)).collect();
    // Its check would have the name of an app: `library-a`.
    assert_eq!(names, ["packages/a packages-a", "x/ui x-ui", "y/ui y-ui"]);
}

#[test]
fn builds_do_not_wait_for_each_other_in_a_ring() {
    let graph = graph(&[
        ROOT,
        ("packages/core/package.json", &built("core", r#", "devDependencies": {"testing": "*"}"#)),
        ("packages/testing/package.json", &built("testing", r#", "dependencies": {"core": "*"}"#)),
    ])
    .unwrap();
    let cycles: Vec<_> = graph.workspaces().flat_map(|workspace| &workspace.cycle).map(ToString::to_string).collect();
    assert_eq!(cycles, ["packages/testing"]);
    assert_eq!(graph.closure(&"packages/core".parse().unwrap()).len(), 2);
}

/// What is linked to under another name is waited for as a dependency is, and in a ring as its group says.
#[test]
fn builds_wait_for_libraries_that_are_linked_to() {
    let graph = graph(&[
        ROOT,
        ("apps/web/package.json", r#"{"scripts": {"build": "x"}, "dependencies": {"x": "link:../../lib/x"}}"#),
        ("lib/x/package.json", r#"{"name": "x", "dependencies": {"core": "*"}}"#),
        ("lib/x/tsconfig.json", r#"{"extends": "../../tsconfig.base.json"}"#),
        ("lib/x/babel.config.json", r#"{"extends": "./other.json"}"#),
        ("lib/x/other.json", "{}"),
        ("tsconfig.base.json", "{}"),
        ("turbo.json", r#"{"tasks": {"build": {"dependsOn": ["^generate"]}}}"#),
        ("packages/core/package.json", &built("core", r#", "devDependencies": {"t": "link:../testing"}"#)),
        ("packages/testing/package.json", &built("testing", r#", "dependencies": {"c": "link:../core"}"#)),
        ("packages/out/package.json", r#"{"name": "out", "main": "i.js", "scripts": {"build": "tsc"}}"#),
        (
            "apps/api/package.json",
            r#"{"scripts": {"build": "x"}, "dependencies": {"o": "link:../../packages/out/dist"}}"#,
        ),
    ])
    .unwrap();
    let workspace = |path: &str| graph.workspaces().find(|workspace| workspace.path.as_str() == path).unwrap();
    let paths = |paths: &BTreeSet<RepoPath>| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&workspace("apps/web").uses), ["packages/core"]);
    assert_eq!(paths(&workspace("apps/web").links), ["lib/x"]);
    assert_eq!(paths(&workspace("apps/web").root_files), ["tsconfig.base.json"], "what is read with a linked folder");
    assert_eq!(workspace("packages/core").build.as_ref().unwrap().command, "bun run generate && bun run build");
    assert_eq!(paths(&workspace("packages/core").cycle), ["packages/testing"]);
    assert_eq!(paths(&workspace("packages/testing").cycle), [""; 0]);
    // Of the last one a link leads into what its build makes, though no entry point does.
    assert_eq!(graph.libraries().map(|(name, _)| name).collect::<Vec<_>>(), ["core", "out", "testing"]);
}

#[test]
fn scripts_that_a_task_runner_knows_run_before_a_build() {
    let turbo = ("turbo.json", r#"{"tasks": {"build": {"dependsOn": ["^build", "generate"], "env": ["KEY"]}}}"#);
    let graph = graph(&[
        ROOT,
        turbo,
        (
            "apps/web/package.json",
            r#"{"scripts": {"build": "bun run generate && x", "generate": "x"}, "dependencies": {"a": "*", "b": "*"}}"#,
        ),
        ("packages/a/package.json", &built("a", "")),
        ("packages/b/package.json", r#"{"name": "b", "scripts": {"generate": "x"}}"#),
    ])
    .unwrap();
    let commands: Vec<_> =
        graph.workspaces().filter_map(|workspace| Some(workspace.build.as_ref()?.command.as_str())).collect();
    assert_eq!(commands, ["bun run build", "bun run generate && bun run build", "bun run generate"]);
    assert!(graph.workspaces().filter(|workspace| workspace.env.contains("KEY")).count() == 3);
    let b = graph.workspaces().find(|workspace| workspace.name == "b").unwrap();
    assert_eq!(b.reason, "its package.json has no `build`, `start` or `dev` script; builds need its scripts");
}

#[test]
fn a_build_script_of_a_library_that_does_not_run_is_known() {
    let turbo = ("turbo.json", r#"{"tasks": {"build": {"dependsOn": ["^build", "generate"]}}}"#);
    let graph = graph(&[
        ROOT,
        turbo,
        ("package.json", r#"{"workspaces": ["apps/*", "packages/*"], "scripts": {"build": "x"}}"#),
        (
            "apps/web/package.json",
            r#"{"scripts": {"build": "x"}, "dependencies": {"a": "*", "b": "*", "c": "*", "d": "*", "e": "*"}}"#,
        ),
        ("packages/a/package.json", r#"{"name": "a", "main": "src/a.ts", "scripts": {"build": "tsc"}}"#),
        ("packages/a/src/a.ts", ""),
        ("packages/b/package.json", &built("b", "")),
        ("packages/c/package.json", r#"{"name": "c", "scripts": {"build": "tsc", "generate": "x"}}"#),
        ("packages/d/package.json", r#"{"name": "d", "scripts": {"build": "mvn package"}}"#),
        ("packages/e/package.json", r#"{"name": "e", "scripts": {"build": "tsc"}}"#),
        ("splitter.json", r#"{"workspaces": {"packages/e": {"build": null}}}"#),
    ])
    .unwrap();
    let left = graph.workspaces().filter(|workspace| workspace.leaves_build).map(|workspace| workspace.name.as_str());
    assert_eq!(left.collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(graph.libraries().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn only_a_library_with_a_build_can_expose_its_output() {
    let choice = ("splitter.json", r#"{"workspaces": {"packages/a": {"exposes": "output"}}}"#);
    let error = graph(&[ROOT, choice, ("packages/a/package.json", "{}")]).unwrap_err();
    assert_eq!(error.to_string(), "`packages/a` is to expose its output, but is no library with a build");
    let sources = r#"{"name": "a", "main": "src/i.ts", "scripts": {"build": "x"}}"#;
    let app = r#"{"scripts": {"build": "x"}, "dependencies": {"a": "*"}}"#;
    let graph = graph(&[ROOT, choice, ("apps/b/package.json", app), ("packages/a/package.json", sources)]).unwrap();
    assert_eq!(graph.libraries().map(|(name, _)| name).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn an_app_has_the_install_that_is_chosen_for_it_or_for_all() {
    use Install::{Own, Production, Shared};
    let app = r#"{"scripts": {"build": "x"}}"#;
    let files = [ROOT, ("apps/a/package.json", app), ("apps/b/package.json", app), ("packages/c/package.json", "{}")];
    let installs = |choices: &str| {
        let graph = graph(&[files.as_slice(), &[("splitter.json", choices)]].concat())?;
        Ok::<_, SplitError>(graph.workspaces().map(|workspace| workspace.install).collect::<Vec<_>>())
    };
    assert_eq!(installs("{}").unwrap(), [Shared; 4]);
    let choices = r#"{"install": "own", "workspaces": {"apps/b": {"install": "production"}}}"#;
    assert_eq!(installs(choices).unwrap(), [Shared, Own, Production, Shared]);
    let error = installs(r#"{"workspaces": {"packages/c": {"install": "own"}}}"#).unwrap_err();
    assert_eq!(error.to_string(), "`packages/c` is to have an install of its own, but is no app");
    let named = |name: &str| installs(&format!(r#"{{"workspaces": {{"apps/a": {{"app": "{name}"}}}}}}"#));
    let error = named("nodeModules-b").unwrap_err();
    assert!(error.to_string().contains("the name `nodeModules-b` is taken by splitter"), "{error}");
}

#[test]
fn only_the_chosen_apps_are_kept() {
    let mut graph = graph(&[
        ROOT,
        ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
        ("apps/b/package.json", r#"{"scripts": {"build": "x"}}"#),
    ])
    .unwrap();
    let error = graph.keep_apps(&BTreeSet::from(["c".to_owned()])).unwrap_err();
    assert_eq!(error.to_string(), "there is no app `c`; the apps are a, b");
    graph.keep_apps(&BTreeSet::from(["b".to_owned()])).unwrap();
    assert_eq!(graph.apps().map(|(name, _)| name).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_is_not_to_be_built_runs_from_its_sources() {
    let manifest = r#"{"scripts": {"build": "make", "start": "bun src/a.ts"}, "name": "a"}"#;
    let files = [ROOT, ("apps/a/package.json", manifest), ("apps/a/src/a.ts", "")];
    let with = |choices: &str| {
        let config = format!(r#"{{"workspaces": {{"apps/a": {choices}}}}}"#);
        graph(&[files.as_slice(), &[("splitter.json", &config)]].concat())
    };
    let line = |choices: &str| summary(&with(choices).unwrap())[1].clone();
    assert_eq!(line(r#"{"build": null}"#), "apps/a: app a (bun src/a.ts) runs from source by choice and is in apps/");
    assert_eq!(line("{}"), "apps/a: library, its build runs `make`, which builds no JavaScript");
    assert_eq!(line(r#"{"kind": "app", "output": "out"}"#), "apps/a: app a (out, bun src/a.ts) set in splitter.json");
    let error = with(r#"{"build": null, "output": "dist"}"#).unwrap_err().to_string();
    assert_eq!(error, "`apps/a` has an `output`, but is not to be built (`\"build\": null`)");
}

#[test]
fn choices_for_the_run_time_that_nothing_would_read_are_refused() {
    let error = |manifest: &str, choices: &str| {
        let config = format!(r#"{{"workspaces": {{"apps/a": {{"runtime": {choices}}}}}}}"#);
        let files = [
            ROOT,
            ("apps/a/package.json", manifest),
            ("apps/a/a.ts", ""),
            ("apps/a/next.config.js", "{ output: 'standalone' }"),
            ("splitter.json", &config),
        ];
        graph(&files).err().map_or_else(String::new, |error| error.to_string())
    };
    let site = r#"{"scripts": {"build": "vite build"}}"#;
    let none = "`apps/a` has a `runtime`, but its package has no program; set `start` too";
    assert_eq!(error(site, r#"{"files": ["a"]}"#), none);
    assert_eq!(error(site, "{}"), "");
    assert_eq!(error("{}", r#"{"directory": "workspace"}"#), "`apps/a` has a `runtime`, but is no app");
    let server = r#"{"scripts": {"start": "bun a.ts"}}"#;
    assert_eq!(error(server, r#"{"install": "own", "files": ["a"], "directory": "workspace"}"#), "");
    let compiled = r#"{"scripts": {"build": "bun build --compile a.ts"}}"#;
    assert!(error(compiled, r#"{"install": "none"}"#).ends_with("its programs are compiled and need neither"));
    let next = r#"{"scripts": {"build": "next build"}}"#;
    assert!(error(next, r#"{"install": "own"}"#).ends_with("puts the packages that it needs into its output"));
    assert_eq!(error(next, r#"{"directory": "workspace"}"#), "");
}

/// The library is compiled by the app, with the app's aliases.
#[test]
fn an_alias_of_an_app_counts_for_the_libraries_that_it_compiles() {
    let files = [
        ROOT,
        ("apps/web/package.json", r#"{"scripts": {"build": "vite build"}, "dependencies": {"a": "*"}}"#),
        (
            "apps/web/vite.config.ts",
            "export default { resolve: { alias: { '~shared': '../../packages/shared/src', '~b': '../../packages/b/src' } } }",
        ),
        ("packages/a/package.json", r#"{"name": "a", "main": "i.ts"}"#),
        ("packages/a/i.ts", "import '~shared/x'"),
        ("packages/shared/package.json", r#"{"name": "shared"}"#),
        ("packages/shared/src/x.ts", "import '~b/y'"),
        ("packages/b/package.json", r#"{"name": "b"}"#),
        ("packages/b/src/y.ts", ""),
    ];
    let graph_of = |more: &[(&str, &str)]| graph(&[&files[..], more].concat()).unwrap();
    let all = graph_of(&[]);
    let web: RepoPath = "apps/web".parse().unwrap();
    assert_eq!(all.closure(&web).len(), 4);
    assert_eq!(all.closure(&"packages/a".parse().unwrap()).len(), 1);
    let imports: Vec<&String> = all.workspaces().flat_map(|workspace| &workspace.imports).collect();
    assert_eq!(imports, ["~b/y", "~shared/x"]);
    assert_eq!(
        all.reason(&web, &"packages/b".parse().unwrap()),
        Some("imports ~b/y (alias in vite.config.ts)"),
        "named by a program of another"
    );
    let without = ("splitter.json", r#"{"workspaces": {".": {"exclude": ["packages/b"]}}}"#);
    assert_eq!(graph_of(&[without]).closure(&web).len(), 3);
}

#[test]
fn a_program_that_the_root_builds_by_project_references_is_an_app() {
    let graph = graph(&[
        (
            "package.json",
            r#"{"workspaces": ["packages/*"], "scripts": {"build": "tsc --build ./tsconfig.build.json && echo"}}"#,
        ),
        (
            "packages/cli/package.json",
            r#"{"name": "cli", "bin": {"c": "./dist/index.js"}, "dependencies": {"core": "*", "functions": "*"}}"#,
        ),
        ("packages/cli/tsconfig.build.json", r#"{"compilerOptions": {"outDir": "dist"}}"#),
        ("packages/core/package.json", r#"{"name": "core", "main": "dist/index.js"}"#),
        ("packages/core/tsconfig.build.json", r#"{"compilerOptions": {"outDir": "dist"}}"#),
        ("packages/functions/package.json", r#"{"name": "functions", "main": "dist/index.js"}"#),
        ("packages/functions/tsconfig.build.json", r#"{"compilerOptions": {"outDir": "dist"}}"#),
        ("packages/leaf/package.json", r#"{"name": "leaf", "main": "dist/index.js"}"#),
        ("packages/leaf/tsconfig.json", r#"{"compilerOptions": {"outDir": "dist"}}"#),
    ])
    .unwrap();
    let all = graph.workspaces().filter(|workspace| !workspace.path.is_root()).map(|workspace| {
        let build = workspace.build.as_ref().map(|build| format!("{} -> {}", build.command, build.shown_outputs()));
        format!("{}: {}: {}", workspace.path, workspace.reason, build.unwrap_or_default())
    });
    insta::assert_debug_snapshot!(all.collect::<Vec<_>>(), @r#"
    [
        "packages/cli: has a program in `bin` and no workspace depends on it: tsc --build tsconfig.build.json -> dist",
        "packages/core: packages/cli depends on it: tsc --build tsconfig.build.json -> dist",
        "packages/functions: packages/cli depends on it: tsc --build tsconfig.build.json -> dist",
        "packages/leaf: is built by a script of the root and no workspace depends on it: tsc --build -> dist",
    ]
    "#);
}

#[test]
fn libraries_that_the_root_builds_by_project_references_have_a_build() {
    let graph = graph(&[
        (
            "package.json",
            r#"{"workspaces": ["packages/*"], "scripts": {"clean": "tsgo -b --clean", "build": "yarn clean && tsc --build"}}"#,
        ),
        ("packages/a/package.json", r#"{"name": "a", "scripts": {"build": "vite build"}, "dependencies": {"b": "*", "c": "*"}}"#),
        ("packages/b/package.json", r#"{"name": "b", "main": "dist/index.js"}"#),
        ("packages/b/tsconfig.json", r#"{"extends": "../../base.json", "compilerOptions": {"outDir": "./dist"}}"#),
        ("packages/c/package.json", r#"{"name": "c", "main": "lib/index.js"}"#),
        ("packages/c/tsconfig.json", r#"{"compilerOptions": {"outDir": "./dist"}}"#),
        ("base.json", "{}"),
    ])
    .unwrap();
    let builds: Vec<_> = graph
        .workspaces()
        .map(|workspace| {
            let build = workspace.build.as_ref().map(|build| format!("{} -> {}", build.command, build.shown_outputs()));
            (workspace.path.to_string(), build, workspace.awaited, workspace.missing_entry.clone())
        })
        .collect();
    insta::assert_debug_snapshot!(builds, @r#"
    [
        (
            ".",
            None,
            false,
            None,
        ),
        (
            "packages/a",
            Some(
                "bun run build -> dist",
            ),
            false,
            None,
        ),
        (
            "packages/b",
            Some(
                "tsc --build -> dist",
            ),
            true,
            None,
        ),
        (
            "packages/c",
            None,
            false,
            Some(
                "lib/index.js",
            ),
        ),
    ]
    "#);
}
