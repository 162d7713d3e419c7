//! Checks for names and versions of packages. They come from outside and become parts of paths and URLs.

use super::Resolution;

/// Splits `<name>@<rest>` at the first `@` that does not start the scope.
pub(crate) fn split_name(text: &str) -> Option<(&str, &str)> {
    let from = if text.starts_with('@') { text.find('/')? } else { 0 };
    let at = from + text[from..].find('@')?;
    (at > 0).then(|| (&text[..at], &text[at + 1..]))
}

/// Whether a text has only the characters of a semantic version. It becomes part of a URL and of a file name.
pub(crate) fn is_version(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// Whether a text is valid as the name of a registry package. It becomes part of a URL and of a path.
pub(crate) fn is_package_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&byte))
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, base)| part(scope) && part(base)),
        None => part(name),
    }
}

/// Whether a text is valid as the name of this kind of package. Packages outside registries, such as links, may have
/// more names.
pub(crate) fn is_name_for(resolution: &Resolution, name: &str) -> bool {
    match resolution {
        Resolution::Registry { .. } => is_package_name(name),
        _ => is_local_name(name),
    }
}

/// Whether a text is valid as one part of a path, or as two parts that start with `@`.
pub(crate) fn is_local_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(['/', '\\'])
            && !part.contains(char::is_control)
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, base)| part(scope) && part(base)),
        None => part(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_right_sign() {
        assert_eq!(split_name("react@19.0.0"), Some(("react", "19.0.0")));
        assert_eq!(split_name("@a/b@npm:c@1"), Some(("@a/b", "npm:c@1")));
        assert_eq!(split_name("x@git+ssh://git@host/r#1"), Some(("x", "git+ssh://git@host/r#1")));
        for text in ["react", "@a/b", "@a", "", "@", "@1.0.0"] {
            assert_eq!(split_name(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_would_leave_a_folder_are_no_names() {
        assert!(is_package_name("@babel/core") && is_package_name("lodash.merge") && is_package_name("JSONStream"));
        for name in ["", "..", "a/b", "@a", "@a/..", "@/b", "a b", "a%2f", "@a/b/c"] {
            assert!(!is_package_name(name), "{name}");
        }
        assert!(is_local_name("$utils") && is_local_name("@a b/c+d") && !is_package_name("$utils"));
        for name in ["", "..", "a/b", "@a", "@a/..", "@/b", "a\\b", "a\u{7}", "@a/b/c"] {
            assert!(!is_local_name(name), "{name}");
        }
    }
}
