# Makes the data folder of MariaDB, once. It gets its name when it is complete.
set -eu
[ ! -e "$DATA/mysql" ] || exit 0
mkdir -p "$(dirname "$DATA")"
rm -rf "$DATA.new"
mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$PWD/$DATA.new" --auth-root-authentication-method=normal --skip-test-db > "$DATA.log" 2>&1 || {
  cat "$DATA.log" >&2
  exit 1
}
mv "$DATA.new" "$DATA"
