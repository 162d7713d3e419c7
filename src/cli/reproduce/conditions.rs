//! The conditions of the two builds: what differs between them, and what Nix's sandbox keeps the same.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    nix::command::Nix,
    reproduce::cause::{DEEPER_FOLDER, FIRST_FOLDER, SECOND_FOLDER},
};

/// The least time between the end of the first build and the start of the second. Zip archives store times in steps of two
/// seconds.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// What Nix's sandbox keeps the same in both builds.
pub(super) const SAME: [&str; 7] = [
    "user, group and home folder",
    "host name",
    "locale, time zone and all other variables",
    "network (none)",
    "kernel and kind of processor",
    "date, unless midnight is between the builds",
    "file system, unless `--second` names another one",
];

/// The conditions of one build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conditions {
    /// The folder in which the sandbox runs it.
    pub(super) folder: &'static str,
    /// The number of processors.
    pub(super) cores: usize,
}

impl Conditions {
    /// Returns those of the first and of the second build. The second one has half of the processors.
    pub(super) fn both(is_deeper: bool) -> [Self; 2] {
        let all = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let second = if is_deeper { DEEPER_FOLDER } else { SECOND_FOLDER };
        [Self { folder: FIRST_FOLDER, cores: all }, Self { folder: second, cores: (all / 2).max(1) }]
    }

    pub(super) fn json(self) -> Value {
        json!({ "buildFolder": self.folder, "cores": self.cores })
    }
}

/// Whether builds run in a sandbox. Without one, their folder cannot be chosen.
pub(super) fn has_sandbox(nix: &Nix) -> bool {
    let settings = nix.settings().unwrap_or_default();
    let sandbox = &settings["sandbox"]["value"];
    sandbox.as_str().is_none_or(|value| value != "false") && sandbox.as_bool() != Some(false)
}

/// Runs `work` on this number of processors. A child process gets the processors of the thread that starts it.
#[cfg(target_os = "linux")]
pub(super) fn on_cores<T>(cores: usize, work: impl FnOnce() -> T) -> T {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let before = sched_getaffinity(None).ok();
    if let Some(all) = &before {
        let mut few = CpuSet::new();
        (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).take(cores).for_each(|cpu| few.set(cpu));
        // Where this is not allowed, `cores` alone says how many there are.
        let _ = sched_setaffinity(None, &few);
    }
    let result = work();
    if let Some(all) = before {
        let _ = sched_setaffinity(None, &all);
    }
    result
}

#[cfg(not(target_os = "linux"))]
pub(super) fn on_cores<T>(_: usize, work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_build_differs_in_folder_and_processors() {
        let [first, second] = Conditions::both(false);
        assert_ne!(first.folder, second.folder);
        assert!(second.cores >= 1 && (second.cores < first.cores || first.cores == 1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_process_has_fewer_processors() {
        let nproc = || {
            let output = crate::ending::output(&mut std::process::Command::new("nproc")).unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<usize>().unwrap()
        };
        let all = nproc();
        assert_eq!(on_cores(1, nproc), 1);
        assert_eq!(nproc(), all);
    }
}
