//! The memory that builds can use.

use serde::Serialize;

use super::{Fact, Family, Root, mounts::Groups};

/// A limit of version 1 above this is none: the kernel prints the largest number of pages.
const NO_LIMIT: u64 = 1 << 60;

/// Memory in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// What this process may use: less than there is if a container limits it.
    pub usable: Fact<u64>,
    /// What the computer has.
    pub present: Fact<u64>,
    /// Swap.
    pub swap: Fact<u64>,
}

pub(super) fn memory(root: &dyn Root, family: Family, groups: &Groups) -> Memory {
    match family {
        Family::Linux => of_linux(root, groups),
        Family::MacOs => {
            let bytes = super::kind::sysctl(root, "hw.memsize").and_then(|text| text.parse().ok());
            let present = bytes.map_or_else(
                || Fact::unknown("sysctl did not say it"),
                |bytes| Fact::certain(bytes, "sysctl hw.memsize"),
            );
            Memory { usable: present.clone(), present, swap: Fact::unknown("macOS makes swap files as it needs them") }
        }
        Family::Other => {
            let unknown = || Fact::unknown("not read on this operating system");
            Memory { usable: unknown(), present: unknown(), swap: unknown() }
        }
    }
}

fn of_linux(root: &dyn Root, groups: &Groups) -> Memory {
    let text = root.read("/proc/meminfo").unwrap_or_default();
    let line = |name: &str| {
        let kibibytes = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?;
        kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    let fact = |name: &str| match line(&format!("{name}:")) {
        Some(bytes) => Fact::certain(bytes, format!("{name} in /proc/meminfo")),
        None => Fact::unknown("/proc/meminfo does not say it"),
    };
    let present = fact("MemTotal");
    let limits = std::iter::once(present.clone()).chain(limit(root, groups)).filter(|limit| limit.value.is_some());
    let usable = limits.min_by_key(|limit| limit.value).unwrap_or_else(|| present.clone());
    Memory { usable, present, swap: fact("SwapTotal") }
}

fn limit(root: &dyn Root, groups: &Groups) -> Option<Fact<u64>> {
    let second = groups.unified.iter().map(|folder| format!("{folder}/memory.max"));
    let first = groups.memory.iter().map(|folder| format!("{folder}/memory.limit_in_bytes"));
    let limits = second.chain(first).filter_map(|path| {
        // Without a limit the text is `max`, or a number near 2^63.
        let bytes: u64 = root.read(&path)?.trim().parse().ok()?;
        (bytes < NO_LIMIT).then_some((bytes, path))
    });
    limits.min().map(|(bytes, path)| Fact::certain(bytes, path))
}
