# The steps of @THIS_FILE@. Agents have Nix and a store that stays. Secrets are variables of the agents' environment hook.
set -euo pipefail
#if folder
cd "@FOLDER@"
#end

SCRATCH="$(mktemp -d)"
#if pushes
export SPLITTER_HISTORY="$SCRATCH/splitter-history.jsonl"
# Also keeps the history of a failed build, for `splitter stats`.
finish() {
  if [ -f "$SPLITTER_HISTORY" ]; then
    (cd "$SCRATCH" && buildkite-agent artifact upload splitter-history.jsonl) || true
  fi
  rm -rf "$SCRATCH"
}
trap finish EXIT
#else
trap 'rm -rf "$SCRATCH"' EXIT
#end
# A cache that does not answer is no reason to fail.
export NIX_CONFIG="
experimental-features = nix-command flakes
fallback = true
connect-timeout = 5
download-attempts = 2
#if substituters
extra-substituters = @SUBSTITUTERS@
#end
#if keys
extra-trusted-public-keys = @KEYS@
#end
"
#if cachix
nix build --inputs-from . nixpkgs#cachix --out-link "$SCRATCH/cachix"
export PATH="$SCRATCH/cachix/bin:$PATH"
cachix use "@CACHIX@"
#end
#if input
# The version that flake.lock pins.
nix build splitter --inputs-from . --override-input nixpkgs nixpkgs --no-write-lock-file --out-link "$SCRATCH/splitter"
#else
# SPLITTER_URL is the URL of a clone of splitter. With the nixpkgs of this repository, so that its update and a new splitter are the
# only reasons to compile it again.
#if url
SPLITTER_URL="@PROGRAM@"
#end
nix build "git+$SPLITTER_URL" --inputs-from . --override-input nixpkgs nixpkgs --no-write-lock-file --out-link "$SCRATCH/splitter"
#end
export PATH="$SCRATCH/splitter/bin:$PATH"

case "$1" in
check)
  splitter check
  ;;
plan)
  splitter ci matrix --format buildkite @MATRIX_OPTIONS@ | buildkite-agent pipeline upload
  ;;
# One entry of the plan, with the variables NAMES and INSTALLABLES.
build)
#block PUSHES
#if pushes
  # What was pushed is built already. Without a secret, this builds.
#end
  printf '%s\n' "$INSTALLABLES" | nix build --stdin --keep-going --print-build-logs --no-link
  ;;
#if images
images)
  registry="@REGISTRY@"
  auth="$(printf '%s:%s' "$REGISTRY_USER" "$REGISTRY_PASSWORD" | base64 | tr -d '\n')"
  umask 077
  export REGISTRY_AUTH_FILE="$SCRATCH/registry-auth.json"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "${registry%%/*}" "$auth" > "$REGISTRY_AUTH_FILE"
  splitter images push --to "$registry/" --tag "$BUILDKITE_COMMIT" --tag latest @IMAGE_SYSTEMS@
  ;;
#end
#if bots
bots)
  # It reads the lockfile and downloads the tarballs that it names. It runs no code of the branch.
  splitter update-hash
  git add nix/splitter/splitter.lock.json
  git diff --cached --quiet && exit 0
  git -c user.name=splitter -c user.email=splitter@localhost commit --message 'splitter: update the hashes'
  git push origin "HEAD:$BUILDKITE_BRANCH"
  ;;
#end
esac
