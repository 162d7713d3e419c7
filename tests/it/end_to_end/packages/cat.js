#!/usr/bin/env node
const { readFileSync } = require("node:fs");

console.log(process.cwd(), `${readFileSync(process.argv[2], "utf8").trim()}, ${require("greet")}`);
