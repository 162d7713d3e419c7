//! A trait for the Bun and the Yarn monorepo.

use super::{Package, Registry, TestContext};

/// A repository with a lockfile from a real package manager, and its registry.
pub(crate) trait Project {
    fn context(&self) -> &TestContext;

    fn registry(&self) -> &Registry;

    /// Returns the npm package of the package manager.
    fn program(&self) -> Package;

    /// Names the loopback registry in the repository's own files. Splitter records the repository's registry, never one from
    /// the user's settings.
    fn name_registry(&self);

    /// Adds a dependency to a workspace, in its manifest and in the lockfile.
    fn add(&self, workspace: &str, package: &str);

    /// Installs the whole repository, with the scripts of trusted packages only.
    fn install(&self);
}
