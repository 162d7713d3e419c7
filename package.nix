# The program. Its sources exclude docs and tests, so editing those does not compile it again.
{
  lib,
  rustPlatform,
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
    "splitter"
  ];
  inherit buildType;
  # The tests need package managers, Nix and the loopback: run `cargo xtask test`.
  doCheck = false;
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
