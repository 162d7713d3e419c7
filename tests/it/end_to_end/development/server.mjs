// Says what its database has, how often it was asked, and how the mail server greets.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { connect } from "node:net";

import { title } from "@acme/shared-ui";

const { MYSQL_PORT, REDIS_PORT, SMTP_PORT, PORT = "3000" } = process.env;

const firstLine = (port, question = "") =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(question));
    socket.setEncoding("utf8").once("data", (text) => resolve(socket.end() && text.trim()));
    socket.once("error", reject);
  });

function staff() {
  const options = ["--no-defaults", "--host=127.0.0.1", `--port=${MYSQL_PORT}`, "--user=root", "--batch", "--skip-column-names"];
  return execFileSync("mariadb", [...options, "--execute=SELECT name FROM staff", "office"], { encoding: "utf8" }).trim();
}

createServer(async (_request, response) => {
  const visits = (await firstLine(REDIS_PORT, "INCR visits\r\n")).slice(1);
  response.end(`${title} ${staff()} ${visits} ${await firstLine(SMTP_PORT)}`);
}).listen(Number(PORT));
