//! Small repositories with what their workspaces read outside.

use super::*;
use crate::{
    repo::MemoryTree,
    split::{workspaces, workspaces::tasks::Tasks},
};

const MANIFESTS: [(&str, &str); 3] = [
    ("package.json", r#"{"workspaces": ["*/*"]}"#),
    ("apps/web/package.json", r#"{"name": "web"}"#),
    ("packages/ui/package.json", r#"{"name": "ui"}"#),
];

/// Searches `apps/web` among these files. A search with what the first one recorded must find the same.
fn search(script: &str, files: &[(&str, &str)]) -> Found {
    let tree = MemoryTree::new(MANIFESTS.iter().chain(files).copied());
    let workspaces = workspaces::read(&tree).unwrap();
    let path: RepoPath = "apps/web".parse().unwrap();
    let task = Tasks::read(&tree, &workspaces).unwrap().task(&path, &workspaces[&path], "build");
    let asked =
        Asked { path: &path, owner: &path, scripts: vec![script], task: &task, purpose: Purpose::Build, check: "" };
    let found = of(&mut Finder::new(&tree, &workspaces, ProgramSearch::Whole), &asked).unwrap();
    let imports = Imports { builds: [(path.clone(), found.imports.clone())].into(), ..Imports::default() };
    let again = of(&mut Finder::new(&tree, &workspaces, ProgramSearch::Recorded(&imports)), &asked).unwrap();
    // The record does not hold which files these are.
    let without_files = |mut found: Found| {
        found.edges.values_mut().for_each(|edge| edge.file = None);
        found
    };
    assert_eq!(without_files(again), without_files(found.clone()));
    found
}

fn found(script: &str, files: &[(&str, &str)]) -> Vec<String> {
    search(script, files).files.iter().map(ToString::to_string).collect()
}

/// The edges of `apps/web` with their reasons.
fn edges(script: &str, files: &[(&str, &str)]) -> Vec<String> {
    search(script, files).edges.iter().map(|(to, edge)| format!("{to}: {}", edge.reason)).collect()
}

#[test]
fn configurations_of_typescript_are_followed() {
    let base = ("tsconfig.base.json", r#"{"extends": ["./config/strict"], "references": [{"path": "packages/ui"}]}"#);
    let strict = ("config/strict.json", "{}");
    let other = ("tsconfig.eslint.json", "{}");
    let own = (
        "apps/web/tsconfig.build.json",
        r#"{"extends": "../../tsconfig.base.json", "references": [{"path": "../../tools"}]}"#,
    );
    let tools = ("tools/tsconfig.json", "{}");
    let main = ("apps/web/tsconfig.json", "{}");
    let root = ("tsconfig.json", r#"{"extends": "./tsconfig.base"}"#);
    assert_eq!(
        found("", &[base, strict, other, own, tools, main, root]),
        ["config/strict.json", "tools/tsconfig.json", "tsconfig.base.json"]
    );
    // If the workspace has none, tools take the nearest one above.
    assert_eq!(found("", &[base, strict, other, root]), ["config/strict.json", "tsconfig.base.json", "tsconfig.json"]);
    let nearer = ("apps/jsconfig.json", "{}");
    assert_eq!(found("", &[base, strict, other, root, nearer]), ["apps/jsconfig.json"]);
    let of_another = ("packages/ui/tsconfig.json", "{}");
    // Extended by the name of a workspace, which an install links at the root.
    for (named, file) in [("ui", "tsconfig.json"), ("ui/base", "base.json"), ("ui/base.json", "base.json")] {
        let own = format!(r#"{{"extends": "{named}"}}"#);
        let file = format!("packages/ui/{file}");
        let files = [("apps/web/tsconfig.json", own.as_str()), (file.as_str(), "{}")];
        let mut expected = [file.as_str(), "packages/ui/package.json"];
        expected.sort_unstable();
        assert_eq!(found("", &files), expected);
        let declared = ("apps/web/package.json", r#"{"name": "web", "devDependencies": {"ui": "*"}}"#);
        assert_eq!(found("", &[&files[..], &[declared]].concat()), [""; 0]);
    }
    let extending = ("apps/web/tsconfig.json", r#"{"extends": "../../packages/ui/tsconfig.json"}"#);
    assert_eq!(found("", &[of_another, extending, root]), ["packages/ui/tsconfig.json"]);
}

#[test]
fn what_scripts_and_configurations_name_is_followed() {
    let script =
        ("scripts/build.js", "const x = require('./lib/x'); require(\"./gone\"); import '../packages/ui/a.js'");
    let lib = ("scripts/lib/x.js", "");
    assert_eq!(
        found("node ../../scripts/build.js && dotenv -e ../../.env.sample -- vite build", &[script, lib]),
        ["scripts/build.js", "scripts/lib/x.js"]
    );
    let vite = (
        "apps/web/vite.config.mts",
        "export default { publicDir: '../../public', envDir: \"../..\", x: `../../gone` }",
    );
    let public = ("public/a.svg", "");
    let babel = ("apps/web/.babelrc", r#"{"extends": "../../babel.config"}"#);
    let shared = ("babel.config.js", "module.exports = {}");
    let ui = ("packages/ui/a.js", "");
    let tailwind = ("apps/web/tailwind.config.js", "require('../../packages/ui/a.js')");
    assert_eq!(found("vite build", &[vite, public, babel, shared, ui, tailwind]), ["babel.config.js", "public"]);
}

#[test]
fn what_tools_look_for_above_is_found() {
    let files = [
        ("postcss.config.mjs", "import './brand.mjs'"),
        ("brand.mjs", ""),
        (".browserslistrc", ""),
        ("apps/web/.browserslistrc", ""),
    ];
    assert_eq!(found("", &files), ["brand.mjs", "postcss.config.mjs"]);
}

#[test]
fn a_tool_that_runs_at_the_root_reads_its_settings_there() {
    let root = (
        "package.json",
        r#"{"workspaces": ["apps/*"], "scripts": {"gen": "preconstruct dev && yarn patch", "patch": "vite build"}}"#,
    );
    let config = ("vite.config.ts", "import './brand.mjs'");
    let files =
        [root, config, ("brand.mjs", ""), ("babel.config.js", ""), ("rollup.config.js", ""), ("tsconfig.json", "{}")];
    let expected = ["babel.config.js", "brand.mjs", "package.json", "tsconfig.json", "vite.config.ts"];
    assert_eq!(found("yarn --cwd ../.. gen", &files), expected);
    assert_eq!(found("cd ../.. && vite build", &files), ["brand.mjs", "tsconfig.json", "vite.config.ts"]);
    // This one counts for every workspace.
    assert_eq!(found("vite build", &files), ["tsconfig.json"]);
}

#[test]
fn what_was_installed_or_is_ignored_is_not_found() {
    let installed = ("node_modules/@x/base/tsconfig.json", r#"{"extends": "../../../tsconfig.other.json"}"#);
    let own = ("apps/web/tsconfig.json", r#"{"extends": "../../node_modules/@x/base/tsconfig.json"}"#);
    let styles = ("apps/web/postcss.config.js", "require('../../node_modules/y/plugin')");
    let files = [installed, own, styles, ("node_modules/y/plugin.js", ""), ("tsconfig.other.json", "{}")];
    assert_eq!(found("", &files), [""; 0]);
}

#[test]
fn settings_of_linters_count_where_builds_lint() {
    let own = ("apps/web/.eslintrc.json", r#"{"extends": ["../../eslint.base.json"]}"#);
    let jest = ("apps/web/jest.config.js", "require('../../jest.base.json')");
    let files = [own, jest, ("eslint.base.json", ""), ("jest.base.json", ""), (".eslintrc.js", "")];
    assert_eq!(found("vite build", &files), [""; 0]);
    let next = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"next": "15"}}"#);
    assert_eq!(found("next build", &[&files[..], &[next]].concat()), ["eslint.base.json"]);
    assert_eq!(found("next build", &[next, (".eslintrc.js", "")]), [".eslintrc.js"]);
}

#[test]
fn inputs_of_task_runners_are_found() {
    let turbo = r#"{"globalDependencies": ["**/.env", "yarn.lock", "scripts/**", "brand.json", "gone.json"]}"#;
    let files = [("turbo.json", turbo), ("yarn.lock", ""), ("scripts/a.sh", ""), ("brand.json", "")];
    assert_eq!(found("", &files), ["brand.json", "scripts"]);
}

/// The cases of S1: what a checkout resolves although no manifest names it.
#[test]
fn aliases_count_where_they_are_imported() {
    let root = (
        "tsconfig.json",
        r#"{"compilerOptions": {"paths": {"@r/ui": ["./packages/ui/src/i.ts"], "@r/x/*": ["packages/x/*"], "~t/*": ["./types/*"]}}}"#,
    );
    let own = ("apps/web/tsconfig.json", r#"{"extends": "../../tsconfig.json"}"#);
    let ui = ("packages/ui/src/i.ts", "");
    let x = ("packages/x/package.json", r#"{"name": "x"}"#);
    let x_file = ("packages/x/a/b.ts", "");
    let types = ("types/t.ts", "import '../shared/s'");
    let shared = ("shared/s.ts", "");
    let files = [root, own, ui, x, x_file, types, shared];
    let with = |text| [&files[..], &[("apps/web/src/a.ts", text)]].concat();
    assert_eq!(edges("", &with("")), [""; 0]);
    assert_eq!(edges("", &with("import { a } from '@r/ui'")), ["packages/ui: imports @r/ui (alias in tsconfig.json)"]);
    let imported = with("import { a } from '@r/x/a/b'; import('~t/t')");
    assert_eq!(edges("", &imported), ["packages/x: imports @r/x/a/b (alias in tsconfig.json)"]);
    assert_eq!(found("", &imported), ["shared/s.ts", "tsconfig.json", "types/t.ts"]);
    assert_eq!(search("", &imported).imports, ["@r/x/a/b", "~t/t"]);
    let declared = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"ui": "*"}}"#);
    assert_eq!(edges("", &[with("import '@r/ui'"), vec![declared]].concat()), [""; 0]);
}

#[test]
fn a_library_of_nx_is_a_folder_with_what_it_imports() {
    let files = [
        (
            "tsconfig.base.json",
            r#"{"compilerOptions": {"paths": {"@r/a": ["libs/a/src/index.ts"], "@r/b": ["libs/b/src/index.ts"]}}}"#,
        ),
        ("apps/web/tsconfig.json", r#"{"extends": "../../tsconfig.base.json"}"#),
        ("apps/web/src/main.ts", "import '@r/a'"),
        ("libs/a/project.json", "{}"),
        ("libs/a/src/index.ts", "export * from '@r/b'; import 'ui'; import '../../../docs/x.md'"),
        ("libs/b/project.json", "{}"),
        ("libs/b/src/index.ts", ""),
        ("docs/x.md", ""),
    ];
    let manifest = ("package.json", r#"{"workspaces": ["apps/*", "packages/*"]}"#);
    let files = [&files[..], &[manifest]].concat();
    assert_eq!(found("", &files), ["docs/x.md", "libs/a", "libs/b", "tsconfig.base.json"]);
    assert_eq!(edges("", &files), ["packages/ui: imports ui, which its package.json lacks"]);
}

#[test]
fn files_and_projects_of_a_compiler_are_found() {
    let own = (
        "apps/web/tsconfig.json",
        r#"{"extends": ["../../base/a", "../../base/b.json"], "references": [{"path": "../../packages/ui"}, {"path": "../../tools/x"}],
            "include": ["src", "../../types/**/*.d.ts", "../../gen"], "files": ["../../env.d.ts"],
            "compilerOptions": {"typeRoots": ["../../node_modules/@types", "../../more"], "rootDirs": ["../../packages/gen/src"]}}"#,
    );
    let files = [
        own,
        ("base/a.json", "{}"),
        ("base/b.json", r#"{"extends": "./c/tsconfig.json"}"#),
        ("base/c/tsconfig.json", "{}"),
        ("packages/ui/tsconfig.json", "{}"),
        ("packages/gen/package.json", r#"{"name": "gen"}"#),
        ("packages/gen/src/a.ts", ""),
        ("tools/x/tsconfig.json", r#"{"files": ["a.ts"], "references": [{"path": "../y"}]}"#),
        ("tools/x/a.ts", ""),
        ("tools/y/tsconfig.json", "{}"),
        ("types/a/b.d.ts", ""),
        ("gen/g.ts", ""),
        ("env.d.ts", ""),
        ("more/m.d.ts", ""),
    ];
    assert_eq!(edges("vite build", &files), [""; 0]);
    assert_eq!(edges("tsc && vite build", &files), ["packages/gen: compiles ../../packages/gen/src (tsconfig.json)"]);
    assert!(found("vite build", &files).contains(&"packages/ui/tsconfig.json".to_owned()));
    assert_eq!(
        edges("vue-tsc -b && vite build", &files),
        [
            "packages/gen: compiles ../../packages/gen/src (tsconfig.json)",
            "packages/ui: refers to ../../packages/ui in tsconfig.json"
        ]
    );
    assert_eq!(
        found("tsc --build", &files),
        [
            "base/a.json",
            "base/b.json",
            "base/c/tsconfig.json",
            "env.d.ts",
            "gen",
            "more",
            "tools/x/a.ts",
            "tools/x/tsconfig.json",
            "tools/y",
            "tools/y/tsconfig.json",
            "types/**/*.d.ts"
        ]
    );
    // What the root includes for all is no choice of this workspace.
    let root = ("tsconfig.json", r#"{"include": ["packages/*/src", "types"], "files": ["env.d.ts"]}"#);
    let own = ("apps/web/tsconfig.json", r#"{"extends": "../../tsconfig.json"}"#);
    assert_eq!(found("", &[&files[1..], &[root]].concat()), ["tsconfig.json"]);
    assert_eq!(edges("", &[&files[1..], &[root]].concat()), [""; 0]);
    assert_eq!(edges("", &[&files[1..], &[root, own]].concat()), [""; 0]);
}

#[test]
fn a_glob_of_a_compiler_matches_its_files() {
    let files = [
        ("packages/ui/src/a.ts", ""),
        ("packages/ui/README.md", ""),
        ("packages/tool/package.json", r#"{"name": "tool"}"#),
        ("packages/b.ts", ""),
        ("packages/types/a/t.d.ts", ""),
        ("types/t.d.ts", ""),
    ];
    let with = |include: &str| format!(r#"{{"include": ["./src", "{include}"]}}"#);
    for (include, expected_files, expected_edges) in [
        ("../../packages/*", &["packages/*.[cm]ts", "packages/*.ts", "packages/*.tsx"][..], &[][..]),
        ("../../packages/*.d.ts", &["packages/*.d.ts"], &[]),
        ("../../packages/ui/*", &[], &["packages/ui"]),
        ("../../packages/*/src", &[], &["packages/ui"]),
        ("../../packages/*/src/**/*", &[], &["packages/ui"]),
        (
            "../../packages/**/*.d.ts",
            &["packages/*.d.ts", "packages/types/**/*.d.ts"],
            &["packages/tool", "packages/ui"],
        ),
        ("../../packages/*/a", &["packages/*/a/**/*.[cm]ts"], &[]),
        ("../../types/**/*", &["types"], &[]),
        ("../../types/*", &["types/*.[cm]ts", "types/*.ts", "types/*.tsx"], &[]),
    ] {
        let own = with(include);
        let files = [&files[..], &[("apps/web/tsconfig.json", own.as_str())]].concat();
        let found = search("vue-tsc --noEmit && vite build", &files);
        let edges: Vec<_> = found.edges.keys().map(RepoPath::as_str).collect();
        assert_eq!(edges, expected_edges, "{include}");
        let all: Vec<_> = found.files.iter().map(RepoPath::as_str).collect();
        assert_eq!(&all[..expected_files.len().min(all.len())], expected_files, "{include}");
        // A bundler does not read this field.
        assert_eq!(search("vite build", &files).edges.len(), 0, "{include}");
    }
    let own = r#"{"include": ["../../types/*"], "compilerOptions": {"allowJs": true}}"#;
    assert_eq!(found("", &[&files[..], &[("apps/web/tsconfig.json", own)]].concat()).len(), 6);
}

#[test]
fn a_glob_of_a_program_takes_no_whole_workspaces() {
    let with = |glob: &str| {
        let text = format!("module.exports = {{ content: ['{glob}'] }}");
        found("", &[("apps/web/tailwind.config.js", &text), ("packages/ui/README.md", ""), ("shared/a.ts", "")])
    };
    for glob in ["../../packages/*", "../../packages/**", "../../packages/**/*", "../../packages/ui/**/*"] {
        let found = with(glob);
        assert_eq!(found.len(), 8, "{glob}: {found:?}");
        assert!(found.iter().all(|glob| glob.rsplit('/').next().unwrap().contains('.')), "{found:?}");
    }
    assert_eq!(with("../../packages/*/README.md"), ["packages/*/README.md"]);
    assert_eq!(with("../../shared/**/*"), ["shared"]);
}

#[test]
fn aliases_and_globs_of_bundlers_are_found() {
    let vite = (
        "apps/web/vite.config.ts",
        "export default { resolve: { alias: { '@ui': path.resolve(__dirname, '../../packages/ui/src'), '@': './src', '@s': '../../shared' } } }",
    );
    let ui = ("packages/ui/src/index.ts", "");
    let shared = ("shared/a.ts", "");
    let files = [vite, ui, shared];
    assert_eq!(edges("", &files), [""; 0]);
    assert_eq!(found("", &files), [""; 0]);
    let page = ("apps/web/src/p.vue", "<script>import '@ui'; import '@s/a'; import '@/x'</script>");
    let with_page = [&files[..], &[page]].concat();
    assert_eq!(edges("", &with_page), ["packages/ui: imports @ui (alias in vite.config.ts)"]);
    assert_eq!(found("", &with_page), ["shared/a.ts"]);
    let tailwind = (
        "apps/web/tailwind.config.js",
        "module.exports = { content: ['./src/**/*.tsx', '../../packages/*/src/**/*.{ts,tsx}', '../../shared/**/*'] }",
    );
    assert_eq!(
        found("", &[&files[..], &[tailwind]].concat()),
        ["packages/*/src/**/*.ts", "packages/*/src/**/*.tsx", "shared"]
    );
    let style = (
        "apps/web/src/s.css",
        "@import '../../../packages/ui/s.css'; @source \"../../../shared\"; @config '../../../tw.js';",
    );
    let styles = [style, ("packages/ui/s.css", ""), shared, ("tw.js", "")];
    assert_eq!(found("", &styles), ["shared", "tw.js"]);
    assert_eq!(edges("", &styles), ["packages/ui: names packages/ui/s.css"]);
}

#[test]
fn programs_name_files_of_other_folders() {
    let files = [
        ("apps/web/src/a.ts", "import x from '../../../docs/x.md?raw'; import { y } from '../../../packages/ui/src/y'"),
        (
            "apps/web/src/b.ts",
            "import.meta.glob('../../../packages/*/README.md'); new URL('../../../packages/ui/d.json', import.meta.url)",
        ),
        ("apps/web/src/c.ts", "path.join(__dirname, '..', '..', '..', 'data'); `${here}/../../../gone.txt`"),
        ("apps/web/templates/t.ts", "import '../../../docs/t.md'; import 'other'"),
        ("apps/web/p.mdx", "import a from '../../docs/p.md'\n```js\nimport o from 'other'\n```\n"),
        ("docs/x.md", ""),
        ("docs/p.md", ""),
        ("docs/t.md", ""),
        ("data/d.csv", ""),
        ("packages/ui/src/y.tsx", ""),
        ("packages/ui/d.json", "{}"),
        ("packages/ui/README.md", ""),
        ("packages/other/package.json", r#"{"name": "other"}"#),
    ];
    assert_eq!(edges("", &files), ["packages/ui: names packages/ui/src/y"]);
    assert_eq!(found("", &files), ["data", "docs/p.md", "docs/x.md", "packages/*/README.md", "packages/ui/d.json"]);
}

#[test]
fn an_edge_says_which_file_names_it() {
    let alias =
        ("apps/web/vite.config.ts", "export default { resolve: { alias: { '@ui': '../../packages/ui/src' } } }");
    let files = [("packages/ui/src/index.ts", ""), alias];
    let shown = |text: &str| {
        let found = search("", &[&files[..], &[("apps/web/src/a.ts", text)]].concat());
        found.edges.values().map(|edge| edge.shown(&"apps/web".parse().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(shown("import '../../../packages/ui/src'"), ["names packages/ui/src (src/a.ts)"]);
    assert_eq!(shown("import '@ui'"), ["imports @ui (alias in vite.config.ts; src/a.ts)"]);
    assert_eq!(shown("import 'ui'"), ["imports ui, which its package.json lacks (src/a.ts)"]);
}

#[test]
fn what_code_generators_write_is_no_import() {
    let files = [
        ("packages/gen2/package.json", r#"{"name": "@r/gen2"}"#),
        ("packages/gen2/d.json", "{}"),
        (
            "apps/web/src/a.ts",
            "writer.writeLine('cwd: \"../../packages/ui\",'); write(`import { x } from \"@r/gen2\"`)",
        ),
        ("apps/web/src/b.ts", "join(process.cwd(), \"../../packages/ui\")"),
        ("apps/web/gen.config.ts", "w('import x from \"../../packages/ui\"')"),
    ];
    assert_eq!(edges("", &files), [""; 0]);
    let read = ("apps/web/src/c.ts", "join(process.cwd(), \"../../packages/gen2/d.json\")");
    assert_eq!(found("", &[&files[..], &[read]].concat()), ["packages/gen2/d.json"]);
    let imported = ("apps/web/src/d.ts", "import x from '@r/gen2'; f(`${require(\"ui\")}`)");
    assert_eq!(search("", &[&files[..], &[imported]].concat()).edges.len(), 2);
}

#[test]
fn what_files_for_tests_import_is_no_edge_of_a_bundler() {
    let files = [("apps/web/src/__mocks__/a.ts", "import 'ui'"), ("apps/web/test-utils/b.ts", "import 'ui'")];
    assert_eq!(edges("vite build", &files), [""; 0]);
    assert_eq!(edges("tsc && vite build", &files).len(), 1);
}

#[test]
fn projects_of_projects_are_of_another() {
    let files = [
        ("apps/web/tsconfig.json", r#"{"references": [{"path": "../../packages/ui"}]}"#),
        ("packages/ui/tsconfig.json", r#"{"references": [{"path": "../b"}]}"#),
        ("packages/b/package.json", r#"{"name": "b"}"#),
        ("packages/b/tsconfig.json", "{}"),
    ];
    let found = search("tsc -b", &files);
    let of_another: Vec<bool> = found.edges.values().map(|edge| edge.is_of_another).collect();
    assert_eq!(of_another, [true, false], "packages/b, packages/ui");
}

/// The cases of S2 and S8.
#[test]
fn scripts_name_files_and_run_commands_of_others() {
    let ui = (
        "packages/ui/package.json",
        r#"{"name": "ui", "bin": {"mytool": "t.js"}, "scripts": {"build": "x", "gen": "y"}}"#,
    );
    let root = (
        "package.json",
        r#"{"workspaces": ["*/*"], "devDependencies": {"ui": "*"}, "scripts": {"codes": "node scripts/c.js && yarn more", "more": "cat data/m.txt"}}"#,
    );
    let files = [
        ui,
        root,
        ("packages/ui/openapi.yaml", ""),
        ("packages/ui/assets/a.png", ""),
        ("scripts/c.js", "require('./d')"),
        ("scripts/d.js", ""),
        ("data/m.txt", ""),
    ];
    for (script, expected) in [
        ("openapi ../../packages/ui/openapi.yaml -o src/x.ts", "packages/ui/openapi.yaml"),
        ("openapi --input=../../packages/ui/openapi.yaml", "packages/ui/openapi.yaml"),
        ("cp -r ../../packages/ui/assets dist && vite build", "packages/ui/assets"),
        ("(cd ../../packages/ui && cat openapi.yaml) && vite build", "packages/ui/openapi.yaml"),
    ] {
        assert_eq!(found(script, &files), [expected], "{script}");
        assert_eq!(edges(script, &files), [""; 0], "{script}");
    }
    for (script, reason) in [
        ("mytool x && vite build", "its script runs `mytool`"),
        ("NODE_ENV=a npx mytool", "its script runs `mytool`"),
        ("dotenv -e .env -- mytool", "its script runs `mytool`"),
        ("yarn workspace ui gen", "its script runs `gen` of packages/ui"),
        ("bun run --filter ui gen", "its script runs `gen` of packages/ui"),
        ("cd ../../packages/ui && yarn gen", "its script runs `gen` of packages/ui"),
        ("yarn --cwd ../../packages/ui gen", "its script runs `gen` of packages/ui"),
        ("cp -r ../../packages/ui/dist dist", "its script names ../../packages/ui/dist"),
    ] {
        assert_eq!(edges(script, &files), [format!("packages/ui: {reason}")], "{script}");
    }
    let of_root = ["data/m.txt", "package.json", "scripts/c.js", "scripts/d.js"];
    for script in [
        "yarn run -T codes && vite build",
        "cd ../.. && bun run codes",
        "yarn --cwd ../.. codes",
        "npm --prefix ../.. run codes",
        "bun run --cwd ../.. codes",
        "bun run --cwd=../.. codes",
    ] {
        assert_eq!(found(script, &files), of_root, "{script}");
    }
    let colon = ("package.json", r#"{"workspaces": ["*/*"], "scripts": {"r:codes": "cat data/m.txt"}}"#);
    assert_eq!(found("yarn r:codes && vite build", &[&files[..], &[colon]].concat()), ["data/m.txt", "package.json"]);
    let gone = search("cat ../../packages/a/gone.yaml", &[("packages/a/package.json", r#"{"name": "a"}"#)]);
    assert_eq!(gone.unmade.len(), 1);
    let known = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"a": "*"}}"#);
    let gone = search("cat ../../packages/a/gone.yaml", &[("packages/a/package.json", r#"{"name": "a"}"#), known]);
    assert_eq!(gone.unmade.len(), 0);
}

#[test]
fn settings_of_linters_are_sources_where_the_build_lints() {
    let reads = |script: &str, files: &[(&str, &str)]| search(script, files).reads.into_iter().collect::<Vec<_>>();
    assert_eq!(reads("vite build", &[]), [""; 0]);
    assert_eq!(reads("eslint . && vite build", &[]), [".eslintignore*", ".eslintrc*", "eslint.config.*"]);
    assert_eq!(reads("biome check && vite build", &[]), [".biome.json*", ".editorconfig*", "biome.json*"]);
    let next = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"next": "15"}}"#);
    assert_eq!(reads("next build", &[next]).len(), 3);
    let next = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"next": "^16.0.1"}}"#);
    assert_eq!(reads("next build", &[next]), [""; 0]);
    let package =
        ("apps/web/package.json", r#"{"name": "web", "main": "./.eslintrc.js", "exports": {"./x": "./src/x.js"}}"#);
    assert_eq!(reads("", &[package]), [".eslintrc.js"]);
}

/// Case X9. No build may lack a file that it reads.
#[test]
fn settings_of_linters_are_sources_where_a_program_reads_them() {
    let settings = [
        ("apps/web/.prettierrc.json", "{}"),
        ("apps/web/eslint.config.mjs", ""),
        ("apps/web/.editorconfig", ""),
        ("apps/web/commitlint.config.js", ""),
    ];
    let reads = |path: &str, text: &str| {
        let files = [&settings[..], &[(path, text)]].concat();
        search("vite build", &files).reads.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(reads("apps/web/src/a.ts", "// eslint-disable-next-line"), [""; 0]);
    let of_prettier = [".editorconfig", ".prettierrc.json"];
    assert_eq!(reads("apps/web/scripts/gen.mjs", "import * as p from 'prettier';"), of_prettier);
    assert_eq!(
        reads("apps/web/codegen.ts", "export default { hooks: { afterAllFileWrite: ['prettier --write'] } }"),
        of_prettier
    );
    assert_eq!(reads("apps/web/orval.config.ts", "export default { a: { output: { prettier: true } } }"), of_prettier);
    assert_eq!(reads("apps/web/src/page.mdx", "import config from '../eslint.config.mjs'"), ["eslint.config.mjs"]);
    assert_eq!(reads("apps/web/src/a.test.ts", "import 'prettier'"), [""; 0]);
}
