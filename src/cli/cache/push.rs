//! `splitter cache push`: builds what caches lack, pushes it while it builds, and asks the caches afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use serde_json::json;

use super::{
    CacheError, Session, json as reports,
    show::{self, View},
    status::refuse_blindness,
    upload::{Sent, Upload, cause},
};
use crate::{
    caches::{
        Trouble,
        closure::Survey,
        item::Item,
        query::Depth,
        report::Report,
        wanted::{Kind, Thing},
    },
    cli::{
        arguments::{CachePushOptions, Global},
        build::{Building, Built},
        failure::{Failure, Outcome},
        printer::Printer,
        style::{BAD, BOLD},
        text::{bytes, count, duration, escape, things},
    },
    nix::command::Output,
    repo::Git,
};

/// What is to be done.
struct Plan {
    /// The outputs to build or fetch, with the names of their packages.
    outputs: Vec<(String, Output)>,
    /// The store paths to push, with everything that they refer to.
    roots: BTreeSet<Item>,
    /// Whether a source of a flake input is among them.
    has_sources: bool,
}

pub(super) fn run(global: &Global, options: &CachePushOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let session = Session::open(global, &options.choice, printer)?;
    if !options.allow_dirty {
        refuse_changes(&session)?;
    }
    let choices = session.choices(&options.to, "--to", |choice| choice.push)?;
    let uploads = choices.iter().map(|choice| Upload::new(&choice.address, options.store.as_deref(), &session));
    let uploads = uploads.collect::<Result<Vec<_>, _>>()?;
    if !options.dry_run {
        uploads.iter().try_for_each(|upload| upload.prepare(&session))?;
    }
    let before = session.survey(&choices, Depth::Archives)?;
    if !options.dry_run {
        refuse_blindness(&Report::of(&session.wanted, &before)).map_err(|error| match error {
            CacheError::AllAway { away } => CacheError::AllAwayInPush { away },
            error => error,
        })?;
    }
    let plan = Plan::of(&session, &before);
    if options.dry_run {
        return Ok(show_plan(&plan, &before, &session, options));
    }
    let done = Work { session: &session, options, uploads: &uploads, is_verbose: global.verbose > 0 }.run(&plan)?;
    let after = session.survey(&choices, Depth::Archives)?;
    let report = Report::of(&session.wanted, &after);
    let is_complete = (0..choices.len()).all(|cache| report.is_complete_in(cache));
    if options.choice.json {
        printer.json(&json_of(&report, &done, &session, is_complete));
    } else {
        done.print(printer, start);
        if is_complete {
            for cache in &report.caches {
                printer.data(format_args!(
                    "{BOLD}{}{BOLD:#} has everything: {}",
                    escape(&cache.address),
                    things(report.rows.len(), "thing")
                ));
            }
        } else {
            show::print(&report, &session.wanted, View::AfterPush, printer);
        }
    }
    Ok(if is_complete { Outcome::Done } else { Outcome::Difference })
}

/// A flake with changes evaluates other sources than a checkout of the commit.
fn refuse_changes(session: &Session) -> Result<(), Failure> {
    let git = Git::at(session.tree.root());
    let status = git.ask(&["status", "--porcelain", "--untracked-files=no"])?;
    let files: Vec<String> = status
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.get(2..))
        .map(|file| file.trim().to_owned())
        .collect();
    if files.is_empty() { Ok(()) } else { Err(CacheError::Dirty { files }.into()) }
}

