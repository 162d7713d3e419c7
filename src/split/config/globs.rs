//! Globs in `splitter.json`: the language that users write, and the smaller one that Rust and Nix match the same way.
//!
//! Written: `*`, `?`, `**`, classes (`[a-c]`, `[!a]`), braces (`{a,b}`, `{1..3}`), and `@(a|b)` and `?(a)`, which are braces
//! too. Matched: `*`, `?`, `**` and classes; braces are written out here. Nix matches with regular expressions that cannot
//! say "anything but", so `!(a)` is refused: `exclude` says it.

use crate::split::workspaces::patterns::{Braces, expand_braces};

/// Characters that make a text a glob for its reader.
pub(in crate::split) fn is_written_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{']) || ["@(", "!(", "+("].iter().any(|open| text.contains(open))
}

/// Writes a glob out: none of the results has braces. The error says what is wrong, in words.
pub(in crate::split) fn written_out(text: &str) -> Result<Vec<String>, String> {
    if text.contains('\\') {
        return Err("it has a backslash; write a special character as a class, such as `[*]`".to_owned());
    }
    if text.starts_with('!') && !text.starts_with("!(") {
        return Err("it starts with `!`; use `exclude` for files that are no sources".to_owned());
    }
    let braces = without_groups(text)?;
    let many = || "its braces stand for too many globs".to_owned();
    let mut globs = Vec::new();
    for text in expand_braces(&braces, Braces::LikeBash).ok_or_else(many)? {
        if text.contains(['{', '}']) {
            return Err("its braces have no comma, or are not closed".to_owned());
        }
        globs.extend(of_classes(&text)?);
    }
    globs.dedup();
    Ok(globs)
}

/// Writes `@(a|b)` as `{a,b}` and `?(a)` as `{,a}`. Other brackets are names: `app/(site)/page.tsx`.
fn without_groups(text: &str) -> Result<String, String> {
    let mut written = String::new();
    let mut open: Vec<bool> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_group = characters.peek() == Some(&'(');
        match character {
            '!' | '+' | '*' if is_group => {
                return Err(format!("`{character}(…)` is not supported; write several globs, or use `exclude`"));
            }
            '@' | '?' if is_group => {
                characters.next();
                written.push_str(if character == '@' { "{" } else { "{," });
                open.push(true);
            }
            '(' => {
                written.push('(');
                open.push(false);
            }
            ')' => {
                written.push(if open.pop() == Some(true) { '}' } else { ')' });
            }
            '|' if open.last() == Some(&true) => written.push(','),
            ',' if open.last() == Some(&true) => return Err("a group has a comma in it".to_owned()),
            other => written.push(other),
        }
    }
    if open.contains(&true) {
        return Err("a group is not closed".to_owned());
    }
    // `@(a)` has no comma, and is `a`.
    Ok(single_groups(&written))
}

/// Removes braces around a single text, which come from `@(a)`.
fn single_groups(text: &str) -> String {
    expand_single(text).unwrap_or_else(|| text.to_owned())
}

fn expand_single(text: &str) -> Option<String> {
    let open = text.rfind('{')?;
    let close = open + text[open..].find('}')?;
    let inner = &text[open + 1..close];
    (!inner.contains([',', '/']) && !inner.contains(".."))
        .then(|| single_groups(&format!("{}{inner}{}", &text[..open], &text[close + 1..])))
}

/// Checks the classes of a glob. A name in brackets also means itself, as in `app/[slug]/page.tsx`.
fn of_classes(text: &str) -> Result<Vec<String>, String> {
    let Some(open) = text.find('[') else { return Ok(vec![with_stars(text)]) };
    let (before, rest) = text.split_at(open);
    // `[[...slug]]` is always a name.
    if let Some(inner) = rest.strip_prefix("[[")
        && let Some(end) = inner.find("]]")
        && is_name(&inner[..end])
    {
        let literal = format!("[[][[]{}[]][]]", &inner[..end]);
        return join(before, &[literal], &inner[end + 2..]);
    }
    let skipped = 1 + usize::from(rest[1..].starts_with(['!', '^']));
    let first = skipped + usize::from(rest[skipped..].starts_with(']'));
    let Some(end) = rest[first..].find(']') else { return Err("a class (`[…]`) is not closed".to_owned()) };
    let inner = &rest[1..first + end];
    let after = &rest[first + end + 1..];
    let literal = Some(format!("[[]{inner}[]]")).filter(|_| is_name(inner) && inner.len() > 1);
    let forms = match class(inner) {
        Ok(class) => std::iter::once(class).chain(literal).collect(),
        Err(reason) => vec![literal.ok_or(reason)?],
    };
    join(before, &forms, after)
}

