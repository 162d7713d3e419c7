//! What all runs begin with: a scratch copy of the repository with a flake of both sides, and stores with the tools and the tarballs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use fs_err as fs;

use super::{BenchError, stores::Stores};
use crate::{
    bench::{Side, derivations::Cut, flake},
    cli::{failure::Failure, printer::Printer, text::things},
    nix::command::Nix,
    proof::{
        ProofError, State,
        evaluation::nix_value,
        scratch::{Copy, Scratch},
    },
    repo::{FileKind, RepoPath, WorkTree},
};

/// The copy, the stores, and what is built.
pub(super) struct Prepared {
    /// Nix with the options of the user and those of all runs, in no store yet.
    pub(super) nix: Nix,
    /// Nix without options, for commands that take few.
    pub(super) plain: Nix,
    pub(super) copy: Copy,
    pub(super) stores: Stores,
    pub(super) cut: Cut,
    /// The packages to build.
    pub(super) names: Vec<String>,
    pub(super) system: String,
    _scratch: Scratch,
}

/// Options of all commands that evaluate or build. The sandbox is what keeps the steps of the usual build apart from the store.
const OPTIONS: [&str; 7] =
    ["--no-write-lock-file", "--option", "sandbox", "true", "--option", "sandbox-fallback", "false"];

impl Prepared {
    /// Copies the repository, evaluates both sides, and fills the stores.
    pub(super) fn new(
        (state, tree): (&State, &WorkTree),
        names: &[String],
        nix_options: &[String],
        printer: Printer,
    ) -> Result<Self, Failure> {
        let plain = Nix::require()?;
        let scratch = Scratch::new()?;
        let files = state.derivations.files();
        let copy = scratch.copy("repository", state.tree.as_ref(), files, Some((tree.root(), files)))?;
        let user: Vec<String> = nix_options.to_vec();
        write_flake(&copy, tree, &plain)?;
        let stores = Stores::new()?;
        let nix = plain.clone().with_options(user.iter().cloned());
        probe(&plain, &stores)?;
        let system = state.system().name().to_owned();
        printer.note("evaluating both sides in an empty store");
        // The first evaluation may fetch inputs of the flake and write its lock file.
        let inner = nix.clone().with_store(&stores.tools());
        let paths = |side: Side| derivations(&inner, copy.root(), side, &system, names);
        let (split, unsplit) = (paths(Side::Split)?, paths(Side::Unsplit)?);
        let asked: BTreeSet<String> = split.into_iter().chain(unsplit).collect();
        let cut = cut(&plain, &stores, &asked)?;
        let options = OPTIONS.iter().map(|&option| option.to_owned()).chain(user);
        let nix = plain.clone().with_options(options);
        let prepared = Self { nix, plain, copy, stores, cut, names: names.to_vec(), system, _scratch: scratch };
        prepared.fill(printer)?;
        Ok(prepared)
    }

    /// Returns what a side builds.
    pub(super) fn installables(&self, side: Side) -> Vec<String> {
        let output = output_of(side);
        let one = |name: &String| format!("path:{}#{output}.{}.\"{name}\"", self.copy.root(), self.system);
        self.names.iter().map(one).collect()
    }

    /// Fills the store with the tools, then a copy of it with the tarballs.
    fn fill(&self, printer: Printer) -> Result<(), Failure> {
        let (tools, tarballs) = (self.stores.tools(), self.stores.tarballs());
        printer.note(format_args!("getting {} ready that no run measures", things(self.cut.tools.len(), "tool")));
        self.provide(&tools, &self.cut.tools)?;
        self.stores.make_tarballs()?;
        printer.note(format_args!("getting {} with tarballs ready", things(self.cut.tarballs.len(), "output")));
        self.provide(&tarballs, &self.cut.tarballs)
    }

