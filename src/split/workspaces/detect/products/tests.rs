//! What packages are found to be.

use super::*;
use crate::{repo::MemoryTree, split::workspaces::detect};

/// The product of `apps/a` with this manifest.
fn product(manager: ManagerName, manifest: &str, files: &[(&str, &str)]) -> Option<Product> {
    let tree = MemoryTree::new(files.iter().copied());
    let folder: RepoPath = "apps/a".parse().unwrap();
    let manifest = Manifest::parse("package.json", manifest).unwrap();
    let choice = WorkspaceConfig::default();
    let build = detect::build(&tree, &folder, &manifest, &[], manager).unwrap();
    let asked =
        Asked { tree: &tree, folder: &folder, manifest: &manifest, manager, choice: &choice, build: build.as_ref() };
    find(&asked).unwrap()
}

/// The product of `apps/a` with this manifest, in words.
fn found(manager: ManagerName, manifest: &str, files: &[(&str, &str)]) -> String {
    let Some(product) = product(manager, manifest, files) else { return "nothing".to_owned() };
    let programs: Vec<String> = product
        .programs_of("a")
        .iter()
        .map(|program| {
            let place = program.directory.as_ref().filter(|folder| *folder != ".");
            let place = place.map(|folder| format!(" in {folder}")).unwrap_or_default();
            format!("{}: {}{place}", program.name, program.shown())
        })
        .collect();
    let runtime = product.runtime.map(|install| format!(" + {install:?}")).unwrap_or_default();
    let ts_config = if product.files.contains(&"tsconfig*.json".to_owned()) { ", tsconfig*.json" } else { "" };
    format!("{} {:?}{runtime} [{}{ts_config}]", product.purpose.name(), product.keeps, programs.join("; "))
}

fn of_bun(manifest: &str, files: &[(&str, &str)]) -> String {
    found(ManagerName::Bun, manifest, files)
}

fn of_yarn(manifest: &str, files: &[(&str, &str)]) -> String {
    found(ManagerName::YarnBerry, manifest, files)
}

