//! Which file a workspace is started from, as its scripts say it.
//!
//! An app that is started from its sources runs one file with the repository's runtime, and nothing else. So a script must be
//! understood whole: `node --import ./pre.js main.js` runs `main.js`, and not without `pre.js`.

use super::script::{DEPTH, base, commands, does_nothing, words};
use crate::{
    repo::{RepoPath, Tree},
    split::{ManagerName, Manifest, SplitError},
};

/// How a workspace without a build is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// It has nothing to start.
    Nothing,
    /// From this file, relative to its folder.
    File(String),
    /// By a script of which only a part is understood.
    Unclear(Unclear),
}

/// A script that starts a workspace and that is not understood whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// Its name.
    pub script: String,
    /// Its text.
    pub text: String,
    /// The first part of it that is not understood.
    pub part: String,
    /// The file that it probably runs.
    pub file: String,
}

/// Options that restart a program when its sources change, which those in the store do not.
const WATCH_OPTIONS: [&str; 4] = ["--hot", "--watch", "--no-clear-screen", "--bun"];

const ENDINGS: [&str; 7] = [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs"];

/// What is the same for all scripts of a workspace.
struct Reader<'a> {
    tree: &'a dyn Tree,
    folder: &'a RepoPath,
    manifest: &'a Manifest,
    manager: ManagerName,
}

/// Finds the file that a workspace without a build is run from: the one that its `start` script names, else the one
/// that its `dev` script keeps running.
pub(crate) fn find(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
) -> Result<Start, SplitError> {
    let reader = Reader { tree, folder, manifest, manager };
    let start = reader.read("start", DEPTH)?;
    if start != Start::Nothing || names_a_file(manifest.scripts.get("start")) {
        return Ok(reader.with_prestart(start));
    }
    let dev = match manifest.scripts.get("dev") {
        Some(text) if is_watched(text) => reader.read("dev", DEPTH)?,
        _ => Start::Nothing,
    };
    Ok(match (manifest.scripts.get("start"), dev) {
        // The `dev` script is not what the `start` script would run.
        (Some(text), Start::File(file) | Start::Unclear(Unclear { file, .. })) if !does_nothing("start", manifest) => {
            let part = words(text).into_iter().next().unwrap_or_default();
            Start::Unclear(Unclear { script: "start".to_owned(), text: text.clone(), part, file })
        }
        (_, dev) => dev,
    })
}

impl Reader<'_> {
    /// How a script starts the workspace, followed through scripts that run another one and nothing else.
    fn read(&self, name: &str, depth: usize) -> Result<Start, SplitError> {
        let Some(text) = self.manifest.scripts.get(name) else { return Ok(Start::Nothing) };
        let words = words(text);
        if let Some(next) = only_runs(&words).filter(|next| depth > 0 && self.manifest.scripts.contains_key(*next)) {
            return self.read(next, depth - 1);
        }
        let command = match name {
            // What a `dev` script sets is for development.
            "dev" => words.iter().skip_while(|word| sets_variable(word)).cloned().collect(),
            _ => words,
        };
        match file_of(&command) {
            Ok(file) if self.is_there(&file)? => Ok(Start::File(file)),
            Ok(_) => Ok(Start::Nothing),
            Err(part) => {
                let mut files = Vec::new();
                for file in probable_files(text) {
                    if self.is_there(&file)? {
                        files.push(file);
                    }
                }
                let Some(file) = files.into_iter().next() else { return Ok(Start::Nothing) };
                Ok(Start::Unclear(Unclear { script: name.to_owned(), text: text.clone(), part, file }))
            }
        }
    }

    /// Whether the repository's runtime can run a file that is there.
    fn is_there(&self, file: &str) -> Result<bool, SplitError> {
        let Ok(path) = self.folder.resolve(file) else { return Ok(false) };
        let runs = self.manager.manager().runs_typescript() || is_javascript(file);
        Ok(runs && path.below(self.folder).is_some() && self.tree.is_file(&path)?)
    }

    /// Bun and Yarn 1 run a `prestart` script first, later Yarns do not.
    fn with_prestart(&self, start: Start) -> Start {
        let Some(text) = self.manifest.scripts.get("prestart") else { return start };
        match start {
            Start::File(file)
                if self.manager.manager().runs_pre_scripts() && !does_nothing("prestart", self.manifest) =>
            {
                let (script, part) = ("prestart".to_owned(), text.clone());
                Start::Unclear(Unclear { script, text: text.clone(), part, file })
            }
            start => start,
        }
    }
}

