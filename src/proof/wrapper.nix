# The derivations of several copies of a repository, in one evaluation: the packages of nixpkgs are evaluated once.
# A copy is evaluated where it lies, with the inputs of this flake, which are its own: so nothing of it is copied into the
# store that its derivations do not ask for.
inputs:
{
  # Copies, by their paths.
  copies,
  # The packages to tell of.
  names,
  system,
}:
let
  derivationsOf =
    copy:
    let
      flake = import (/. + "${copy}/flake.nix");
      outputs = flake.outputs (inputs // { inherit self; });
      self = outputs // {
        inherit inputs outputs;
        _type = "flake";
        outPath = copy;
      };
      libraries = outputs.legacyPackages.${system}.libraries or { };
      # Packages, the checks that are none, and libraries by the names of their checks.
      packages =
        outputs.checks.${system} or { }
        // outputs.packages.${system}
        // builtins.listToAttrs (
          map (name: {
            name = "library-${name}";
            value = libraries.${name};
          }) (builtins.attrNames libraries)
        );
      # A text, or null where there is no such package, or false where it cannot be evaluated.
      derivationOf =
        name:
        let
          path = builtins.tryEval packages.${name}.drvPath;
        in
        if !(packages ? ${name}) then
          null
        else if path.success then
          builtins.unsafeDiscardStringContext path.value
        else
          false;
    in
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = derivationOf name;
      }) names
    );
in
map derivationsOf copies
