//! Signals that end the program: Ctrl-C (INT), TERM and HUP.
//!
//! A run ends at once and leaves nothing behind. If it is replacing files of the repository, it replaces all of them first.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::ending;

/// The signal received, and whether it must wait.
struct State {
    signal: Option<i32>,
    is_replacing: bool,
}

static STATE: Mutex<State> = Mutex::new(State { signal: None, is_replacing: false });

/// Starts to listen. If no handler can be set, the default one of the system ends the program.
#[cfg(unix)]
pub(super) fn install() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    let heeded = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
    if let Ok(mut signals) = Signals::new(heeded) {
        thread::spawn(move || signals.forever().for_each(receive));
    }
}

#[cfg(not(unix))]
pub(super) fn install() {}

/// Returns whether the program was started with the signal ignored, as `nohup` does. Only Linux can tell.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

fn receive(signal: i32) {
    let mut state = state();
    let first = *state.signal.get_or_insert(signal);
    if !state.is_replacing {
        stop(first);
    }
}

/// Replaces files; a signal waits until all are replaced.
pub(super) fn uninterrupted<T>(replace: impl FnOnce() -> T) -> T {
    state().is_replacing = true;
    let result = replace();
    let mut state = state();
    state.is_replacing = false;
    if let Some(signal) = state.signal {
        stop(signal);
    }
    result
}

/// Waits if the program is ending, so that no failure caused by the signal is reported.
pub(super) fn heed() {
    drop(state());
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program after a signal. The locked state makes the other threads wait.
fn stop(signal: i32) -> ! {
    let _ended = ending::leave_nothing();
    // Shells use this code for signals.
    end(128 + signal)
}

/// Ends the program now.
#[expect(clippy::exit, reason = "the one place that ends the program from outside `main`")]
pub(super) fn end(code: i32) -> ! {
    std::process::exit(code)
}
