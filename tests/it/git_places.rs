//! Places of git packages in the fixed output. The library records them and the build looks for them. Both read the lockfiles of
//! Yarn, so they must agree. Also tests what a build reads from the manifests of such packages.

use std::process::Command;

use camino::Utf8Path;
use serde_json::{Value, json};
use splitter::{lockfile::Resolution, managers::yarn_lock as yarn};

const ID: &str = "552b355e30e534cc37f59b232ed38fb15dac6358";

/// Evaluates an expression over `tools` (the exports of the template tools) and `input`.
fn evaluate(tools: &[&str], input: &Value, expression: &str) -> Value {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-templates");
    let imports: Vec<_> = tools.iter().map(|tool| format!("...await import('{folder}/{tool}')")).collect();
    let program = format!(
        "const tools = {{ {} }};\nconst input = JSON.parse(process.argv[1]);\nconsole.log(JSON.stringify({expression}));",
        imports.join(", ")
    );
    let output =
        Command::new("node").args(["--input-type=module", "-e", &program, &input.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn places(lock: &str) -> Vec<String> {
    let packages = yarn::parse(lock).unwrap().packages;
    let place = |resolution: &Resolution| match resolution {
        Resolution::Commit(commit) => commit.place(),
        Resolution::Archive(archive) => archive.place().to_owned(),
        other => panic!("{other:?}"),
    };
    packages.iter().map(|package| place(&package.resolution)).collect()
}

#[test]
fn later_yarns_packages_lie_where_a_build_looks_for_them() {
    let references = [
        format!("https://github.com/o/r.git#commit={ID}"),
        format!("https://github.com/o/r.js#workspace=%40a%2Fb&commit={ID}"),
        format!("https://token@github.com/o/r.git#commit={ID}"),
        format!("https://github.com/o/r/deeper.git#commit={ID}"),
        format!("https://gitlab.com/o/r.git#cwd=packages%2Fone&commit={ID}"),
        format!("http://127.0.0.1:8080/o/r.git#commit={ID}&workspace=a"),
        format!("ssh://git@github.com/o/r.git#commit={ID}"),
        format!("git@github.com:o/r.git#commit={ID}"),
        format!("git+ssh://git@host.example/o/r.git#commit={ID}"),
        format!("git://host.example/o/r#commit={ID}"),
    ];
    let entry = |(index, reference): (usize, &String)| {
        format!(
            "\"@s/p{index}@{reference}\":\n  version: 1.0.0\n  resolution: \"@s/p{index}@{reference}\"\n  linkType: hard\n\n"
        )
    };
    let lock = format!("__metadata:\n  version: 8\n\n{}", references.iter().enumerate().map(entry).collect::<String>());
    let expression = "tools.gitPackages(input).map(({ path }) => path)";
    assert_eq!(
        evaluate(&["managers/yarn-berry/git.mjs"], &lock.as_str().into(), expression),
        Value::from(places(&lock))
    );
}

#[test]
fn yarn_1s_packages_lie_where_a_build_looks_for_them() {
    let commits = [
        "https://host.example/o/r.git",
        "git+https://host.example/o/r",
        "https://github.com/o/r",
        "https://gist.github.com/0a1b.git",
        "git+ssh://git@host.example/o/r.git",
        "ssh://git@host.example/o/r.git",
        "git://host.example/o/r",
    ];
    let entry = |(index, resolved): (usize, String)| {
        format!("\"p{index}@o/r\":\n  version \"1.0.0\"\n  resolved \"{resolved}\"\n\n")
    };
    let lock = |resolved: Vec<String>| -> String { resolved.into_iter().enumerate().map(entry).collect() };
    let of_commits = lock(commits.iter().map(|url| format!("{url}#{ID}")).collect());
    let expression = "[...tools.gitEntries(tools.readClassicLock(input), { file: (file) => ({ file }) }).values()].map(({ file }) => file)";
    let tools = ["managers/yarn-classic/git.mjs", "managers/yarn-classic/lockfile.mjs"];
    assert_eq!(evaluate(&tools, &of_commits.as_str().into(), expression), Value::from(places(&of_commits)));
    let urls = [ID, "0a1b"].map(|commit| format!("https://codeload.github.com/o/r.js/tar.gz/{commit}"));
    let found = evaluate(&tools, &json!(urls), "input.map((url) => tools.archivePath(url))");
    assert_eq!(found, Value::from(places(&lock(urls.to_vec()))));
    // These are found by their URLs.
    for url in
        ["https://codeload.github.com/o/r/tar.gz/main", "https://gitlab.com/o/r/repository/archive.tar.gz?ref=0a1b"]
    {
        assert!(places(&lock(vec![url.to_owned()]))[0].starts_with("archive/"), "{url}");
        assert_eq!(evaluate(&tools, &url.into(), "tools.archivePath(input) ?? null"), Value::Null, "{url}");
    }
}

/// The rule of Yarn, and the commands that run.
#[test]
fn what_packs_a_checkout_and_what_it_runs_is_told_by_its_manifest() {
    let of = |manifest: Value, files: &[(&str, &str)]| {
        let mut all = vec![json!(["package.json", manifest.to_string()])];
        all.extend(files.iter().map(|(path, text)| json!([path, text])));
        let expression = "(() => {\n\
            const files = new Map(input);\n\
            const read = (path) => files.get(path);\n\
            const manager = tools.managerOf([...files.keys()], read);\n\
            const { steps = [], needs = [] } = manager === 'pnpm' ? {} : tools.buildOf(tools.manifestsOf([...files.keys()], read), manager);\n\
            return [manager, steps.join(' '), needs.join(' ')].join(', ');\n\
        })()";
        evaluate(&["managers/yarn/git-builds.mjs"], &Value::from(all), expression).as_str().unwrap().to_owned()
    };
    let scripts = json!({ "prepare": "tsc", "prepack": "rollup", "test": "jest" });
    let built = json!({ "scripts": scripts, "devDependencies": { "b": "1" }, "dependencies": { "a": "1" } });
    assert_eq!(of(built.clone(), &[]), "yarn-berry, prepack, a b");
    assert_eq!(of(built.clone(), &[("yarn.lock", "__metadata:\n  version: 8\n")]), "yarn-berry, prepack, a b");
    assert_eq!(of(built.clone(), &[("yarn.lock", "")]), "yarn-classic, prepare prepack, a b");
    assert_eq!(of(built.clone(), &[("package-lock.json", "{}")]), "npm, prepare prepack, a b");
    let named = |name: &str| json!({ "packageManager": name });
    assert_eq!(of(named("yarn@1.22.22"), &[]), "yarn-classic, , ");
    assert_eq!(of(named("npm@10.0.0"), &[("yarn.lock", "")]), "npm, , ");
    assert_eq!(of(named("pnpm@9.0.0"), &[]), "pnpm, , ");
    for idle in [
        "husky",
        "husky install",
        "husky install .github/husky",
        "is-ci || husky install",
        "lefthook install",
        "husky || true",
    ] {
        let hooks = json!({ "scripts": { "prepare": idle } });
        assert_eq!(of(hooks, &[("package-lock.json", "{}")]), "npm, , ", "{idle}");
    }
    let more = json!({ "scripts": { "prepare": "husky && npm run build" } });
    assert_eq!(of(more, &[("package-lock.json", "{}")]), "npm, prepare, ");
    let root = json!({ "workspaces": ["packages/*"], "devDependencies": { "part": "1" } });
    let part = r#"{ "name": "part", "scripts": { "prepack": "tsc" }, "devDependencies": { "typescript": "5" } }"#;
    assert_eq!(of(root, &[("packages/part/package.json", part)]), "yarn-berry, prepack, typescript");
}
