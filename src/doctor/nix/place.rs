//! Where a setting of Nix belongs on this machine, and where it is written now.

use std::path::{Path, PathBuf};

use crate::{fetch::Environment, nix::settings::Flavour, reading};

/// The most files that include each other.
const MOST_FILES: usize = 32;

/// What writes the settings of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, read by the daemon if there is one.
    File {
        /// The file.
        path: PathBuf,
        /// Whether the daemon must be started again.
        has_daemon: bool,
    },
    /// The modules of NixOS or nix-darwin.
    Modules,
}

impl Place {
    /// Decides where a setting belongs.
    pub fn of(flavour: Flavour, has_modules: bool, has_daemon: bool, folder: &Path) -> Self {
        if has_modules {
            return Self::Modules;
        }
        // Determinate Nix rewrites its `nix.conf`.
        let name = if flavour == Flavour::Determinate { "nix.custom.conf" } else { "nix.conf" };
        Self::File { path: folder.join(name), has_daemon }
    }

    /// Returns a sentence that says how to set a setting to a value.
    pub fn to_set(&self, name: &str, value: &str) -> String {
        match self {
            Self::File { path, has_daemon } => {
                let then = if *has_daemon { ", and start the daemon again" } else { "" };
                format!("write `{name} = {value}` into {}{then}", path.display())
            }
            Self::Modules => {
                format!("set `nix.settings.{name} = {};` in the configuration of this system", as_nix(value))
            }
        }
    }
}

/// Returns a value in Nix's language.
fn as_nix(value: &str) -> String {
    if value.parse::<u64>().is_ok() || matches!(value, "true" | "false") {
        return value.to_owned();
    }
    let words: Vec<String> = value.split(' ').map(|word| format!("\"{word}\"")).collect();
    if words.len() == 1 { words.concat() } else { format!("[ {} ]", words.join(" ")) }
}

/// Returns the folder of Nix's own configuration.
pub fn folder(environment: &Environment) -> PathBuf {
    environment.get("NIX_CONF_DIR").map_or_else(|| PathBuf::from("/etc/nix"), PathBuf::from)
}

/// Returns the configuration files that Nix reads for this user, those of the system first.
pub fn files(environment: &Environment) -> Vec<PathBuf> {
    let mut files = vec![folder(environment).join("nix.conf")];
    if let Some(named) = environment.get("NIX_USER_CONF_FILES") {
        files.extend(named.split(':').filter(|path| !path.is_empty()).map(PathBuf::from));
        return files;
    }
    let home = environment.get("HOME").map(PathBuf::from);
    let own = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home.map(|home| home.join(".config")));
    let shared = environment.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    files.extend(shared.split(':').filter(|path| !path.is_empty()).map(|path| Path::new(path).join("nix/nix.conf")));
    files.extend(own.map(|own| own.join("nix/nix.conf")));
    files
}

/// Finds where a setting is written: `FILE:LINE` of the last place.
pub fn find(files: &[PathBuf], environment: &Environment, name: &str) -> Option<String> {
    if environment.get("NIX_CONFIG").is_some_and(|text| text.lines().any(|line| sets(line, name))) {
        return Some("the variable NIX_CONFIG".to_owned());
    }
    let mut found = None;
    let mut left = MOST_FILES;
    for file in files {
        search(file, name, &mut found, &mut left);
    }
    found
}

fn search(file: &Path, name: &str, found: &mut Option<String>, left: &mut usize) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let Ok(text) = reading::text(file) else { return };
    for (index, line) in text.lines().enumerate() {
        if sets(line, name) {
            *found = Some(format!("{}:{}", file.display(), index + 1));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["include" | "!include", other] = words.as_slice() {
            let other = file.parent().unwrap_or(Path::new("/")).join(other);
            search(&other, name, found, left);
        }
    }
}

fn sets(line: &str, name: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    line.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        key == name || key.strip_prefix("extra-") == Some(name)
    })
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn a_setting_is_found_in_its_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("nix.conf"), "# a = 1\nb = 1\n!include more.conf\n!include nix.conf\n").unwrap();
        fs::write(path("more.conf"), "extra-a = 2\n").unwrap();
        let none = Environment::from([("HOME", "/none")]);
        let files = [path("nix.conf"), path("absent.conf")];
        let find = |environment: &Environment, name: &str| find(&files, environment, name);
        let (more, own) = (path("more.conf"), path("nix.conf"));
        assert_eq!(find(&none, "a"), Some(format!("{}:1", more.display())));
        assert_eq!(find(&none, "b"), Some(format!("{}:2", own.display())));
        assert_eq!(find(&none, "c"), None);
        let variable = Environment::from([("NIX_CONFIG", "x = 1\nc = 2")]);
        assert_eq!(find(&variable, "c").as_deref(), Some("the variable NIX_CONFIG"));
    }

    #[test]
    fn a_setting_goes_where_the_machine_keeps_it() {
        let folder = Path::new("/etc/nix");
        let plain = Place::of(Flavour::Nix, false, true, folder).to_set("max-jobs", "4");
        assert_eq!(plain, "write `max-jobs = 4` into /etc/nix/nix.conf, and start the daemon again");
        let own = Place::of(Flavour::Determinate, false, false, folder).to_set("max-jobs", "4");
        assert_eq!(own, "write `max-jobs = 4` into /etc/nix/nix.custom.conf");
        let modules = Place::of(Flavour::Nix, true, true, folder);
        assert_eq!(
            modules.to_set("substituters", "https://a https://b"),
            "set `nix.settings.substituters = [ \"https://a\" \"https://b\" ];` in the configuration of this system"
        );
    }

    #[test]
    fn the_files_are_those_that_nix_reads() {
        let environment = Environment::from([("HOME", "/h"), ("NIX_CONF_DIR", "/c")]);
        let shown: Vec<String> = files(&environment).iter().map(|path| path.display().to_string()).collect();
        assert_eq!(shown, ["/c/nix.conf", "/etc/xdg/nix/nix.conf", "/h/.config/nix/nix.conf"]);
        let named = Environment::from([("HOME", "/h"), ("NIX_USER_CONF_FILES", "/a:/b")]);
        assert_eq!(files(&named).len(), 3);
    }
}
