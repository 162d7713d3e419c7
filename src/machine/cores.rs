//! The cores that builds can use.

use serde::Serialize;

use super::{Fact, Family, Root, mounts::Groups};

/// Cores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cores {
    /// How many can work at once. This is less than there are if a container or a CPU mask limits them.
    pub usable: Fact<usize>,
    /// How many the kernel knows, each thread of a core counted.
    pub present: Fact<usize>,
    /// The fast ones, if the processor has two kinds.
    pub fast: Fact<usize>,
}

pub(super) fn cores(root: &dyn Root, family: Family, groups: &Groups) -> Cores {
    match family {
        Family::MacOs => of_macos(root),
        Family::Linux => of_linux(root, groups),
        Family::Other => {
            let usable = of_process(root);
            Cores { present: usable.clone(), usable, fast: Fact::unknown("not read on this operating system") }
        }
    }
}

fn of_process(root: &dyn Root) -> Fact<usize> {
    match root.parallelism() {
        Some(cores) => Fact::certain(cores, "the threads that the system offers this process"),
        None => Fact::unknown("the system does not say it"),
    }
}

fn of_macos(root: &dyn Root) -> Cores {
    let value = |name: &str| super::kind::sysctl(root, name).and_then(|text| text.parse::<usize>().ok());
    let fact = |name: &str, absent: &str| match value(name) {
        Some(cores) => Fact::certain(cores, format!("sysctl {name}")),
        None => Fact::unknown(absent),
    };
    let present = fact("hw.logicalcpu", "sysctl did not say it");
    let usable = if present.value.is_some() { present.clone() } else { of_process(root) };
    Cores { usable, present, fast: fact("hw.perflevel0.physicalcpu", "the processor has one kind of core") }
}

fn of_linux(root: &dyn Root, groups: &Groups) -> Cores {
    let present = present(root);
    let limits = [of_process(root), present.clone(), mask(root)].into_iter();
    let limits = limits.chain(quota(root, groups)).filter(|limit| limit.value.is_some());
    // The first of several equal ones is the simplest source.
    let usable =
        limits.min_by_key(|limit| limit.value).unwrap_or_else(|| Fact::unknown("/proc and /sys do not say it"));
    Cores { usable, present, fast: Fact::unknown("not read on Linux") }
}

fn present(root: &dyn Root) -> Fact<usize> {
    let path = "/sys/devices/system/cpu/online";
    if let Some(cores) = root.read(path).and_then(|list| count(&list)) {
        return Fact::certain(cores, path);
    }
    let path = "/proc/cpuinfo";
    let text = root.read(path).unwrap_or_default();
    match text.lines().filter(|line| line.starts_with("processor")).count() {
        0 => Fact::unknown("/proc and /sys do not say it"),
        cores => Fact::certain(cores, path),
    }
}

/// Returns the cores that the process may run on, as `taskset` and cpusets set them.
fn mask(root: &dyn Root) -> Fact<usize> {
    let status = root.read("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    match list.and_then(count) {
        Some(cores) => Fact::certain(cores, "Cpus_allowed_list in /proc/self/status"),
        None => Fact::unknown("/proc/self/status does not say it"),
    }
}

/// Returns the tightest quota of CPU time, as a number of cores. Less than one core counts as one.
fn quota(root: &dyn Root, groups: &Groups) -> Option<Fact<usize>> {
    let second = groups.unified.iter().filter_map(|folder| {
        let path = format!("{folder}/cpu.max");
        let text = root.read(&path)?;
        let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().ok());
        Some((whole(numbers.next()??, numbers.next()??)?, path))
    });
    let first = groups.cpu.iter().filter_map(|folder| {
        let path = format!("{folder}/cpu.cfs_quota_us");
        let number = |path: &str| root.read(path)?.trim().parse::<u64>().ok();
        Some((whole(number(&path)?, number(&format!("{folder}/cpu.cfs_period_us"))?)?, path))
    });
    second.chain(first).min().map(|(cores, path)| Fact::certain(cores, path))
}

fn whole(quota: u64, period: u64) -> Option<usize> {
    usize::try_from(quota.checked_div(period)?.max(1)).ok()
}

/// Counts a list such as `0-3,8`.
fn count(list: &str) -> Option<usize> {
    let mut all = 0_usize;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        all = all.saturating_add(last.checked_sub(first)?.saturating_add(1));
    }
    Some(all)
}
