# A minimal module system: imports, options with defaults, merging, priorities, mkIf and mkMerge. As in the
# real one, a definition without an option is an error, and so is a value of the wrong type.
lib:
let
  isOption = value: value._type or null == "option";
  toModule = module: if builtins.isPath module || builtins.isString module then import module else module;

  # Returns a module as { options, definitions }, after those that it imports.
  load =
    arguments: module:
    let
      loaded = toModule module;
      value = if builtins.isFunction loaded then loaded arguments else loaded;
      hasSections = value ? config || value ? options;
      plain = removeAttrs value [
        "_class"
        "_file"
        "imports"
        "key"
      ];
    in
    lib.concatMap (load arguments) (value.imports or [ ])
    ++ [
      {
        options = value.options or { };
        definitions = if hasSections then value.config or { } else plain;
      }
    ];

  mergeOptions =
    declared:
    builtins.zipAttrsWith (
      name: values:
      if builtins.any isOption values then
        (if name == "perSystem" then mergePerSystem values else builtins.head (builtins.filter isOption values))
      else
        mergeOptions values
    ) declared;
  # Each declaration of perSystem adds a module.
  mergePerSystem = values: builtins.head values // { modules = lib.concatMap (value: value.modules or [ ]) values; };

  # Resolves the conditions of definitions: a list of { priority, value }.
  unwrap =
    priority: value:
    if value._type or null == "if" then
      lib.optionals value.condition (unwrap priority value.content)
    else if value._type or null == "merge" then
      lib.concatMap (unwrap priority) value.contents
    else if value._type or null == "override" then
      unwrap value.priority value.content
    else
      [ { inherit priority value; } ];

  # Returns the definitions with the best priority.
  strongest =
    entries:
    let
      best = builtins.foldl' (least: entry: if entry.priority < least then entry.priority else least) 9999 entries;
    in
    map (entry: entry.value) (builtins.filter (entry: entry.priority == best) entries);
  # Merges attribute sets name by name, each name with its own priorities.
  mergeNames = builtins.zipAttrsWith (
    name: values:
    let
      found = strongest (lib.concatMap (unwrap 100) values);
    in
    if builtins.length found > 1 then throw "`${name}` is defined more than once" else builtins.head found
  );

  valueOf =
    path: option: definitions:
    let
      all =
        lib.concatMap (unwrap 100) definitions
        ++ lib.optional (option ? default) {
          priority = 1500;
          value = option.default;
        };
      values = strongest all;
      check =
        value: if option.type.check value then value else throw "the option `${path}` has the wrong type: expected ${option.type.name}";
      merge = if option.type.name == "attrsOf" then mergeNames else option.type.merge;
      merged = merge (map check values);
    in
    if all == [ ] then throw "the option `${path}` has no value" else (option.apply or lib.id) merged;

  evaluate =
    path: options: definitions:
    let
      sets = map (entry: entry.value) (lib.concatMap (unwrap 100) definitions);
      unknown = builtins.filter (name: !(options ? ${name})) (lib.concatMap builtins.attrNames sets);
      step =
        name: option:
        let
          inner = map (set: set.${name}) (builtins.filter (set: set ? ${name}) sets);
          innerPath = if path == "" then name else "${path}.${name}";
        in
        if isOption option then valueOf innerPath option inner else evaluate innerPath option inner;
    in
    if unknown != [ ] then
      throw "the option `${path}.${builtins.head unknown}` does not exist"
    else
      builtins.mapAttrs step options;

  evalModules =
    {
      modules,
      specialArgs,
      path ? "",
    }:
    let
      arguments = specialArgs // {
        inherit config lib options;
      } // config._module.args;
      # A module may use only these arguments to decide its imports.
      loaded = lib.concatMap (load (specialArgs // { inherit config lib options; } // lazyArguments)) modules;
      lazyArguments = builtins.listToAttrs (
        map (name: lib.nameValuePair name arguments.${name}) [
          "pkgs"
        ]
      );
      options = mergeOptions (map (module: module.options) loaded);
      config = evaluate path options (map (module: module.definitions) loaded);
    in
    config;

  anything = lib.types.attrsOf lib.types.raw;
  setOption = lib.mkOption {
    type = anything;
    default = { };
  };
  moduleArguments = {
    options._module.args = setOption;
  };

  perSystemOutputs = [
    "apps"
    "checks"
    "devShells"
    "legacyPackages"
    "packages"
  ];
  perSystemBase =
    nixpkgs:
    { system, ... }:
    {
      options = lib.genAttrs perSystemOutputs (_name: setOption);
      config._module.args.pkgs = lib.mkOverride 1500 nixpkgs.legacyPackages.${system};
    };
in
rec {
  mkPerSystemOption = module: lib.mkOption {
    type = lib.types.raw;
    modules = [ module ];
  };

  mkFlake =
    { inputs, specialArgs ? { } }:
    module:
    let
      flakeParts = { inherit mkPerSystemOption; };
      base = {
        options = {
          systems = lib.mkOption { type = lib.types.listOf lib.types.str; };
          flake = setOption;
          perSystem = mkPerSystemOption (perSystemBase inputs.nixpkgs) // {
            default = { };
            type = {
              name = "module";
              check = _value: true;
              merge = lib.id;
            };
          };
        };
      };
      topArguments = specialArgs // {
        inherit inputs lib;
        inherit (inputs) self;
        flake-parts-lib = flakeParts;
      };
      loaded = lib.concatMap (load (topArguments // { inherit config; })) [
        base
        module
      ];
      options = mergeOptions (map (entry: entry.options) loaded);
      config = evaluate "" options (map (entry: entry.definitions) loaded);
      forSystem =
        system:
        evalModules {
          path = "";
          modules = [ moduleArguments ] ++ options.perSystem.modules ++ config.perSystem;
          specialArgs = {
            inherit system;
            inputs' = builtins.mapAttrs (_name: input: {
              packages = input.packages.${system} or { };
              legacyPackages = input.legacyPackages.${system} or { };
            }) inputs;
          };
        };
      systems = lib.genAttrs config.systems forSystem;
    in
    lib.genAttrs perSystemOutputs (output: builtins.mapAttrs (_system: value: value.${output}) systems)
    // config.flake;
}
