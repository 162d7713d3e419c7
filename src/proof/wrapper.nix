# Returns the derivations of several copies of a repository. One evaluation for all copies evaluates nixpkgs only once.
# Each copy is evaluated in place, with the inputs of this flake, which are the same as its own. So only the files that its
# derivations read are copied to the store.
inputs:
{
  # The paths of the copies.
  copies,
  # The names of the packages.
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
      installs = outputs.legacyPackages.${system}.installs or { };
      # Packages, checks that are not packages, libraries by the names of their checks, and installs of programs.
      packages =
        outputs.checks.${system} or { }
        // outputs.packages.${system}
        // builtins.listToAttrs (
          map (name: {
            name = "library-${name}";
            value = libraries.${name};
          }) (builtins.attrNames libraries)
        )
        // builtins.listToAttrs (
          builtins.concatMap (
            app:
            map (kind: {
              name = "installs.${app}.${kind}";
              value = installs.${app}.${kind};
            }) (builtins.attrNames installs.${app})
          ) (builtins.attrNames installs)
        );
      # The path of a derivation, null if there is no such package, or false if it cannot be evaluated.
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
