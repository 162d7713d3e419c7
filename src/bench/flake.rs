//! The flake of the scratch copy: the outputs of the repository's own flake, and the usual build of each app.

/// The file that the repository's own `flake.nix` is moved to.
pub const ORIGINAL: &str = "splitter-bench-flake.nix";

/// The files to add to the copy.
pub const FILES: [(&str, &str); 2] =
    [("splitter-bench.nix", include_str!("nix/unsplit.nix")), ("splitter-bench.mjs", include_str!("nix/runner.mjs"))];

/// Returns the text of `flake.nix`. `inputs` are those of the repository's flake, as a Nix expression.
pub fn text(inputs: &str) -> String {
    format!(
        r"# Written by `splitter bench` into its scratch copy.
{{
  inputs = {inputs};
  outputs =
    inputs:
    let
      outputs = (import ./{ORIGINAL}).outputs inputs;
    in
    outputs
    // {{
      unsplit = builtins.mapAttrs (
        system: packages:
        import ./splitter-bench.nix {{
          inherit packages system;
          libraries = outputs.legacyPackages.${{system}}.libraries or {{ }};
          repository = inputs.self.outPath;
          runner = ./splitter-bench.mjs;
        }}
      ) outputs.packages;
    }};
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flake_is_an_expression() {
        let text = text("{ nixpkgs = { url = \"path:/x\"; }; }");
        assert!(rnix::Root::parse(&text).errors().is_empty(), "{text}");
        assert!(rnix::Root::parse(FILES[0].1).errors().is_empty(), "{}", FILES[0].0);
    }
}
