//! `${NAME}`, `${NAME-default}` and `${NAME:-default}` in strings of a `.yarnrc.yml`.
//!
//! The rules are those of Yarn 4: a default may contain variables, and `\$` and `\}` are escapes. An incomplete
//! variable stays as written. That is the rule of Yarn 2 and 3; Yarn 4 refuses to start.

/// A variable without a default that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unset(pub(crate) String);

/// Replaces the variables in a string.
pub(crate) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Unset> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    // The number of variables whose default is being read. Each ends at a `}`.
    let mut open = 0_usize;
    while let Some((before, token, after)) = next_token(rest) {
        expanded.push_str(before);
        rest = after;
        match token {
            Token::Escaped(character) => expanded.push(character),
            Token::Variable { name, operator } => match (lookup(name), operator) {
                (Some(value), Operator::None | Operator::WhereUnset) => {
                    expanded.push_str(&value);
                    rest = behind_variable(rest).unwrap_or_default();
                }
                (Some(value), Operator::WhereEmpty) if !value.is_empty() => {
                    expanded.push_str(&value);
                    rest = behind_variable(rest).unwrap_or_default();
                }
                (None, Operator::None) => return Err(Unset(name.to_owned())),
                (_, Operator::WhereUnset | Operator::WhereEmpty) => open += 1,
            },
            Token::End if open > 0 => open -= 1,
            Token::End => expanded.push('}'),
        }
    }
    expanded.push_str(rest);
    Ok(if open > 0 { text.to_owned() } else { expanded })
}

enum Token<'a> {
    /// `\$` or `\}`.
    Escaped(char),
    /// `${NAME`, and the operator after it.
    Variable { name: &'a str, operator: Operator },
    /// `}`.
    End,
}

#[derive(Clone, Copy)]
enum Operator {
    /// `}`, which is not consumed.
    None,
    /// `-`.
    WhereUnset,
    /// `:-`.
    WhereEmpty,
}

/// Returns the first token of a text, with the text before and after it.
fn next_token(text: &str) -> Option<(&str, Token<'_>, &str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(['\\', '$', '}'])?;
        let (before, here) = text.split_at(at);
        if let Some(escaped) =
            here.strip_prefix('\\').and_then(|rest| rest.chars().next().filter(|c| "$}".contains(*c)))
        {
            return Some((before, Token::Escaped(escaped), &here[2..]));
        }
        if let Some(after) = here.strip_prefix('}') {
            return Some((before, Token::End, after));
        }
        if let Some((name, operator, after)) = here.strip_prefix("${").and_then(variable) {
            return Some((before, Token::Variable { name, operator }, after));
        }
        from = at + 1;
    }
}

/// Reads `NAME` and its operator.
fn variable(text: &str) -> Option<(&str, Operator, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|end| *end > 0)?;
    let (name, rest) = text.split_at(end);
    let after = |operator, prefix| rest.strip_prefix(prefix).map(|after| (name, operator, after));
    after(Operator::WhereEmpty, ":-")
        .or_else(|| after(Operator::WhereUnset, "-"))
        .or_else(|| rest.starts_with('}').then_some((name, Operator::None, rest)))
}

/// Returns the text after the `}` of the variable whose default starts here.
fn behind_variable(text: &str) -> Option<&str> {
    let mut rest = text;
    let mut inner = 0_usize;
    loop {
        let (_, token, after) = next_token(rest)?;
        rest = after;
        match token {
            Token::Variable { .. } => inner += 1,
            Token::End if inner == 0 => return Some(rest),
            Token::End => inner -= 1,
            Token::Escaped(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expanded(text: &str) -> Result<String, Unset> {
        expand(text, &|name| match name {
            "A" => Some("1".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_as_yarn_does() {
        for (text, value) in [
            ("x${A}y$A}", "x1y$A}"),
            ("${A-d}${A:-d}${N-d}${N:-d}", "11dd"),
            ("[${E}][${E-d}][${E:-d}]", "[][][d]"),
            ("${N-}${N:-${M:-${A}}x}", "1x"),
            ("${A:-${N}}!", "1!"),
            (r"\${A} ${N:-\}}", "${A} }"),
            ("${A", "${A"),
            ("${N:-x", "${N:-x"),
            ("${} ${-x} $ ${A:x}", "${} ${-x} $ ${A:x}"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(value), "{text}");
        }
        assert_eq!(expanded("a${N}"), Err(Unset("N".to_owned())));
        assert_eq!(expanded("${N:-${M}}"), Err(Unset("M".to_owned())));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"([$\\{}AN:-]|\PC){0,20}") {
            let _ = expanded(&text);
        }

        #[test]
        fn a_text_without_a_dollar_or_a_backslash_stays(text in r"[^$\\]{0,20}") {
            prop_assert_eq!(expanded(&text), Ok(text));
        }
    }
}
