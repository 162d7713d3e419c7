//! Quotes words for a POSIX shell.

/// Quotes a text as one word.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-@+:,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Returns the text of a word that [`word`] quoted.
pub fn unquoted(word: &str) -> String {
    match word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.replace(r"'\''", "'"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_needs_quotes_has_them() {
        assert_eq!((word("nix/splitter"), word("a b"), word("")), ("nix/splitter".into(), "'a b'".into(), "''".into()));
    }

    proptest! {
        #[test]
        fn a_word_is_the_text_again(text in "\\PC{0,20}") {
            prop_assert_eq!(unquoted(&word(&text)), text);
        }
    }
}
