//! Hints about lockfiles that all package managers share.

/// Says what to do about a lockfile that cannot be read. Yarn fails on such a file. Bun ignores one that it cannot parse, and keeps
/// one that it can read, so only deleting it makes each of them write a new one.
pub(crate) fn damaged(program: &str) -> String {
    format!(
        "if the file is damaged, restore it with git, or delete it and run `{program} install`, which resolves all versions again"
    )
}
