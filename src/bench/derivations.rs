//! Cuts the derivations of both sides into what is measured and what every run gets ready: tools and tarballs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::nix::command::log::name_of;

/// A derivation as `nix derivation show` prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    /// The outputs that it needs, by derivation.
    inputs: BTreeMap<String, BTreeSet<String>>,
    /// Whether its output is fixed by a hash.
    is_fixed: bool,
}

/// The derivations of both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// The derivations to measure: everything that the tarballs lead to, and what was asked for.
    pub measured: BTreeSet<String>,
    /// The outputs of other derivations that these need, such as Node.js.
    pub tools: BTreeMap<String, BTreeSet<String>>,
    /// The fixed outputs with the tarballs.
    pub tarballs: BTreeMap<String, BTreeSet<String>>,
}

impl Cut {
    /// Reads the JSON of `nix derivation show --recursive`. `asked` are the derivations that are built. Returns nothing for JSON
    /// that this splitter does not know.
    pub fn of(answers: &[Value], asked: &BTreeSet<String>, store: &str) -> Option<Self> {
        let mut all = BTreeMap::new();
        for answer in answers {
            all.extend(shown(answer, store)?);
        }
        let mut found = BTreeMap::new();
        let measured: BTreeSet<String> =
            all.keys().filter(|path| is_measured(path, &all, asked, &mut found)).cloned().collect();
        let mut cut = Self { measured, ..Self::default() };
        for path in &cut.measured {
            for (input, outputs) in all.get(path).into_iter().flat_map(|shown| &shown.inputs) {
                if cut.measured.contains(input) {
                    continue;
                }
                let list = if is_tarballs(input, &all) { &mut cut.tarballs } else { &mut cut.tools };
                list.entry(input.clone()).or_default().extend(outputs.iter().cloned());
            }
        }
        Some(cut)
    }
}

/// Whether a derivation downloads packages.
fn is_tarballs(path: &str, all: &BTreeMap<String, Shown>) -> bool {
    name_of(path).starts_with("deps-") && all.get(path).is_some_and(|shown| shown.is_fixed)
}

fn is_measured(
    path: &str,
    all: &BTreeMap<String, Shown>,
    asked: &BTreeSet<String>,
    found: &mut BTreeMap<String, bool>,
) -> bool {
    if let Some(known) = found.get(path) {
        return *known;
    }
    let Some(shown) = all.get(path) else { return false };
    // Derivations have no rings. JSON might.
    found.insert(path.to_owned(), false);
    let reads_tarballs = shown.inputs.keys().any(|input| is_tarballs(input, all));
    let is_own = asked.contains(path) || name_of(path).starts_with("node-modules");
    let is_measured = !shown.is_fixed
        && (is_own || reads_tarballs || shown.inputs.keys().any(|input| is_measured(input, all, asked, found)));
    found.insert(path.to_owned(), is_measured);
    is_measured
}

/// Reads the JSON. Earlier versions of Nix name the inputs `inputDrvs`, and print whole paths.
fn shown(answer: &Value, store: &str) -> Option<BTreeMap<String, Shown>> {
    let all = answer.get("derivations").unwrap_or(answer).as_object()?;
    let full = |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{store}/{path}") };
    let one = |(path, value): (&String, &Value)| {
        let inputs = value.get("inputDrvs").or_else(|| value.get("inputs")?.get("drvs"))?.as_object()?;
        let input = |(path, value): (&String, &Value)| {
            let names = value.get("outputs").unwrap_or(value).as_array()?;
            Some((full(path), names.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        };
        let is_fixed = value.get("outputs")?.as_object()?.values().any(|output| {
            // Content-addressed outputs name only the algorithm.
            output.get("hash").is_some()
        });
        Some((full(path), Shown { inputs: inputs.iter().map(input).collect::<Option<_>>()?, is_fixed }))
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(name: &str) -> String {
        format!("{}-{name}.drv", "a".repeat(32))
    }

    #[test]
    fn tools_tarballs_and_builds_are_told_apart() {
        let inputs = |names: &[&str]| -> Value {
            names
                .iter()
                .map(|name| (hash(name), json!({ "outputs": ["out"] })))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let built = json!({ "out": { "path": "x" } });
        let fixed = json!({ "out": { "hash": "sha256-x", "method": "nar" } });
        let answer = json!({ "version": 4, "derivations": {
            hash("nodejs"): { "inputs": { "drvs": {} }, "outputs": built },
            hash("bun.tgz"): { "inputs": { "drvs": inputs(&["nodejs"]) }, "outputs": fixed },
            hash("bun"): { "inputs": { "drvs": inputs(&["bun.tgz"]) }, "outputs": built },
            hash("deps-common-0"): { "inputs": { "drvs": inputs(&["nodejs"]) }, "outputs": fixed },
            hash("node-modules"): { "inputs": { "drvs": inputs(&["nodejs", "bun", "deps-common-0"]) }, "outputs": built },
            hash("web"): { "inputs": { "drvs": inputs(&["node-modules", "nodejs"]) }, "outputs": built },
            hash("unsplit-web"): { "inputs": { "drvs": inputs(&["deps-common-0", "bun"]) }, "outputs": built },
        } });
        let full = |name: &str| format!("/s/{}", hash(name));
        let asked = BTreeSet::from([full("web"), full("unsplit-web")]);
        let cut = Cut::of(std::slice::from_ref(&answer), &asked, "/s").unwrap();
        assert_eq!(cut.measured, ["node-modules", "unsplit-web", "web"].map(full).into());
        assert_eq!(cut.tools.keys().cloned().collect::<Vec<_>>(), ["bun", "nodejs"].map(full));
        assert_eq!(cut.tarballs.keys().cloned().collect::<Vec<_>>(), ["deps-common-0"].map(full));
        // The form of earlier versions.
        let old = json!({ full("x"): { "inputDrvs": { full("y"): ["out", "dev"] }, "outputs": { "out": { "path": "/s/x" } } } });
        let cut = Cut::of(&[old], &BTreeSet::from([full("x")]), "/s").unwrap();
        assert_eq!(cut.tools[&full("y")].len(), 2);
        assert_eq!(Cut::of(&[json!([])], &BTreeSet::new(), "/s"), None);
    }
}
