//! Temporary folders of tests in memory.
//!
//! Tests write and delete some gigabytes of stores. On a disk, each new file makes the kernel search for an inode that was not
//! deleted recently.

use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;

use crate::process;

/// What the tests need: two at a time had at most 1.2 GB on a machine with two processors.
const NEEDED_KB: u64 = 8 << 20;

/// The script that mounts a file system in memory, names it in `TMPDIR`, and becomes the program in its arguments. The mount
/// ends with that program, because only its own namespace has it.
const SCRIPT: &str = r#"mount -t tmpfs -o mode=1777,size=50% tmpfs "$0" && export TMPDIR="$0" && exec "$@""#;

/// Makes `command` run with an empty folder in memory at `folder` as its `TMPDIR`, if this machine has the memory, and allows
/// it. Otherwise returns it unchanged.
pub(crate) fn with_temporary_folder(command: Command, folder: &Utf8Path) -> Command {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    if available(&meminfo) < NEEDED_KB || process::run_silently(isolated(folder).arg("true")).is_err() {
        return command;
    }
    let mut isolated = isolated(folder);
    isolated.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => isolated.env(name, value),
            None => isolated.env_remove(name),
        };
    }
    isolated.current_dir(command.get_current_dir().unwrap_or(".".as_ref()));
    isolated
}

fn isolated(folder: &Utf8Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, folder.as_str()]);
    command
}

/// Returns the kilobytes that programs can get.
fn available(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_and_zero_if_unknown() {
        assert_eq!(available("MemTotal:       24684084 kB\nMemAvailable:   21000000 kB\n"), 21_000_000);
        assert_eq!(available(""), 0);
    }
}
