umask 077
#if to_attic
mkdir -p ~/.config/attic
printf '[servers.ci]\nendpoint = "@ENDPOINT@"\ntoken = "%s"\n' "$ATTIC_TOKEN" > ~/.config/attic/config.toml
nix build --inputs-from . nixpkgs#attic-client --out-link "$SCRATCH/attic"
export PATH="$SCRATCH/attic/bin:$PATH"
#end
#if to_ssh
printf '%s\n' "$SSH_KEY" > "$SCRATCH/ssh-key"
printf '%s\n' "$SSH_KNOWN_HOSTS" > "$SCRATCH/known-hosts"
export NIX_SSHOPTS="-i $SCRATCH/ssh-key -o UserKnownHostsFile=$SCRATCH/known-hosts"
#end
#if signs
printf '%s' "$NIX_SECRET_KEY" > "$SCRATCH/cache-key"
export SPLITTER_CACHE_KEY_FILE="$SCRATCH/cache-key"
#end
