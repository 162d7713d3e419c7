# No Unix socket: its path could be longer than systems allow.
exec postgres -D "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories=
