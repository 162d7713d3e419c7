{
  description = "A monorepo that splitter builds";

  inputs = {
    splitter.url = "github:OWNER/splitter";
    nixpkgs.follows = "splitter/nixpkgs";
  };

  outputs =
    { nixpkgs, splitter, ... }:
    let
      # Before the first `splitter init` the record is missing, and the dev shell has only splitter.
      hasRecord = builtins.pathExists ./nix/splitter/splitter.lock.json;
      systems = if hasRecord then splitter.lib.systems { inherit (nixpkgs) lib; root = ./.; } else builtins.attrNames splitter.packages;
      outputsFor =
        pkgs:
        if hasRecord then
          (splitter.lib.mkSplit { inherit pkgs; root = ./.; }).outputs
        else
          {
            packages = { };
            checks = { };
            apps = { };
            devShells.default = pkgs.mkShellNoCC { packages = [ splitter.packages.${pkgs.stdenv.hostPlatform.system}.default ]; };
          };
      forAllSystems = output: nixpkgs.lib.genAttrs systems (system: (outputsFor nixpkgs.legacyPackages.${system}).${output});
    in
    {
      packages = forAllSystems "packages";
      checks = forAllSystems "checks";
      apps = forAllSystems "apps";
      devShells = forAllSystems "devShells";
    };
}
