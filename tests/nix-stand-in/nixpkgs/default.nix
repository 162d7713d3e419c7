# The packages of the stand-in for one system. Nothing is compiled: programs are links to the host's, which
# the sandbox shows.
{
  system ? builtins.currentSystem,
  ...
}:
let
  lib = import ./lib.nix;
  host = builtins.fromJSON (builtins.readFile ./host.json);
  onSystem = host.systems.${system} or (builtins.head (builtins.attrValues host.systems));

  # The setup of builds and of `nix develop` shells.
  setup = derivation {
    name = "stand-in-stdenv";
    inherit system;
    builder = host.shell;
    passAsFile = [ "setup" ];
    setup = builtins.readFile ./setup.sh;
    hostPath = builtins.concatStringsSep ":" host.path;
    # `exit` keeps the shell from replacing itself by `cp`, which closes its output before it ends. Nix kills
    # a builder that has closed its output.
    args = [
      "-euc"
      ''PATH=$hostPath; mkdir -p "$out"; cp "$setupPath" "$out/setup"; exit 0''
    ];
  };

  # Takes a set, or a function of the final one, as in nixpkgs. The result has `overrideAttrs`.
  mkDerivation = given: makeDerivation (if lib.isFunction given then given else (_final: given));
  makeDerivation =
    attributesOf:
    let
      attributes = attributesOf (attributes // { finalPackage = package; });
      package = build attributes // {
        # Takes a set, a function of the previous set, or a function of the final and the previous set.
        overrideAttrs =
          given:
          let
            overlay =
              final: prev:
              let
                added = if lib.isFunction given then given prev else given;
              in
              if lib.isFunction added then given final prev else added;
          in
          makeDerivation (lib.extends overlay attributesOf);
      };
    in
    package;
  build =
    attributes:
    let
      given = removeAttrs attributes [
        "env"
        "meta"
        "passthru"
      ];
      built = derivation (
        {
          inherit system;
          name = "${attributes.pname}-${attributes.version}";
          builder = host.shell;
          args = [
            "-c"
            ''
              # With structured attributes, the variables are in a file.
              if [ -e "''${NIX_ATTRS_SH_FILE-}" ]; then source "$NIX_ATTRS_SH_FILE"; out=''${outputs[out]}; fi
              source "$stdenv/setup"
              genericBuild
            ''
          ];
          stdenv = setup;
          outputs = [ "out" ];
          hostPath = builtins.concatStringsSep ":" host.path;
          nativeBuildInputs = [ ];
          buildInputs = [ ];
        }
        // attributes.env or { }
        // given
      );
    in
    built
    // {
      meta = attributes.meta or { };
      passthru = attributes.passthru or { };
    }
    // (attributes.passthru or { });

  stdenvNoCC = {
    inherit mkDerivation system;
    inherit (host) shell;
    hostPlatform = { inherit system; };
    buildPlatform = {
      inherit system;
      canExecute = host: host.system == system;
    };
    cc = compiler // {
      bintools.dynamicLinker = onSystem.loader;
      cc.lib = runCommand "gcc-lib" { } ''
        mkdir -p "$out/lib"
        ln -s ${onSystem.libraries}/libstdc++.so.6 ${onSystem.libraries}/libgcc_s.so.1 "$out/lib/"
      '';
    };
  };
  # The host's compiler, which is on the path of every build. As in nixpkgs, these variables tell who may use
  # it.
  compiler = runCommand "compiler" { } ''
    mkdir -p "$out/nix-support"
    echo 'export CC=gcc CXX=g++' > "$out/nix-support/setup-hook"
  '';

  stdenv = stdenvNoCC // {
    mkDerivation =
      given:
      let
        attributesOf = if lib.isFunction given then given else (_final: given);
        withCompiler =
          final:
          let
            attributes = attributesOf final;
          in
          attributes // { nativeBuildInputs = [ compiler ] ++ attributes.nativeBuildInputs or [ ]; };
      in
      mkDerivation withCompiler;
  };

  runCommand =
    name: environment: buildCommand:
    stdenvNoCC.mkDerivation (environment // { inherit buildCommand name; });

  # Makes a package of the host's programs.
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
    }@given:
    mkDerivation (
      removeAttrs given [ "packages" ]
      // {
        inherit name;
        nativeBuildInputs = packages;
        buildCommand = ''echo "$nativeBuildInputs" > "$out"'';
      }
    );
