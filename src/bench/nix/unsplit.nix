# Written by `splitter bench` into its scratch copy. The usual build of a monorepo, made of splitter's own derivations: for each
# app one derivation that reads the whole repository, installs the packages and builds the libraries and the app.
#
# The programs, their variables and the tarballs are those of the split builds. So both sides do the same work, and differ only in
# how it is cut.
{
  # The outputs of the repository's flake for one system.
  packages,
  libraries,
  system,
  # The store path of the whole repository.
  repository,
  runner,
}:
let
  inherit (builtins)
    appendContext
    attrNames
    attrValues
    concatMap
    concatStringsSep
    filter
    foldl'
    fromJSON
    getContext
    head
    intersectAttrs
    isAttrs
    isList
    isPath
    listToAttrs
    mapAttrs
    placeholder
    removeAttrs
    replaceStrings
    toJSON
    unsafeDiscardStringContext
    ;
  isBuild = derivation: isAttrs derivation && derivation ? drvAttrs && derivation.drvAttrs ? splitterSpec;
  keyOf = derivation: unsafeDiscardStringContext derivation.drvPath;
  installsOf = build: filter (install: install != null) [ (build.install or null) (build.runtime or null) ];

  # Everything that may be a step, by the path of its derivation.
  builds = filter isBuild (attrValues libraries ++ attrValues packages);
  known = listToAttrs (
    map (derivation: {
      name = keyOf derivation;
      value = derivation;
    }) (concatMap installsOf builds ++ builds)
  );

  # The variables of a derivation as texts. Nix makes the same of them.
  textOf =
    value:
    if isList value then
      concatStringsSep " " (map textOf value)
    else if isPath value then
      "${value}"
    else
      toString value;
  environmentOf =
    derivation:
    mapAttrs (_name: textOf) (
      removeAttrs derivation.drvAttrs [
        "args"
        "builder"
        "outputs"
        "system"
      ]
    );
  contextOf =
    derivation:
    getContext (
      concatStringsSep "" (
        attrValues (environmentOf derivation)
        ++ [ "${derivation.drvAttrs.builder}" ]
        ++ map textOf derivation.drvAttrs.args
      )
    );
  inputsOf = derivation: attrValues (intersectAttrs (contextOf derivation) known);

  # The steps of a build in their order, the build itself last.
  stepsOf = build: (visit { seen = { }; order = [ ]; } build).order;
  visit =
    state: derivation:
    let
      key = keyOf derivation;
      inner = foldl' visit (state // { seen = state.seen // { ${key} = null; }; }) (inputsOf derivation);
    in
    if state.seen ? ${key} then state else inner // { order = inner.order ++ [ derivation ]; };

  # The build of a workspace reads the whole repository instead of a source set.
  withWholeRepository =
    text: toJSON (fromJSON (unsafeDiscardStringContext text) // { sources = [ { path = ""; source = "@repository@"; } ]; });
  sourcesOf =
    derivation:
    map (part: part.source) (
      (fromJSON (unsafeDiscardStringContext (derivation.drvAttrs.splitterSpec or "{}"))).sources or [ ]
    );
  kindOf =
    derivation:
    if derivation.drvAttrs ? splitterSpec then
      if derivation ? made || packages ? ${derivation.pname or ""} then "build" else "library"
    else
      "install";
  step = derivation: {
    name = derivation.name;
    kind = kindOf derivation;
    builder = "${derivation.drvAttrs.builder}";
    args = map textOf derivation.drvAttrs.args;
    passAsFile = derivation.drvAttrs.passAsFile or [ ];
    outputs = listToAttrs (
      map (name: {
        inherit name;
        value = derivation.${name}.outPath;
      }) derivation.drvAttrs.outputs or [ "out" ]
    );
    environment =
      environmentOf derivation
      // (
        if derivation.drvAttrs ? splitterSpec then
          { splitterSpec = withWholeRepository derivation.drvAttrs.splitterSpec; }
        else
          { }
      );
  };

  unsplit =
    package:
    let
      steps = stepsOf package;
      runtime = package.runtime or null;
      context = foldl' (all: derivation: all // contextOf derivation) { } steps;
      # What the steps make, and the parts of the repository that they would read.
      removed = map keyOf steps ++ concatMap sourcesOf steps;
      text = unsafeDiscardStringContext (toJSON (map step steps));
      # The last step makes this output. What programs need at run time is an output too. Everything else that the steps
      # make exists only while this is built.
      own = [ (unsafeDiscardStringContext package.outPath) ] ++ (if runtime == null then [ ] else [ (unsafeDiscardStringContext runtime.outPath) ]);
      places = [ (placeholder "out") ] ++ (if runtime == null then [ ] else [ (placeholder "runtime") ]);
      install = fromJSON (unsafeDiscardStringContext (head (installsOf package ++ [ package.nodeModules ])).drvAttrs.spec);
      whole = {
        ${unsafeDiscardStringContext repository} = {
          path = true;
        };
      };
      specification = appendContext (replaceStrings ([ "@repository@" ] ++ own) ([ (unsafeDiscardStringContext repository) ] ++ places) text) (
        removeAttrs context removed // whole
      );
    in
    derivation {
      name = "unsplit-${package.name}";
      inherit system specification;
      passAsFile = [ "specification" ];
      outputs = [ "out" ] ++ (if runtime == null then [ ] else [ "runtime" ]);
      builder = "${install.nodejs}/bin/node";
      args = [ runner ];
      __darwinAllowLocalNetworking = true;
    };
in
mapAttrs (_name: unsplit) (
  listToAttrs (
    map (name: {
      inherit name;
      value = packages.${name};
    }) (filter (name: isBuild packages.${name}) (attrNames packages))
  )
)
