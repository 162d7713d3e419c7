//! Insertions into a text, indented like the lines around them.

/// A piece of text to insert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Insertion {
    /// The place, as a byte offset.
    pub offset: usize,
    /// The text.
    pub text: String,
}

impl Insertion {
    /// Inserts `text` exactly at an offset.
    pub(super) fn at(offset: usize, text: impl Into<String>) -> Self {
        Self { offset, text: text.into() }
    }

    /// Inserts lines after an opening token that ends at `offset`: on new lines if the token ends its line, else on the same
    /// line. New lines are indented like the first entry, which begins at `first`, or one step deeper than the token's line.
    pub(super) fn behind(source: &str, offset: usize, first: Option<usize>, lines: &[String]) -> Self {
        let rest = source[offset..].split_inclusive('\n').next().unwrap_or_default();
        let is_blank = rest.trim().is_empty() || rest.trim_start().starts_with('#');
        if !rest.ends_with('\n') || !is_blank {
            return Self::at(offset, format!(" {}", lines.join(" ")));
        }
        let own = first.and_then(|first| own_indentation(source, first));
        let indentation = own.map_or_else(|| format!("{}  ", indentation(source, offset)), str::to_owned);
        let text = lines.iter().flat_map(|line| [indentation.as_str(), line, "\n"]).collect::<String>();
        Self::at(offset + rest.len(), text)
    }
}

/// The place between two braces, or between `let` and `in`.
pub(super) struct Body {
    /// The offset behind the opening token.
    pub(super) opening: usize,
    /// The offset of the closing token.
    pub(super) closing: usize,
    /// The offset of the first entry and the offset behind the last one, if there are entries.
    pub(super) entries: Option<(usize, usize)>,
}

impl Body {
    /// Inserts entries, each on a line of its own. If the body is on one line, it is broken into lines.
    pub(super) fn insert(&self, source: &str, lines: &[String]) -> Vec<Insertion> {
        let first = self.entries.map(|(first, _)| first);
        let own_line = Insertion::behind(source, self.opening, first, lines);
        if own_line.text.ends_with('\n') {
            return vec![own_line];
        }
        let outer = indentation(source, self.opening);
        let inner = format!("{outer}  ");
        let text: String = lines.iter().flat_map(|line| ["\n", &inner, line]).collect();
        let Some((first, last)) = self.entries else {
            let gap = &source[self.opening..self.closing];
            return vec![Insertion::at(self.opening, format!("{text}\n{}", before(outer, gap)))];
        };
        let (start, end) = (&source[self.opening..first], &source[last..self.closing]);
        if source[first..last].contains('\n') && end.contains('\n') {
            // `let a = 1;` with more entries below: the new lines go to the end, in the column of the first entry.
            let column = " ".repeat(source[line_start(source, first)..first].chars().count());
            let at = last + end.find('\n').map_or(0, |line| line + 1);
            let text: String = lines.iter().flat_map(|line| [&column, line.as_str(), "\n"]).collect();
            return vec![Insertion::at(at, text)];
        }
        let mut insertions = vec![Insertion::at(self.opening, format!("{text}\n{}", before(&inner, start)))];
        if !end.contains('\n') {
            insertions.push(Insertion::at(last, format!("\n{}", before(outer, end))));
        }
        insertions
    }
}

/// Returns the part of an indentation that is missing before white space that stays where it is.
fn before<'a>(indentation: &'a str, gap: &str) -> &'a str {
    if gap.trim_matches([' ', '\t']).is_empty() {
        indentation.strip_suffix(gap).unwrap_or(indentation)
    } else {
        indentation
    }
}

/// Applies insertions to a text.
pub(super) fn apply(source: &str, insertions: &[Insertion]) -> String {
    let mut sorted: Vec<&Insertion> = insertions.iter().collect();
    // The sort is stable: insertions at the same offset keep their order.
    sorted.sort_by_key(|insertion| insertion.offset);
    let mut text = String::with_capacity(source.len());
    let mut from = 0;
    for insertion in sorted {
        text.push_str(&source[from..insertion.offset]);
        text.push_str(&insertion.text);
        from = insertion.offset;
    }
    text + &source[from..]
}

/// Returns the white space at the start of the line around an offset.
pub(super) fn indentation(source: &str, offset: usize) -> &str {
    let line = &source[line_start(source, offset)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the white space before an offset, if nothing else precedes it on its line.
fn own_indentation(source: &str, offset: usize) -> Option<&str> {
    let before = &source[line_start(source, offset)..offset];
    before.trim_matches([' ', '\t']).is_empty().then_some(before)
}

pub(super) fn line_start(source: &str, offset: usize) -> usize {
    source[..offset].rfind('\n').map_or(0, |at| at + 1)
}
