//! Tests with recorded computers, and one with this one.

use std::time::Duration;

use camino::Utf8Path;

use super::*;

fn recorded(text: &str) -> Recorded {
    Recorded::new(text)
}

fn computer(text: &str) -> Computer {
    Computer::of(&recorded(text), STORE)
}

const SECOND: &str = include_str!("fixtures/cgroup-v2.txt");
const FIRST: &str = include_str!("fixtures/cgroup-v1.txt");
const MAC: &str = include_str!("fixtures/macos.txt");
const NIXOS: &str = include_str!("fixtures/nixos.txt");
const SERVER: &str = include_str!("fixtures/server.txt");
const RUNNER: &str = include_str!("fixtures/runner.txt");

const GIB: u64 = 1 << 30;

#[test]
fn a_container_with_cgroups_of_version_2_is_limited_by_them() {
    let computer = computer(SECOND);
    assert_eq!(computer.cores.usable, Fact::certain(3, "/sys/fs/cgroup/cpu.max"));
    assert_eq!(computer.cores.present, Fact::certain(8, "/sys/devices/system/cpu/online"));
    assert_eq!(computer.memory.usable, Fact::certain(6 * GIB, "/sys/fs/cgroup/memory.max"));
    assert_eq!(computer.memory.present.value, Some(32_768_000 * 1024));
    assert_eq!(computer.kind.container, Fact::certain(true, "/run/.containerenv"));
    assert!(computer.kind.virtual_machine.holds());
    assert_eq!(computer.store.mount.value.as_deref(), Some("/nix"));
    assert_eq!(computer.store.file_system.value.as_deref(), Some("xfs"));
    assert_eq!(
        (computer.store.medium.value, computer.store.medium.sureness),
        (Some(Medium::SolidState), Sureness::Likely)
    );
}

#[test]
fn without_a_limit_the_text_max_is_none() {
    let root = recorded(SECOND)
        .with_file("/sys/fs/cgroup/cpu.max", "max 100000")
        .with_file("/sys/fs/cgroup/memory.max", "max\n");
    let computer = Computer::of(&root, STORE);
    assert_eq!(computer.cores.usable.value, Some(8));
    assert_eq!(computer.memory.usable, computer.memory.present);
}

