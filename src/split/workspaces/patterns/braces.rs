//! Braces in patterns: `{a,b}` and `{1..3}`.

/// How braces are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Braces {
    /// As in a shell: braces without a comma or a range are plain characters.
    LikeBash,
    /// `{a}` is `a`, and there are no ranges.
    Always,
}

/// The most texts that one pattern may stand for: more is a mistake, or meant to exhaust memory.
const MOST: usize = 2_000;

/// The deepest nesting of braces.
const DEEPEST: usize = 20;

/// Writes braces out. Returns `None` if that gives too many texts.
pub(in crate::split) fn expand(pattern: &str, braces: Braces) -> Option<Vec<String>> {
    let mut expanded = Vec::new();
    write_out(pattern, braces, 0, &mut expanded).then_some(expanded)
}

fn write_out(pattern: &str, braces: Braces, depth: usize, expanded: &mut Vec<String>) -> bool {
    if depth > DEEPEST * 4 || expanded.len() > MOST {
        return false;
    }
    let Some((open, close, parts)) = first_group(pattern, braces) else {
        expanded.push(pattern.to_owned());
        return true;
    };
    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
    let mut tails = Vec::new();
    if !write_out(after, braces, depth + 1, &mut tails) {
        return false;
    }
    for part in parts {
        let mut heads = Vec::new();
        if !write_out(&part, braces, depth + 1, &mut heads) {
            return false;
        }
        for head in &heads {
            for tail in &tails {
                expanded.push(format!("{before}{head}{tail}"));
                if expanded.len() > MOST {
                    return false;
                }
            }
        }
    }
    true
}

/// Finds the first group of braces with several texts: where it opens and closes, and the texts.
fn first_group(pattern: &str, braces: Braces) -> Option<(usize, usize, Vec<String>)> {
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'{' if at == 0 || bytes[at - 1] != b'$' || braces == Braces::Always => {
                if let Some((close, commas)) = closing(bytes, at) {
                    let inner = &pattern[at + 1..close];
                    if let Some(parts) = parts(inner, at + 1, &commas, braces) {
                        return Some((at, close, parts));
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the brace that closes the one at `open`, and the commas directly in it.
fn closing(bytes: &[u8], open: usize) -> Option<(usize, Vec<usize>)> {
    let (mut depth, mut commas, mut at) = (0_usize, Vec::new(), open);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some((at, commas)),
            b'}' => depth -= 1,
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn parts(inner: &str, start: usize, commas: &[usize], braces: Braces) -> Option<Vec<String>> {
    if commas.is_empty() {
        return match braces {
            Braces::Always => Some(vec![inner.to_owned()]),
            Braces::LikeBash => range(inner),
        };
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for comma in commas {
        parts.push(inner[from..comma - start].to_owned());
        from = comma - start + 1;
    }
    parts.push(inner[from..].to_owned());
    Some(parts)
}

/// `1..3` and `a..c`.
fn range(inner: &str) -> Option<Vec<String>> {
    let (first, last) = inner.split_once("..")?;
    if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
        let (low, high) = (first.min(last), first.max(last));
        let count = usize::try_from(i64::from(high) - i64::from(low)).ok()?;
        return (count < MOST).then(|| (low..=high).map(|number| number.to_string()).collect());
    }
    let letter = |text: &str| text.chars().next().filter(|letter| letter.is_ascii_alphabetic() && text.len() == 1);
    let (first, last) = (letter(first)?, letter(last)?);
    Some((first.min(last)..=first.max(last)).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(pattern: &str) -> Vec<String> {
        expand(pattern, Braces::LikeBash).unwrap()
    }

    #[test]
    fn braces_are_written_out() {
        assert_eq!(bash("a"), ["a"]);
        assert_eq!(bash("{a,b}/{c,d}"), ["a/c", "a/d", "b/c", "b/d"]);
        assert_eq!(bash("x{a,b{c,d}}"), ["xa", "xbc", "xbd"]);
        assert_eq!(bash("a{,b}"), ["a", "ab"]);
        assert_eq!(bash("p{1..3}"), ["p1", "p2", "p3"]);
        assert_eq!(bash("{c..a}"), ["a", "b", "c"]);
        assert_eq!(bash("{a}{"), ["{a}{"]);
        assert_eq!(bash("{{a,b}}"), ["{a}", "{b}"]);
        assert_eq!(bash("\\{a,b}"), ["\\{a,b}"]);
        assert_eq!(expand("{a}", Braces::Always).unwrap(), ["a"]);
    }

    #[test]
    fn a_pattern_that_stands_for_too_many_texts_is_given_up() {
        assert_eq!(expand(&"{a,b}".repeat(40), Braces::LikeBash), None);
        assert_eq!(expand("{0..2000000000}", Braces::LikeBash).unwrap(), ["{0..2000000000}"]);
        let _ = expand(&"{a,".repeat(5000), Braces::LikeBash);
        let _ = expand(&format!("{}{}", "{a,".repeat(500), "}".repeat(500)), Braces::LikeBash);
    }
}
