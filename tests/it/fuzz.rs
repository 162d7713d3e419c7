//! The checks of the fuzz targets, on mutated samples. So CI compiles the targets without the fuzzer, and runs each of
//! them for some seconds. `SPLITTER_FUZZ_CASES` sets the number of cases and `SPLITTER_FUZZ_SEED` the first seed; a failure
//! prints the seed of its case.

use std::{collections::BTreeSet, env, panic, path::Path};

use fs_err as fs;

use crate::support::{
    Package, Random, Small,
    small::{self, packages},
};

/// The number of cases of each check.
const CASES: u64 = 300;

/// Texts that parsers treat in a special way.
const TOKENS: [&str; 44] = [
    "\"",
    "'",
    "`",
    "\\",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    ":",
    ": ",
    ",",
    "=",
    "#",
    ";",
    "/",
    "//",
    "..",
    "../",
    "@",
    "@npm:",
    "{",
    "}",
    "{a,b}",
    "[",
    "]",
    "*",
    "**",
    "!",
    "?",
    "$",
    "${A",
    "${A:-b}",
    "0",
    "-1",
    "1e999",
    "null",
    "true",
    "\u{0}",
    "\u{feff}",
    "é",
    "\u{202e}",
    "\"\ncatalog:\"",
    "sha512-",
];

