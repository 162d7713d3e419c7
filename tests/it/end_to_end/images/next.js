#!/usr/bin/env node
// A stand-in for Next.js with `output: "standalone"`: a server with the packages that it needs, beside its own files.
const { cpSync, mkdirSync, writeFileSync } = require("node:fs");
const { dirname } = require("node:path");

const app = ".next/standalone/apps/pages";
mkdirSync(app, { recursive: true });
mkdirSync(".next/static", { recursive: true });
writeFileSync(".next/static/chunk.js", "// a chunk\n");
const greet = dirname(require.resolve("greet/package.json", { paths: [process.cwd()] }));
cpSync(greet, ".next/standalone/node_modules/greet", { recursive: true, dereference: true });
const server = `
const { readFileSync } = require("node:fs");
const greet = require("greet");
require("node:http").createServer((_question, answer) => {
  answer.end([greet, readFileSync(__dirname + "/.next/static/chunk.js", "utf8").trim(), readFileSync(__dirname + "/public/robots.txt", "utf8").trim()].join(" "));
}).listen(process.env.PORT, process.env.HOSTNAME);
`;
writeFileSync(`${app}/server.js`, server);
