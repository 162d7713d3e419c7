//! Compares JSON documents by their values.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    excerpt::{Excerpt, excerpts},
    found::{Found, What},
    key_order, text,
};

/// The largest document that is parsed, in bytes. Its values take several times as much memory.
const MOST: usize = 24 << 20;
/// How an absent value is shown.
const ABSENT: &str = "(absent)";

/// Compares two documents. Returns false if they are not JSON.
pub(super) fn compare(name: &str, first: &str, second: &str, found: &mut Found) -> bool {
    let looks_like = |text: &str| text.trim_start().starts_with(['{', '[']) && text.len() <= MOST;
    if !looks_like(first) || !looks_like(second) {
        return false;
    }
    let (Ok(a), Ok(b)) = (serde_json::from_str::<Value>(first), serde_json::from_str::<Value>(second)) else {
        return false;
    };
    let is_map = |value: &Value| value.get("mappings").is_some() && value.get("sources").is_some();
    let what = if std::path::Path::new(name).extension().is_some_and(|end| end == "map") || is_map(&a) {
        What::SourceMap
    } else {
        What::Json
    };
    if a == b {
        if let Some((pointer, first, second)) = key_order::difference(first, second) {
            found.values(What::KeyOrder, &pointer, &keys(&first), &keys(&second));
            return true;
        }
        let (first, second) = excerpts(first, second).into_iter().next().unwrap_or_default();
        found.add(What::Layout, "", first, second);
    } else {
        Walk { what, found }.values("", "", &a, &b);
    }
    true
}

struct Walk<'a> {
    what: What,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn values(&mut self, pointer: &str, key: &str, first: &Value, second: &Value) {
        if first == second {
            return;
        }
        if self.found.is_full() {
            self.found.more += 1;
            return;
        }
        match (first, second) {
            (Value::Object(a), Value::Object(b)) => self.objects(pointer, a, b),
            (Value::Array(a), Value::Array(b)) => self.arrays(pointer, key, a, b),
            (Value::String(a), Value::String(b)) => self.texts(pointer, key, a, b),
            _ => {
                let (first, second) = (keyed(key, &first.to_string()), keyed(key, &second.to_string()));
                self.found.add(self.what, pointer, first, second);
            }
        }
    }

    fn objects(&mut self, pointer: &str, a: &Map<String, Value>, b: &Map<String, Value>) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys {
            let pointer = below(pointer, key);
            match (a.get(key), b.get(key)) {
                (Some(first), Some(second)) => self.values(&pointer, key, first, second),
                (first, second) => {
                    let shown = |value: Option<&Value>| value.map_or_else(|| ABSENT.to_owned(), short);
                    self.found.add(self.what, &pointer, keyed(key, &shown(first)), keyed(key, &shown(second)));
                }
            }
        }
    }

    fn arrays(&mut self, pointer: &str, key: &str, a: &[Value], b: &[Value]) {
        let sorted = |values: &[Value]| {
            let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
            texts.sort_unstable();
            texts
        };
        let shown = |values: &[Value]| {
            let texts: Vec<String> = values.iter().take(4).map(short).collect();
            format!("[{}{}]", texts.join(","), if values.len() > 4 { ",…" } else { "" })
        };
        if a.len() != b.len() {
            let size = |values: &[Value]| format!("{} entries: {}", values.len(), shown(values));
            self.found.add(self.what, pointer, keyed(key, &size(a)), keyed(key, &size(b)));
        } else if sorted(a) == sorted(b) {
            self.found.add(What::Order, pointer, keyed(key, &shown(a)), keyed(key, &shown(b)));
        } else {
            for (at, (first, second)) in a.iter().zip(b).enumerate() {
                self.values(&format!("{pointer}/{at}"), key, first, second);
            }
        }
    }

    fn texts(&mut self, pointer: &str, key: &str, first: &str, second: &str) {
        if first.contains('\n') || second.contains('\n') {
            text::compare(self.what, pointer, first, second, self.found);
            return;
        }
        for (mut first, mut second) in excerpts(first, second) {
            for excerpt in [&mut first, &mut second] {
                if excerpt.text.len() < 80 {
                    let start = format!("{key}: ");
                    excerpt.core = excerpt.core.start + start.len()..excerpt.core.end + start.len();
                    excerpt.text.insert_str(0, &start);
                }
            }
            self.found.add(self.what, pointer, first, second);
        }
    }
}

