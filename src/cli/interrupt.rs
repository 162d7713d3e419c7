//! Ctrl-C: a run ends at once, except while files of the repository are being replaced, which is finished first.

use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::INTERRUPTED;

static REPLACING: AtomicBool = AtomicBool::new(false);
static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Starts to listen. Where no handler can be set, the system's own ends the program, which harms nothing either.
pub(super) fn install() {
    let _ = ctrlc::set_handler(|| {
        INTERRUPT.store(true, Ordering::SeqCst);
        if !REPLACING.load(Ordering::SeqCst) {
            end(INTERRUPTED.into());
        }
    });
}

/// Whether Ctrl-C was pressed while files were being replaced.
pub(super) fn was_interrupted() -> bool {
    INTERRUPT.load(Ordering::SeqCst)
}

/// Runs the replacing of files, which an interrupt does not cut in two.
pub(super) fn uninterrupted<T>(replace: impl FnOnce() -> T) -> T {
    REPLACING.store(true, Ordering::SeqCst);
    let result = replace();
    REPLACING.store(false, Ordering::SeqCst);
    result
}

/// Ends the program now.
#[expect(clippy::exit, reason = "the one place that ends the program from outside `main`")]
pub(super) fn end(code: i32) -> ! {
    std::process::exit(code)
}
