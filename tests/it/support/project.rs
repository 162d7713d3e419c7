//! What a monorepo of Bun and one of Yarn have in common.

use super::{Package, Registry, TestContext};

/// A repository with a lockfile by a real package manager, and the registry that the lockfile came from.
pub(crate) trait Project {
    fn context(&self) -> &TestContext;

    fn registry(&self) -> &Registry;

    /// The npm package that holds the package manager.
    fn program(&self) -> Package;

    /// Makes the loopback registry the one that the repository itself names, as a company's repository names its own: what
    /// splitter records holds the repository's registry, never a user's.
    fn name_registry(&self);

    /// Adds a dependency to a workspace, as a developer does: manifest and lockfile change.
    fn add(&self, workspace: &str, package: &str);

    /// Installs the whole repository, as a developer does, with the scripts of trusted packages alone.
    fn install(&self);
}
