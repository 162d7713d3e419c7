//! Shows which run is measured and how much time is left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    bench::{log::Sample, plan::Run},
    cli::{
        printer::Printer,
        text::{duration, things},
    },
};

const TICK: Duration = Duration::from_millis(200);

/// A line on the terminal, or a line for each run elsewhere.
pub(super) struct Progress {
    printer: Printer,
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(printer: Printer) -> Self {
        let is_drawn = printer.draws_progress();
        let target = if is_drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Self { printer, bar }
    }

    /// Shows the run that begins. `left` are the seconds that it and the rest will take.
    pub(super) fn begin(&self, run: Run, rounds: usize, left: Option<f64>) {
        let left = left.map(|left| format!(", about {} left", whole(left))).unwrap_or_default();
        self.bar.reset_elapsed();
        self.bar.set_message(format!("{}, run {} of {rounds}{left}", title(run), run.round + 1));
        self.bar.enable_steady_tick(TICK);
    }

    /// Prints what a run took.
    pub(super) fn end(&self, run: Run, sample: &Sample) {
        let took = duration(Duration::from_secs_f64(sample.seconds.max(0.0)));
        let built = if sample.built.is_empty() {
            String::new()
        } else {
            format!(", {} built", things(sample.built.len(), "derivation"))
        };
        self.note(&format!("{}: {took}{built}", title(run)));
    }

    /// Prints a line above the moving one.
    pub(super) fn note(&self, line: &str) {
        let printer = self.printer;
        self.bar.suspend(|| printer.note(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn title(run: Run) -> String {
    format!("{}, {}", run.scenario.title(), run.side)
}

/// Formats a guessed time.
fn whole(seconds: f64) -> String {
    let time = Duration::from_secs_f64(seconds.max(1.0).round());
    if time.as_secs() < 60 { format!("{} s", time.as_secs()) } else { duration(time) }
}
