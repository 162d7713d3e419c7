# Written once by splitter, which never changes it again: edit it as you like. The builds are in the input `splitter`.
{
  description = "Builds of this repository: dependencies, node_modules and one package per app";

  inputs = {
    # Supported until @supportedUntil@. After that, name the next release here.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-@release@";
    splitter.url = "@input@";
    splitter.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    { nixpkgs, splitter, ... }:
    let
      systems = splitter.lib.systems { inherit (nixpkgs) lib; root = ./.; };
      splitterFor = system: splitter.lib.mkSplit {
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
      apps = forAllSystems "apps";
    };
}