in
rec {
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
  callPackage = lib.callPackageWith packages;
  packages = {
    inherit
      callPackage
      lib
      nodejs
      runCommand
      rustPlatform
      stdenv
      stdenvNoCC
      ;
  };
  writeShellScript =
    name: text:
    runCommand name {
      text = "#!${host.shell}\n${text}\n";
      passAsFile = [ "text" ];
    } ''cp "$textPath" "$out"; chmod +x "$out"'';

  # The host's cargo, with crates that a test vendored.
  rustPlatform.buildRustPackage =
    given:
    stdenv.mkDerivation (
      removeAttrs given [
        "cargoLock"
        "cargoBuildFlags"
      ]
      // {
        inherit (host.rust) cargo vendor;
        flags = builtins.concatStringsSep " " given.cargoBuildFlags;
        buildCommand = ''
          cp -r "$src" source
          chmod -R u+w source
          cd source
          export CARGO_HOME="$PWD/home" CARGO_TARGET_DIR="$PWD/target" PATH="$cargo:$PATH"
          mkdir home
          printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' "$vendor" > home/config.toml
          profile=release
          [ "$buildType" = release ] || profile=dev
          cargo build --offline --locked --profile "$profile" $flags
          mkdir -p "$out/bin"
          cp "target/$buildType/splitter" "$out/bin/"
          eval "$postInstall"
        '';
      }
    );

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

  nodejs = nodeCalled "nodejs" (host.nodeVersion or "0");
  # The same program under the names of other releases. As in nixpkgs, some are refused and some are gone.
  nodejs_24 = nodeCalled "nodejs_24" "24.1.0";
  nodejs_26 = nodeCalled "nodejs_26" "26.2.0" // {
    meta.available = false;
  };
  nodejs_18 = throw "nodejs_18 was removed";
  nodeCalled =
    name: version:
    runCommand name { } ''
      mkdir -p "$out/bin" "$out/include" "$out/lib/node_modules"
      ln -s ${host.node} "$out/bin/node"
      ln -s ${host.npm} "$out/lib/node_modules/npm"
      ln -s ${host.headers} "$out/include/node"
    ''
    // {
      inherit version;
    };
  curl = programs "curl" { inherit (host) curl; };
  python3 = programs "python3" { inherit (host) python3; };
  git = programs "git" { inherit (host) git; };
  patchelf = programs "patchelf" { inherit (host) patchelf; };
  strace = programs "strace" { inherit (host) strace; };
  # What container images hold.
  tini = programs "tini" { inherit (host) tini; };
  caddy = programs "caddy" { inherit (host) caddy; };
  skopeo = programs "skopeo" { inherit (host) skopeo; };
  busybox = runCommand "busybox" { } ''
    mkdir -p "$out/bin"
    ln -s ${host.busybox} "$out/bin/busybox"
    for name in $(${host.busybox} --list); do [ "$name" = busybox ] || ln -s busybox "$out/bin/$name"; done
  '';
  tzdata = runCommand "tzdata" { } ''
    mkdir -p "$out/share"
    ln -s ${host.timeZones} "$out/share/zoneinfo"
  '';
  dockerTools = import ./docker-tools.nix { inherit lib python3 runCommand stdenvNoCC writeShellScript; };
  writeShellScriptBin = name: text:
    runCommand name {
      text = "#!${host.shell}\n${text}\n";
      passAsFile = [ "text" ];
    } ''mkdir -p "$out/bin"; cp "$textPath" "$out/bin/${name}"; chmod +x "$out/bin/${name}"'';
  # Services for development, and what starts them.
  process-compose = runCommand "process-compose" { } ''
    mkdir -p "$out/bin"
    cp ${./process-compose.mjs} "$out/bin/process-compose.mjs"
    printf '#!${host.shell}\nexec ${host.node} %s/bin/process-compose.mjs "$@"\n' "$out" > "$out/bin/process-compose"
    chmod +x "$out/bin/process-compose"
  '';
  postgresql = folder "postgresql" host.services.postgresql;
  mariadb = folder "mariadb" host.services.mariadb;
  redis = folder "redis" host.services.redis;
  # Links to programs of folders of the host.
  folder =
    name: paths:
    runCommand name { } ''
      mkdir -p "$out/bin"
      ln -s ${toString paths} "$out/bin/"
    '';
  coreutils = programs "coreutils" { inherit (host) env; };
  cacert = runCommand "cacert" { } ''
    mkdir -p "$out/etc/ssl/certs"
    ln -s ${host.certificates} "$out/etc/ssl/certs/ca-bundle.crt"
  '';
}
