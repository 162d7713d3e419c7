# A small replacement for nixpkgs: the few parts that the templates use, made of the host's own programs.
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
      # As in nixpkgs, a dropped system is still listed.
      legacyPackages = lib.genAttrs systems (
        system:
        if system == "x86_64-darwin" && !(lib.versionOlder lib.trivial.release "26.11") then
          throw "Nixpkgs ${lib.trivial.release} has dropped support for x86_64-darwin."
        else
          import ./. { inherit system; }
      );
    };
}