#[test]
fn cgroups_of_version_1_limit_from_every_level() {
    let computer = computer(FIRST);
    assert_eq!(computer.cores.usable, Fact::certain(1, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"));
    assert_eq!(computer.cores.present.value, Some(16));
    let path = "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes";
    assert_eq!(computer.memory.usable, Fact::certain(4 * GIB, path));
    assert_eq!(computer.memory.swap.value, Some(2_097_148 * 1024));
}

#[test]
fn a_mask_of_cores_limits_too() {
    let root = recorded(FIRST).with("parallelism", "16").with_file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
    assert_eq!(Computer::of(&root, STORE).cores.usable, Fact::certain(8, "Cpus_allowed_list in /proc/self/status"));
}

#[test]
fn a_virtual_disk_that_says_it_rotates_is_unknown_until_it_is_measured() {
    let disk = computer(FIRST).store;
    assert_eq!(disk.medium.value, None);
    assert!(disk.medium.source.contains("vda is a virtual disk"), "{}", disk.medium.source);
    let writes = Writes { files: 100, fast_ms: 0.2, median_ms: 0.4, slow_ms: 0.9 };
    let elsewhere = disk.clone().with_writes(writes, false);
    assert_eq!((elsewhere.medium.value, elsewhere.writes.sureness), (None, Sureness::Likely));
    let here = disk.with_writes(writes, true);
    assert_eq!((here.medium.value, here.medium.sureness), (Some(Medium::SolidState), Sureness::Likely));
    assert_eq!(here.writes.sureness, Sureness::Certain);
    let of = |fast_ms, median_ms| medium_of_writes(&Writes { files: 100, fast_ms, median_ms, slow_ms: 50.0 }).value;
    assert_eq!([of(6.0, 9.0), of(2.0, 9.0), of(0.1, 0.9)], [Some(Medium::Rotating), None, Some(Medium::SolidState)]);
}

#[test]
fn a_mac_is_read_from_its_programs() {
    let computer = computer(MAC);
    assert_eq!(computer.cores.usable, Fact::certain(10, "sysctl hw.logicalcpu"));
    assert_eq!(computer.cores.fast.value, Some(4));
    assert_eq!(computer.memory.usable, Fact::certain(16 * GIB, "sysctl hw.memsize"));
    assert_eq!(computer.store.medium, Fact::certain(Medium::SolidState, "diskutil info"));
    assert_eq!(computer.store.file_system.value.as_deref(), Some("apfs"));
    assert_eq!(computer.store.mount.value.as_deref(), Some("/nix"));
    assert_eq!(computer.kind.virtual_machine.value, Some(false));
    assert!(computer.operating_system.modules.holds());
}

#[test]
fn encrypted_btrfs_is_followed_to_its_disk() {
    let computer = computer(NIXOS);
    assert_eq!(computer.store.medium, Fact::certain(Medium::SolidState, "queue/rotational of nvme0n1p2"));
    assert_eq!(computer.store.mount.value.as_deref(), Some("/nix/store"));
    assert_eq!((computer.store.inodes.value, computer.store.free_bytes.sureness), (None, Sureness::Likely));
    assert!(computer.operating_system.modules.holds());
    assert_eq!(computer.kind.virtual_machine.value, Some(false));
    assert_eq!(computer.kind.ci.value, Some(false));
}

#[test]
fn subvolumes_are_on_one_disk() {
    assert!(is_same_disk(&recorded(NIXOS), "/home/me/.cache", STORE));
    assert!(!is_same_disk(&recorded(NIXOS), "/sys/fs/cgroup/x", STORE));
    assert!(!is_same_disk(&recorded(SECOND), "/root", STORE));
    assert!(!is_same_disk(&Recorded::default(), "/", "/"));
}

#[test]
fn an_array_below_a_volume_rotates_if_a_disk_does() {
    let medium = computer(SERVER).store.medium;
    assert_eq!(medium, Fact::certain(Medium::Rotating, "queue/rotational of sda1, sdb1"));
}

#[test]
fn a_hosted_runner_is_thrown_away() {
    let kind = computer(RUNNER).kind;
    assert_eq!(kind.ci, Fact::certain(true, "GitHub Actions (variable GITHUB_ACTIONS)"));
    assert!(kind.throw_away.holds());
    let own = Computer::of(&recorded(RUNNER).with("RUNNER_ENVIRONMENT", "self-hosted"), STORE).kind;
    assert_eq!(own.throw_away.value, Some(false));
    let other = Computer::of(&recorded(NIXOS).with("CI", "true"), STORE).kind;
    assert_eq!((other.ci.value, other.throw_away.value), (Some(true), None));
    assert_eq!(Computer::of(&recorded(NIXOS).with("CI", "false"), STORE).kind.ci.value, Some(false));
}

#[test]
fn nothing_is_known_of_an_empty_computer() {
    for family in ["linux", "macos", "other"] {
        let computer = Computer::of(&Recorded::default().with("family", family), STORE);
        assert_eq!(computer.cores.usable.sureness, Sureness::Unknown, "{family}");
        assert_eq!(computer.memory.usable.value, None, "{family}");
        assert_eq!(computer.store.medium.value, None, "{family}");
        assert_eq!(computer.store.free_bytes.value, None, "{family}");
    }
}

#[test]
fn odd_texts_are_no_facts() {
    let root = recorded(FIRST)
        .with_file("/sys/devices/system/cpu/online", "7-3,x")
        .with_file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "0")
        .with_file("/proc/meminfo", "MemTotal: 99999999999999999999 kB")
        .with_file("/proc/self/mountinfo", "1 2 3\n - - -\n");
    let computer = Computer::of(&root, STORE);
    assert_eq!(computer.cores.present.value, Some(1));
    assert_eq!(computer.memory.present.value, None);
    assert_eq!(computer.store.mount.value, None);
}

#[test]
fn this_computer_has_cores_memory_and_a_disk() {
    let computer = Computer::of(&ThisComputer, STORE);
    assert!(computer.cores.usable.value.is_some_and(|cores| cores > 0));
    assert!(computer.memory.usable.value.is_some_and(|bytes| bytes > 1 << 26));
    assert!(computer.store.bytes.value >= computer.store.free_bytes.value);
    assert!(computer.store.mount.value.is_some());
    let folder = tempfile::tempdir().unwrap();
    let writes = measure_writes(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
    assert!(writes.files > 0 && writes.median_ms > 0.0 && writes.slow_ms >= writes.median_ms);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_median_is_the_middle_one() {
    let times = [9, 1, 5].map(Duration::from_millis).to_vec();
    assert_eq!(Writes::of(times).map(|writes| (writes.files, writes.median_ms)), Some((3, 5.0)));
    assert_eq!(Writes::of(Vec::new()), None);
}
