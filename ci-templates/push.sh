umask 077
#if to_attic
mkdir -p ~/.config/attic
printf '[servers."@SERVER@"]\nendpoint = "%s"\ntoken = "%s"\n' "$ATTIC_ENDPOINT" "$ATTIC_TOKEN" > ~/.config/attic/config.toml
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
printf '%s\n' "$NAMES" | tr '\n' '\0' | xargs -0 splitter cache push --to "@TARGET@"
