# A stand-in for the module systems of NixOS and nix-darwin: evaluates one module with values for its options, checks the types, and
# shows what is a default. Takes the module, a list of settings of the options, and a module that overrides.
{
  module,
  values,
  overrides ? { },
}:
let
  lib = {
    mkOption = option: option // { _type = "option"; };
    mkEnableOption = description: {
      _type = "option";
      type = lib.types.bool;
      default = false;
      inherit description;
    };
    mkDefault = content: {
      _type = "override";
      priority = 1000;
      inherit content;
    };
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
    escapeShellArgs = texts: builtins.concatStringsSep " " (map lib.escapeShellArg texts);
    types = {
      bool = builtins.isBool;
      str = builtins.isString;
      # A package is known by its path here.
      package = builtins.isString;
      enum = names: value: builtins.elem value names;
      nullOr = type: value: value == null || type value;
      listOf = type: value: builtins.isList value && builtins.all type value;
      attrsOf = type: value: builtins.isAttrs value && builtins.all type (builtins.attrValues value);
      ints.positive = value: builtins.isInt value && value > 0;
    };
  };
  isOption = value: value._type or "" == "option";
  # Fills options in, and refuses values that no option has.
  filled =
    path: options: given:
    let
      unknown = builtins.attrNames (removeAttrs given (builtins.attrNames options));
    in
    if unknown != [ ] then
      throw "no option ${path}.${builtins.head unknown}"
    else
      builtins.mapAttrs (
        name: option:
        let
          here = "${path}.${name}";
          value = given.${name} or option.default or (throw "the option ${here} has no value");
        in
        if !isOption option then
          filled here option (given.${name} or { })
        else if option.type value then
          value
        else
          throw "the value of ${here} has another type"
      ) options;
  evaluated = module {
    config = filled "" (evaluated.options or { }) values // {
      nix.package = "/nix/store/nix";
    };
    inherit lib;
  };
  # Other modules win over defaults; lists are joined.
  merged =
    wanted: other:
    if wanted._type or "" == "override" then
      (if other == null then wanted.content else other)
    else if builtins.isAttrs wanted then
      builtins.mapAttrs (name: value: merged value (other.${name} or null)) wanted
      // removeAttrs (if other == null then { } else other) (builtins.attrNames wanted)
    else if builtins.isList wanted then
      wanted ++ (if other == null then [ ] else other)
    else if other == null then
      wanted
    else
      throw "a value that is neither a default nor a list is set twice";
  config = evaluated.config or evaluated;
in
if config._type or "" == "if" && !config.condition then { } else merged (config.content or config) overrides
