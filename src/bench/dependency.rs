//! Adds a dependency to an app that the lockfile has for another workspace. Then no package manager has to resolve anything, and
//! nothing is downloaded.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Returns the lockfile and the manifest of `app` with one more dependency of `donor`, the first that `app` does not have. Returns
/// nothing if there is none, or if the lockfile looks unusual. `has_workspaces` is false for a lockfile that does not list
/// workspaces (Yarn 1), which stays the same.
pub fn add(
    lockfile: &str,
    has_workspaces: bool,
    (app, app_manifest): (&str, &Value),
    (donor, donor_manifest): (&str, &Value),
) -> Option<(String, String)> {
    let names = |manifest: &Value| -> BTreeMap<String, String> {
        let groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
        let all = groups.iter().filter_map(|group| manifest.get(group)?.as_object());
        all.flatten().map(|(name, range)| (name.clone(), range.as_str().unwrap_or_default().to_owned())).collect()
    };
    let own = names(app_manifest);
    let is_plain = |range: &str| range.starts_with(|c: char| c.is_ascii_digit() || c == '^' || c == '~');
    let given = donor_manifest.get("dependencies")?.as_object()?.iter();
    let given = given.filter_map(|(name, range)| Some((name.as_str(), range.as_str()?)));
    let mut usable = given.filter(|(name, range)| !own.contains_key(*name) && is_plain(range));
    usable.find_map(|(name, range)| {
        let lockfile = if has_workspaces { with_line(lockfile, app, donor, name)? } else { lockfile.to_owned() };
        Some((lockfile, with_dependency(app_manifest, name, range)?))
    })
}

/// Returns a manifest with one more dependency, in the order of the names.
fn with_dependency(manifest: &Value, name: &str, range: &str) -> Option<String> {
    let mut manifest = manifest.clone();
    let object = manifest.as_object_mut()?;
    let group = object.entry("dependencies").or_insert_with(|| Value::Object(Map::new())).as_object()?;
    let mut sorted: BTreeMap<String, Value> = group.iter().map(|(name, range)| (name.clone(), range.clone())).collect();
    sorted.insert(name.to_owned(), range.into());
    object.insert("dependencies".to_owned(), Value::Object(sorted.into_iter().collect()));
    Some(format!("{manifest:#}\n"))
}

/// Copies the line of a dependency from one workspace of a lockfile to another.
fn with_line(lockfile: &str, app: &str, donor: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = lockfile.lines().collect();
    let line = section(&lines, donor)?.find(|at| name_in(lines[*at]) == name)?;
    let to = section(&lines, app)?;
    let place = to.clone().find(|at| name_in(lines[*at]) > name).unwrap_or(to.end);
    let text = [&lines[..place], &[lines[line]], &lines[place..]].concat();
    Some(text.join("\n") + "\n")
}

/// Returns the lines with the dependencies of a workspace.
fn section(lines: &[&str], workspace: &str) -> Option<std::ops::Range<usize>> {
    let bun = format!("    \"{workspace}\": {{");
    let yarn = format!("@workspace:{workspace}\":");
    let start = lines.iter().position(|line| *line == bun || !line.starts_with(' ') && line.ends_with(&yarn))?;
    let is_bun = lines[start] == bun;
    let (head, indentation) = if is_bun { ("      \"dependencies\": {", 8) } else { ("  dependencies:", 4) };
    let is_inside = |line: &str| if is_bun { line.starts_with("      ") } else { line.starts_with("  ") };
    let end = lines.iter().skip(start + 1).position(|line| !is_inside(line)).map_or(lines.len(), |at| start + 1 + at);
    let first = (start + 1..end).find(|at| lines[*at] == head)? + 1;
    let is_entry = |line: &str| line.len() > indentation && line[..indentation].trim().is_empty();
    let last = (first..end).find(|at| !is_entry(lines[*at])).unwrap_or(end);
    Some(first..last)
}

/// Returns the name in a line such as `"a": "^1",` or `a: "npm:^1"`.
fn name_in(line: &str) -> &str {
    let line = line.trim_start();
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => line.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn app() -> Value {
        json!({ "name": "web", "dependencies": { "a": "^1", "z": "^1" } })
    }

    fn donor() -> Value {
        json!({ "name": "api", "dependencies": { "a": "^1", "@s/w": "workspace:*", "@s/x": "~2.0.0" } })
    }

    #[test]
    fn a_line_of_bun_lock_is_copied() {
        let lock = "{\n  \"workspaces\": {\n    \"apps/web\": {\n      \"name\": \"web\",\n      \"dependencies\": {\n        \"a\": \"^1\",\n        \"z\": \"^1\",\n      },\n    },\n    \"apps/api\": {\n      \"dependencies\": {\n        \"@s/x\": \"~2.0.0\",\n        \"a\": \"^1\",\n      },\n    },\n  },\n}\n";
        let (edited, manifest) = add(lock, true, ("apps/web", &app()), ("apps/api", &donor())).unwrap();
        let expected = "      \"dependencies\": {\n        \"@s/x\": \"~2.0.0\",\n        \"a\": \"^1\",\n        \"z\": \"^1\",\n      },\n";
        assert!(edited.contains(expected), "{edited}");
        assert!(manifest.contains("\"@s/x\": \"~2.0.0\""), "{manifest}");
        // The other way round nothing is left to give.
        assert_eq!(
            add(lock, true, ("apps/api", &donor()), ("apps/web", &json!({ "dependencies": { "a": "^1" } }))),
            None
        );
    }

    #[test]
    fn a_line_of_yarn_lock_is_copied() {
        let lock = "\"a@npm:^1\":\n  version: 1.0.0\n\n\"api@workspace:apps/api\":\n  version: 0.0.0-use.local\n  dependencies:\n    \"@s/x\": \"npm:~2.0.0\"\n  languageName: unknown\n\n\"web@*, web@workspace:apps/web\":\n  dependencies:\n    a: \"npm:^1\"\n    z: \"npm:^1\"\n  languageName: unknown\n";
        let (edited, _) = add(lock, true, ("apps/web", &app()), ("apps/api", &donor())).unwrap();
        assert!(
            edited.contains("  dependencies:\n    \"@s/x\": \"npm:~2.0.0\"\n    a: \"npm:^1\"\n    z: \"npm:^1\"\n"),
            "{edited}"
        );
        // Yarn 1 lists no workspaces.
        let (same, _) = add("x\n", false, ("apps/web", &app()), ("apps/api", &donor())).unwrap();
        assert_eq!(same, "x\n");
    }

    proptest! {
        #[test]
        fn no_lockfile_panics(lock in "( {0,8}(\"(a|@s/x|apps/web|apps/api)\"|dependencies|\"x@workspace:apps/web\"):?( \\{| \"é\",)?\n){0,12}") {
            let _ = add(&lock, true, ("apps/web", &app()), ("apps/api", &donor()));
        }
    }
}
