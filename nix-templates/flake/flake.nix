# Written once by splitter, which never changes it again: edit it as you like. The builds are in nix/splitter.
{
  description = "Builds of this repository: dependencies, node_modules and one package per app";

  # Supported until @supportedUntil@. After that, name the next release here.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-@release@";

  outputs =
    { nixpkgs, ... }:
    let
      systems = import ./nix/splitter/systems.nix nixpkgs.lib;
      splitterFor = system: import ./nix/splitter {
        pkgs = nixpkgs.legacyPackages.${system};
        root = ./.;
      };
      forAllSystems = output: nixpkgs.lib.genAttrs systems (system: (splitterFor system).outputs.${output});
    in
    {
      packages = forAllSystems "packages";
      legacyPackages = forAllSystems "legacyPackages";
      checks = forAllSystems "checks";
      devShells = forAllSystems "devShells";
    };
}
