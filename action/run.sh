#!/usr/bin/env bash
# Runs one command of splitter. Words are separated here, and no shell reads them again.
set -euo pipefail

IFS=$' \t\r\n' read -r -d '' -a words <<< "$COMMAND" || true
IFS=$' \t\r\n' read -r -d '' -a rest <<< "$ARGUMENTS" || true
if [ "${words[*]}" = check ] && [ "${#rest[@]}" -eq 0 ]; then
  rest=(--format github)
fi
exec "$PROGRAM" "${words[@]}" ${rest[@]+"${rest[@]}"}
