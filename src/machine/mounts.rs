//! The mounted file systems, and the control groups of this process.

use super::Root;

/// A line of `/proc/self/mountinfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// `254:0`; the first number is 0 if no block device is behind it.
    pub(super) device: String,
    /// The folder of the file system that is mounted.
    pub(super) root: String,
    /// Where it is mounted.
    pub(super) place: String,
    /// The options of the mount.
    pub(super) options: String,
    /// Such as `ext4`.
    pub(super) file_system: String,
    /// Such as `/dev/vda`.
    pub(super) source: String,
    /// The options of the file system.
    pub(super) super_options: String,
}

/// Reads the mounts, those on top last.
pub(super) fn mounts(root: &dyn Root) -> Vec<Mount> {
    let text = root.read("/proc/self/mountinfo").unwrap_or_default();
    text.lines().filter_map(mount).collect()
}

/// `36 35 98:0 /root /place rw,noatime shared:1 - ext4 /dev/vda rw`; the number of fields before the dash varies.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let mut after = after.split(' ');
    Some(Mount {
        device: before.next()?.to_owned(),
        root: unescape(before.next()?),
        place: unescape(before.next()?),
        options: before.next()?.to_owned(),
        file_system: after.next()?.to_owned(),
        source: unescape(after.next()?),
        super_options: after.next().unwrap_or_default().to_owned(),
    })
}

/// Returns the mount that holds `path`.
pub(super) fn mount_of<'m>(mounts: &'m [Mount], path: &str) -> Option<&'m Mount> {
    // The last of several with the longest place is on top. `max_by_key` returns the last one.
    mounts
        .iter()
        .filter(|mount| is_below(path, &mount.place))
        .max_by_key(|mount| mount.place.trim_end_matches('/').len())
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Replaces the octal escapes of blanks and backslashes.
fn unescape(text: &str) -> String {
    [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")]
        .iter()
        .fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// The control groups of this process: folders with limits, the innermost one first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    /// Folders of the common hierarchy (version 2).
    pub(super) unified: Vec<String>,
    /// Folders of the controller `cpu` (version 1).
    pub(super) cpu: Vec<String>,
    /// Folders of the controller `memory` (version 1).
    pub(super) memory: Vec<String>,
}

impl Groups {
    pub(super) fn read(root: &dyn Root) -> Self {
        let Some(groups) = root.read("/proc/self/cgroup") else { return Self::default() };
        let mounts = mounts(root);
        let mut all = Self::default();
        for line in groups.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let has = |name: &str| controllers.split(',').any(|controller| controller == name);
            if controllers.is_empty() {
                let mount = mounts.iter().rfind(|mount| mount.file_system == "cgroup2");
                all.unified = mount.map(|mount| folders(mount, path)).unwrap_or_default();
            }
            for (name, list) in [("cpu", &mut all.cpu), ("memory", &mut all.memory)] {
                let is_of = |mount: &&Mount| {
                    mount.file_system == "cgroup" && mount.super_options.split(',').any(|option| option == name)
                };
                if has(name) {
                    *list = mounts.iter().rfind(is_of).map(|mount| folders(mount, path)).unwrap_or_default();
                }
            }
        }
        all
    }
}

/// Returns the folders of a group and of those around it. A container often sees only its own group as the root of the mount.
fn folders(mount: &Mount, path: &str) -> Vec<String> {
    let path = path.strip_prefix(mount.root.trim_end_matches('/')).unwrap_or(path);
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != "..").collect();
    let mut folders = Vec::with_capacity(parts.len() + 1);
    loop {
        let below: String = parts.iter().flat_map(|part| ["/", part]).collect();
        folders.push(format!("{}{below}", mount.place.trim_end_matches('/')));
        if parts.pop().is_none() {
            return folders;
        }
    }
}