    /// Copies outputs from the user's store, and builds or downloads the others.
    fn provide(&self, store: &Utf8Path, wanted: &BTreeMap<String, BTreeSet<String>>) -> Result<(), Failure> {
        let derivations: Vec<&str> = wanted.keys().map(String::as_str).collect();
        let paths = self.plain.outputs_in(store, &derivations)?;
        let paths: Vec<&str> = paths.iter().map(String::as_str).filter(|path| path.starts_with('/')).collect();
        let missing = self.plain.missing(&paths)?;
        let there: Vec<&str> = paths.iter().copied().filter(|path| !missing.contains(*path)).collect();
        if !there.is_empty() {
            self.plain.copy(&there, None, store.as_str(), &["--no-check-sigs"], &mut |_| {})?;
        }
        let outputs = |(derivation, outputs): (&String, &BTreeSet<String>)| {
            format!("{derivation}^{}", outputs.iter().cloned().collect::<Vec<_>>().join(","))
        };
        let installables: Vec<String> = wanted.iter().map(outputs).collect();
        let installables: Vec<&str> = installables.iter().map(String::as_str).collect();
        if !installables.is_empty() {
            self.nix.clone().with_store(store).build(&installables)?;
        }
        Ok(())
    }
}

/// The output of the flake with the packages of a side.
const fn output_of(side: Side) -> &'static str {
    match side {
        Side::Unsplit => "unsplit",
        Side::Split => "packages",
    }
}

/// Moves the flake of the copy, and writes one with both sides and the same inputs.
fn write_flake(copy: &Copy, tree: &WorkTree, nix: &Nix) -> Result<(), Failure> {
    let path = copy.root().join("flake.nix");
    if !path.is_file() {
        return Err(ProofError::NoFlake.into());
    }
    let own = fs::read(tree.root().join("flake.nix")).map_err(BenchError::from)?;
    let text = nix_value(&path.as_str().into());
    let inputs = nix.eval_expression(&format!("(import (/. + {text})).inputs or {{ }}"))?;
    let root = RepoPath::root();
    copy.write(&root.child(flake::ORIGINAL), &own, FileKind::Plain)?;
    copy.write(&root.child("flake.nix"), flake::text(&nix_value(&inputs)).as_bytes(), FileKind::Plain)?;
    for (name, content) in flake::FILES {
        copy.write(&root.child(name), content.as_bytes(), FileKind::Plain)?;
    }
    Ok(())
}

/// Builds a trifle in a store of its own: not every machine lets every user do that.
fn probe(nix: &Nix, stores: &Stores) -> Result<(), BenchError> {
    let expression = r#"derivation { name = "splitter-bench-probe"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }"#;
    let nix = nix.clone().with_store(&stores.tools()).with_options(["--option", "sandbox", "true"]);
    nix.build_expression(expression).map_err(BenchError::NoStore)
}

/// Evaluates the derivations of a side.
fn derivations(nix: &Nix, copy: &Utf8Path, side: Side, system: &str, names: &[String]) -> Result<Vec<String>, Failure> {
    let names = nix_value(&names.into());
    let apply = format!("packages: map (name: packages.${{name}}.drvPath) {names}");
    let answer = nix.eval_json_applied(&format!("path:{copy}#{}.{system}", output_of(side)), &apply)?;
    let paths = answer.as_array().ok_or(BenchError::Answer("eval"))?;
    Ok(paths.iter().filter_map(|path| path.as_str()).map(str::to_owned).collect())
}

/// Reads all derivations and tells what is measured.
fn cut(nix: &Nix, stores: &Stores, asked: &BTreeSet<String>) -> Result<Cut, Failure> {
    let asked_paths: Vec<&str> = ["--recursive"].into_iter().chain(asked.iter().map(String::as_str)).collect();
    let answers = nix.clone().with_store(&stores.tools()).derivations(&asked_paths)?;
    let store = asked.iter().find_map(|path| path.rsplit_once('/')).map_or("/nix/store", |(store, _)| store);
    Ok(Cut::of(&answers, asked, store).ok_or(BenchError::Answer("derivation show"))?)
}
