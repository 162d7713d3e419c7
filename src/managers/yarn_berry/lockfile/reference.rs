//! The reference of a locator, the part after `name@`: `protocol:source#selector::binding=value`.
//!
//! Source: `parseRange` of Yarn's `structUtils`. Source and selector are percent-encoded, since a source may be a
//! locator itself. Bindings are a query string.

use std::borrow::Cow;

use url::form_urlencoded;

/// A reference, split into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// The protocol with its colon: everything up to the first colon.
    pub(crate) protocol: Option<&'a str>,
    /// The part between protocol and `#`, if there is a `#`.
    pub(crate) source: Option<Cow<'a, str>>,
    /// The part after `#`, or after the protocol if there is no `#`.
    pub(crate) selector: Cow<'a, str>,
    /// The part after `::`.
    bindings: &'a str,
}

impl<'a> Reference<'a> {
    /// Splits a reference. Returns `None` if its percent-encoding is broken.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let protocol = text.find([':', '#']).filter(|at| text.as_bytes()[*at] == b':').map(|at| &text[..=at]);
        let rest = &text[protocol.map_or(0, str::len)..];
        let (rest, bindings) = split_bindings(rest);
        let (source, selector) = match rest.split_once('#') {
            Some((source, selector)) => (Some(decoded(source)?), selector),
            None => (None, rest),
        };
        Some(Self { protocol, source, selector: decoded(selector)?, bindings })
    }

    /// Returns the value of a binding.
    pub(crate) fn binding(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut pairs = form_urlencoded::parse(self.bindings.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Splits a text at the first `::`.
pub(super) fn split_bindings(text: &str) -> (&str, &str) {
    text.split_once("::").unwrap_or((text, ""))
}

/// Decodes the percent-encoding. Returns `None` if it is broken, or hides a control character.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = text.find('%') else { return Some(Cow::Borrowed(text)) };
    let mut bytes = text.as_bytes()[..first].to_vec();
    let mut rest = text.as_bytes()[first..].iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(*digit).to_digit(16));
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.contains(char::is_control)).then_some(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (&str, Option<String>, String) {
        let parts = Reference::parse(text).unwrap();
        (parts.protocol.unwrap_or(""), parts.source.map(Cow::into_owned), parts.selector.into_owned())
    }

    #[test]
    fn a_reference_has_up_to_four_parts() {
        let of =
            |protocol, source: Option<&str>, selector: &str| (protocol, source.map(str::to_owned), selector.to_owned());
        assert_eq!(parts("npm:1.0.0"), of("npm:", None, "1.0.0"));
        assert_eq!(parts("npm:1.0.0::__archiveUrl=x"), of("npm:", None, "1.0.0"));
        assert_eq!(parts("workspace:."), of("workspace:", None, "."));
        assert_eq!(
            parts("patch:a@npm%3A1.0.0#~/a%3A.patch::version=1.0.0&hash=00"),
            of("patch:", Some("a@npm:1.0.0"), "~/a:.patch")
        );
        assert_eq!(
            parts("https://host.example/a.git#commit=00"),
            of("https:", Some("//host.example/a.git"), "commit=00")
        );
        assert_eq!(parts("a#b:c"), of("", Some("a"), "b:c"));
        assert_eq!(parts(""), of("", None, ""));
    }

    #[test]
    fn bindings_are_a_query_string() {
        let reference = Reference::parse("file:./a::hash=0f&locator=%40a%2Fb%40workspace%3A.").unwrap();
        assert_eq!(reference.binding("locator").as_deref(), Some("@a/b@workspace:."));
        assert_eq!(reference.binding("hash").as_deref(), Some("0f"));
        assert_eq!(reference.binding("version"), None);
    }

    #[test]
    fn broken_encodings_are_none() {
        for text in ["patch:%#x", "patch:%4#x", "patch:%zz#x", "patch:a#%ff", "file:%0a", "file:%+1"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC{0,20}") {
            let encoded = text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
            let expected = (!text.contains(char::is_control)).then_some(text);
            prop_assert_eq!(decoded(&encoded).map(Cow::into_owned), expected);
        }

        #[test]
        fn no_text_panics(text in "[a:#%4é&=]{0,20}") {
            let _ = Reference::parse(&text);
        }
    }
}
