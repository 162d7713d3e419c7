mkdir -p "$DATA"
exec minio server --address "127.0.0.1:$PORT" --console-address "127.0.0.1:$WEB_PORT" "$DATA"
