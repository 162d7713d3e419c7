// Writes what a compiler would: a server that says who runs it and what it can write.
const { mkdirSync, writeFileSync } = require("node:fs");

const main = `
const { writeFileSync } = require("node:fs");
const fastify = require("fastify");
const words = require("@acme/words");
const tries = (path) => {
  try {
    writeFileSync(path, "");
    return "written";
  } catch {
    return "refused";
  }
};
fastify().get("/", async () => {
  const user = process.getuid() + ":" + process.getgid();
  return [words, user, process.env.NODE_ENV, process.env.HOME, process.cwd(), tries("/etc/x"), "EDITION"].join(" ");
}).listen({ port: process.env.PORT, host: process.env.HOST });
`;
mkdirSync("dist", { recursive: true });
writeFileSync("dist/main.js", main.replace("EDITION", require("./src/edition.json").edition));