/// The file that a command runs with Bun, Node or tsx, or the first word that says more than that.
fn file_of(words: &[String]) -> Result<String, String> {
    let mut rest: Vec<&str> = words.iter().map(String::as_str).collect();
    if rest.last() == Some(&";") {
        rest.pop();
    }
    if let Some(word) = rest.iter().find(|word| word.contains(['$', '`', '<', '>', '|', '&', '(', '%', '\\'])) {
        return Err((*word).to_owned());
    }
    let rest = without(&rest, &["exec"]);
    let rest = without(rest, &["npx", "bunx", "yarn"]);
    let (runtime, rest) = match rest {
        [runtime, rest @ ..] if matches!(base(runtime), "bun" | "node" | "tsx") => (base(runtime), rest),
        other => return Err(other.first().copied().unwrap_or_default().to_owned()),
    };
    let mut rest = without(rest, &WATCH_OPTIONS);
    match runtime {
        "bun" => rest = without(without(rest, &["run"]), &WATCH_OPTIONS),
        "tsx" => rest = without(without(rest, &["watch"]), &WATCH_OPTIONS),
        _ => {}
    }
    match rest {
        [file] if has_ending(file) => Ok(file.trim_start_matches("./").to_owned()),
        [file, more, ..] if has_ending(file) => Err((*more).to_owned()),
        [word, ..] => Err((*word).to_owned()),
        [] => Err(runtime.to_owned()),
    }
}

/// Words without those of `known` that they begin with.
fn without<'a, 'b>(mut words: &'a [&'b str], known: &[&str]) -> &'a [&'b str] {
    while let [first, rest @ ..] = words
        && known.contains(first)
    {
        words = rest;
    }
    words
}

/// The files that a script may run, the likeliest first: not the values of options.
fn probable_files(text: &str) -> Vec<String> {
    let mut files: Vec<(bool, String)> = Vec::new();
    for words in commands(text) {
        let Some(runtime) = words.iter().position(|word| matches!(base(word), "bun" | "node" | "tsx")) else {
            continue;
        };
        let after = &words[runtime..];
        if after[1..].iter().find(|word| !word.starts_with('-')).is_some_and(|verb| verb == "build" || verb == "test") {
            continue;
        }
        for pair in after.windows(2).filter(|pair| has_ending(&pair[1]) && !pair[1].starts_with('-')) {
            files.push((pair[0].starts_with('-'), pair[1].trim_start_matches("./").to_owned()));
        }
    }
    files.sort_by_key(|(is_value, _)| *is_value);
    files.into_iter().map(|(_, file)| file).collect()
}

/// Whether a script says which file it runs, there or not.
fn names_a_file(script: Option<&String>) -> bool {
    script.is_some_and(|text| !probable_files(text).is_empty())
}

/// The script that a script runs, where it does nothing else.
fn only_runs(words: &[String]) -> Option<&str> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["npm" | "pnpm" | "yarn" | "bun", "run", name] | ["yarn" | "pnpm", name] => Some(name),
        _ => None,
    }
}

fn is_watched(script: &str) -> bool {
    words(script).iter().any(|word| word == "--hot" || word == "--watch" || word == "watch")
}

