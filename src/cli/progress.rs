//! Progress: a bar on a terminal, a line every few seconds elsewhere.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    printer::Printer,
    text::{bytes, count, things},
};
use crate::fetch::{Progress, Purpose};

/// Time between lines if stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of downloads.
pub(super) struct DownloadProgress {
    printer: Printer,
    bar: ProgressBar,
    missing: AtomicUsize,
    done: AtomicUsize,
    received: AtomicU64,
    purpose: Mutex<Purpose>,
    last_line: Mutex<Instant>,
}

impl DownloadProgress {
    pub(super) fn new(printer: Printer) -> Self {
        let target = if printer.draws_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = "downloading {wide_bar} {pos}/{len}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            printer,
            bar,
            missing: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            received: AtomicU64::new(0),
            purpose: Mutex::new(Purpose::All),
            last_line: Mutex::new(Instant::now()),
        }
    }

    fn plain_line(&self) {
        if self.printer.draws_progress() || self.printer.is_quiet() {
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PLAIN_EVERY {
            *last = Instant::now();
            let (done, missing) = (self.done.load(Ordering::Relaxed), self.missing.load(Ordering::Relaxed));
            let received = bytes(self.received.load(Ordering::Relaxed));
            self.printer.note(format_args!("downloaded {done} of {}, {received}", things(missing, "package")));
        }
    }
}

impl Progress for DownloadProgress {
    fn begins(&self, purpose: Purpose) {
        *self.purpose.lock().unwrap_or_else(PoisonError::into_inner) = purpose;
    }

    fn planned(&self, files: usize, cached: usize) {
        let missing = files - cached;
        self.missing.store(missing, Ordering::Relaxed);
        if missing > 0 {
            let (files, cached) = (count(files), count(cached));
            let purpose = *self.purpose.lock().unwrap_or_else(PoisonError::into_inner);
            let (what, have) = match purpose {
                Purpose::All => (things(missing, "package"), format!("{cached} of {files} in the cache")),
                Purpose::ChangedParts(1) => {
                    (things(missing, "package"), format!("the changed part has {files}, {cached} of them in the cache"))
                }
                Purpose::ChangedParts(parts) => {
                    let have = format!("the {parts} changed parts have {files}, {cached} of them in the cache");
                    (things(missing, "package"), have)
                }
                Purpose::Systems => {
                    let have = format!("to see which systems they are for; {cached} of {files} in the cache");
                    (things(missing, "optional package"), have)
                }
            };
            self.printer.note(format_args!("downloading {what} ({have})"));
        }
        // From here on the bar is drawn below the line.
        self.bar.set_length(missing as u64);
    }

    fn received(&self, length: u64) {
        let total = self.received.fetch_add(length, Ordering::Relaxed) + length;
        let seconds = self.bar.elapsed().as_secs().max(1);
        self.bar.set_message(format!("{}  {}/s", bytes(total), bytes(total / seconds)));
    }

    fn finished(&self, _label: &str) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
        self.plain_line();
    }
}

impl Drop for DownloadProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows how many steps are done. It draws only on a terminal, because a step takes about a second.
pub(super) struct StepProgress(ProgressBar);

impl StepProgress {
    /// Creates a bar with no steps done.
    pub(super) fn new(what: &str, printer: Printer) -> Self {
        let target = if printer.draws_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = format!("{what} {{wide_bar}} {{pos}}/{{len}}");
        bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    pub(super) fn set(&self, done: usize, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for StepProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
