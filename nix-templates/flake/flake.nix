# Written by splitter once and never again: yours to edit. The builds are in nix/splitter.
{
  description = "Builds of this repository: dependencies, node_modules and one package an app";

  inputs = {
    # Supported until @supportedUntil@.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-@release@";
    flake-parts.url = "github:hercules-ci/flake-parts";
    flake-parts.inputs.nixpkgs-lib.follows = "nixpkgs";
  };

  outputs =
    inputs:
    inputs.flake-parts.lib.mkFlake { inherit inputs; } {
      systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;
      imports = [ ./nix/splitter/flake-module.nix ];
    };
}
