//! The disk of the store.

use serde::Serialize;

use super::{
    Fact, Family, Kind, Root, Writes,
    mounts::{Mount, mount_of, mounts},
};

/// How many layers of block devices to follow: encryption over volumes over arrays.
const LAYERS: usize = 8;

/// File systems that lie on another computer, or on the host of a virtual machine.
const NETWORK: [&str; 12] =
    ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs", "beegfs"];

/// What a disk stores on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// Flash memory.
    SolidState,
    /// Platters.
    Rotating,
    /// The memory of the computer.
    Memory,
    /// A file system of another computer.
    Network,
}

/// The disk below a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// The folder.
    pub folder: String,
    /// Where its file system is mounted.
    pub mount: Fact<String>,
    /// The device, such as `/dev/nvme0n1p2`, or the name of the pool.
    pub device: Fact<String>,
    /// The file system, such as `ext4`.
    pub file_system: Fact<String>,
    /// What it stores on.
    pub medium: Fact<Medium>,
    /// Its size in bytes.
    pub bytes: Fact<u64>,
    /// The free bytes for users other than root.
    pub free_bytes: Fact<u64>,
    /// How many files it can hold.
    pub inodes: Fact<u64>,
    /// How many more files it can hold.
    pub free_inodes: Fact<u64>,
    /// Whether it is mounted read-only. NixOS does that to the store; the daemon writes to it all the same.
    pub read_only: Fact<bool>,
    /// How long a small write with fsync takes. Only [`Disk::with_writes`] sets it.
    pub writes: Fact<Writes>,
}

impl Disk {
    /// Adds a measurement of writes, on this disk or elsewhere; see [`is_same_disk`]. It decides the medium if nothing better says it.
    #[must_use]
    pub fn with_writes(mut self, writes: Writes, is_here: bool) -> Self {
        let place = if is_here { "the disk of the store" } else { "another disk than the store's" };
        let source = format!("{} small files with fsync, written to {place}", writes.files);
        if is_here && self.medium.value.is_none() {
            self.medium = medium_of_writes(&writes);
        }
        self.writes = if is_here { Fact::certain(writes, source) } else { Fact::likely(writes, source) };
        self
    }
}

/// Returns what the time of small writes says of the medium. Other programs slow writes down, so only the fast ones show that a disk
/// rotates.
pub fn medium_of_writes(writes: &Writes) -> Fact<Medium> {
    let (fast, median) = (writes.fast_ms, writes.median_ms);
    if median < 1.0 {
        Fact::likely(Medium::SolidState, format!("a write with fsync takes {median:.1} ms"))
    } else if fast > 5.0 {
        Fact::likely(Medium::Rotating, format!("even fast writes with fsync take {fast:.1} ms"))
    } else {
        Fact::unknown(format!(
            "writes with fsync take {fast:.1} ms to {median:.1} ms: between flash memory and platters"
        ))
    }
}

/// Whether two folders are on the same disk, as far as it is known. Subvolumes of btrfs and data sets of one pool are.
pub fn is_same_disk(root: &dyn Root, first: &str, second: &str) -> bool {
    let name = |folder: &str| match root.family() {
        Family::Linux => mount_of(&mounts(root), folder).map(name_of_disk),
        Family::MacOs => diskutil(root, folder).and_then(|plist| plist_text(&plist, "ParentWholeDisk")),
        Family::Other => None,
    };
    let first = name(first);
    first.is_some() && first == name(second)
}

fn name_of_disk(mount: &Mount) -> String {
    if mount.source.starts_with("/dev/") {
        return mount.source.clone();
    }
    match (mount.file_system.as_str(), mount.source.split('/').next()) {
        ("zfs", Some(pool)) => pool.to_owned(),
        _ => format!("{} {}", mount.device, mount.source),
    }
}

