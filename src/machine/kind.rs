//! What kind of computer this is.

use serde::Serialize;

use super::{Fact, Root};

/// Names in the firmware of virtual machines.
const HYPERVISORS: [&str; 14] = [
    "QEMU",
    "KVM",
    "VMware",
    "VirtualBox",
    "innotek",
    "Xen",
    "Bochs",
    "Parallels",
    "BHYVE",
    "Amazon EC2",
    "Google",
    "OpenStack",
    "DigitalOcean",
    "Hetzner",
];

/// Variables of CI systems, with the name of the system. The general one comes last.
const CI_VARIABLES: [(&str, &str); 12] = [
    ("FORGEJO_ACTIONS", "Forgejo Actions"),
    ("GITEA_ACTIONS", "Gitea Actions"),
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("GITLAB_CI", "GitLab CI"),
    ("BUILDKITE", "Buildkite"),
    ("CIRCLECI", "CircleCI"),
    ("JENKINS_URL", "Jenkins"),
    ("TF_BUILD", "Azure Pipelines"),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines"),
    ("TEAMCITY_VERSION", "TeamCity"),
    ("DRONE", "Drone"),
    ("CI", "a CI system"),
];

/// A family of operating systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
    /// Another one, on which little is read.
    Other,
}

/// An operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatingSystem {
    /// Its family.
    pub family: Family,
    /// The id of the distribution, such as `nixos` or `debian`; `macos` on macOS.
    pub name: Fact<String>,
    /// Its version, such as `26.05`.
    pub version: Fact<String>,
    /// Whether NixOS or nix-darwin writes the settings of Nix from modules.
    pub modules: Fact<bool>,
}

/// What kind of computer it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// Whether it is a virtual machine.
    pub virtual_machine: Fact<bool>,
    /// Whether this process runs in a container.
    pub container: Fact<bool>,
    /// The CI system that runs this process. The value is false if there is none.
    pub ci: Fact<bool>,
    /// Whether the computer, with its store, is deleted after the job.
    pub throw_away: Fact<bool>,
}

pub(super) fn operating_system(root: &dyn Root) -> OperatingSystem {
    let family = root.family();
    match family {
        Family::MacOs => {
            let version = root.run("/usr/bin/sw_vers", &["-productVersion"]).map(|text| text.trim().to_owned());
            let version = version.filter(|version| !version.is_empty());
            let modules = root.exists("/run/current-system/darwin-version") || root.exists("/run/current-system/sw");
            OperatingSystem {
                family,
                name: Fact::certain("macos".to_owned(), "the system that splitter was built for"),
                version: version
                    .map_or_else(|| Fact::unknown("sw_vers did not run"), |version| Fact::certain(version, "sw_vers")),
                modules: Fact::certain(modules, "/run/current-system (nix-darwin)"),
            }
        }
        Family::Linux => {
            let path = "/etc/os-release";
            let text = root.read(path).unwrap_or_default();
            let field = |name: &str| match text.lines().find_map(|line| line.strip_prefix(name)) {
                Some(value) => Fact::certain(value.trim().trim_matches(['"', '\'']).to_owned(), path),
                None => Fact::unknown(format!("{path} does not say it")),
            };
            let name = field("ID=");
            let modules = name.value.as_deref() == Some("nixos");
            OperatingSystem { family, modules: Fact::certain(modules, path), version: field("VERSION_ID="), name }
        }
        Family::Other => {
            let unknown = || Fact::unknown("not read on this operating system");
            OperatingSystem {
                family,
                name: unknown(),
                version: unknown(),
                modules: Fact::certain(false, "neither Linux nor macOS"),
            }
        }
    }
}

pub(super) fn kind(root: &dyn Root, family: Family) -> Kind {
    Kind {
        virtual_machine: virtual_machine(root, family),
        container: container(root),
        ci: ci(root),
        throw_away: throw_away(root),
    }
}

fn virtual_machine(root: &dyn Root, family: Family) -> Fact<bool> {
    if family == Family::MacOs {
        let source = "sysctl kern.hv_vmm_present";
        return sysctl(root, "kern.hv_vmm_present")
            .map_or_else(|| Fact::unknown("sysctl did not say it"), |text| Fact::certain(text == "1", source));
    }
    let (cpu, version) = ("/proc/cpuinfo", "/proc/version");
    let cpu_text = root.read(cpu).unwrap_or_default();
    let has_flag = |line: &str| line.starts_with("flags") && line.split_whitespace().any(|flag| flag == "hypervisor");
    if cpu_text.lines().any(has_flag) {
        return Fact::certain(true, format!("flag `hypervisor` in {cpu}"));
    }
    if root.read(version).is_some_and(|text| text.to_lowercase().contains("microsoft")) {
        return Fact::certain(true, format!("{version} (WSL)"));
    }
    for path in ["/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name", "/sys/hypervisor/type"] {
        let text = root.read(path).unwrap_or_default();
        if HYPERVISORS.iter().any(|name| text.to_lowercase().contains(&name.to_lowercase()))
            || text.contains("Virtual Machine")
        {
            return Fact::likely(true, format!("`{}` in {path}", text.trim()));
        }
    }
    if root.exists("/proc/device-tree/hypervisor") {
        return Fact::certain(true, "/proc/device-tree/hypervisor");
    }
    if cpu_text.is_empty() {
        return Fact::unknown(format!("{cpu} cannot be read"));
    }
    Fact::likely(false, "no sign of a hypervisor in /proc and /sys")
}

fn container(root: &dyn Root) -> Fact<bool> {
    for path in ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"] {
        if root.exists(path) {
            return Fact::certain(true, path);
        }
    }
    let path = "/proc/self/cgroup";
    let text = root.read(path).unwrap_or_default();
    if ["docker", "kubepods", "/lxc", "containerd"].iter().any(|name| text.contains(name)) {
        return Fact::likely(true, path);
    }
    Fact::likely(false, "no sign of a container")
}

fn ci(root: &dyn Root) -> Fact<bool> {
    let is_set = |name: &str| root.variable(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    match CI_VARIABLES.iter().find(|(variable, _)| is_set(variable)) {
        Some((variable, name)) => Fact::certain(true, format!("{name} (variable {variable})")),
        None => Fact::likely(false, "no variable of a CI system is set"),
    }
}

fn throw_away(root: &dyn Root) -> Fact<bool> {
    let variable = "RUNNER_ENVIRONMENT";
    match root.variable(variable).as_deref() {
        Some("github-hosted") => Fact::certain(true, format!("variable {variable}")),
        Some(_) => Fact::likely(false, format!("variable {variable}: the runner may keep its store")),
        None if ci(root).holds() => Fact::unknown("the CI system does not say whether its machines are kept"),
        None => Fact::likely(false, "no variable of a CI system is set"),
    }
}

/// Returns a value of `sysctl`.
pub(super) fn sysctl(root: &dyn Root, name: &str) -> Option<String> {
    let text = root.run("/usr/sbin/sysctl", &["-n", name])?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
