# The functions of nixpkgs' lib that the templates and the other stand-in use, with the same names and
# results.
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    filter
    hasAttr
    listToAttrs
    map
    mapAttrs
    replaceStrings
    stringLength
    substring
    ;
in
rec {
  inherit (builtins)
    any
    all
    attrNames
    attrValues
    concatMap
    elem
    filter
    foldl'
    head
    isAttrs
    isFunction
    isList
    listToAttrs
    mapAttrs
    tail
    ;

  id = x: x;
  splitString = separator: text: filter builtins.isString (builtins.split (escapeRegex separator) text);
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && hasAttr (builtins.head path) set then
      attrByPath (builtins.tail path) default set.${builtins.head path}
    else
      default;
  makeSearchPath = inner: packages: concatStringsSep ":" (map (package: "${package}/${inner}") packages);
  makeBinPath = makeSearchPath "bin";
  makeLibraryPath = makeSearchPath "lib";
  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  filterAttrs = predicate: set: removeAttrs set (filter (name: !(predicate name set.${name})) (attrNames set));
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  recursiveUpdate =
    left: right:
    left
    // mapAttrs (
      name: value:
      if hasAttr name left && builtins.isAttrs value && builtins.isAttrs left.${name} then
        recursiveUpdate left.${name} value
      else
        value
    ) right;

  # Files and folders as the sources of a program.
  fileset = {
    unions = paths: paths;
    toSource =
      { root, fileset }:
      let
        kept = map toString fileset;
        isWithin = path: folder: path == folder || hasPrefix "${folder}/" path;
      in
      {
        outPath = builtins.path {
          name = "source";
          path = root;
          filter = path: _type: builtins.any (other: isWithin path other || isWithin other path) kept;
        };
      };
  };
  licenses = {
    mit.spdxId = "MIT";
    asl20.spdxId = "Apache-2.0";
  };
  platforms.unix = [
    "aarch64-darwin"
    "aarch64-linux"
    "x86_64-darwin"
    "x86_64-linux"
  ];

  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  optionalString = condition: text: if condition then text else "";
  subtractLists = removed: filter (value: !(elem value removed));
  max = left: right: if left > right then left else right;
  unique = builtins.foldl' (seen: value: if elem value seen then seen else seen ++ [ value ]) [ ];

  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      rest = stringLength text - stringLength suffix;
    in
    rest >= 0 && substring rest (-1) text == suffix;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  concatStrings = concatStringsSep "";
  concatMapStrings = f: values: concatStrings (map f values);
  stringToCharacters = text: builtins.genList (at: substring at 1 text) (stringLength text);
  escape = characters: replaceStrings characters (map (character: "\\${character}") characters);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  toLower = replaceStrings (stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    stringToCharacters "abcdefghijklmnopqrstuvwxyz"
  );

  toList = value: if builtins.isList value then value else [ value ];
  warn = message: value: builtins.trace "evaluation warning: ${message}" value;
  getLicenseFromSpdxIdOr =
    id: other:
    {
      "MIT" = {
        spdxId = "MIT";
        free = true;
      };
      "BUSL-1.1" = {
        spdxId = "BUSL-1.1";
        free = false;
      };
    }
    .${id} or other;

  # Overlays, overridable functions and callPackage.
  extends =
    overlay: definitions: final:
    let
      prev = definitions final;
    in
    prev // overlay final prev;
  makeOverridable =
    f: given:
    let
      result = f given;
      override = new: makeOverridable f (given // (if builtins.isFunction new then new given else new));
    in
    result
    // {
      inherit override;
    }
    // optionalAttrs (result ? overrideAttrs) {
      overrideAttrs =
        overlay: makeOverridable (values: (f values).overrideAttrs overlay) given;
    };
  callPackageWith =
    scope: file: given:
    let
      f = if builtins.isFunction file then file else import file;
      known = builtins.intersectAttrs (builtins.functionArgs f) scope;
    in
    makeOverridable f (known // given);

  # Compares as nixpkgs does.
  versionOlder = version: limit: builtins.compareVersions limit version == 1;
  trivial.release = removeSuffix "\n" (builtins.readFile ./release);

  getExe = package: "${package}/bin/${package.meta.mainProgram}";
  getLib = package: package.lib or package.out or package;
  fetchers.proxyImpureEnvVars = [
    "http_proxy"
    "https_proxy"
    "ftp_proxy"
    "all_proxy"
    "no_proxy"
    "HTTP_PROXY"
    "HTTPS_PROXY"
    "FTP_PROXY"
    "ALL_PROXY"
    "NO_PROXY"
    "NIX_SSL_CERT_FILE"
  ];

  # The vocabulary of the module system. The stand-in for flake-parts evaluates it.
  mkOption = option: option // { _type = "option"; };
  mkOverride = priority: content: {
    _type = "override";
    inherit content priority;
  };
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  types =
    let
      last = values: builtins.elemAt values (builtins.length values - 1);
      type = name: check: merge: { inherit check merge name; };
      single = name: check: type name check last;
    in
    rec {
      bool = single "bool" builtins.isBool;
      str = single "str" builtins.isString;
      raw = single "raw" (_value: true);
      port = single "port" (value: builtins.isInt value && value >= 0 && value <= 65535);
      package = single "package" (
        value: value ? outPath || (builtins.isString value && builtins.substring 0 1 value == "/")
      );
      enum = values: single "enum" (value: elem value values);
      of = inner: outer: outer // { nestedTypes.elemType = inner; };
      nullOr = inner: of inner (single "nullOr" (value: value == null || inner.check value));
      either = left: right: single "either" (value: left.check value || right.check value);
      listOf = inner: of inner (type "listOf" builtins.isList builtins.concatLists);
      attrsOf = inner: of inner (single "attrsOf" builtins.isAttrs);
      lazyAttrsOf = attrsOf;
    };
}