pub(super) fn disk(root: &dyn Root, family: Family, folder: &str, kind: &Kind) -> Disk {
    let unknown = "not read on this operating system";
    let mut disk = Disk {
        folder: folder.to_owned(),
        mount: Fact::unknown(unknown),
        device: Fact::unknown(unknown),
        file_system: Fact::unknown(unknown),
        medium: Fact::unknown(unknown),
        bytes: Fact::unknown(unknown),
        free_bytes: Fact::unknown(unknown),
        inodes: Fact::unknown(unknown),
        free_inodes: Fact::unknown(unknown),
        read_only: Fact::unknown(unknown),
        writes: Fact::unknown("not measured"),
    };
    match family {
        Family::Linux => of_linux(&mut disk, root, kind),
        Family::MacOs => of_macos(&mut disk, root),
        Family::Other => {}
    }
    space(&mut disk, root);
    disk
}

fn space(disk: &mut Disk, root: &dyn Root) {
    let Some(space) = root.space(&disk.folder) else { return };
    let source = "statvfs";
    disk.bytes = Fact::certain(space.bytes, source);
    // `df` of ZFS counts one dataset, and btrfs can lack space for metadata.
    let is_pool = matches!(disk.file_system.value.as_deref(), Some("zfs" | "btrfs"));
    let fact = if is_pool { Fact::likely } else { Fact::certain };
    disk.free_bytes = fact(space.free_bytes, source.to_owned());
    if space.inodes > 0 {
        disk.inodes = Fact::certain(space.inodes, source);
        disk.free_inodes = Fact::certain(space.free_inodes, source);
    } else {
        disk.inodes = Fact::unknown("the file system has no limit of files");
        disk.free_inodes = disk.inodes.clone();
    }
    disk.read_only = Fact::certain(space.read_only, source);
}

fn of_linux(disk: &mut Disk, root: &dyn Root, kind: &Kind) {
    let mounts = mounts(root);
    let source = "/proc/self/mountinfo";
    let Some(mount) = mount_of(&mounts, &disk.folder) else {
        let unknown = "no mount in /proc/self/mountinfo holds the folder";
        disk.mount = Fact::unknown(unknown);
        disk.device = Fact::unknown(unknown);
        disk.file_system = Fact::unknown(unknown);
        disk.medium = Fact::unknown(unknown);
        return;
    };
    disk.mount = Fact::certain(mount.place.clone(), source);
    disk.device = Fact::certain(mount.source.clone(), source);
    disk.file_system = Fact::certain(mount.file_system.clone(), source);
    disk.medium = medium(root, mount, kind);
}

fn medium(root: &dyn Root, mount: &Mount, kind: &Kind) -> Fact<Medium> {
    let name = mount.file_system.as_str();
    if matches!(name, "tmpfs" | "ramfs") {
        return Fact::certain(Medium::Memory, format!("the file system is {name}"));
    }
    if NETWORK.contains(&name) {
        return Fact::certain(Medium::Network, format!("the file system is {name}"));
    }
    let Some(device) = block_device(root, mount) else {
        return Fact::unknown(format!("no block device of `{}` ({name}) is known", mount.source));
    };
    let mut disks = Vec::new();
    physical(root, &device, LAYERS, &mut disks);
    let rotating: Option<Vec<bool>> = disks.iter().map(|(_, rotates)| *rotates).collect();
    let names: Vec<&str> = disks.iter().map(|(path, _)| path.rsplit('/').next().unwrap_or_default()).collect();
    let names = names.join(", ");
    let is_virtual = kind.virtual_machine.holds() || names.split(", ").any(|name| name.starts_with("vd"));
    match rotating {
        None => Fact::unknown("/sys does not say it"),
        Some(rotating) if rotating.is_empty() => Fact::unknown("/sys does not say it"),
        Some(rotating) => match (rotating.contains(&true), is_virtual) {
            // virtio says that everything rotates.
            (true, true) => {
                Fact::unknown(format!("{names} is a virtual disk, and says that it rotates whatever is behind it"))
            }
            (false, true) => Fact::likely(Medium::SolidState, format!("queue/rotational of {names}, a virtual disk")),
            (true, false) => Fact::certain(Medium::Rotating, format!("queue/rotational of {names}")),
            (false, false) => Fact::certain(Medium::SolidState, format!("queue/rotational of {names}")),
        },
    }
}

