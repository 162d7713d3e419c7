{
  description = "A stand-in for nix2container: its two functions, with the arguments that the templates use.";

  inputs.nixpkgs.url = "path:../nixpkgs";

  outputs =
    { nixpkgs, ... }:
    {
      packages = builtins.mapAttrs (_system: pkgs: {
        nix2container = import ./nix2container.nix pkgs;
      }) nixpkgs.legacyPackages;
    };
}
