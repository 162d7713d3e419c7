//! Pages of the book that are made from the program: options of commands, keys of `splitter.json`, settings in Nix.
//!
//! With `SPLITTER_WRITE_DOCS=1` the tests write the pages. Otherwise they compare.

use std::{fmt::Write as _, process::Command};

use camino::Utf8Path;
use fs_err as fs;
use rnix::ast::{self, HasEntry as _};
use rowan::ast::AstNode as _;
use serde_json::Value;

/// Compares a page of `docs/reference` with what it should be, or writes it.
fn compare(name: &str, expected: &str) {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
    if std::env::var_os("SPLITTER_WRITE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{path} is not what the program says; run this test with SPLITTER_WRITE_DOCS=1");
}

#[test]
fn options_of_commands_are_those_of_the_help() {
    let mut page = "<!-- Made from the help texts of the program. Edit those. -->\n\n# All options\n\n\
        What `--help` prints, for each command. [Commands](../commands.md) is the overview.\n"
        .to_owned();
    write_help(&[], &mut page);
    compare("commands.md", &page);
}

/// Writes the help of a command, then that of its subcommands.
fn write_help(command: &[&str], page: &mut String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_splitter"));
    let output = program.args(command).arg("--help").env("COLUMNS", "100").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let title = ["splitter"].iter().chain(command).copied().collect::<Vec<_>>().join(" ");
    writeln!(page, "\n## {title}\n\n```text\n{}\n```", help.trim_end()).unwrap();
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default().lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    for name in names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()) && *name != "help") {
        write_help(&[command, &[name]].concat(), page);
    }
}

#[test]
fn keys_of_splitter_json_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/splitter.schema.json")).unwrap();
    let mut page = "<!-- Made from docs/splitter.schema.json. Edit that file. -->\n\n# All keys of splitter.json\n\n\
        [Configuration](../configuration.md#splitterjson) has an example. Editors check the file if its first key is \
        `\"$schema\"`, with the location of [the schema](../splitter.schema.json).\n"
        .to_owned();
    let mut sections = vec![("At the top".to_owned(), &schema)];
    for (title, name) in
        [("`workspaces.<path>`", "workspace"), ("`services.<name>`", "service"), ("`processes.<name>`", "process")]
    {
        sections.push((title.to_owned(), &schema["$defs"][name]));
    }
    for (key, value) in schema["properties"].as_object().unwrap() {
        if value["properties"].is_object() {
            sections.push((format!("`{key}`"), value));
        }
    }
    for (title, object) in sections {
        write!(page, "\n## {title}\n\n| key | value | |\n| --- | --- | --- |\n").unwrap();
        write_keys("", object, &schema, &mut page);
    }
    compare("splitter-json.md", &page);
}

/// Writes a row for each key of an object, and for those of objects below a key of a workspace.
fn write_keys(prefix: &str, object: &Value, schema: &Value, page: &mut String) {
    for (key, value) in object["properties"].as_object().unwrap() {
        let text = description(value, schema);
        assert!(!text.is_empty(), "{prefix}{key} has no description in the schema");
        writeln!(
            page,
            "| `{prefix}{key}` | {} | {} |",
            kind(value, schema).replace('|', "\\|"),
            text.replace('|', "\\|")
        )
        .unwrap();
        if value["properties"].is_object() && !prefix.contains('.') && object.get("$defs").is_none() {
            write_keys(&format!("{prefix}{key}."), value, schema, page);
        }
    }
}

fn definition<'a>(value: &Value, schema: &'a Value) -> Option<&'a Value> {
    Some(&schema["$defs"][value["$ref"].as_str()?.strip_prefix("#/$defs/")?])
}

fn description(value: &Value, schema: &Value) -> String {
    let own = value["description"].as_str();
    let text = own.or_else(|| definition(value, schema)?["description"].as_str());
    text.unwrap_or_default().to_owned()
}

