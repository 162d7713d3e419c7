//! The builds of the demo, with the real Nix: shows what a source edit rebuilds.

use std::collections::BTreeMap;

use super::{Demo, DemoError, append, sample};
use crate::{
    cli::{
        failure::Failure,
        style::GOOD,
        text::{duration, escape},
    },
    nix::command::{Nix, NixError},
    split::System,
};

/// The outputs to compare.
const OUTPUTS: [&str; 4] = ["deps", "nodeModules", "api", "web"];

/// A second edit of the same file, after the build.
const EDIT: &str = "\napp.get(\"/version\", (context) => context.text(\"1\"));\n";

pub(super) fn show(nix: &Nix, demo: &Demo) -> Result<(), Failure> {
    let nix = nix.clone().in_folder(&demo.folder);
    demo.say("Build an app with Nix, from its sources and the installed dependencies:");
    let built = build(&nix, demo);
    if let Err(error) = &built
        && let Some(reason) = error.unfetched_input()
    {
        say_unfetched(reason, demo);
        return Ok(());
    }
    built?;
    let before = derivations(&nix)?;
    demo.say(&format!("Edit a source file of {} again. Only its derivation changes:", sample::APP));
    append(&demo.folder.join(sample::SOURCE), EDIT)?;
    let after = derivations(&nix)?;
    let mut changed = Vec::new();
    for output in OUTPUTS {
        let is_same = before.get(output) == after.get(output);
        demo.printer.data(format_args!("  {output:<12} {}", if is_same { "unchanged" } else { "rebuilt" }));
        if !is_same {
            changed.push(output);
        }
    }
    if changed != [sample::APP] {
        return Err(DemoError::Rebuilt { expected: sample::APP, found: changed.join(", ") }.into());
    }
    Ok(build(&nix, demo)?)
}

/// Explains that the builds are skipped, and how to see them later.
fn say_unfetched(reason: &str, demo: &Demo) {
    demo.printer.data(format_args!("Nix could not fetch the inputs of the flake: {}", escape(reason)));
    demo.say("The builds are skipped. All steps above need no Nix, and worked.");
    let again = "To see the builds, run `splitter demo` again when Nix can fetch the inputs";
    let here = if demo.is_kept { format!(", or `nix build .#{}` in the sample", sample::APP) } else { String::new() };
    demo.printer.data(format_args!("{again}{here}."));
}

fn build(nix: &Nix, demo: &Demo) -> Result<(), NixError> {
    let installable = format!(".#{}", sample::APP);
    demo.command(&format!("nix build {installable}"));
    let start = std::time::Instant::now();
    let paths = nix.build(&[&installable])?;
    for path in paths {
        demo.printer.data(format_args!("{GOOD}built{GOOD:#} {path} in {}", duration(start.elapsed())));
    }
    Ok(())
}

/// Returns the derivation of each output.
fn derivations(nix: &Nix) -> Result<BTreeMap<String, String>, Failure> {
    let system = System::of_this_machine()?;
    let apply = "packages: builtins.mapAttrs (_: package: package.drvPath) packages";
    let value = nix.eval_json_applied(&format!(".#packages.{system}"), apply)?;
    let entries = value.as_object().into_iter().flatten();
    Ok(entries.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use camino::Utf8Path;

    use super::*;
    use crate::{
        cli::{
            arguments::{DemoManager, Global},
            printer::Printer,
        },
        diagnostic::Category,
    };

    /// Runs the builds with a `nix` that fails with these lines.
    fn ends_with(lines: &str) -> Result<(), Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        // The shell writes it, because a file that this process has open for writing cannot be executed.
        let mut write = Command::new("sh");
        write.args(["-c", "cat > \"$0\" && chmod 755 \"$0\"", path.join("nix").as_str()]).stdin(Stdio::piped());
        let mut write = write.spawn().unwrap();
        let script = format!("#!/bin/sh\ncat >&2 <<END\n{lines}\nEND\nexit 1\n");
        write.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(write.wait().unwrap().success());
        let global = Global { repo: None, quiet: true, verbose: 0 };
        let folder = path.to_owned();
        let demo = Demo { manager: DemoManager::Bun, global, folder, is_kept: true, printer: Printer::new(true) };
        show(&Nix::at(path.join("nix")), &demo)
    }

    #[test]
    fn without_the_inputs_the_demo_ends_well_and_a_failed_build_is_a_failure() {
        let input =
            "error:\n  … while fetching the input 'github:a/b'\n  error: unable to download 'https://host.example'";
        assert!(ends_with(input).is_ok());
        let failure = ends_with("error: Cannot build '/nix/store/x-api.drv'.").unwrap_err();
        assert_eq!(failure.error().category(), Category::Environment);
    }
}
