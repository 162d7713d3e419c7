//! The demo's builds, with the real Nix: what a source edit rebuilds.

use std::collections::BTreeMap;

use super::{Demo, DemoError, append, sample};
use crate::{
    cli::{failure::Failure, printer::GOOD, text::duration},
    nix::command::Nix,
    split::System,
};

/// The outputs that are compared.
const OUTPUTS: [&str; 4] = ["deps", "nodeModules", "api", "web"];

/// A second edit of the same file, after the build.
const EDIT: &str = "\napp.get(\"/version\", (context) => context.text(\"1\"));\n";

pub(super) fn show(nix: &Nix, demo: &Demo) -> Result<(), Failure> {
    let nix = nix.clone().in_folder(&demo.folder);
    demo.say("With Nix, an app is built from its sources and the installed dependencies:");
    build(&nix, demo)?;
    let before = derivations(&nix)?;
    demo.say(&format!("The source of {} changes again. Only its derivation is another:", sample::APP));
    append(&demo.folder.join(sample::SOURCE), EDIT)?;
    let after = derivations(&nix)?;
    let mut changed = Vec::new();
    for output in OUTPUTS {
        let is_same = before.get(output) == after.get(output);
        demo.printer.data(format_args!("  {output:<12} {}", if is_same { "same derivation" } else { "rebuilt" }));
        if !is_same {
            changed.push(output);
        }
    }
    if changed != [sample::APP] {
        return Err(DemoError::Rebuilt { expected: sample::APP, found: changed.join(", ") }.into());
    }
    build(&nix, demo)
}

fn build(nix: &Nix, demo: &Demo) -> Result<(), Failure> {
    let installable = format!(".#{}", sample::APP);
    demo.command(&format!("nix build {installable}"));
    let start = std::time::Instant::now();
    let paths = nix.build(&[&installable])?;
    for path in paths {
        demo.printer.data(format_args!("{GOOD}built{GOOD:#} {path} in {}", duration(start.elapsed())));
    }
    Ok(())
}

/// The derivation of each output.
fn derivations(nix: &Nix) -> Result<BTreeMap<String, String>, Failure> {
    let system = System::of_this_machine()?;
    let apply = "packages: builtins.mapAttrs (_: package: package.drvPath) packages";
    let value = nix.eval_json_applied(&format!(".#packages.{system}"), apply)?;
    let entries = value.as_object().into_iter().flatten();
    Ok(entries.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned()))).collect())
}
