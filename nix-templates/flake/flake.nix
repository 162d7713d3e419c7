# Written by splitter once and never again: yours to edit. The builds are in nix/splitter.
{
  description = "Builds of this repository: dependencies, node_modules and one package an app";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    flake-parts.url = "github:hercules-ci/flake-parts";
    flake-parts.inputs.nixpkgs-lib.follows = "nixpkgs";
  };

  outputs =
    inputs:
    inputs.flake-parts.lib.mkFlake { inherit inputs; } {
      inherit (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)) systems;
      imports = [ ./nix/splitter ];
    };
}
