mkdir -p "$DATA"
exec redis-server --port "$PORT" --bind 127.0.0.1 --dir "$PWD/$DATA" --save 60 1 --daemonize no
