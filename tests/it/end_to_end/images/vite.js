#!/usr/bin/env node
// A stand-in for Vite: a page, and a script with a hash in its name.
const { mkdirSync, writeFileSync } = require("node:fs");

mkdirSync("dist/assets", { recursive: true });
writeFileSync("dist/index.html", '<script src="/assets/index-CWY5q6lx.js"></script>\n');
writeFileSync("dist/assets/index-CWY5q6lx.js", `console.log("${"hello ".repeat(200)}");\n`);
writeFileSync("dist/assets/user-settings.js", "console.log(1);\n");
