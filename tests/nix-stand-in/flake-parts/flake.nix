# A small replacement for flake-parts: mkFlake with perSystem modules and options, for tests on a machine
# without it.
{
  description = "A small stand-in for flake-parts";
  inputs.nixpkgs-lib.url = "path:../nixpkgs";
  outputs = inputs: { lib = import ./lib.nix inputs.nixpkgs-lib.lib; };
}
