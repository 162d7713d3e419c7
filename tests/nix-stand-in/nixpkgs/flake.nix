# A stand-in for nixpkgs: the few things that the templates use, made of the host's own programs.
{
  description = "A small stand-in for nixpkgs, for tests on a machine without one";

  outputs =
    _inputs:
    let
      lib = import ./lib.nix;
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-darwin"
        "x86_64-linux"
      ];
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems (system: import ./. { inherit system; });
    };
}
