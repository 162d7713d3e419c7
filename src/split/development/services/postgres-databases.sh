# Makes the databases that do not exist, each with its seed. A database whose seed fails is removed, to be made again.
set -eu
as_postgres() { program=$1; shift; "$program" --host=127.0.0.1 --port="$PORT" --username=postgres --no-password "$@"; }
echo "$DATABASES" | while IFS='=' read -r name seed; do
  found=$(as_postgres psql --dbname=postgres --no-psqlrc --tuples-only --no-align --command="SELECT 1 FROM pg_database WHERE datname = '$name'")
  [ -z "$found" ] || continue
  as_postgres createdb "$name"
  [ -n "$seed" ] || continue
  as_postgres psql --dbname="$name" --no-psqlrc --quiet --single-transaction --set=ON_ERROR_STOP=1 --file="$seed" > /dev/null || {
    as_postgres dropdb "$name"
    echo "the seed $seed of the database $name failed, and the database was removed" >&2
    exit 1
  }
done