/// Declares the modules of checks, and a test for each, which mutates `samples`.
macro_rules! targets {
    ($($name:ident, $path:literal, $check:expr, $samples:expr;)*) => {
        $(#[path = $path]
        mod $name;)*

        mod on_mutated_samples {
            $(#[test]
            fn $name() {
                super::run(&$samples, $check);
            }

            )*
        }

        const TARGETS: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    build_files, "../../fuzz/checks/build_files.rs", |bytes| super::text(bytes, super::build_files::check), [
        r#"{"tasks": {"build": {"dependsOn": ["^build", "//#codegen"], "outputs": ["dist/**", "!dist/x"], "inputs": ["$TURBO_DEFAULT$"]}}}"#,
        r#"{"extends": "../base.json", "compilerOptions": {"outDir": "dist", "paths": {"@a/*": ["./src/*"]}}, "references": [{"path": "../x"}]}"#,
        "import x from \"../base.json\";\nexport default { build: { outDir: `./out/${x}` }, y: require('./a') } // */ /* x\n",
        r#"{"targets": {"build": {"executor": "nx:run-commands", "options": {"command": "tsc -p {projectRoot}"}, "outputs": ["{projectRoot}/dist"]}}}"#,
    ];
    bun_lock, "../../fuzz/checks/bun_lock.rs", |bytes| super::text(bytes, super::bun_lock::check), super::bun_locks();
    cache_address, "../../fuzz/checks/cache_address.rs", |bytes| super::text(bytes, super::cache_address::check), [
        "cachix:acme", "attic:cache.example:8080/acme", "s3://acme?region=eu-west-1", "https://h.example/a//?trusted=true#x",
        "file:///srv/%2fcache", "ssh-ng://user@host",
    ];
    config, "../../fuzz/checks/config.rs", |bytes| super::text(bytes, super::config::check), super::CONFIGS;
    config_globs, "../../fuzz/checks/config_globs.rs", |bytes| super::text(bytes, super::config_globs::check),
        ["src/**/*.{ts,tsx}", "!{a,b{c,d}}/[!x-z]*", "../{a..c}/\\{x\\}", "**/node_modules/**"];
    host_archive, "../../fuzz/checks/host_archive.rs", super::host_archive::check, super::archives();
    image_plan, "../../fuzz/checks/image_plan.rs", |bytes| super::text(bytes, super::image_plan::check), [
        r#"{"version": 1, "name": "a/web", "tag": "v1", "registry": null, "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:01Z", "config": {"Env": ["A=b"], "Labels": {"x": "y"}}, "layers": [{"name": "base", "changes": "nixpkgs", "root": {"path": "/nix/store/a101ry64prhq70jyl77q503pidv67jw7-a", "narHash": "sha256:0000000000000000000000000000000000000000000000000000", "narSize": 1, "modes": [{"path": "tmp", "mode": "1777", "uid": 0, "gid": 0}]}, "paths": [{"path": "/nix/store/zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-b", "narHash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "narSize": 7}]}]}"#,
    ];
    image_reference, "../../fuzz/checks/image_reference.rs", |bytes| super::text(bytes, super::image_reference::check), [
        "registry.example/acme/web:v1", "https://localhost:5000/web@sha256:143dd8df1576a595f1395463918cc8c87e98da479f509a2d0ef69e5971367bdb",
        "127.0.0.1:5000/a/b", "[::1]:5000/web",
    ];
    integrity, "../../fuzz/checks/integrity.rs", |bytes| super::text(bytes, super::integrity::check), [
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=?opt",
    ];
    lint, "../../fuzz/checks/lint.rs", |bytes| super::text(bytes, super::lint::check), super::lint_samples();
    manifest, "../../fuzz/checks/manifest.rs", |bytes| super::text(bytes, super::manifest::check), super::MANIFESTS;
    narinfo, "../../fuzz/checks/narinfo.rs", |bytes| super::text(bytes, super::narinfo::check),
        include_str!("../narinfo/golden.txt").split("\n\n").collect::<Vec<_>>();
    nix_log, "../../fuzz/checks/nix_log.rs", |bytes| super::text(bytes, super::nix_log::check), [
        r#"{"action":"start","fields":["/nix/store/n67n8hjgyaxbr13ih5jm9kgxxb4mqpwb-web-1.drv","",1,1],"id":53,"level":3,"parent":0,"text":"building","type":105}"#,
        r#"{"action":"result","fields":["a \u001b[31mb"],"id":53,"type":101}"#,
        "\u{1b}[31;1merror:\u{1b}[0m builder for '/nix/store/n67n8hjgyaxbr13ih5jm9kgxxb4mqpwb-web-1.drv' failed with exit code 1",
    ];
    record, "../../fuzz/checks/record.rs", |bytes| super::text(bytes, super::record::check), [super::recorded()];
    registries, "../../fuzz/checks/registries.rs", |bytes| super::text(bytes, |text| {
        let (npmrc, bunfig) = text.split_once('\u{1}').unwrap_or((text, text));
        super::registries::check((npmrc, bunfig));
    }), [
        "registry=https://a.example/npm\n@a:registry = \"https://us:pw@b.example\" ; x\n//a.example/:_authToken=${T?}\n\u{1}\
         [install]\nregistry = {url = \"https://c.example\", token = \"$T\"}\n[install.scopes]\nx = \"https://d.example\"\n",
    ];
    reproduce, "../../fuzz/checks/reproduce.rs", super::pair_of_builds, super::pairs_of_builds();
    settings_edit, "../../fuzz/checks/settings_edit.rs", |bytes| super::text(bytes, super::settings_edit::check), super::CONFIGS;
    trace_note, "../../fuzz/checks/trace_note.rs", |bytes| super::text(bytes, super::trace_note::check),
        [r#"{"version": 1, "command": "tsc", "exit": 2, "seconds": 1.5, "read": ["a/b", "../c", ""], "made": ["dist"]}"#];
    workspace_patterns, "../../fuzz/checks/workspace_patterns.rs", |bytes| super::text(bytes, |text| {
        let mut patterns = text.splitn(3, '\n');
        super::workspace_patterns::check(std::array::from_fn(|_| patterns.next().unwrap_or_default()));
    }), ["packages/*\n!packages/a\napps/{web,x}", "**\npackages/+(a|ab)\n[!p]*/[[:alpha:]]b", "./packages/**/\n../x\npackages/up/*"];
    yarn_lock, "../../fuzz/checks/yarn_lock.rs", |bytes| super::text(bytes, super::yarn_lock::check), super::YARN_LOCKS;
    yarnrc, "../../fuzz/checks/yarnrc.rs", |bytes| super::text(bytes, super::yarnrc::check), [
        "nodeLinker: node-modules\nnpmRegistryServer: \"https://a.example\"\nnpmScopes:\n  a:\n    npmAuthToken: ${T:-x}\n\
         catalog:\n  x: ^1\npackageExtensions:\n  \"y@*\":\n    dependencies: {z: '1'}\nsupportedArchitectures: {os: [linux, current]}\n",
        "registry \"https://a.example\"\n\"@a:registry\" https://b.example\nyarn-path \".yarn/x.cjs\"\n--install.ignore-optional true\n",
        ": \"\ncatalog:",
    ];
}

const CONFIGS: [&str; 2] = [
    r#"{"apps": ["web"], "workspaces": {"apps/web": {"include": ["../a/*.{x,y}"], "exclude": ["b"], "build": "x", "output": "dist"}}, "hook": {"update": true}}"#,
    "{\n  // why\n  \"workspaces\": {\n    \"apps/web\": { \"include\": [\"a\", ], },\n  },\n}\n",
];

/// The examples of all rules.
fn lint_samples() -> Vec<&'static str> {
    let examples = splitter::lint::rules::RULES.iter().flat_map(|rule| rule.examples);
    examples.flat_map(|example| example.files).map(|(_, text)| *text).collect()
}

const MANIFESTS: [&str; 2] = [
    r#"{"name": "@a/b", "version": "1.0.0", "workspaces": {"packages": ["x/*"], "catalog": {"y": "1"}}, "dependencies": {"c": "npm:d@^1"}, "bin": {"e": "./e.js"}, "peerDependenciesMeta": {"f": {"optional": true}}}"#,
    r#"{"name": "x", "overrides": {"a": {"b": "1"}}, "resolutions": {"a/**/b": "1"}, "patchedDependencies": {"a@1": "p/a.patch"}, "trustedDependencies": ["a"], "os": ["!win32"], "engines": {"node": ">=20"}}"#,
];

const YARN_LOCKS: [&str; 2] = [
    "# yarn lockfile v1\n\n\n\"@a/b@^1.0.0\", c@*:\n  version \"1.0.0\"\n  resolved \"https://r.example/@a/b/-/b-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n  integrity sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n  dependencies:\n    d \"~2\"\n",
    "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"a@npm:^1, a@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:^2\"\n  peerDependencies:\n    c: \"*\"\n  conditions: os=linux & (cpu=x64 | cpu=arm64)\n  checksum: 10c0/abc\n  languageName: node\n  linkType: hard\n\n\"p@patch:a@npm%3A1.0.0#~/.yarn/patches/p.patch\":\n  version: 1.0.0\n  resolution: \"p@patch:a@npm%3A1.0.0#~/.yarn/patches/p.patch::version=1.0.0&hash=abc\"\n  languageName: node\n  linkType: hard\n",
];

fn bun_locks() -> [String; 2] {
    let more = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "a", "peerDependencies": {"b": "*"}}}, "overrides": {"c": "1"}, "catalogs": {"x": {"d": "1"}}, "trustedDependencies": ["e"], "packages": {"f": ["f@git+https://h.example/f.git#0123456789012345678901234567890123456789", {"bin": "x"}, "f-0123456"], "g": ["g@./g.tgz", {}], "h/i": ["i@npm:j@1.0.0", "https://r.example/", {"os": "!linux"}, "sha512-"]}}"#;
    [small::lock(&packages()), more.to_owned()]
}

