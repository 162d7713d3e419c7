//! Where facts come from: files, programs, variables.

use std::{env, path::Path, process::Command};

use fs_err as fs;

use super::kind::Family;
use crate::{ending, reading};

/// A computer to read. [`ThisComputer`] is the real one.
pub trait Root {
    /// Returns the family of its operating system.
    fn family(&self) -> Family;

    /// Returns the text of a file, such as `/proc/meminfo`.
    fn read(&self, path: &str) -> Option<String>;

    /// Whether there is such a file or folder.
    fn exists(&self, path: &str) -> bool;

    /// Returns the names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String>;

    /// Returns where a link points to.
    fn link(&self, path: &str) -> Option<String>;

    /// Returns what a program prints, whatever its exit code is.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<String>;

    /// Returns a variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns the space on the file system of the nearest existing folder.
    fn space(&self, path: &str) -> Option<Space>;

    /// Returns how many threads this process can run at once.
    fn parallelism(&self) -> Option<usize>;
}

/// The space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All bytes.
    pub bytes: u64,
    /// The bytes that users other than root can still write.
    pub free_bytes: u64,
    /// How many files it can hold. Some file systems, such as btrfs, have no such limit and say 0.
    pub inodes: u64,
    /// How many more files it can hold.
    pub free_inodes: u64,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// The computer that this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisComputer;

impl Root for ThisComputer {
    fn family(&self) -> Family {
        match env::consts::OS {
            "linux" => Family::Linux,
            "macos" => Family::MacOs,
            _ => Family::Other,
        }
    }

    fn read(&self, path: &str) -> Option<String> {
        // Files of `/proc` and of firmware are not always UTF-8, and some end with a zero byte.
        let bytes = reading::bytes(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn link(&self, path: &str) -> Option<String> {
        fs::read_link(path).ok()?.into_os_string().into_string().ok()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = ending::output(Command::new(program).args(arguments)).ok()?;
        String::from_utf8(output.stdout).ok()
    }

    fn variable(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn space(&self, path: &str) -> Option<Space> {
        Path::new(path).ancestors().find_map(space_of)
    }

    fn parallelism(&self) -> Option<usize> {
        std::thread::available_parallelism().ok().map(std::num::NonZeroUsize::get)
    }
}

#[cfg(unix)]
fn space_of(path: &Path) -> Option<Space> {
    let answer = rustix::fs::statvfs(path).ok()?;
    Some(Space {
        bytes: answer.f_blocks.saturating_mul(answer.f_frsize),
        free_bytes: answer.f_bavail.saturating_mul(answer.f_frsize),
        inodes: answer.f_files,
        free_inodes: answer.f_favail,
        read_only: answer.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

#[cfg(not(unix))]
fn space_of(_: &Path) -> Option<Space> {
    None
}
