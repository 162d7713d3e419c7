//! Shows builds on a terminal: a line for each that runs, and one for all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{Course, Memory, Step, View, Why, course::Build, estimate};
use crate::{
    cli::{
        printer::Printer,
        text::{bytes, count, duration, escape, things},
    },
    nix::command::log::plain,
    split::plan::{Derivations, Id},
};

/// The number of builds with a line of their own.
const SHOWN: usize = 8;
const TICK: Duration = Duration::from_millis(200);

/// The time when all is expected to be built.
type End = Arc<Mutex<Option<Instant>>>;

/// The lines on the terminal.
pub(super) struct Live<'a> {
    printer: Printer,
    why: &'a Why,
    memory: &'a Memory,
    derivations: &'a Derivations,
    wanted: BTreeSet<Id>,
    all: MultiProgress,
    total: ProgressBar,
    end: End,
    /// The lines, by derivation.
    bars: BTreeMap<String, ProgressBar>,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        printer: Printer,
        why: &'a Why,
        memory: &'a Memory,
        derivations: &'a Derivations,
        wanted: BTreeSet<Id>,
    ) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let end: End = Arc::default();
        let shown = Arc::clone(&end);
        let left = move |_: &ProgressState, writer: &mut dyn std::fmt::Write| {
            let end = *shown.lock().unwrap_or_else(PoisonError::into_inner);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_secs());
            let _ = match left {
                None => Ok(()),
                Some(0) => write!(writer, "nearly done  "),
                Some(seconds) => write!(writer, "about {} left  ", rounded(Duration::from_secs(seconds))),
            };
        };
        let style = ProgressStyle::with_template("{left}{wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("left", left);
        let total = all.add(ProgressBar::new_spinner().with_style(style).with_message("asking Nix what to build"));
        total.enable_steady_tick(TICK);
        Self { printer, why, memory, derivations, wanted, all, total, end, bars: BTreeMap::new() }
    }

    fn started(&mut self, build: &Build) {
        let Some(id) = &build.id else { return };
        self.print(&format!("{}: building: {}", build.name, self.why.line(id)));
        if self.bars.len() >= SHOWN {
            return;
        }
        let usual = self.memory.time(&build.name).map(Duration::from_millis);
        let usual = usual.map(|time| format!(" of about {}", rounded(time))).unwrap_or_default();
        let template = format!("  {{spinner}} {{prefix}}  {{elapsed}}{usual}  {{wide_msg:.dim}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style).with_prefix(build.name.clone());
        let bar = self.all.insert_before(&self.total, bar);
        bar.enable_steady_tick(TICK);
        self.bars.insert(build.derivation.clone(), bar);
    }

    fn ended(&mut self, build: &Build) {
        if let Some(bar) = self.bars.remove(&build.derivation) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        let took = duration(build.took.unwrap_or_default());
        if build.failed {
            self.print(&format!("{}: failed after {took}", build.name));
        } else if build.stopped {
            self.print(&format!("{}: stopped after {took}", build.name));
        } else if build.id.is_some() {
            self.print(&format!("{}: built in {took}", build.name));
        }
    }

    /// Prints a line above the moving ones. It stays.
    fn print(&self, line: &str) {
        let line = escape(line).into_owned();
        let printer = self.printer;
        self.all.suspend(|| printer.note(line));
    }

    fn count(&self, course: &Course) {
        let jobs = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let left = estimate::left(course, self.memory, self.derivations, &self.wanted, jobs);
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = left.map(|left| Instant::now() + left);
        let (running, waiting) = (course.running.len(), course.planned.len());
        let mut parts = vec![format!("{} running", things(running, "build"))];
        if waiting > 0 {
            parts.push(format!("{} waiting", count(waiting)));
        }
        let fetched: usize = course.fetched.values().map(BTreeSet::len).sum();
        if fetched > 0 {
            parts.push(format!("{} from caches", things(fetched, "path")));
        }
        if let Some((done, expected)) = course.transfers.running() {
            let of = if expected > done { format!(" of {}", bytes(expected)) } else { String::new() };
            parts.push(format!("downloading {}{of}", bytes(done)));
        }
        self.total.set_message(parts.join(", "));
    }
}

/// Formats a guessed time: `5 s`, `2 min 3 s`.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    if seconds < 60 { format!("{} s", seconds.max(1)) } else { duration(Duration::from_secs(seconds)) }
}

impl View for Live<'_> {
    fn show(&mut self, course: &Course, step: &Step<'_>) {
        match step {
            Step::Started(build) => self.started(build),
            Step::Ended(build) => self.ended(build),
            Step::Line(build, text) => {
                if let Some(bar) = self.bars.get(&build.derivation) {
                    bar.set_message(escape(&plain(text)).into_owned());
                }
                return;
            }
            Step::Message(_) => return,
            Step::Other => {}
        }
        self.count(course);
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}
