//! Examples in Nix and JSON: each must parse, and those of `splitter.json` must be valid.

use jsonc_parser::{CollectOptions, JsonValue, ParseOptions};
use serde_json::Value;

use super::page::Block;

/// Returns what is wrong with an example.
pub(super) fn problem(block: &Block) -> Option<String> {
    let text = block.text();
    match block.language.as_str() {
        "nix" => nix(&text),
        "json" | "jsonc" => json(&text),
        _ => None,
    }
}

/// A text is an expression, or the lines of an attribute set. `…` is anything.
fn nix(text: &str) -> Option<String> {
    let whole = text.replace("…", "null");
    let without = text.replace("…", "");
    let forms = [whole.clone(), without.clone(), format!("{{\n{whole}\n}}"), format!("{{\n{without}\n}}")];
    let parsed = forms.map(|form| rnix::Root::parse(&form).ok());
    if parsed.iter().any(Result::is_ok) {
        return None;
    }
    parsed.into_iter().next().and_then(Result::err).map(|error| format!("no Nix: {error}"))
}

/// A text is a value, or the members of an object.
fn json(text: &str) -> Option<String> {
    let whole = text.replace("…", "");
    let parse =
        |text: &str| jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).map(|_| ());
    let Err(error) = parse(&whole) else { return if text == whole { settings(text) } else { None } };
    parse(&format!("{{{whole}}}")).err()?;
    Some(format!("no JSON: {error}"))
}

/// What is wrong with an example of `splitter.json`: an object whose keys are all in its schema.
fn settings(text: &str) -> Option<String> {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/splitter.schema.json")).unwrap();
    let Ok(Some(JsonValue::Object(object))) = jsonc_parser::parse_to_value(text, &ParseOptions::default()) else {
        return None;
    };
    let known = schema["properties"].as_object().unwrap();
    // A `package.json` has some of the keys, with values of other kinds.
    let is_manifest = object.get_array("workspaces").is_some() || object.get_object("scripts").is_some();
    let keys: Vec<String> = object.into_iter().map(|(key, _)| key.to_string()).collect();
    if is_manifest || keys.is_empty() || keys.iter().any(|key| !known.contains_key(key)) {
        return None;
    }
    let error = splitter::split::config::parse(text).err()?;
    Some(format!("no splitter.json: {error:?}"))
}

#[test]
fn examples_that_do_not_parse_are_found() {
    let check = |language: &str, text: &str| {
        let body = text.lines().map(str::to_owned).collect();
        problem(&Block { file: String::new(), line: 1, language: language.to_owned(), body, comment: None }).is_some()
    };
    for good in ["{ a = 1; }", "a = 1;\nb.c = …;", "{ inputs, ... }: { … }", "x: x"] {
        assert!(!check("nix", good), "{good}");
    }
    for wrong in ["{ a = 1 }", "a = ;", "{"] {
        assert!(check("nix", wrong), "{wrong}");
    }
    assert!(check("json", r#"{ "apps": 1 }"#) && !check("json", r#"{ "others": 1 }"#));
    assert!(!check("json", "{ \"a\": [1, …] }") && !check("jsonc", "// a\n\"b\": 1") && check("json", "{ \"a\": }"));
}
