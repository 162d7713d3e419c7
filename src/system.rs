//! The systems that splitter builds for.
//!
//! Names are those of Nix. `os` and `cpu` in lockfiles are `process.platform` and `process.arch` of Node.

use std::{fmt, str::FromStr};

use crate::diagnostic::{Category, Diagnose};

/// A system of Nix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// macOS on Apple silicon.
    Aarch64Darwin,
    /// Linux (glibc) on 64-bit ARM.
    Aarch64Linux,
    /// macOS on Intel.
    X8664Darwin,
    /// Linux (glibc) on x86-64.
    X8664Linux,
}

/// The name of an unknown system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown system `{0}`; expected aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux")]
pub struct SystemError(pub String);

impl System {
    /// The four usual systems, sorted by name.
    pub const ALL: [Self; 4] = [Self::Aarch64Darwin, Self::Aarch64Linux, Self::X8664Darwin, Self::X8664Linux];

    /// Returns the system that this program was built for.
    pub fn of_this_machine() -> Result<Self, OtherMachine> {
        let (cpu, os) = (std::env::consts::ARCH, std::env::consts::OS);
        let platform = if os == "macos" { "darwin" } else { os };
        format!("{cpu}-{platform}").parse().map_err(|_| OtherMachine { cpu, os })
    }

    /// Returns the Linux with the same processor. Container images are for Linux.
    #[must_use]
    pub const fn linux(self) -> Self {
        match self {
            Self::Aarch64Darwin | Self::Aarch64Linux => Self::Aarch64Linux,
            Self::X8664Darwin | Self::X8664Linux => Self::X8664Linux,
        }
    }

    /// Returns the name in Nix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aarch64Darwin => "aarch64-darwin",
            Self::Aarch64Linux => "aarch64-linux",
            Self::X8664Darwin => "x86_64-darwin",
            Self::X8664Linux => "x86_64-linux",
        }
    }

    /// Returns `process.platform` of Node.
    pub const fn os(self) -> &'static str {
        match self {
            Self::Aarch64Darwin | Self::X8664Darwin => "darwin",
            Self::Aarch64Linux | Self::X8664Linux => "linux",
        }
    }

    /// Returns `process.arch` of Node.
    pub const fn cpu(self) -> &'static str {
        match self {
            Self::Aarch64Darwin | Self::Aarch64Linux => "arm64",
            Self::X8664Darwin | Self::X8664Linux => "x64",
        }
    }

    /// Returns the C library on Linux. nixpkgs uses glibc.
    pub const fn libc(self) -> Option<&'static str> {
        match self {
            Self::Aarch64Darwin | Self::X8664Darwin => None,
            Self::Aarch64Linux | Self::X8664Linux => Some("glibc"),
        }
    }
}

/// A machine that splitter does not support.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported machine `{cpu}-{os}`; expected aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux")]
pub struct OtherMachine {
    cpu: &'static str,
    os: &'static str,
}

impl Diagnose for OtherMachine {
    fn category(&self) -> Category {
        Category::Environment
    }
}

impl FromStr for System {
    type Err = SystemError;

    fn from_str(text: &str) -> Result<Self, SystemError> {
        Self::ALL.into_iter().find(|system| system.name() == text).ok_or_else(|| SystemError(text.to_owned()))
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for System {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for System {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