#[test]
fn a_compiled_program_is_named_by_bin_or_by_its_file() {
    let build = r#""scripts": {"build": "bun build src/main.ts --compile --outfile dist/tool", "start": "dist/tool"}"#;
    assert_eq!(of_bun(&format!("{{{build}}}"), &[]), "program Files [tool: dist/tool]");
    let bin = format!(r#"{{"bin": {{"mytool": "./dist/tool"}}, {build}}}"#);
    assert_eq!(of_bun(&bin, &[]), "program Files [mytool: dist/tool]");
    let two = r#"{"scripts": {"build": "bun build --compile a.ts --outfile dist/a && bun build --compile b.ts --outfile dist/b"}}"#;
    assert_eq!(of_bun(two, &[]), "program Files [a: dist/a; b: dist/b]");
    let cross = r#"{"scripts": {"build": "bun build --compile --target=bun-linux-arm64 a.ts --outfile dist/a"}}"#;
    assert_eq!(of_bun(cross, &[]), "files Files []");
}

#[test]
fn a_program_that_runs_from_source_has_the_names_of_bin() {
    let manifest = r#"{"name": "@acme/cat", "bin": {"mycat": "src/cli.ts"}}"#;
    let files = [("apps/a/src/cli.ts", "")];
    assert_eq!(of_bun(manifest, &files), "program Sources + Production [mycat: bun src/cli.ts]");
    assert_eq!(of_yarn(manifest, &files), "nothing");
    assert_eq!(
        of_bun(r#"{"name": "@acme/cat", "bin": "cli.js"}"#, &[("apps/a/cli.js", "")]),
        "program Sources + Production [cat: bun cli.js]"
    );
    assert_eq!(
        of_bun(r#"{"name": "@acme/ünï", "bin": "cli.js"}"#, &[("apps/a/cli.js", "")]),
        "program Sources + Production [ünï: bun cli.js]"
    );
    assert_eq!(
        of_bun(r#"{"bin": {"../x": "cli.js"}}"#, &[("apps/a/cli.js", "")]),
        "program Sources + Production [x: bun cli.js]"
    );
}

#[test]
fn a_server_that_is_built_runs_with_a_production_install() {
    let tsc = r#"{"main": "dist/main.js", "scripts": {"build": "tsc --outDir dist", "start": "node dist/main.js"}}"#;
    assert_eq!(of_yarn(tsc, &[]), "server Server + Production [a: node dist/main.js]");
    let nest = r#"{"scripts": {"build": "nest build", "start": "nest start", "start:prod": "node dist/main"}}"#;
    assert_eq!(of_yarn(nest, &[]), "server Server + Production [a: node dist/main.js]");
    let nest = r#"{"scripts": {"build": "nest build"}}"#;
    assert_eq!(of_yarn(nest, &[]), "server Server + Production [a: node dist/main.js]");
    let own = r#"{"scripts": {"build": "vite build", "start": "NODE_ENV=production node server.js"}}"#;
    let files = [("apps/a/server.js", "")];
    assert_eq!(of_yarn(own, &files), "server Sources + Production [a: NODE_ENV=production node server.js]");
    let cli = r#"{"bin": {"tool": "dist/cli.js"}, "scripts": {"build": "tsup src/cli.ts"}}"#;
    assert_eq!(of_yarn(cli, &[]), "program Server + Production [tool: dist/cli.js]");
    let paths = r#"{"scripts": {"build": "nest build", "start:prod": "node -r tsconfig-paths/register dist/main"}}"#;
    let expected =
        "server Server + Production [a: node -r {resolve:tsconfig-paths/register} dist/main.js, tsconfig*.json]";
    assert_eq!(of_yarn(paths, &[]), expected);
    let own = r#"{"scripts": {"build": "nest build", "start:prod": "node -r ./paths.js dist/main"}}"#;
    let files = [("apps/a/paths.js", "require('./tsconfig.json')")];
    assert_eq!(of_yarn(own, &files), "server Server + Production [a: node -r ./paths.js dist/main.js, tsconfig*.json]");
    let unclear = r#"{"scripts": {"build": "tsc --outDir dist", "start": "node dist/a.js && node dist/b.js"}}"#;
    assert_eq!(of_yarn(unclear, &[]), "files Files []");
}

#[test]
fn what_runs_a_program_is_said_by_its_first_line() {
    let manifest = r#"{"name": "cat", "bin": "cli.js"}"#;
    let with = |line: &str| of_bun(manifest, &[("apps/a/cli.js", &format!("{line}\nconsole.log(1);\n"))]);
    assert_eq!(with("#!/usr/bin/env node"), "program Sources + Production [cat: node cli.js]");
    assert_eq!(with("#!/usr/bin/env bun"), "program Sources + Production [cat: bun cli.js]");
    assert_eq!(with("// node"), "program Sources + Production [cat: bun cli.js]");
}

#[test]
fn a_server_of_html_runs_in_the_folder_that_has_it() {
    let build = r#""build": "bun build src/server.ts --target=bun --outdir dist""#;
    let of = |start: &str, source: &str| {
        of_bun(&format!(r#"{{"scripts": {{{build}, "start": "{start}"}}}}"#), &[("apps/a/src/server.ts", source)])
    };
    let with_html = "import page from './index.html';";
    assert_eq!(of("bun dist/server.js", with_html), "server Server + Production [a: bun dist/server.js in dist]");
    assert_eq!(of("bun dist/server.js", ""), "server Server + Production [a: bun dist/server.js]");
    assert_eq!(
        of("cd dist && PORT=1 bun server.js", ""),
        "server Server + Production [a: PORT=1 bun dist/server.js in dist]"
    );
}

#[test]
fn frameworks_are_known() {
    let app = |dependency: &str, build: &str, files: &[(&str, &str)]| {
        let manifest = format!(r#"{{"dependencies": {{"{dependency}": "1"}}, "scripts": {{"build": "{build}"}}}}"#);
        of_yarn(&manifest, files)
    };
    let next = |config: &str| app("next", "next build", &[("apps/a/next.config.js", config)]);
    assert_eq!(next("{ output: 'export' }"), "site Files []");
    assert_eq!(next("{ output: 'standalone' }"), "server Server [a: NODE_ENV=production node server.js]");
    assert_eq!(next("{}"), "server Server + Production [a: NODE_ENV=production next start]");
    assert_eq!(app("nuxt", "nuxt build", &[]), "server Server [a: node .output/server/index.mjs]");
    assert_eq!(app("nuxt", "nuxt generate", &[]), "site Files []");
    let svelte = |adapter: &str| {
        let config = format!("import adapter from '@sveltejs/{adapter}'");
        app("@sveltejs/kit", "vite build", &[("apps/a/svelte.config.js", &config)])
    };
    assert_eq!(svelte("adapter-node"), "server Server + Production [a: node build/index.js]");
    assert_eq!(svelte("adapter-static"), "site Files []");
    assert_eq!(svelte("adapter-cloudflare"), "files Files []");
    let kit_3 = [("apps/a/vite.config.js", "sveltekit({ adapter: adapter() }); from '@sveltejs/adapter-node'")];
    let found = app("@sveltejs/kit", "vite build", &kit_3);
    assert_eq!(found, "server Server + Production [a: node build/index.js]");
    let astro = |config: &str| app("astro", "astro build", &[("apps/a/astro.config.mjs", config)]);
    assert_eq!(astro("{}"), "site Files []");
    assert_eq!(
        astro("import node from '@astrojs/node'; { adapter: node() }"),
        "server Server + Production [a: node dist/server/entry.mjs]"
    );
    let router = app("@react-router/serve", "react-router build", &[]);
    assert_eq!(
        router,
        "server Server + Production [a: NODE_ENV=production react-router-serve ./build/server/index.js]"
    );
    assert_eq!(app("vite", "vite build", &[]), "site Files []");
    assert_eq!(app("vite", "vite build", &[("apps/a/vite.config.ts", "build: { lib: {} }")]), "files Files []");
    assert_eq!(app("x", "storybook build", &[]), "site Files []");
}

#[test]
fn how_a_package_is_served_is_known_of_its_framework() {
    let served = |script: &str, files: &[(&str, &str)]| {
        let product = product(ManagerName::Bun, &format!(r#"{{"scripts": {{{script}}}}}"#), files).unwrap();
        product.serves().map_or_else(|| "nothing".to_owned(), |serves| serves.to_string())
    };
    assert_eq!(served(r#""build": "vite build""#, &[]), "files");
    assert_eq!(served(r#""start": "bun src/server.ts""#, &[("apps/a/src/server.ts", "")]), "port 3000");
    let standalone = [("apps/a/next.config.mjs", "export default { output: 'standalone' }")];
    assert_eq!(served(r#""build": "next build""#, &standalone), "HOSTNAME=0.0.0.0 port 3000");
    let astro = [("apps/a/astro.config.mjs", "import node from '@astrojs/node'")];
    assert_eq!(served(r#""build": "astro build""#, &astro), "HOST=0.0.0.0 port 4321");
    assert_eq!(served(r#""build": "bun build a.ts --compile --outfile dist/a""#, &[]), "nothing");
}
