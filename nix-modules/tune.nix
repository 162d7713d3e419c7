# Settings of Nix for a computer, as `splitter tune` advises them. The numbers are options, because a module must not read
# the computer that evaluates it: that is often another one. Every value is a default, which other modules override.
{ isDarwin }:
{ config, lib, ... }:
let
  inherit (lib)
    mkDefault
    mkEnableOption
    mkIf
    mkOption
    types
    ;
  cfg = config.splitter.tune;

  gib = 1024 * 1024 * 1024;
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  clamp =
    least: most: number:
    max least (min most number);
  divideUp = a: b: (a + b - 1) / b;

  # `splitter tune` has the same numbers: src/tune/profile.rs.
  profile =
    {
      conservative = {
        gibOfABuild = 8;
        jobs = cfg.cores / 4;
        mostJobs = 8;
        coresToShare = divideUp cfg.cores 2;
        leastCores = 1;
        days = 30;
      };
      balanced = {
        gibOfABuild = 4;
        jobs = cfg.cores / 2;
        mostJobs = 16;
        coresToShare = cfg.cores;
        leastCores = 1;
        days = 14;
      };
      high-performance = {
        gibOfABuild = 2;
        jobs = cfg.cores;
        mostJobs = 32;
        coresToShare = cfg.cores;
        leastCores = min 2 cfg.cores;
        days = 7;
      };
    }
    .${cfg.profile};

  jobs = clamp 1 profile.mostJobs (min profile.jobs (cfg.memory / profile.gibOfABuild));
  downloads =
    if cfg.profile == "conservative" then
      {
        connections = 25;
        paths = 16;
      }
    else if cfg.profile == "high-performance" || cfg.cores > 16 then
      {
        connections = 128;
        paths = 64;
      }
    else
      {
        connections = if cfg.cores > 8 then 64 else 50;
        paths = if cfg.cores > 2 then 32 else 16;
      };

  # The collector must stop above where it starts.
  minFree = clamp 2 20 (cfg.storeSize / 20);
  maxFree = max (2 * minFree) (min (5 * minFree) (cfg.storeSize / 25 * 3));
in
{
  options.splitter.tune = {
    enable = mkEnableOption "settings of Nix for this computer";
    cores = mkOption {
      type = types.ints.positive;
      description = "The cores that builds may use. `splitter tune` shows them.";
    };
    memory = mkOption {
      type = types.ints.positive;
      description = "The memory that builds may use, in GiB.";
    };
    storeSize = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      description = ''
        The size of the disk of the store, in GiB. With it, Nix collects garbage while it builds if little space is free. Leave it
        out with content-addressed derivations: the collector deletes their outputs while they are in use.
      '';
    };
    rotating = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the store is on a rotating disk, which unpacks few paths at once best.";
    };
    profile = mkOption {
      type = types.enum [
        "conservative"
        "balanced"
        "high-performance"
      ];
      default = "balanced";
      description = "How much of the computer builds may take.";
    };
    keepOutputs = mkOption {
      type = types.bool;
      default = cfg.profile != "high-performance";
      description = "Whether the garbage collector keeps what live packages are built from. For computers of developers.";
    };
    daysKept = mkOption {
      type = types.ints.positive;
      default = profile.days;
      description = "After how many days the weekly timer deletes old generations.";
    };
    caches = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = {
        "https://acme.cachix.org" = [ "acme.cachix.org-1:…" ];
      };
      description = "Binary caches with their public keys. A cache can supply any path: add only caches whose owners you trust.";
    };
  };

  config = mkIf cfg.enable {
    nix.settings = {
      max-jobs = mkDefault jobs;
      cores = mkDefault (max profile.leastCores (divideUp profile.coresToShare jobs));
      http-connections = mkDefault downloads.connections;
      max-substitution-jobs = mkDefault (if cfg.rotating then min 16 downloads.paths else downloads.paths);
      connect-timeout = mkDefault 5;
      # A timer links equal files instead. On macOS this setting damages the store.
      auto-optimise-store = mkDefault false;
      keep-outputs = mkDefault cfg.keepOutputs;
    }
    // lib.optionalAttrs (cfg.storeSize != null) {
      min-free = mkDefault (minFree * gib);
      max-free = mkDefault (maxFree * gib);
    }
    // lib.optionalAttrs (cfg.caches != { }) {
      # A cache that answers 500 fails the build otherwise.
      fallback = mkDefault true;
      # Lists of several modules are joined.
      extra-substituters = builtins.attrNames cfg.caches;
      extra-trusted-public-keys = builtins.concatLists (builtins.attrValues cfg.caches);
    };
    nix.gc = {
      automatic = mkDefault true;
      options = mkDefault "--delete-older-than ${toString cfg.daysKept}d";
    }
    // (
      if isDarwin then
        {
          interval = mkDefault {
            Weekday = 0;
            Hour = 3;
            Minute = 15;
          };
        }
      else
        {
          dates = mkDefault "weekly";
          persistent = mkDefault true;
        }
    );
    nix.optimise.automatic = mkDefault true;
  };
}