fn archives() -> [Vec<u8>; 2] {
    let package = Package::new("alpha", "1.0.0").file("a/b", "x").executable("run", "#!/bin/sh\n");
    let mut tar = Vec::new();
    let gz = package.tarball();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gz.as_slice()), &mut tar).unwrap();
    [gz, tar]
}

/// What separates two files in a sample.
const BETWEEN: &[u8] = b"\0<and>\0";

/// Checks the two files of an input. Without a second one it is compared with a part of itself.
fn pair_of_builds(bytes: &[u8]) {
    let at = bytes.windows(BETWEEN.len()).position(|part| part == BETWEEN);
    reproduce::check(at.map_or((bytes, &bytes[..bytes.len() / 2]), |at| (&bytes[..at], &bytes[at + BETWEEN.len()..])));
}

/// Files of the formats that `splitter reproduce` reads, in two forms each.
fn pairs_of_builds() -> Vec<Vec<u8>> {
    let [gz, tar] = archives();
    let elf = include_bytes!("../../src/reproduce/samples/small.elf").to_vec();
    let zip = include_bytes!("../../src/reproduce/samples/small.zip").to_vec();
    let map = br#"{"version":3,"sources":["/build/a.ts"],"names":[],"mappings":"AAAA;BACA","sourcesContent":["x\ny"]}"#
        .to_vec();
    let json = br#"{"b":[1.0,{"c":"\u00e9"}],"a":null}"#.to_vec();
    let inline = b"let x;\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozfQ==\n".to_vec();
    let zstd = zstd::encode_all(&tar[..], 1).unwrap();
    let pair = |content: Vec<u8>| {
        let mut second = content.clone();
        if let Some(byte) = second.get_mut(content.len() / 2) {
            *byte ^= 1;
        }
        [&content, BETWEEN, &second].concat()
    };
    let order = [&json, BETWEEN, br#"{"a":null,"b":[1,{"c":"\u00e9"}]}"#].concat();
    [gz, tar, elf, zip, map, json, inline, zstd].into_iter().map(pair).chain([order]).collect()
}

/// Returns the record of a small repository.
fn recorded() -> String {
    let small = Small::new();
    small.init();
    small.context.read("nix/splitter/splitter.lock.json")
}

fn text(bytes: &[u8], check: impl Fn(&str)) {
    check(&String::from_utf8_lossy(bytes));
}

/// Runs a check on samples and their mutations.
fn run<S: AsRef<[u8]>>(samples: &[S], check: impl Fn(&[u8]) + panic::RefUnwindSafe) {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (first, cases) = (number("SPLITTER_FUZZ_SEED", 1), number("SPLITTER_FUZZ_CASES", CASES));
    for sample in samples {
        check(sample.as_ref());
    }
    check(b"");
    for seed in first..first + cases {
        let mut random = Random::new(seed);
        let mut input = samples[random.below(samples.len())].as_ref().to_vec();
        for _ in 0..=random.below(5) {
            mutate(&mut input, &mut random);
        }
        let is_fine = panic::catch_unwind(|| check(&input)).is_ok();
        assert!(is_fine, "seed {seed} fails with {:?}", String::from_utf8_lossy(&input));
    }
}

/// Changes one place of the input.
fn mutate(input: &mut Vec<u8>, random: &mut Random) {
    let start = random.below(input.len() + 1);
    let end = (start + random.below(12)).min(input.len());
    match random.below(6) {
        0 => input.truncate(start),
        1 => drop(input.drain(start..end)),
        2 => {
            let copied = input[start..end].to_vec();
            let at = random.below(input.len() + 1);
            input.splice(at..at, copied);
        }
        3 if start < input.len() => input[start] = u8::try_from(random.below(256)).unwrap(),
        4 => drop(input.splice(start..end, random.pick(&TOKENS).bytes())),
        _ => drop(input.splice(start..start, random.pick(&TOKENS).bytes())),
    }
}

#[test]
fn each_target_of_the_fuzzer_calls_its_check_and_is_tested_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let names = |folder: &Path| -> BTreeSet<String> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let tested: BTreeSet<String> = TARGETS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names(&folder.join("targets")), tested);
    assert_eq!(names(&folder.join("checks")), tested);
    for name in TARGETS {
        let input = match *name {
            "host_archive" => "&[u8]",
            "reproduce" => "(&[u8], &[u8])",
            "registries" => "(&str, &str)",
            "workspace_patterns" => "[&str; 3]",
            _ => "&str",
        };
        let expected = format!(
            "//! See `checks/{name}.rs`.\n#![no_main]\n\n#[path = \"../checks/{name}.rs\"]\nmod checks;\n\n\
             libfuzzer_sys::fuzz_target!(|input: {input}| checks::check(input));\n"
        );
        assert_eq!(fs::read_to_string(folder.join(format!("targets/{name}.rs"))).unwrap(), expected);
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")), "{name}");
        assert!(
            fs::read_to_string(folder.join(format!("checks/{name}.rs"))).unwrap().contains(&format!(": {input}) {{")),
            "{name}"
        );
    }
}
