# The socket has a relative path, from the data folder: a full one could be longer than systems allow.
exec mariadbd --no-defaults --user="$(id -un)" --datadir="$PWD/$DATA" --port="$PORT" --bind-address=127.0.0.1 --socket=mysqld.sock --pid-file=mysqld.pid
