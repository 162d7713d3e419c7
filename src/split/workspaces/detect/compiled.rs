//! Programs that `bun build --compile` and its like make: one executable file that needs no package.

use super::script::{base, option_in};

/// An executable that a command makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compiled {
    /// The file, as the command names it or as the compiler does.
    pub(super) file: String,
    /// The system that it is for (`bun-linux-arm64`); none for the one that builds.
    pub(super) target: Option<String>,
}

/// The executable that a command makes, if it makes one.
pub(super) fn find(words: &[String]) -> Option<Compiled> {
    let compiler = words.iter().position(|word| matches!(base(word), "bun" | "deno"))?;
    let words = &words[compiler..];
    let is_deno = base(&words[0]) == "deno";
    let compiles = match is_deno {
        true => words.get(1).is_some_and(|verb| verb == "compile"),
        false => words.iter().any(|word| word == "--compile"),
    };
    if !compiles {
        return None;
    }
    let target = option_in(words, &["--target"]).filter(|target| is_deno || target.starts_with("bun-"));
    let file = option_in(words, &["--outfile", "--output", "-o"]).or_else(|| named_after_entry(words))?;
    let file = match &target {
        Some(target) if target.contains("windows") && !has_ending(&file, "exe") => format!("{file}.exe"),
        _ => file,
    };
    Some(Compiled { file, target })
}

/// Without a name, the executable is named after its entry: `src/cli.ts` makes `cli`, and `src/tool/index.ts` makes `tool`.
fn named_after_entry(words: &[String]) -> Option<String> {
    let is_script = |word: &&String| ["ts", "tsx", "mts", "js", "jsx", "mjs"].iter().any(|end| has_ending(word, end));
    let entry = words.iter().find(is_script)?;
    let mut parts = entry.rsplit('/');
    let file = parts.next()?;
    let stem = file.split('.').next().unwrap_or(file);
    let folder = parts.next().filter(|folder| !folder.is_empty() && *folder != "." && *folder != "..");
    Some(if stem == "index" { folder.unwrap_or(stem) } else { stem }.to_owned())
}

fn has_ending(file: &str, ending: &str) -> bool {
    camino::Utf8Path::new(file).extension() == Some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::workspaces::detect::script::words;

    #[test]
    fn an_executable_is_named_by_the_command_or_by_its_entry() {
        let found = |script: &str| find(&words(script)).map(|found| (found.file, found.target.unwrap_or_default()));
        let named = |file: &str, target: &str| Some((file.to_owned(), target.to_owned()));
        assert_eq!(found("bun build src/main.ts --compile --outfile dist/tool"), named("dist/tool", ""));
        assert_eq!(found("bun build --compile ./src/cli.ts"), named("cli", ""));
        assert_eq!(found("bun build --compile src/tool/index.ts"), named("tool", ""));
        let arm = "bun build --compile --target=bun-linux-arm64 a.ts --outfile=out/a";
        assert_eq!(found(arm), named("out/a", "bun-linux-arm64"));
        let windows = "bun build --compile --target bun-windows-x64 a.ts --outfile out/a";
        assert_eq!(found(windows), named("out/a.exe", "bun-windows-x64"));
        assert_eq!(found("deno compile -o tool main.ts"), named("tool", ""));
        assert_eq!(found("bun build a.ts --target=bun --outdir dist"), None);
        assert_eq!(found("deno task build"), None);
    }
}
