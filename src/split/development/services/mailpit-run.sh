mkdir -p "$DATA"
exec mailpit --smtp "127.0.0.1:$PORT" --listen "127.0.0.1:$WEB_PORT" --database "$DATA/mail.db"
