# A stand-in for nixpkgs' dockerTools: the arguments of `streamLayeredImage` that the templates use, with the same
# results.
{
  lib,
  python3,
  runCommand,
  stdenvNoCC,
  writeShellScript,
}:
{
  streamLayeredImage =
    {
      name,
      tag ? null,
      created ? "1970-01-01T00:00:01Z",
      config ? { },
      architecture ? "amd64",
      contents ? [ ],
      layeringPipeline,
      fakeRootCommands ? "",
    }:
    let
      data = stdenvNoCC.mkDerivation {
        name = "image-${baseNameOf name}";
        __structuredAttrs = true;
        exportReferencesGraph.graph = contents ++ [ text ];
        inherit contents fakeRootCommands;
        python = "${python3}/bin/python3";
        program = ./docker-tools.py;
        image = {
          inherit
            architecture
            config
            created
            layeringPipeline
            name
            tag
            ;
          # Not part of the image: it only holds the references of the configuration.
          exclude = "${text}";
          inherit (builtins) storeDir;
        };
        buildCommand = ''
          mkdir root
          for package in "''${contents[@]}"; do cp -rs --no-preserve=mode "$package"/. root; done
          chmod -R u+w root
          export fakeRootCommands python program out NIX_ATTRS_JSON_FILE
          # In the sandbox there is one user alone, so chown is not even tried.
          FAKEROOTDONTTRYCHOWN=1 fakeroot-sysv bash -euc '
            (cd root; eval "$fakeRootCommands")
            "$python" "$program" make "$NIX_ATTRS_JSON_FILE" root "$out"
          '
        '';
      };
      text = runCommand "config.json" {
        text = builtins.toJSON config;
        passAsFile = [ "text" ];
      } ''cp "$textPath" "$out"'';
    in
    writeShellScript "stream-${baseNameOf name}" ''exec ${python3}/bin/python3 ${./docker-tools.py} stream ${data}''
    // {
      imageName = name;
      imageTag = if tag == null then "" else tag;
    };
}