/// Describes the type of a value in words.
fn kind(value: &Value, schema: &Value) -> String {
    if let Some(definition) = definition(value, schema) {
        return kind(definition, schema);
    }
    let choices = value["oneOf"].as_array().or_else(|| value["anyOf"].as_array());
    if let Some(choices) = choices {
        let mut kinds: Vec<String> = choices.iter().map(|choice| kind(choice, schema)).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(values) = value["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    if !value["const"].is_null() {
        return format!("`{}`", value["const"]);
    }
    match value["type"].as_str() {
        Some("array") if value["items"].is_object() => format!("list of {}", kind(&value["items"], schema)),
        Some("object") => "object".to_owned(),
        Some(name) => name.to_owned(),
        None => value["type"].as_array().map_or_else(
            || "any".to_owned(),
            |names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        ),
    }
}

/// A setting as the module declares it.
struct Setting {
    path: String,
    kind: String,
    default: String,
    description: String,
}

#[test]
fn settings_in_nix_are_those_of_the_module() {
    let options = settings(include_str!("../../nix-templates/options.nix"));
    let images = settings(include_str!("../../nix-templates/images/options.nix"));
    let development = settings(include_str!("../../nix-templates/development/options.nix"));
    let mut page = "<!-- Made from nix-templates/options.nix and the files that it imports. Edit those. -->\n\n# All settings in Nix\n\n\
        With flake-parts these are options of `perSystem.splitter`, otherwise arguments of `import ./nix/splitter`. \
        [The Nix interface](../nix.md#settings) explains how to use them. \"As recorded\" means: what `splitter scan` found or \
        `splitter.json` says.\n"
        .to_owned();
    let below = |settings: &[Setting], binding: &str| -> Vec<(String, String)> {
        let of_binding = settings.iter().filter_map(|setting| {
            let path = setting.path.strip_prefix(binding)?;
            Some((path.trim_start_matches('.').to_owned(), row(path.trim_start_matches('.'), setting)))
        });
        of_binding.collect()
    };
    let bindings = ["buildOptions", "appOptions", "libraryOptions"];
    let global: Vec<&Setting> =
        options.iter().filter(|setting| !bindings.iter().any(|name| setting.path.starts_with(name))).collect();
    let mut section = |title: &str, rows: Vec<String>| {
        assert!(!rows.is_empty(), "{title}");
        write!(page, "\n## {title}\n\n| setting | type | default | |\n| --- | --- | --- | --- |\n{}", rows.concat())
            .unwrap();
    };
    section("The repository", global.iter().map(|setting| row(&setting.path, setting)).collect());
    section("`development`", development.iter().map(|setting| row(&setting.path, setting)).collect());
    // A binding of its own replaces what all builds have.
    let with_common = |binding: &str| {
        let own = below(&options, binding);
        let common =
            below(&options, "buildOptions").into_iter().filter(|(path, _)| !own.iter().any(|(other, _)| other == path));
        own.iter().cloned().chain(common).map(|(_, row)| row).collect::<Vec<_>>()
    };
    section("`apps.<name>`", with_common("appOptions"));
    section("`apps.<name>.image`", images.iter().map(|setting| row(&setting.path, setting)).collect());
    section("`libraries.<name>`", with_common("libraryOptions"));
    compare("nix-settings.md", &page);
}

fn row(path: &str, setting: &Setting) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace("\\${", "${");
    format!("| `{path}` | {} | {} | {} |\n", cell(&setting.kind), cell(&setting.default), cell(&setting.description))
}

/// Returns each `mkOption` of a Nix file, with the path of attributes that leads to it.
fn settings(nix: &str) -> Vec<Setting> {
    let parsed = rnix::Root::parse(nix);
    assert!(parsed.errors().is_empty());
    let bindings = parsed.syntax().descendants().filter_map(ast::AttrpathValue::cast);
    bindings.filter_map(|binding| setting(&binding)).collect()
}

fn setting(binding: &ast::AttrpathValue) -> Option<Setting> {
    let ast::Expr::Apply(call) = binding.value()? else { return None };
    if call.lambda()?.syntax().text() != "mkOption" {
        return None;
    }
    let ast::Expr::AttrSet(set) = call.argument()? else { return None };
    let field = |name: &str| {
        let entry =
            set.attrpath_values().find(|entry| entry.attrpath().is_some_and(|path| path.syntax().text() == name))?;
        Some(entry.value()?.syntax().text().to_string())
    };
    let ancestors = binding.syntax().ancestors().filter_map(ast::AttrpathValue::cast);
    let mut path: Vec<String> =
        ancestors.filter_map(|entry| Some(entry.attrpath()?.syntax().text().to_string())).collect();
    path.reverse();
    let path = path.join(".");
    let text = |field: Option<String>| field.map(|text| text.trim_matches('"').to_owned());
    let description = text(field("description")).unwrap_or_else(|| panic!("{path} has no description"));
    // A text of one word is an expression, others are sentences.
    let in_marks = |text: String| if text.contains(' ') { text } else { format!("`{text}`") };
    let default = text(field("defaultText")).map_or_else(|| default(field("default")), in_marks);
    Some(Setting { path, kind: kind_of_nix(&field("type")?), default, description })
}

/// Shows a default that is a plain value, and names the record for others.
fn default(value: Option<String>) -> String {
    let is_plain = |value: &String| {
        !value.contains('\n')
            && (value.starts_with(['"', '[', '{']) || ["true", "false", "null"].contains(&value.as_str()))
    };
    value.filter(is_plain).map_or_else(|| "as recorded".to_owned(), |value| format!("`{value}`"))
}

/// Says a type of nixpkgs' `types` in words.
fn kind_of_nix(source: &str) -> String {
    let words: Vec<&str> = source.split_whitespace().collect();
    in_words(&words.join(" ").replace("types.", ""))
}

fn in_words(kind: &str) -> String {
    let kind = kind.trim();
    let kind = kind.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(kind).trim();
    if let Some(values) = kind.strip_prefix("enum [").and_then(|rest| rest.strip_suffix(']')) {
        return values.split_whitespace().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    match kind.split_once(' ') {
        Some(("nullOr", rest)) => format!("{} or `null`", in_words(rest)),
        Some(("listOf", rest)) => format!("list of {}s", in_words(rest)),
        Some(("attrsOf", rest)) => format!("{}s by name", in_words(rest)),
        Some(("either", rest)) => rest
            .split_once(' ')
            .map_or_else(|| rest.to_owned(), |(first, second)| format!("{} or {}", in_words(first), in_words(second))),
        _ => match kind {
            "str" => "string".to_owned(),
            "bool" => "boolean".to_owned(),
            "raw" => "value".to_owned(),
            other => other.to_owned(),
        },
    }
}