fn join(before: &str, forms: &[String], after: &str) -> Result<Vec<String>, String> {
    let after = of_classes(after)?;
    if forms.len() * after.len() > 64 {
        return Err("it has too many classes".to_owned());
    }
    let pairs = forms.iter().flat_map(|form| after.iter().map(move |after| format!("{before}{form}{after}")));
    Ok(pairs.map(|glob| with_stars(&glob)).collect())
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

fn class(inner: &str) -> Result<String, String> {
    if matches!(inner, "[" | "]") {
        return Ok(format!("[{inner}]"));
    }
    let (sign, set) = inner.strip_prefix(['!', '^']).map_or(("", inner), |set| ("!", set));
    if set.is_empty() || set.contains(['/', '[']) || !set.is_ascii() {
        return Err(format!("the class `[{inner}]` is not supported: expected characters and ranges, such as `[a-c]`"));
    }
    let bytes = set.as_bytes();
    for (at, range) in bytes.windows(3).enumerate() {
        if range[1] == b'-' && (at == 0 || bytes[at - 1] != b'-') {
            let (low, high) = (range[0], range[2]);
            if low > high {
                // `[...slug]` and `[a-Z]`: no range.
                return Err(format!("the range in `[{inner}]` runs backwards"));
            }
            if (low..=high).contains(&b'/') {
                return Err(format!("the range in `[{inner}]` has `/` in it"));
            }
        }
    }
    Ok(format!("[{sign}{set}]"))
}

/// `**` that is not a whole part is `*`.
fn with_stars(glob: &str) -> String {
    let part = |part: &str| {
        let mut part = part.to_owned();
        while part != "**" && part.contains("**") {
            part = part.replace("**", "*");
        }
        part
    };
    glob.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn out(text: &str) -> Vec<String> {
        written_out(text).unwrap()
    }

    #[test]
    fn globs_are_written_out() {
        assert_eq!(out("src/**/*.ts"), ["src/**/*.ts"]);
        assert_eq!(out("docs/{a,b}/*.{md,mdx}"), ["docs/a/*.md", "docs/a/*.mdx", "docs/b/*.md", "docs/b/*.mdx"]);
        assert_eq!(out("x{1..3}"), ["x1", "x2", "x3"]);
        assert_eq!(out("@(a|b)/?(c)d"), ["a/d", "a/cd", "b/d", "b/cd"]);
        assert_eq!(out("@(a)/x"), ["a/x"]);
        assert_eq!(out("v[0-9]*"), ["v[0-9]*", "v[[]0-9[]]*"]);
        assert_eq!(out("[!ab]/[^c]"), ["[!ab]/[!c]"]);
        assert_eq!(out("a**/**/b"), ["a*/**/b"]);
        assert_eq!(out("app/(site)/page.tsx"), ["app/(site)/page.tsx"]);
    }

    #[test]
    fn a_name_in_brackets_means_itself_too() {
        assert_eq!(out("app/[slug]/*.md"), ["app/[slug]/*.md", "app/[[]slug[]]/*.md"]);
        assert_eq!(out("app/[post-id]/a"), ["app/[[]post-id[]]/a"]);
        assert_eq!(out("[[]a[]]"), ["[[]a[]]"]);
        assert_eq!(out("app/[[...slug]]/a"), ["app/[[][[]...slug[]][]]/a"]);
    }

    #[test]
    fn what_nix_cannot_match_is_refused() {
        let error = |text: &str| written_out(text).unwrap_err();
        assert_eq!(error("!(a)/x"), "`!(…)` is not supported; write several globs, or use `exclude`");
        assert!(error("+(a|b)").starts_with("`+(…)`") && error("x*(a)").starts_with("`*(…)`"));
        assert!(error("!a").starts_with("it starts with `!`"));
        assert!(error("a\\*").starts_with("it has a backslash"));
        assert_eq!(error("a{b"), "its braces have no comma, or are not closed");
        assert_eq!(error("a[b"), "a class (`[…]`) is not closed");
        assert!(error("[[:alpha:]]").starts_with("the class `[[:alpha:]` is not supported"));
        assert_eq!(error("[z-a,]"), "the range in `[z-a,]` runs backwards");
        assert_eq!(error("[*-~]"), "the range in `[*-~]` has `/` in it");
        assert_eq!(error("@(a|b"), "a group is not closed");
        assert_eq!(error(&"{a,b}".repeat(30)), "its braces stand for too many globs");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_comes_out_has_no_braces(text in "[a-c@!?*+(){}\\[\\],|/.^-]{0,20}") {
            if let Ok(globs) = written_out(&text) {
                let has_braces = globs.iter().any(|glob| glob.contains(['{', '}']));
                let compile = globs.iter().all(|glob| globset::Glob::new(glob).is_ok());
                prop_assert!(!has_braces && compile, "{:?}", globs);
            }
        }
    }
}