impl Plan {
    fn of(session: &Session, survey: &Survey) -> Self {
        let upstream: Vec<usize> = survey.upstream().collect();
        let is_lacking = |item: &Item| {
            let root = BTreeSet::from([item.clone()]);
            survey.named().any(|cache| {
                let caches: Vec<usize> = [cache].into_iter().chain(upstream.iter().copied()).collect();
                // A folder that is not yet a cache has nothing.
                let is_there = matches!(survey.caches[cache].away, None | Some(Trouble::NoCache(_)));
                is_there && !survey.is_complete(&root, &caches)
            })
        };
        let wanted = &session.wanted;
        let roots: BTreeSet<Item> = wanted.roots().into_iter().filter(is_lacking).collect();
        let name = |output: &Output| {
            let thing = wanted.thing(&output.derivation).map(|thing| thing.name.clone());
            thing.unwrap_or_else(|| crate::nix::command::log::name_of(&output.derivation).to_owned())
        };
        let mut outputs: BTreeMap<Output, String> = BTreeMap::new();
        for output in roots.iter().filter_map(|item| wanted.built_by.get(item)) {
            outputs.insert(output.clone(), name(output));
        }
        // The paths of content-addressed derivations are known only after their build.
        let unknown = wanted.things.iter().filter(|thing| thing.paths.is_empty() && thing.kind != Kind::DevShell);
        for derivation in unknown.filter_map(|thing: &Thing| thing.derivation.clone()) {
            let output = Output { derivation, name: "out".to_owned() };
            outputs.insert(output.clone(), name(&output));
        }
        let is_source =
            |thing: &Thing| thing.kind == Kind::Input && thing.paths.iter().any(|item| roots.contains(item));
        let has_sources = wanted.things.iter().any(is_source);
        let outputs = outputs.into_iter().map(|(output, name)| (name, output)).collect();
        Self { outputs, roots, has_sources }
    }
}

fn show_plan(plan: &Plan, before: &Survey, session: &Session, options: &CachePushOptions) -> Outcome {
    let printer = session.printer;
    let names: BTreeSet<&str> = plan.outputs.iter().map(|(name, _)| name.as_str()).collect();
    if options.choice.json {
        let paths: Vec<String> = plan.roots.iter().map(|item| item.in_store(&session.wanted.store)).collect();
        let before = reports::report(&Report::of(&session.wanted, before), &session.wanted);
        printer.json(&json!({ "version": 1, "build": names, "push": paths, "before": before }));
        return Outcome::Done;
    }
    if plan.roots.is_empty() && plan.outputs.is_empty() {
        printer.data("nothing to push: the cache has everything");
        return Outcome::Done;
    }
    printer.data(format_args!("would build or fetch, if this machine lacks it:"));
    for name in &names {
        printer.data(format_args!("  {}", escape(name)));
    }
    printer.data(format_args!("would push {} with everything that they refer to:", things(plan.roots.len(), "path")));
    for item in &plan.roots {
        printer.data(format_args!("  {}", escape(&item.in_store(&session.wanted.store))));
    }
    Outcome::Done
}

/// Building and pushing at the same time.
struct Work<'a> {
    session: &'a Session,
    options: &'a CachePushOptions,
    uploads: &'a [Upload],
    is_verbose: bool,
}

/// What was done.
#[derive(Default)]
struct Done {
    built: Vec<String>,
    failed: Vec<(String, Vec<String>)>,
    fetched: usize,
    sent: Sent,
    /// Why pushing failed.
    troubles: Vec<String>,
    error: Option<String>,
}

