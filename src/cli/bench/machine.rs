//! What the report says of this machine.

use std::thread;

use fs_err as fs;

use crate::{bench::report::Machine, nix::command::Nix};

/// Asks the system. What it does not tell stays empty.
pub(super) fn machine(nix: &Nix, system: &str) -> Machine {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    Machine {
        system: system.to_owned(),
        processor: processor.map_or_else(String::new, |(_, name)| name.trim().to_owned()),
        cores: thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory: memory.map_or(0, |kibibytes| kibibytes.saturating_mul(1024)),
        nix: nix.version().unwrap_or_default(),
        splitter: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
