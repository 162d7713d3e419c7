//! Ranges and descriptors as Yarn reads and writes them.

use std::fmt::Write as _;

use nodejs_semver::{Range, Version};

/// Whether the text is a range of versions, without a protocol.
pub(super) fn is_range(text: &str) -> bool {
    // The parser of ranges is more lenient than the one of Yarn.
    !text.contains([':', '@', '/', '#']) && Range::parse(text).is_ok()
}

/// Whether the text is a tag of a registry: `/^(?!v)[a-z0-9._-]+$/i`.
fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('v')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Whether Yarn puts `npm:` before it.
pub(super) fn needs_protocol(text: &str) -> bool {
    is_range(text) || is_tag(text)
}

/// Whether a version is in a range, with or without its prerelease.
pub(super) fn satisfies_with_prereleases(version: &str, range: &str) -> bool {
    let release = version.split(['-', '+']).next().unwrap_or(version);
    satisfies(version, range) || satisfies(release, range)
}

/// Whether a version is in a range, as a workspace must be.
pub(super) fn satisfies(version: &str, range: &str) -> bool {
    let (Ok(version), Ok(range)) = (Version::parse(version), Range::parse(range)) else { return false };
    range.satisfies(&version)
}

/// Whether the text is the name of a package: `/^(?:@([^/]+?)\/)?([^@/]+)$/`.
pub(super) fn is_ident(text: &str) -> bool {
    let name = match text.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, name)) if !scope.is_empty() => name,
        _ => text,
    };
    !name.is_empty() && !name.contains(['@', '/'])
}

/// Whether a range is a path.
pub(super) fn is_path(range: &str) -> bool {
    ["/", "./", "../"].iter().any(|start| range.starts_with(start))
}

/// Whether the package depends on the folder of the package that asks for it.
pub(super) fn is_local(range: &str) -> bool {
    ["file:", "link:", "portal:", "exec:"].iter().any(|protocol| range.starts_with(protocol))
}

/// The protocols that Yarn knows without a plugin of somebody else.
const PROTOCOLS: [&str; 16] = [
    "npm",
    "workspace",
    "patch",
    "file",
    "link",
    "portal",
    "exec",
    "catalog",
    "jsr",
    "git",
    "git+ssh",
    "git+https",
    "ssh",
    "http",
    "https",
    "virtual",
];

/// Whether a range has no protocol, or one that Yarn knows by itself.
pub(super) fn has_protocol_of_yarn(range: &str) -> bool {
    let protocol = range.split_once(':').map(|(protocol, _)| protocol);
    protocol.is_none_or(|protocol| {
        PROTOCOLS.contains(&protocol)
            || !protocol.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-".contains(&byte))
    })
}

/// Adds the package that asks for a range.
pub(super) fn bound(range: &str, parent: &str) -> String {
    let mut bound = [range, "::locator="].concat();
    for byte in parent.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            bound.push(char::from(byte));
        } else {
            let _ = write!(bound, "%{byte:02X}");
        }
    }
    bound
}

/// Encodes a descriptor as the source of a `patch:`.
pub(super) fn encoded(descriptor: &str) -> String {
    descriptor.replace('%', "%25").replace(':', "%3A").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_tags_get_a_protocol() {
        for text in ["", "*", "1", "^1.0.0", ">=1 <2", "1.x || >=2.5.0", "latest", "next-7", "v1.0.0"] {
            assert!(needs_protocol(text), "{text}");
        }
        for text in ["npm:^1.0.0", "workspace:^", "o/r", "./x", "git@host:o/r", "patch:a@1#b", "vnext", "file:x"] {
            assert!(!needs_protocol(text), "{text}");
        }
    }

    #[test]
    fn names_have_one_scope() {
        for name in ["a", "@a/b", "a.b", "é"] {
            assert!(is_ident(name), "{name}");
        }
        for name in ["", "a/b", "@a", "@a/", "@a/b/c", "a@b"] {
            assert!(!is_ident(name), "{name}");
        }
    }

    #[test]
    fn a_local_package_is_bound_to_the_package_that_asks() {
        assert_eq!(
            bound("link:../x", "@a/b@workspace:packages/b"),
            "link:../x::locator=%40a%2Fb%40workspace%3Apackages%2Fb"
        );
    }
}
