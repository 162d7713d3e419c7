# The packages of the stand-in for one system. Nothing here is built: programs are links to the host's, which the sandbox shows.
{
  system ? builtins.currentSystem,
  ...
}:
let
  lib = import ./lib.nix;
  host = builtins.fromJSON (builtins.readFile ./host.json);
  onSystem = host.systems.${system} or (builtins.head (builtins.attrValues host.systems));

  # What a build and a `nix develop` shell start with: PATH from the inputs.
  setup = derivation {
    name = "stand-in-stdenv";
    inherit system;
    builder = host.shell;
    passAsFile = [ "setup" ];
    setup = ''
      set -e -o pipefail
      PATH=
      for input in ''${nativeBuildInputs-} ''${buildInputs-}; do
        if [ -d "$input/bin" ]; then PATH="$PATH''${PATH:+:}$input/bin"; fi
      done
      PATH="$PATH''${PATH:+:}$hostPath"
      export PATH
    '';
    hostPath = builtins.concatStringsSep ":" host.path;
    # `exit` keeps the shell from becoming `cp`, which closes its output before it ends: Nix kills what has closed its output.
    args = [
      "-euc"
      ''PATH=$hostPath; mkdir -p "$out"; cp "$setupPath" "$out/setup"; exit 0''
    ];
  };

  mkDerivation =
    arguments:
    let
      given = removeAttrs arguments [
        "meta"
        "passthru"
      ];
      built = derivation (
        {
          inherit system;
          name = "${arguments.pname}-${arguments.version}";
          builder = host.shell;
          args = [
            "-c"
            ''
              . "$stdenv/setup"
              set -u
              if [ -n "''${buildCommandPath-}" ]; then . "$buildCommandPath"; else eval "$buildCommand"; fi
            ''
          ];
          stdenv = setup;
          outputs = [ "out" ];
          hostPath = builtins.concatStringsSep ":" host.path;
          nativeBuildInputs = [ ];
          buildInputs = [ ];
        }
        // given
      );
    in
    built
    // {
      meta = arguments.meta or { };
    }
    // (arguments.passthru or { });

  stdenvNoCC = {
    inherit mkDerivation system;
    inherit (host) shell;
    cc = {
      bintools.dynamicLinker = onSystem.loader;
      cc.lib = runCommand "gcc-lib" { } ''
        mkdir -p "$out/lib"
        ln -s ${onSystem.libraries}/libstdc++.so.6 ${onSystem.libraries}/libgcc_s.so.1 "$out/lib/"
      '';
    };
  };

  # As there, the compiler goes by the names in these variables.
  stdenv = stdenvNoCC // {
    mkDerivation =
      arguments:
      mkDerivation (
        {
          CC = "gcc";
          CXX = "g++";
        }
        // arguments
      );
  };

  runCommand =
    name: environment: buildCommand:
    mkDerivation (environment // { inherit buildCommand name; });

  # A package of programs that the host has.
  programs =
    name: paths:
    runCommand name { } (
      ''
        mkdir -p "$out/bin"
      ''
      + lib.concatStrings (
        lib.mapAttrsToList (program: path: ''
          ln -s ${path} "$out/bin/${program}"
        '') paths
      )
    )
    // {
      version = "0";
    };

  writeText =
    name: text:
    runCommand name {
      inherit text;
      passAsFile = [ "text" ];
    } ''cp "$textPath" "$out"'';

  mkShellNoCC =
    {
      packages ? [ ],
      name ? "shell",
      ...
    }:
    mkDerivation {
      inherit name;
      nativeBuildInputs = packages;
      buildCommand = ''echo "$nativeBuildInputs" > "$out"'';
    };
in
{
  inherit
    lib
    mkShellNoCC
    runCommand
    stdenv
    stdenvNoCC
    system
    writeText
    ;
  mkShell = mkShellNoCC;

  fetchurl =
    {
      url,
      hash,
      name ? baseNameOf url,
    }:
    derivation {
      inherit name url;
      system = "builtin";
      builder = "builtin:fetchurl";
      outputHash = hash;
      outputHashAlgo = null;
      outputHashMode = "flat";
      executable = false;
      unpack = false;
      preferLocalBuild = true;
      urls = [ url ];
    };

  nodejs = runCommand "nodejs" { } ''
    mkdir -p "$out/bin" "$out/include" "$out/lib/node_modules"
    ln -s ${host.node} "$out/bin/node"
    ln -s ${host.npm} "$out/lib/node_modules/npm"
    ln -s ${host.headers} "$out/include/node"
  '';
  curl = programs "curl" { inherit (host) curl; };
  python3 = programs "python3" { inherit (host) python3; };
  git = programs "git" { inherit (host) git; };
  nix = programs "nix" { nix-instantiate = host.nix; };
  patchelf = programs "patchelf" { inherit (host) patchelf; };
  coreutils = programs "coreutils" { inherit (host) env; };
  cacert = runCommand "cacert" { } ''
    mkdir -p "$out/etc/ssl/certs"
    ln -s ${host.certificates} "$out/etc/ssl/certs/ca-bundle.crt"
  '';
}
