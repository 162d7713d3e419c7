// Greets as a mail server does.
import { createServer } from "node:net";

createServer((socket) => socket.on("error", () => {}).end("220 mail\r\n")).listen(Number(process.env.PORT), "127.0.0.1");
