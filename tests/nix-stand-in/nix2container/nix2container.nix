# The functions of nix2container that the templates use, with its arguments, and its rules for what a layer holds:
# a layer skips the store paths of the layers that it names, and no others.
pkgs:
let
  inherit (pkgs) lib;
  toList = value: if builtins.isList value then value else [ value ];

  buildLayer =
    {
      deps ? [ ],
      copyToRoot ? [ ],
      layers ? [ ],
      reproducible ? true,
      perms ? [ ],
      maxLayers ? 1,
      metadata ? { },
    }:
    assert maxLayers == 1 && builtins.isBool reproducible && builtins.isAttrs metadata;
    pkgs.stdenvNoCC.mkDerivation {
      name = "layers.json";
      __structuredAttrs = true;
      exportReferencesGraph.graph = deps ++ toList copyToRoot;
      roots = toList copyToRoot;
      inherit deps perms;
      earlier = layers;
      inherit (builtins) storeDir;
      buildCommand = ''
        ${pkgs.python3}/bin/python3 ${./nix2container.py} layer "$NIX_ATTRS_JSON_FILE" "$out"
      '';
    };

  buildImage =
    {
      name,
      tag ? null,
      config ? { },
      layers ? [ ],
      arch ? "amd64",
      created ? "0001-01-01T00:00:00Z",
    }:
    let
      image = pkgs.stdenvNoCC.mkDerivation {
        name = "image-${baseNameOf name}.json";
        __structuredAttrs = true;
        inherit layers;
        image = {
          inherit arch config created;
          name = lib.toLower name;
        };
        buildCommand = ''
          ${pkgs.python3}/bin/python3 ${./nix2container.py} image "$NIX_ATTRS_JSON_FILE" "$out"
        '';
      };
      imageTag = if tag == null then builtins.substring 11 32 (baseNameOf image.outPath) else tag;
      copy =
        program: destination:
        pkgs.writeShellScriptBin program ''
          layout=$(mktemp -d)
          trap 'rm -rf "$layout"' EXIT
          ${pkgs.python3}/bin/python3 ${./nix2container.py} layout ${image} "$layout"
          ${pkgs.skopeo}/bin/skopeo --insecure-policy copy "oci:$layout:image" ${destination}
        ''
        // {
          meta.mainProgram = program;
        };
    in
    image
    // {
      imageName = lib.toLower name;
      inherit imageTag;
      copyTo = copy "copy-to" ''"$@"'';
      copyToDockerDaemon = copy "copy-to-docker-daemon" ''"docker-daemon:${name}:${imageTag}" "$@"'';
      copyToPodman = copy "copy-to-podman" ''"containers-storage:${name}:${imageTag}" "$@"'';
    };
in
{
  inherit buildImage buildLayer;
}
