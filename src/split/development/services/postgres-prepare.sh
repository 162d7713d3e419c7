# Makes the data folder of PostgreSQL, once. It gets its name when it is complete.
set -eu
if [ -e "$DATA/PG_VERSION" ]; then
  made=$(cat "$DATA/PG_VERSION")
  program=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  if [ "$made" != "$program" ]; then
    echo "the data in $DATA is of PostgreSQL $made, and the program is PostgreSQL $program" >&2
    echo "hint: dump the data with PostgreSQL $made, or remove $DATA to start with an empty database" >&2
    exit 1
  fi
  # The number of a process that ended may be that of another program by now. PostgreSQL would not start.
  if [ -e "$DATA/postmaster.pid" ] && command -v ps > /dev/null; then
    pid=$(head -n 1 "$DATA/postmaster.pid")
    case $(ps -p "$pid" -o comm= || true) in
      *postgres*)
        echo "PostgreSQL runs already on $DATA, as process $pid" >&2
        echo "hint: end it: kill -INT $pid" >&2
        exit 1
        ;;
      *) rm -f "$DATA/postmaster.pid" ;;
    esac
  fi
  exit 0
fi
mkdir -p "$(dirname "$DATA")"
rm -rf "$DATA.new"
initdb --pgdata="$DATA.new" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync > "$DATA.log" 2>&1 || {
  cat "$DATA.log" >&2
  exit 1
}
mv "$DATA.new" "$DATA"
