use proptest::prelude::*;

use super::*;

const LIKE_MINIMATCH: Syntax =
    Syntax { extended: true, like_regex: false, dots: Dots::Written, refuses: Refuses::Rest };

fn matched(pattern: &str, names: &[&str]) -> Vec<String> {
    let name = Name::parse(pattern, LIKE_MINIMATCH, true).unwrap();
    names.iter().filter(|text| name.matches(text)).map(|text| (*text).to_owned()).collect()
}

#[test]
fn names_are_matched_as_in_a_shell() {
    let names = ["a", "ab", "abc", "b", ".a", "legacy", "legacy2", "a.b"];
    assert_eq!(matched("*", &names), ["a", "ab", "abc", "b", "legacy", "legacy2", "a.b"]);
    assert_eq!(matched("?", &names), ["a", "b"]);
    assert_eq!(matched("a*", &names), ["a", "ab", "abc", "a.b"]);
    assert_eq!(matched("[ab]", &names), ["a", "b"]);
    assert_eq!(matched("[!a]", &names), ["b"]);
    assert_eq!(matched("!(legacy)", &names), ["a", "ab", "abc", "b", "legacy2", "a.b"]);
    assert_eq!(matched("@(a|b)", &names), ["a", "b"]);
    assert_eq!(matched("+(a|b)", &names), ["a", "ab", "b"]);
    assert_eq!(matched("a?(b)*(c)", &names), ["a", "ab", "abc"]);
    assert_eq!(matched("!(a|b)*", &names), ["legacy", "legacy2"]);
    assert_eq!(matched(".*", &names), [".a"]);
    assert_eq!(matched("a\\.b", &names), ["a.b"]);
    assert!(matched("[a", &names).is_empty() && matched("@(a", &names).is_empty());
}

#[test]
fn what_is_not_closed_is_plain_text() {
    assert_eq!(matched("@(a", &["@(a", "a"]), ["@(a"]);
    assert_eq!(matched("[a", &["[a", "a"]), ["[a"]);
    assert_eq!(Name::parse("a\\*", LIKE_MINIMATCH, true).unwrap().literal().as_deref(), Some("a*"));
    assert_eq!(Name::parse("a*", LIKE_MINIMATCH, true).unwrap().literal(), None);
}

#[test]
fn hostile_patterns_take_no_time() {
    let text = "a".repeat(200);
    let nested = |depth: usize| format!("{}a{}", "+(".repeat(depth), ")".repeat(depth));
    let patterns = [
        nested(29) + "b",
        "*(*(*(a)*(a))*(a))b".to_owned(),
        "!(!(!(a*)a*)a*)b".to_owned(),
        "*a".repeat(60) + "b",
        "+(a|aa|aaa)".repeat(30) + "b",
        "!(*a)".repeat(20) + "b",
    ];
    for pattern in patterns {
        assert!(!Name::parse(&pattern, LIKE_MINIMATCH, true).is_some_and(|name| name.matches(&text)), "{pattern}");
    }
    assert!(Name::parse(&nested(10_000), LIKE_MINIMATCH, true).is_none());
    assert!(Name::parse(&"@(".repeat(29), LIKE_MINIMATCH, true).is_some());
}

proptest! {
    #[test]
    fn no_pattern_panics(pattern in "[!@?+*()\\[\\]{}|a-c.\\\\^-]{0,24}", name in "[a-c.]{1,10}") {
        for refuses in [Refuses::Rest, Refuses::Start] {
            let syntax = Syntax { extended: true, like_regex: true, dots: Dots::UnlessWild, refuses };
            if let Some(parsed) = Name::parse(&pattern, syntax, true) {
                parsed.matches(&name);
            }
        }
    }

    #[test]
    fn a_pattern_without_special_characters_is_its_name(name in "[a-c]{1,5}", other in "[a-c]{1,5}") {
        let parsed = Name::parse(&name, LIKE_MINIMATCH, true).unwrap();
        prop_assert_eq!(parsed.matches(&other), name == other);
    }
}