/// Returns the folder in `/sys` of a mount's device. btrfs and ZFS have no device number of their own; btrfs names a device.
fn block_device(root: &dyn Root, mount: &Mount) -> Option<String> {
    let by_number = format!("/sys/dev/block/{}", mount.device);
    if root.exists(&by_number) {
        return Some(by_number);
    }
    let name = mount.source.strip_prefix("/dev/")?;
    // `/dev/mapper/root` is a link to `../dm-0`.
    let link = root.link(&mount.source);
    let name = link.as_deref().map_or(name, |target| target.rsplit('/').next().unwrap_or(target));
    let by_name = format!("/sys/class/block/{name}");
    root.exists(&by_name).then_some(by_name)
}

/// Collects the disks below a device, with whether each rotates.
fn physical(root: &dyn Root, device: &str, layers: usize, disks: &mut Vec<(String, Option<bool>)>) {
    let slaves = root.names(&format!("{device}/slaves"));
    if layers > 0 && !slaves.is_empty() {
        for slave in slaves {
            physical(root, &format!("/sys/class/block/{slave}"), layers - 1, disks);
        }
        return;
    }
    // A partition has no queue; the disk is the folder above it.
    let files = [format!("{device}/queue/rotational"), format!("{device}/../queue/rotational")];
    let rotates = files.iter().find_map(|file| root.read(file)).map(|text| text.trim() == "1");
    disks.push((name_of(root, device), rotates));
}

/// Returns the name of a device. Those found by number have it in `uevent`.
fn name_of(root: &dyn Root, device: &str) -> String {
    let uevent = root.read(&format!("{device}/uevent")).unwrap_or_default();
    let name = uevent.lines().find_map(|line| line.strip_prefix("DEVNAME="));
    name.map_or_else(|| device.to_owned(), str::to_owned)
}

fn of_macos(disk: &mut Disk, root: &dyn Root) {
    let source = "diskutil info";
    let Some(plist) = diskutil(root, &disk.folder) else {
        let unknown = "diskutil did not answer";
        disk.mount = Fact::unknown(unknown);
        disk.device = Fact::unknown(unknown);
        disk.file_system = Fact::unknown(unknown);
        disk.medium = Fact::unknown(unknown);
        return;
    };
    let text = |key: &str| {
        plist_text(&plist, key)
            .map_or_else(|| Fact::unknown(format!("{source} has no {key}")), |text| Fact::certain(text, source))
    };
    disk.mount = text("MountPoint");
    disk.device = text("DeviceNode");
    disk.file_system = text("FilesystemType");
    disk.medium = match plist_bool(&plist, "SolidState") {
        Some(true) => Fact::certain(Medium::SolidState, source),
        Some(false) => Fact::certain(Medium::Rotating, source),
        None => Fact::unknown(format!("{source} has no SolidState")),
    };
}

/// `diskutil` knows volumes, not folders: `/nix/store` is asked for as `/nix`, and then as `/`.
fn diskutil(root: &dyn Root, folder: &str) -> Option<String> {
    let mut place = folder;
    loop {
        let plist = root.run("/usr/sbin/diskutil", &["info", "-plist", place]).unwrap_or_default();
        if plist.contains("<key>DeviceNode</key>") {
            return Some(plist);
        }
        if place == "/" {
            return None;
        }
        place = match place.trim_end_matches('/').rsplit_once('/') {
            Some((above, _)) if !above.is_empty() => above,
            _ => "/",
        };
    }
}

fn plist_after<'p>(plist: &'p str, key: &str) -> Option<&'p str> {
    plist.split_once(&format!("<key>{key}</key>")).map(|(_, rest)| rest.trim_start())
}

fn plist_text(plist: &str, key: &str) -> Option<String> {
    let rest = plist_after(plist, key)?.strip_prefix("<string>")?;
    rest.split_once("</string>").map(|(text, _)| text.to_owned())
}

fn plist_bool(plist: &str, key: &str) -> Option<bool> {
    let rest = plist_after(plist, key)?;
    if rest.starts_with("<true/>") { Some(true) } else { rest.starts_with("<false/>").then_some(false) }
}
