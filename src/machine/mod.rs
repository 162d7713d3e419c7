//! What this computer has: cores, memory, the disk of the store, and what kind of computer it is.
//!
//! Hardware is easily misread: a virtual disk says that it rotates, a container sees the memory of its host. So each [`Fact`] says
//! how sure it is and where it comes from, and "unknown" is an answer. [`Computer::of`] is pure over a [`Root`]: the tests give it
//! recorded files and outputs of programs.

mod cores;
mod disk;
mod fact;
mod kind;
mod memory;
mod mounts;
#[cfg(test)]
mod recorded;
mod root;
#[cfg(test)]
mod tests;
mod writes;

use serde::Serialize;

#[cfg(test)]
pub(crate) use self::recorded::Recorded;
pub use self::{
    cores::Cores,
    disk::{Disk, Medium, is_same_disk, medium_of_writes},
    fact::{Fact, Sureness},
    kind::{Family, Kind, OperatingSystem},
    memory::Memory,
    root::{Root, Space, ThisComputer},
    writes::{Writes, measure as measure_writes},
};

/// The store of Nix, unless the settings say otherwise.
pub const STORE: &str = "/nix/store";

/// What a computer has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Computer {
    /// Its operating system.
    pub operating_system: OperatingSystem,
    /// Whether it is a virtual machine, a container, or a runner of a CI system.
    pub kind: Kind,
    /// Its cores.
    pub cores: Cores,
    /// Its memory.
    pub memory: Memory,
    /// The disk of the store.
    pub store: Disk,
}

impl Computer {
    /// Reads what a computer has. `store` is the folder of store paths, usually [`STORE`]; it need not exist.
    pub fn of(root: &dyn Root, store: &str) -> Self {
        let operating_system = kind::operating_system(root);
        let kind = kind::kind(root, operating_system.family);
        let groups = mounts::Groups::read(root);
        Self {
            cores: cores::cores(root, operating_system.family, &groups),
            memory: memory::memory(root, operating_system.family, &groups),
            store: disk::disk(root, operating_system.family, store, &kind),
            operating_system,
            kind,
        }
    }
}
