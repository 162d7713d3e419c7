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
