# splitter itself: the program, and its Nix files for repositories that use them as an input.
{
  description = "Splits the Nix build of a Bun or Yarn monorepo: dependencies by lockfile, apps by source";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ]
      # nixpkgs 26.11 dropped this system.
      ++ lib.optional (lib.versionOlder lib.trivial.release "26.11") "x86_64-darwin";
      forAllSystems = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      programFor = pkgs: pkgs.callPackage ./package.nix { };

      # Adds the program to a scope. It is no input of any build, so flakes with and without this input build
      # the same.
      overlayFor =
        splitter: _final: prev:
        let
          app = description: script: {
            type = "app";
            program = "${prev.pkgs.writeShellScript "splitter-app" ''exec ${splitter}/bin/splitter ${script} "$@"''}";
            meta = { inherit description; };
          };
        in
        {
          devShell = prev.devShell.overrideAttrs (old: {
            nativeBuildInputs = old.nativeBuildInputs or [ ] ++ [ splitter ];
            shellHook = ''
              splitter hook status >/dev/null 2>&1 || splitter hook install --quiet || true
            '';
          });
          outputs = prev.outputs // {
            apps = {
              check = app "Check that the recorded hashes match the lockfile" "check";
              precache = app "Put the tarballs of all dependencies into the Nix store" "update-hash --preload";
              update-hash = app "Bring the recorded hashes up to date with the lockfile" "update-hash";
            };
          };
        };

      modulesOf = platform: {
        tune = import ./nix-modules/tune.nix platform;
        stats = import ./nix-modules/stats.nix platform;
      };
      moduleWith =
        arguments:
        import ./nix-templates/module.nix (
          {
            # If a user names a system that this flake lacks, any error should come from the user's nixpkgs.
            overlay = system: overlayFor (self.packages.${system} or { default = throw "splitter: this flake has no program for ${system}"; }).default;
          }
          // arguments
        );
    in
    {
      lib = {
        # Does the same as `import ./nix/splitter` in a repository with the Nix files.
        mkSplit =
          { pkgs, root, ... }@arguments:
          (import ./nix-templates arguments).overrideScope (overlayFor (programFor pkgs));
        # The flake-parts module for a repository that is not the flake's own folder.
        flakeModule = { root }: moduleWith { inherit root; };
        # The recorded systems of a repository that the nixpkgs of `lib` still supports.
        systems =
          { lib, root }:
          import ./nix-templates/kept-systems.nix {
            inherit lib;
            record = import ./nix-templates/record.nix { inherit root; };
          };
      };
      flakeModules.default = moduleWith { };
      # Settings of Nix for a computer, and a timer that notes what its store holds: docs/tune.md, docs/stats.md.
      nixosModules = modulesOf { isDarwin = false; };
      darwinModules = modulesOf { isDarwin = true; };
      overlays.default = final: _prev: {
        splitter = programFor final;
        mkSplit = { root, ... }@arguments: self.lib.mkSplit ({ pkgs = final; } // arguments);
      };
      templates = rec {
        default = bun;
        bun = {
          path = ./templates/bun;
          description = "A small Bun monorepo that splitter builds";
        };
        yarn = {
          path = ./templates/yarn;
          description = "A small Yarn monorepo that splitter builds";
        };
      };

      packages = forAllSystems (pkgs: rec {
        splitter = programFor pkgs;
        default = splitter;
      });
      checks = forAllSystems (pkgs: {
        splitter = programFor pkgs;
      });
      devShells = forAllSystems (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.clippy
            pkgs.git
            pkgs.nodejs
            pkgs.rustc
            pkgs.rustfmt
          ];
        };
      });
    };
}
