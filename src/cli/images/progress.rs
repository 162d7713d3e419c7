//! The progress of a push: a line for each layer, and a bar of bytes on a terminal.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    cli::{
        printer::Printer,
        style::{BOLD, DIM},
        text::{bytes, duration, escape, things},
    },
    image::{
        Plan, Reference,
        push::{Event, Fate, Watch},
        registry::Count,
    },
};

/// Time between lines if stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of a push.
pub(super) struct PushProgress {
    printer: Printer,

    bar: ProgressBar,
    /// Bytes to send, as far as they are known.
    total: AtomicU64,
    sent: AtomicU64,
    last_line: Mutex<Instant>,
}

impl PushProgress {
    pub(super) fn new(printer: Printer) -> Self {
        let target = if printer.draws_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (total, sent, last_line) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Instant::now()));
        Self { printer, bar, total, sent, last_line }
    }

    pub(super) fn begin(&self, plans: &[Plan], reference: &Reference) {
        let platforms: Vec<String> = plans.iter().map(|plan| plan.platform.to_string()).collect();
        let name = plans.first().map_or("", |plan| plan.name.as_str());
        let layers = plans.iter().flat_map(|plan| &plan.layers).filter(|layer| !layer.is_empty()).count();
        let line = format!(
            "{BOLD}{}{BOLD:#} ({}): {} to {reference}",
            escape(name),
            platforms.join(", "),
            things(layers, "layer")
        );
        self.note(&line);
    }

    pub(super) fn end(&self) {
        self.bar.set_length(0);
        self.bar.reset();
        self.total.store(0, Ordering::Relaxed);
        self.sent.store(0, Ordering::Relaxed);
    }

    fn note(&self, line: &str) {
        self.bar.suspend(|| self.printer.note(line));
    }

    fn plain_line(&self) {
        if self.printer.draws_progress() || self.printer.is_quiet() {
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PLAIN_EVERY {
            *last = Instant::now();
            let (sent, total) = (self.sent.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
            self.printer.note(format_args!("sent {} of {}", bytes(sent), bytes(total)));
        }
    }
}

impl Count for PushProgress {
    fn sent(&self, length: u64) {
        self.sent.fetch_add(length, Ordering::Relaxed);
        self.bar.inc(length);
        self.plain_line();
    }
}

impl Watch for PushProgress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Making(layer) => self.bar.set_message(format!("making {}", escape(&layer.name))),
            Event::Sending(layer, size) => {
                let total = self.total.fetch_add(size, Ordering::Relaxed) + size;
                self.bar.set_length(total);
                self.bar.set_message(format!("sending {}", escape(&layer.name)));
            }
            Event::Done(_, layer, described, fate) => {
                let how = match fate {
                    Fate::Known => "in the registry".to_owned(),
                    Fate::Present => "in the registry already".to_owned(),
                    Fate::Mounted(from) => format!("mounted from {from}"),
                    Fate::Sent => "sent".to_owned(),
                    Fate::Lacking => "would be sent".to_owned(),
                };
                let (name, size) = (escape(&layer.name), bytes(described.size));
                self.note(&format!("  {name:<14}  {size:>9}  {how}"));
            }
            Event::Retrying(doing, why, pause) => {
                let pause = duration(pause);
                self.note(&format!("  {DIM}could not {}: {}; again in {pause}{DIM:#}", escape(doing), escape(why)));
            }
        }
    }
}

impl Drop for PushProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
