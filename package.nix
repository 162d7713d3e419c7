# The program. Its sources exclude docs and tests, so editing those does not compile it again.
{
  lib,
  rustPlatform,
  stdenv,
  buildType ? "release",
}:
let
  manifest = builtins.fromTOML (builtins.readFile ./Cargo.toml);
in
rustPlatform.buildRustPackage {
  pname = manifest.package.name;
  inherit (manifest.workspace.package) version;
  src = lib.fileset.toSource {
    root = ./.;
    fileset = lib.fileset.unions [
      ./Cargo.lock
      ./Cargo.toml
      ./ci-templates
      ./fixtures
      ./nix-templates
      ./src
      ./xtask/Cargo.toml
      ./xtask/src/main.rs
    ];
  };
  cargoLock.lockFile = ./Cargo.lock;
  cargoBuildFlags = [
    "--package"
    manifest.package.name
  ];
  inherit buildType;
  # The tests need package managers, Nix and the loopback: run `cargo xtask test`.
  doCheck = false;
  # The program writes them itself, so a program for another system cannot.
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    mkdir -p "$out/share/bash-completion/completions" "$out/share/fish/vendor_completions.d" "$out/share/zsh/site-functions"
    "$out/bin/splitter" completions bash > "$out/share/bash-completion/completions/splitter"
    "$out/bin/splitter" completions fish > "$out/share/fish/vendor_completions.d/splitter.fish"
    "$out/bin/splitter" completions zsh > "$out/share/zsh/site-functions/_splitter"
    "$out/bin/splitter" man --quiet --output "$out/share/man/man1"
  '';
  meta = {
    description = manifest.package.description;
    license = [
      lib.licenses.mit
      lib.licenses.asl20
    ];
    mainProgram = "splitter";
    platforms = lib.platforms.unix;
  };
}
