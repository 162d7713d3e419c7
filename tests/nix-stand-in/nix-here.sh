#!/bin/bash
# Runs Nix with a real build sandbox and its own store, as root, on a machine without /nix.
# Usage: nix-here.sh STATE ARGUMENT…    for example: nix-here.sh /tmp/state build -L .#web
# The script creates the folder STATE for store, database, logs, cache and settings. NIX_BINARY names the nix to run.
#
# Builds run in a user namespace whose only user is the machine's root, and `sandbox-paths` are mounted writable.
# So the host's folders are made read-only first, in a mount namespace that ends with Nix.
# Never add /etc/ssl: for a fixed output Nix creates an empty /etc/ssl/certs/ca-certificates.crt and mounts the
# real one over it. Through such a path it empties the machine's own file.
set -euo pipefail

if [ "${1-}" = --inside ]; then
  shift
  for folder in /usr /bin /sbin /lib /lib64 /etc /opt; do
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    mount --bind "$folder" "$folder"
    mount -o remount,bind,ro "$folder"
  done
  exec "$@"
fi

state=$(mkdir -p "$1" && cd "$1" && pwd -P)
shift
nix=$(command -v "${NIX_BINARY:-nix}")
paths=()
for folder in /usr /bin /lib /lib64 /etc/alternatives ${NIX_HERE_PATHS-}; do
  [ -e "$folder" ] && paths+=("$folder")
done
mkdir -p "$state/conf" "$state/home"
cat >"$state/conf/nix.conf" <<END
experimental-features = nix-command flakes
build-users-group =
sandbox = true
sandbox-fallback = false
sandbox-paths = ${paths[*]}
substituters =
flake-registry =
max-jobs = ${NIX_HERE_JOBS:-2}
ssl-cert-file = ${NIX_SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
END
# With git's own variables set, Nix would read another repository than the one in the current folder.
while read -r variable; do unset "$variable"; done < <(git rev-parse --local-env-vars)
export NIX_STORE_DIR=$state/store NIX_STATE_DIR=$state/state NIX_LOG_DIR=$state/log NIX_CONF_DIR=$state/conf
export XDG_CACHE_HOME=$state/cache NIX_REMOTE='' HOME=$state/home
exec unshare --mount --propagation private "$0" --inside "$nix" "$@"