fn sets_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn has_ending(word: &str) -> bool {
    ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Whether a file needs no translation to run.
fn is_javascript(file: &str) -> bool {
    [".js", ".mjs", ".cjs"].iter().any(|ending| file.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn found_with(scripts: &[(&str, &str)], manager: ManagerName) -> Start {
        let scripts: serde_json::Map<_, _> =
            scripts.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
        let text = serde_json::json!({ "scripts": scripts }).to_string();
        let manifest = Manifest::parse("package.json", &text).unwrap();
        let tree = MemoryTree::new(["main.js", "pre.js", "src/x.ts", "my file.js"].map(|file| (file, "")));
        find(&tree, &RepoPath::root(), &manifest, manager).unwrap()
    }

    fn found(scripts: &[(&str, &str)]) -> String {
        match found_with(scripts, ManagerName::Bun) {
            Start::Nothing => "nothing".to_owned(),
            Start::File(file) => file,
            Start::Unclear(Unclear { script, part, file, .. }) => format!("{script}: {part} ({file}?)"),
        }
    }

    #[test]
    fn a_script_that_runs_one_file_is_understood() {
        for script in [
            "node main.js",
            "node ./main.js",
            "bun main.js",
            "bun run main.js;",
            "bun --hot run ./main.js",
            "tsx watch main.js",
            "exec node main.js",
            "yarn node main.js",
            "npx tsx main.js",
            "node --watch 'main.js'",
            "/usr/bin/node main.js",
        ] {
            assert_eq!(found(&[("start", script)]), "main.js", "{script}");
        }
        assert_eq!(found(&[("start", "node 'my file.js'")]), "my file.js");
    }

    #[test]
    fn what_is_not_understood_is_named_with_the_likeliest_file() {
        for (script, part) in [
            ("node --import ./pre.js main.js", "--import"),
            ("node -r ./pre.js main.js", "-r"),
            ("node -r dotenv/config main.js", "-r"),
            ("bun --preload ./pre.js main.js", "--preload"),
            ("bun run --smol main.js", "--smol"),
            ("node --env-file=.env main.js", "--env-file=.env"),
            ("NODE_ENV=production node main.js", "NODE_ENV=production"),
            ("NODE_OPTIONS='--import ./pre.js' node main.js", "NODE_OPTIONS=--import ./pre.js"),
            ("cross-env A=b node main.js", "cross-env"),
            ("dotenv -- node main.js", "dotenv"),
            ("nodemon --exec bun main.js", "nodemon"),
            ("node main.js --port 1", "--port"),
            ("node main.js && node pre.js", "&&"),
            ("node main.js & node pre.js", "&"),
            ("node main.js; node pre.js", ";"),
            ("node main.js | pino-pretty", "|"),
            ("node main.js > log.txt", ">"),
            ("node main.js 2>&1", "2>&1"),
            ("node main.js $ARGS", "$ARGS"),
            ("node main.js `cat args`", "`cat"),
            ("set NODE_ENV=production&& node main.js", "NODE_ENV=production&&"),
            ("PORT=%PORT% node main.js", "PORT=%PORT%"),
        ] {
            assert_eq!(found(&[("start", script)]), format!("start: {part} (main.js?)"), "{script}");
        }
    }

    #[test]
    fn a_script_that_runs_no_source_starts_nothing() {
        for script in [
            "next start",
            "expo start",
            "node dist/main.js",
            "node --enable-source-maps dist/main.js",
            "bun build src/x.ts --outdir dist && node dist/x.js",
            "bun test src/x.ts",
            "node ../main.js",
            "node src\\\\x.js",
            "yarn start",
            "yarn other",
            "",
        ] {
            assert_eq!(found(&[("start", script)]), "nothing", "{script}");
        }
    }

    #[test]
    fn scripts_that_only_run_another_are_followed() {
        assert_eq!(found(&[("start", "yarn serve"), ("serve", "bun run go"), ("go", "node main.js")]), "main.js");
        assert_eq!(found(&[("start", "npm run go"), ("go", "A=b node main.js")]), "go: A=b (main.js?)");
        assert_eq!(found(&[("start", "bun run dev"), ("dev", "A=b bun --watch main.js")]), "main.js");
    }

    #[test]
    fn a_dev_script_counts_where_no_other_starts() {
        let dev = ("dev", "TZ=UTC bun run --hot src/x.ts");
        assert_eq!(found(&[dev]), "src/x.ts");
        assert_eq!(found(&[dev, ("start", "echo none")]), "src/x.ts");
        assert_eq!(found(&[dev, ("start", "pm2-runtime ecosystem.json")]), "start: pm2-runtime (src/x.ts?)");
        assert_eq!(found(&[dev, ("start", "node dist/x.js")]), "nothing");
        assert_eq!(found(&[("dev", "bun run src/x.ts import")]), "nothing");
        assert_eq!(found(&[("dev", "bun --watch --preload ./pre.js src/x.ts")]), "dev: --preload (src/x.ts?)");
    }

    #[test]
    fn a_prestart_script_counts_where_the_package_manager_runs_it() {
        let scripts = [("start", "node main.js"), ("prestart", "node pre.js")];
        assert_eq!(found(&scripts), "prestart: node pre.js (main.js?)");
        assert_eq!(found_with(&scripts, ManagerName::YarnBerry), Start::File("main.js".to_owned()));
        assert_eq!(found(&[("start", "node main.js"), ("prestart", "echo starting")]), "main.js");
    }

    #[test]
    fn node_runs_no_typescript() {
        let found = |script| found_with(&[("start", script)], ManagerName::YarnClassic);
        assert_eq!(found("tsx src/x.ts"), Start::Nothing);
        assert_eq!(found("node --experimental-strip-types src/x.ts"), Start::Nothing);
    }
}
