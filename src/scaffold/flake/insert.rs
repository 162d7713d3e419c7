//! Insertions into a text, laid out as the lines around them are.

/// Text that is put into another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Insertion {
    /// Where, in bytes.
    pub offset: usize,
    /// What.
    pub text: String,
}

impl Insertion {
    /// Puts `text` right at an offset.
    pub(super) fn at(offset: usize, text: impl Into<String>) -> Self {
        Self { offset, text: text.into() }
    }

    /// Puts lines behind an opening token that ends at `offset`: below it if its line ends there, else beside it. They are indented as
    /// what begins at `first`, the first thing behind the token, or a step deeper than the token's line.
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

/// The text with the insertions in it.
pub(super) fn apply(source: &str, insertions: &[Insertion]) -> String {
    let mut sorted: Vec<&Insertion> = insertions.iter().collect();
    // Those at one place stay in the order in which they were given.
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

/// The white space at the start of the line that holds an offset.
pub(super) fn indentation(source: &str, offset: usize) -> &str {
    let line = &source[line_start(source, offset)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The same, if nothing else comes before the offset.
fn own_indentation(source: &str, offset: usize) -> Option<&str> {
    let before = &source[line_start(source, offset)..offset];
    before.trim_matches([' ', '\t']).is_empty().then_some(before)
}

pub(super) fn line_start(source: &str, offset: usize) -> usize {
    source[..offset].rfind('\n').map_or(0, |at| at + 1)
}
