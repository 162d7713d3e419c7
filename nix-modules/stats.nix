# A timer that notes what the store holds, and writes the metrics of builds for a collector: docs/stats.md.
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
  cfg = config.splitter.stats;
  program = "${cfg.package}/bin/splitter";
  folder = "/var/lib/splitter";
  history = "${folder}/history.jsonl";

  files = [ history ] ++ cfg.histories;
  # A history of a checkout appears with its first build.
  script = ''
    ${program} --repo / stats --store --record --quiet >/dev/null
  ''
  + lib.optionalString (cfg.metrics != null) ''
    set --
    for file in ${lib.escapeShellArgs files}; do
      if [ -f "$file" ]; then set -- "$@" --history "$file"; fi
    done
    ${program} --repo / stats --since 30d "$@" --prometheus > ${lib.escapeShellArg cfg.metrics}.new
    mv ${lib.escapeShellArg cfg.metrics}.new ${lib.escapeShellArg cfg.metrics}
  '';
  environment = {
    SPLITTER_HISTORY = history;
  };
in
{
  options.splitter.stats = {
    enable = mkEnableOption "a daily note of what the store holds, for `splitter stats`";
    package = mkOption {
      type = types.package;
      description = "The package of splitter.";
    };
    metrics = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "/var/lib/prometheus-node-exporter/splitter.prom";
      description = "The file for the metrics of the last 30 days, in the text format of Prometheus. Its folder must exist.";
    };
    histories = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "/home/me/.local/state/splitter/history/shop-0123456789abcdef.jsonl" ];
      description = "Histories of checkouts, whose builds the metrics have too.";
    };
  };

  config = mkIf cfg.enable (
    if isDarwin then
      {
        launchd.daemons.splitter-stats = {
          script = "mkdir -p ${folder}\n${script}";
          path = [ config.nix.package ];
          inherit environment;
          serviceConfig.StartCalendarInterval = mkDefault [
            {
              Hour = 4;
              Minute = 15;
            }
          ];
        };
      }
    else
      {
        systemd.services.splitter-stats = {
          description = "Notes what the Nix store holds";
          inherit script environment;
          path = [ config.nix.package ];
          serviceConfig = {
            Type = "oneshot";
            StateDirectory = "splitter";
            Nice = mkDefault 10;
          };
        };
        systemd.timers.splitter-stats = {
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnCalendar = mkDefault "daily";
            Persistent = mkDefault true;
          };
        };
      }
  );
}
