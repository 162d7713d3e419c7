#!/bin/bash
# Runs Nix with a real build sandbox and a store of its own, as root, on a machine that need not have /nix.
# Use: nix-here.sh STATE ARGUMENT…    e.g. nix-here.sh /tmp/state build -L .#web
# STATE is a folder that it makes: store, database, logs, cache, settings. NIX_BINARY names the nix to run.
#
# The builds run in a user namespace whose one user is the machine's root, and what `sandbox-paths` shows is
# mounted writable. So the host's folders are made read-only first, in a mount namespace that ends with Nix.
# Never show /etc/ssl: for a fixed output Nix writes an empty /etc/ssl/certs/ca-certificates.crt to mount the
# real one over, and through such a path it empties the machine's own.
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
# Git's own variables would make Nix read another repository than the one in the current folder.
while read -r variable; do unset "$variable"; done < <(git rev-parse --local-env-vars)
export NIX_STORE_DIR=$state/store NIX_STATE_DIR=$state/state NIX_LOG_DIR=$state/log NIX_CONF_DIR=$state/conf
export XDG_CACHE_HOME=$state/cache NIX_REMOTE='' HOME=$state/home
exec unshare --mount --propagation private "$0" --inside "$nix" "$@"
