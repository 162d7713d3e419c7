//! Builds with the real Nix, against the stand-in for nixpkgs.

use std::{process::Command, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use super::{
    bounded,
    project::{Project, copy_folder},
};
use crate::{Result, paths};

const BUILD: Duration = Duration::from_mins(15);
const QUERY: Duration = Duration::from_mins(1);
/// How many store paths of a closure are named.
const NAMED: usize = 4;

/// A Nix with a store of its own.
pub(super) struct Nix<'a> {
    project: &'a Project<'a>,
    program: Utf8PathBuf,
    node: &'a Utf8Path,
    state: Utf8PathBuf,
    stand_in: Utf8PathBuf,
}

/// The size of a package with all that it refers to.
pub(super) struct Closure {
    pub(super) bytes: u64,
    /// Its largest parts, for people.
    pub(super) largest: String,
}

impl<'a> Nix<'a> {
    pub(super) fn new(project: &'a Project<'a>, node: &'a Utf8Path) -> Result<Self> {
        let program = crate::nix::program().ok_or("there is no Nix: run `cargo xtask setup`")?;
        let stand_in = project.root.join("nixpkgs");
        copy_folder(&paths::project().join("tests/nix-stand-in/nixpkgs"), &stand_in)?;
        let host = stand_in.join("host.json");
        let mut settings: Value = serde_json::from_str(&fs::read_to_string(&host)?)?;
        settings["node"] = node.join("bin/node").as_str().into();
        for (name, path) in [("npm", "lib/node_modules/npm"), ("headers", "include/node")] {
            let folder = node.join(path);
            if folder.is_dir() {
                settings[name] = folder.as_str().into();
            }
        }
        fs::write(host, settings.to_string())?;
        Ok(Self { project, program, node, state: project.root.join("nix"), stand_in })
    }

    /// Builds a package of the flake. Returns its store path.
    pub(super) fn build(&self, package: &str) -> Result<Utf8PathBuf> {
        let mut build = self.nix(&["build", "--print-build-logs", "--no-write-lock-file", "--print-out-paths"]);
        build.args(["--no-link", "--override-input", "nixpkgs", &format!("path:{}", self.stand_in)]);
        build.arg(format!(".#{package}"));
        Ok(bounded::run("`nix build`", &mut build, BUILD, &self.project.log("nix"))?.into())
    }

    /// The closure of a store path.
    pub(super) fn closure(&self, package: &Utf8Path) -> Result<Closure> {
        let mut query = self.nix(&["path-info", "--recursive", "--size"]);
        let text = bounded::run("`nix path-info`", query.arg(package), QUERY, &self.project.log("closure"))?;
        let mut parts: Vec<(u64, &str)> = text
            .lines()
            .filter_map(|line| {
                let (path, size) = line.split_once(char::is_whitespace)?;
                let name = Utf8Path::new(path).file_name()?;
                Some((size.trim().parse().ok()?, name.split_once('-').map_or(name, |(_, name)| name)))
            })
            .collect();
        parts.sort_unstable_by(|a, b| b.cmp(a));
        let named: Vec<String> =
            parts.iter().take(NAMED).map(|(bytes, name)| format!("{name} {}", size(*bytes))).collect();
        Ok(Closure { bytes: parts.iter().map(|(bytes, _)| bytes).sum(), largest: named.join(", ") })
    }

    fn nix(&self, args: &[&str]) -> Command {
        let mut nix = self.project.command(paths::project().join("tests/nix-stand-in/nix-here.sh"));
        nix.arg(&self.state).args(args).env("NIX_BINARY", &self.program);
        if !self.node.starts_with("/usr") {
            nix.env("NIX_HERE_PATHS", self.node);
        }
        nix
    }
}

/// A size in kilobytes or megabytes, with one digit after the point below ten.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(super) fn size(bytes: u64) -> String {
    let (size, unit) = if bytes < 1_000_000 { (bytes as f64 / 1e3, "kB") } else { (bytes as f64 / 1e6, "MB") };
    if size < 10.0 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(1_234_567), "1.2 MB");
        assert_eq!(size(2_345), "2.3 kB");
        assert_eq!(size(123_456_789), "123 MB");
    }
}
