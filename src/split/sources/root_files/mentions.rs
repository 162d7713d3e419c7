//! Texts in programs that look like paths, and the files that such a path can mean.

use std::{borrow::Cow, ops::Range};

use camino::Utf8Path;

use crate::repo::RepoPath;

/// Endings that an import may omit.
const ENDINGS: [&str; 8] = ["js", "ts", "mjs", "cjs", "mts", "cts", "json", "jsx"];

/// Endings that an import of a bundler may omit too.
const MORE_ENDINGS: [&str; 7] = ["tsx", "vue", "svelte", "astro", "css", "scss", "d.ts"];

/// Endings of programs and styles, which import others.
const PROGRAMS: [&str; 17] = [
    "astro", "cjs", "css", "cts", "js", "jsx", "less", "mdx", "mjs", "mts", "pcss", "sass", "scss", "svelte", "ts",
    "tsx", "vue",
];

/// The most globs to make of one with braces.
const MOST_GLOBS: usize = 64;

/// Whether a file is a program or JSON, which can name more paths.
pub(super) fn is_script(path: &str) -> bool {
    ending(path).is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether a file imports others, and cannot be read alone.
pub(super) fn is_program(path: &str) -> bool {
    ending(path).is_some_and(|ending| PROGRAMS.contains(&ending))
}

/// Whether a file can name more files.
pub(super) fn names_more(path: &str) -> bool {
    is_script(path) || is_program(path)
}

fn ending(path: &str) -> Option<&str> {
    Utf8Path::new(path).extension()
}

/// Returns the quoted texts that start like a relative path and contain only characters of plain paths.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['"', '\'', '`']).filter_map(|(at, quote)| {
        let rest = &text[at + 1..];
        if !rest.starts_with('.') {
            return None;
        }
        rest.split_once(quote).map(|(inner, _)| inner).filter(|inner| is_plain(inner))
    })
}

fn is_plain(text: &str) -> bool {
    (text.starts_with("./") || text.starts_with("../"))
        && !text.contains(|c: char| c.is_whitespace() || "*?${}()|".contains(c))
}

/// Returns the text without some places.
pub(super) fn without<'t>(text: &'t str, places: &[Range<usize>]) -> Cow<'t, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    let mut places: Vec<_> = places.to_vec();
    places.sort_unstable_by_key(|place| place.start);
    for place in places {
        kept.push_str(text.get(at..place.start).unwrap_or_default());
        at = at.max(place.end);
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(kept)
}

/// Returns the files that a program may mean by a path, in the order to try them.
pub(super) fn candidates(path: &RepoPath) -> Vec<RepoPath> {
    let name = path.file_name();
    let folder = path.parent();
    let with_endings = ENDINGS.iter().map(|ending| folder.child(&format!("{name}.{ending}")));
    std::iter::once(path.clone()).chain(with_endings).collect()
}

/// The same with the endings that bundlers add, and with TypeScript for JavaScript.
pub(super) fn candidates_with_more_endings(path: &RepoPath) -> Vec<RepoPath> {
    let (name, folder) = (path.file_name(), path.parent());
    let mut all = candidates(path);
    all.extend(MORE_ENDINGS.iter().map(|ending| folder.child(&format!("{name}.{ending}"))));
    if let Some((stem, ending @ ("js" | "mjs" | "cjs" | "jsx"))) = name.rsplit_once('.') {
        let typescript = ending.replace("js", "ts");
        all.push(folder.child(&format!("{stem}.{typescript}")));
        all.push(folder.child(&format!("{stem}.tsx")));
    }
    all
}

/// The same with the `index` of a folder.
pub(super) fn candidates_with_index(path: &RepoPath) -> Vec<RepoPath> {
    let index = ["ts", "tsx", "js", "jsx", "mjs"].iter().map(|ending| path.child(&format!("index.{ending}")));
    candidates_with_more_endings(path).into_iter().chain(index).collect()
}

/// Returns the package of an imported name: `@r/lib` of `@r/lib/src/x`.
pub(super) fn package_name(name: &str) -> &str {
    let end = name.match_indices('/').nth(usize::from(name.starts_with('@'))).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// Splits a glob into the folder before its first pattern, and the rest. `None` if it excludes files.
pub(super) fn glob_base(path: &RepoPath) -> Option<(RepoPath, String)> {
    let parts: Vec<&str> = path.parts().collect();
    let first = parts.iter().position(|part| part.contains(['*', '{', '?', '[']))?;
    if path.as_str().contains(['!', '[', '(', '\\']) {
        return None;
    }
    let base = parts[..first].iter().fold(RepoPath::root(), |folder, part| folder.child(part));
    Some((base, parts[first..].join("/")))
}

/// Returns globs without braces that match the same: `a.ts` and `a.tsx` for `a.{ts,tsx}`.
pub(super) fn without_braces(glob: &str) -> Vec<String> {
    let mut open = vec![glob.to_owned()];
    let mut done = Vec::new();
    while let Some(glob) = open.pop() {
        let found = glob.find('}').and_then(|end| Some((glob[..end].rfind('{')?, end)));
        let Some((start, end)) = found else {
            done.push(glob);
            continue;
        };
        if open.len() + done.len() > MOST_GLOBS {
            return Vec::new();
        }
        let parts = glob[start + 1..end].split(',');
        open.extend(parts.map(|part| format!("{}{part}{}", &glob[..start], &glob[end + 1..])));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_with_braces_is_several() {
        let mut globs = without_braces("packages/*/{src,lib}/**/*.{ts,tsx}");
        globs.sort();
        assert_eq!(
            globs,
            ["packages/*/lib/**/*.ts", "packages/*/lib/**/*.tsx", "packages/*/src/**/*.ts", "packages/*/src/**/*.tsx"]
        );
        assert_eq!(without_braces(&"{a,b}".repeat(9)), [""; 0]);
    }

    #[test]
    fn the_package_of_a_name_is_its_first_part() {
        assert_eq!(["@r/lib/x/y", "@r/lib", "a/b", "a"].map(package_name), ["@r/lib", "@r/lib", "a", "a"]);
    }
}