/// Returns the pointer to a value of an object (RFC 6901).
pub(super) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Shows the keys of an object from the first one that differs.
fn keys(keys: &[String]) -> String {
    let shown: Vec<String> = keys.iter().take(4).map(|key| short(&Value::from(key.as_str()))).collect();
    format!("{{{}{}}}", shown.join(","), if keys.len() > 4 { ",…" } else { "" })
}

/// Makes an excerpt of a value after its key.
fn keyed(key: &str, value: &str) -> Excerpt {
    let start = if key.is_empty() { String::new() } else { format!("{key}: ") };
    let text = format!("{start}{value}");
    Excerpt::of(&text, start.len()..text.len())
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, first: &str, second: &str) -> Vec<String> {
        let mut found = Found::default();
        assert!(compare(name, first, second, &mut found));
        let line = |detail: super::super::Detail| {
            format!("{} {}: {} | {}", detail.what.name(), detail.place, detail.first.text, detail.second.text)
        };
        found.details.into_iter().map(line).collect()
    }

    #[test]
    fn values_are_named_by_their_keys() {
        let first = r#"{ "a": { "b/c": 1, "same": [1] }, "id": "x-1", "l": [1, 2], "only": true }"#;
        let second = r#"{ "a": { "b/c": 2, "same": [1] }, "id": "x-2", "l": [1, 3] }"#;
        assert_eq!(
            found("x.json", first, second),
            [
                "json /a/b~1c: b/c: 1 | b/c: 2",
                "json /id: id: x-1 | id: x-2",
                "json /l/1: l: 2 | l: 3",
                "json /only: only: true | only: (absent)",
            ]
        );
    }

    #[test]
    fn order_and_layout_are_told_from_values() {
        assert_eq!(found("x", "[[1],[2]]", "[[2],[1]]"), ["order : [[1],[2]] | [[2],[1]]"]);
        assert!(found("x", r#"{"a":1,"b":2}"#, r#"{ "a": 1, "b": 2 }"#)[0].starts_with("layout"));
        assert!(found("x", r#"{"a":1.0}"#, r#"{"a":1.00}"#)[0].starts_with("layout"));
        assert!(found("x", "[1,2]", "[1,2,3]")[0].contains("2 entries: [1,2] | 3 entries"));
    }

    #[test]
    fn the_order_of_keys_is_told_from_the_layout() {
        let first = r#"{"same":1,"list":[0,{"k":1,"a":{"x":1},"b/c":2}]}"#;
        let second = r#"{ "same": 1, "list": [0, { "k": 1, "b/c": 2, "a": { "x": 1 } }] }"#;
        assert_eq!(found("x.json", first, second), [r#"keyOrder /list/1: {"a","b/c"} | {"b/c","a"}"#]);
        // The first object is the one that a reader sees first.
        assert_eq!(
            found("x", r#"{"b":{"d":1,"c":2},"a":1}"#, r#"{"a":1,"b":{"c":2,"d":1}}"#),
            [r#"keyOrder : {"b","a"} | {"a","b"}"#]
        );
        // The last value of a repeated key counts, so the values are the same.
        assert_eq!(found("x", r#"{"a":1,"a":2}"#, r#"{"a":2}"#), [r#"keyOrder : {"a"} | {}"#]);
    }

    #[test]
    fn source_maps_are_told_from_other_documents() {
        let map = |path: &str| {
            format!(r#"{{"version":3,"sources":["{path}/a.ts"],"sourcesContent":["x\ny"],"mappings":"AAAA"}}"#)
        };
        assert_eq!(
            found("main.js.map", &map("/build"), &map("/other")),
            ["sourceMap /sources/0: sources: /build/a.ts | sources: /other/a.ts"]
        );
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
        let mut nothing = Found::default();
        for text in ["", "text", "{", "[1", "{ a: 1 }"] {
            assert!(!compare("x.json", text, "{}", &mut nothing), "{text}");
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(!compare("x.json", &deep, "[]", &mut nothing));
    }
}
