//! What `scan` says about packages: their programs, what does not run, and guesses.

use serde_json::{Value, json};

use crate::support::{Package, Small, splitter_snapshot, succeed};

/// Writes apps with these scripts, and returns the lines of `scan` about them.
fn workspaces_with(small: &Small, apps: &[(&str, Value)]) -> String {
    for (name, manifest) in apps {
        let mut manifest = manifest.clone();
        manifest["name"] = (*name).into();
        small.context.write(&format!("apps/{name}/package.json"), format!("{manifest:#}\n"));
    }
    let output = succeed(&mut small.context.splitter(&["scan"]));
    let lines = output.lines().skip_while(|line| !line.starts_with("workspaces")).skip(1);
    lines.take_while(|line| !line.is_empty()).map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn build(script: &str) -> Value {
    json!({ "scripts": { "build": script } })
}

#[test]
fn products_are_shown_with_their_programs_and_what_these_run_with() {
    let small = Small::new();
    let server =
        json!({ "scripts": { "build": "tsc --outDir lib", "start": "NODE_ENV=production node lib/main.js --port 1" } });
    let cli = json!({ "bin": { "mycat": "src/cli.ts", "mydog": "src/dog.ts" } });
    let both = json!({ "scripts": {
        "build": "vite build --outDir dist/client && vite build --ssr s.ts --outDir dist/server && tsc --outDir types",
        "start": "node dist/server/s.js" } });
    let next = json!({ "dependencies": { "next": "1" }, "scripts": { "build": "next build" } });
    small.context.write("apps/cli/src/cli.ts", "");
    small.context.write("apps/cli/src/dog.ts", "");
    small.context.write(
        "splitter.json",
        r#"{ "workspaces": { "apps/server": { "runtime": { "install": "own", "files": ["views/**"], "directory": "workspace" } } } }"#,
    );
    let shown = workspaces_with(
        &small,
        &[
            ("both", both),
            ("cli", cli),
            ("next", next),
            ("nuxt", build("nuxt build")),
            ("server", server),
            ("site", build("vitepress build docs")),
            ("tool", build("bun build src/main.ts --compile --outfile dist/tool")),
        ],
    );
    insta::assert_snapshot!(shown, @r#"
    .            library (is the workspace root)
    apps/api     app api (runs a server from source and is in apps/)
                 server api: bun src/server.ts
                 runs with: production dependencies
    apps/both    app both (has a script that starts what it builds and is in apps/)
                 build: `bun run build` (Vite) -> dist/client, dist/server, (types)
                 server both: node dist/server/s.js
                 runs with: production dependencies
    apps/cli     app cli (has a program in `bin` and is in apps/)
                 program mycat: bun src/cli.ts
                 program mydog: bun src/dog.ts
                 runs with: production dependencies
    apps/next    app next (is built with Next.js and is in apps/)
                 build: `bun run build` (Next.js) -> .next
                 server next: NODE_ENV=production next start (runs in its own folder)
                 runs with: production dependencies, public/**, next.config.*
    apps/nuxt    app nuxt (is built with Nuxt and is in apps/)
                 build: `bun run build` (Nuxt) -> .output
                 server nuxt: node .output/server/index.mjs
                 runs with: the dependencies that the build put into its output
    apps/server  app server (has a script that starts what it builds and is in apps/)
                 build: `bun run build` (tsc) -> lib
                 server server: NODE_ENV=production node lib/main.js --port 1 (runs in its own folder)
                 runs with: its dependencies, also those for development, views/**
    apps/site    app site (is built with VitePress and is in apps/)
                 build: `bun run build` (VitePress) -> docs/.vitepress/dist
                 site: static files
    apps/tool    app tool (compiles a program and is in apps/)
                 build: `bun run build` (bun build) -> dist/tool
                 program tool: dist/tool (compiled)
    apps/web     app web (has a build script and is in apps/)
                 build: `bun run build` (bun build) -> dist
                 files: the output of the build, no program
    packages/ui  library (its package.json has no `build`, `start` or `dev` script)
    node_modules is copied into the build of apps/nuxt (slower, larger), because it runs `nuxt build`: Nitro copies files of packages with their read-only mode and then rewrites them; `"nodeModules": "link"` in splitter.json turns this off
    "#);
}

#[test]
fn a_workspace_that_looks_like_an_app_says_how_to_make_it_one() {
    let small = Small::new();
    small.context.write("apps/backend/package.json", r#"{"name": "backend", "module": "index.ts"}"#);
    small.context.write("apps/backend/index.ts", "");
    small.context.write("apps/mobile/package.json", r#"{"name": "mobile", "scripts": {"start": "expo start"}}"#);
    let output = succeed(&mut small.context.splitter(&["scan"]));
    let told =
        output.lines().skip_while(|line| !line.contains("apps/backend")).take_while(|line| !line.contains("apps/web"));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    apps/backend  library (its package.json has no `build`, `start` or `dev` script)
                  to make it an app, set `"workspaces": { "apps/backend": { "start": "index.ts" } }` in splitter.json
    apps/mobile   library (its package.json has no `build` or `dev` script; `start` (`expo start`) starts no file that splitter found)
                  to make it an app, set `"workspaces": { "apps/mobile": { "start": "FILE" } }` in splitter.json; FILE is the file that it starts
    "#);
    splitter_snapshot!(small.context, small.context.splitter(&["init", "--app", "backend"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: `apps/backend` is a library: its package.json has no `build`, `start` or `dev` script
    hint: to make it an app, set `"workspaces": { "apps/backend": { "start": "index.ts" } }` in splitter.json
    "#);
    small.context.write("apps/backend/package.json", r#"{"name": "backend", "scripts": {"start": "index.ts"}}"#);
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: the script `start` of `apps/backend` is not supported: expected one command that runs one file, found a file name without a program (`index.ts`)
      at apps/backend/package.json
    hint: set what starts the app in splitter.json: `"workspaces": { "apps/backend": { "start": "index.ts" } }`
    hint: `start` can be a whole command, such as `"start": "node --import ./pre.js index.ts"`: its variables, options and arguments are kept; several commands (`&&`), pipes, redirections and `$VAR` are not supported
    hint: if it is not an app, set `"workspaces": { "apps/backend": { "kind": "library" } }`
    "#);
}

#[test]
fn scripts_that_do_not_run_and_copied_packages_are_told_once() {
    let small = Small::new();
    let context = &small.context;
    context.write("packages/ui/package.json", r#"{"name": "@acme/ui", "dependencies": {"@prisma/client": "6.1.0"}}"#);
    context.write("packages/ui/schema.prisma", "generator client {\n  provider = \"prisma-client-js\"\n}\n");
    context.edit_manifest("apps/api/package.json", |manifest| {
        manifest["dependencies"] = serde_json::json!({ "@acme/ui": "workspace:*" });
    });
    let locked = [("@prisma/client", "6.1.0"), ("@prisma/engines", "6.1.0"), ("esbuild", "0.25.0")];
    small.lock(&locked.map(|(name, version)| Package::new(name, version)));
    let output = succeed(&mut context.splitter(&["scan"]));
    let told = output.lines().filter(|line| line.starts_with("scripts") || line.contains("copied"));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    scripts     install scripts that do not run: @prisma/client, @prisma/engines; see https://github.com/OWNER/splitter/blob/main/docs/support.md#lifecycle-scripts
      node_modules is copied into the build of apps/api, apps/web (slower, larger), because `prisma generate` writes into node_modules (packages/ui/schema.prisma); `"nodeModules": "link"` in splitter.json turns this off
    "#);
}

#[test]
fn a_guessed_output_is_marked_and_builds_of_other_languages_make_no_package() {
    let small = Small::new();
    let shown = workspaces_with(
        &small,
        &[
            ("docker", build("docker build . -t app")),
            ("guess", build("node build.js")),
            ("java", build("cd java && mvn -B package")),
            ("made", build("make -C src all")),
            ("mixed", build("make wasm && vite build")),
        ],
    );
    insta::assert_snapshot!(shown, @"
    .            library (is the workspace root)
    apps/api     app api (runs a server from source and is in apps/)
                 server api: bun src/server.ts
                 runs with: production dependencies
    apps/docker  library (its build runs `docker`, which builds no JavaScript)
    apps/guess   app guess (has a build script and is in apps/)
                 build: `bun run build` -> dist? (a guess; `output` in splitter.json sets it)
                 files: the output of the build, no program
    apps/java    library (its build runs `mvn`, which builds no JavaScript)
    apps/made    library (its build runs `make`, which builds no JavaScript)
    apps/mixed   app mixed (is built with Vite and is in apps/)
                 build: `bun run build` (Vite) -> dist
                 site: static files
    apps/web     app web (has a build script and is in apps/)
                 build: `bun run build` (bun build) -> dist
                 files: the output of the build, no program
    packages/ui  library (its package.json has no `build`, `start` or `dev` script)
    ");
    let scan: Value = serde_json::from_str(&succeed(&mut small.context.splitter(&["scan", "--json"]))).unwrap();
    let workspaces = scan["workspaces"].as_array().unwrap();
    let guessed: Vec<_> = workspaces.iter().filter(|found| found["build"]["guessed"] == true).collect();
    assert_eq!(guessed.len(), 1, "{scan:#}");
    assert_eq!((&guessed[0]["path"], &guessed[0]["build"]["outputs"]), (&json!("apps/guess"), &json!(["dist"])));
    // What the user sets is no guess, and makes a package.
    small.context.write(
        "splitter.json",
        r#"{ "workspaces": { "apps/guess": { "output": ["out", "types"] }, "apps/made": { "kind": "app", "output": "src/out" } } }"#,
    );
    let output = succeed(&mut small.context.splitter(&["scan"]));
    assert!(output.contains("build: `bun run build` -> out, types\n"), "{output}");
    assert!(output.contains("apps/made    app made (set in splitter.json)"), "{output}");
    assert!(output.contains("build: `bun run build` -> src/out\n"), "{output}");
}

#[test]
fn a_workspace_may_run_from_its_sources_though_it_has_a_build_script() {
    let small = Small::new();
    let scripts = json!({ "scripts": { "build": "tsc --outDir dist", "start": "bun src/server.ts" } });
    let choose = |build: &str| {
        small
            .context
            .write("splitter.json", format!(r#"{{ "workspaces": {{ "apps/api": {{ "build": {build} }} }} }}"#));
    };
    choose("null");
    let shown = workspaces_with(&small, &[("api", scripts)]);
    let api: Vec<&str> = shown.lines().skip_while(|line| !line.contains("apps/api")).take(3).collect();
    insta::assert_snapshot!(api.join("\n"), @"
    apps/api     app api (runs from source by choice and is in apps/)
                 server api: bun src/server.ts
                 runs with: production dependencies
    ");
    choose(r#""""#);
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected a command, or null for a workspace that is not built, found the string ""
      at splitter.json:1:42
    "#);
}