impl Work<'_> {
    fn run(&self, plan: &Plan) -> Result<Done, Failure> {
        if plan.roots.is_empty() && plan.outputs.is_empty() {
            return Ok(Done::default());
        }
        if plan.has_sources {
            self.session.nix.fetch_flake_sources(".")?;
        }
        let mut items: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
        for (item, output) in &self.session.wanted.built_by {
            if plan.roots.contains(item) {
                items.entry(&output.derivation).or_default().push(item.clone());
            }
        }
        let (sender, receiver) = channel::<Vec<Item>>();
        let (built, mut done) = thread::scope(|scope| {
            let pusher = scope.spawn(move || self.push_as_they_come(&receiver));
            let built = self.build(plan, &mut |derivation| {
                // The pusher never ends before the sender.
                let _ = sender.send(items.get(derivation).cloned().unwrap_or_default());
            });
            drop(sender);
            let done = pusher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (built, done)
        });
        let (built, valid) = (built, self.valid(plan)?);
        self.push(&valid, &mut done);
        done.built = built.names;
        done.failed = built.failed;
        done.fetched = built.fetched;
        done.error = built.error.filter(|_| done.failed.is_empty()).map(|error| error.to_string());
        Ok(done)
    }

    fn build(&self, plan: &Plan, ended: &mut dyn FnMut(&str)) -> Built {
        let mut more = Vec::new();
        if let Some(builders) = &self.options.builders {
            more.extend(["--builders".to_owned(), builders.clone()]);
        }
        if let Some(store) = &self.options.store {
            more.extend(["--store".to_owned(), store.clone(), "--eval-store".to_owned(), "auto".to_owned()]);
        }
        let nix = self.session.nix.clone().with_options(more);
        let (tree, state, printer) = (&self.session.tree, &self.session.state, self.session.printer);
        let is_verbose = self.is_verbose;
        let recorded_as = Some("cache push");
        let building = Building { nix: &nix, tree, state, printer, is_verbose, because: None, recorded_as };
        if plan.outputs.is_empty() { Built::default() } else { building.outputs(&plan.outputs, ended) }
    }

    /// Pushes what is built while the rest is built. What came together goes together.
    fn push_as_they_come(&self, receiver: &Receiver<Vec<Item>>) -> Done {
        let mut done = Done::default();
        while let Ok(first) = receiver.recv() {
            let items: Vec<Item> = first.into_iter().chain(receiver.try_iter().flatten()).collect();
            if !items.is_empty() {
                self.push(&items, &mut done);
            }
        }
        // What failed is tried again at the end.
        done.troubles.clear();
        done
    }

    fn push(&self, items: &[Item], done: &mut Done) {
        let paths: Vec<String> = items.iter().map(|item| item.in_store(&self.session.wanted.store)).collect();
        for upload in self.uploads {
            match upload.send(&paths) {
                Ok(sent) => {
                    done.sent += sent;
                    self.say(upload, sent);
                }
                Err(error) => done.troubles.push(format!("{}: {}", upload.address(), cause(&error))),
            }
        }
    }

    /// Says what was pushed. On a terminal, the lines of builds move, and the sum at the end is enough.
    fn say(&self, upload: &Upload, sent: Sent) {
        if sent.paths > 0 && !self.session.printer.draws_progress() {
            let (paths, size) = (things(sent.paths, "path"), bytes(sent.bytes));
            self.session
                .printer
                .note(format_args!("pushed {paths} ({size}) to {}", escape(&upload.address().to_string())));
        }
    }

    /// Returns the paths to push that the store has. What failed to build is not there.
    fn valid(&self, plan: &Plan) -> Result<Vec<Item>, Failure> {
        let store = &self.session.wanted.store;
        let paths: Vec<String> = plan.roots.iter().map(|item| item.in_store(store)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if let Some(other) = &self.options.store {
            let found = self.session.nix.infos(Some(other), &paths)?;
            let found = found.iter().flat_map(|answer| crate::caches::query::infos(answer, store));
            return Ok(found.map(|info| info.item).collect());
        }
        let missing = self.session.nix.missing(&paths)?;
        Ok(plan.roots.iter().filter(|item| !missing.contains(&item.in_store(store))).cloned().collect())
    }
}

impl Done {
    fn print(&self, printer: Printer, start: Instant) {
        for (name, log) in &self.failed {
            printer.error_line(format_args!("{BAD}error{BAD:#}: the build of {} failed", escape(name)));
            for line in log {
                printer.error_line(format_args!("  | {}", escape(line)));
            }
            printer.note(format_args!("run `splitter build` to see the cause"));
        }
        for error in self.error.iter().chain(&self.troubles) {
            printer.error_line(format_args!("{BAD}error{BAD:#}: {}", escape(error)));
        }
        let Sent { paths, bytes: size } = self.sent;
        printer.note(format_args!(
            "built {}, fetched {}, pushed {} ({}) in {}",
            count(self.built.len()),
            count(self.fetched),
            things(paths, "path"),
            bytes(size),
            duration(start.elapsed())
        ));
    }
}

fn json_of(report: &Report<'_>, done: &Done, session: &Session, is_complete: bool) -> serde_json::Value {
    json!({
        "version": 1,
        "isComplete": is_complete,
        "built": done.built,
        "failed": done.failed.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "fetched": done.fetched,
        "pushedPaths": done.sent.paths,
        "pushedBytes": done.sent.bytes,
        "errors": done.error.iter().chain(&done.troubles).collect::<Vec<_>>(),
        "after": reports::report(report, &session.wanted),
    })
}
