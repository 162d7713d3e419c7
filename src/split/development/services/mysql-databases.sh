# Makes the databases that do not exist, each with its seed. A database whose seed fails is removed, to be made again.
set -eu
as_root() { mariadb --no-defaults --host=127.0.0.1 --port="$PORT" --user=root "$@"; }
echo "$DATABASES" | while IFS='=' read -r name seed; do
  found=$(as_root --batch --skip-column-names --execute="SELECT 1 FROM information_schema.schemata WHERE schema_name = '$name'")
  [ -z "$found" ] || continue
  as_root --execute="CREATE DATABASE \`$name\` CHARACTER SET utf8mb4"
  [ -n "$seed" ] || continue
  as_root "$name" < "$seed" || {
    as_root --execute="DROP DATABASE \`$name\`"
    echo "the seed $seed of the database $name failed, and the database was removed" >&2
    exit 1
  }
done
