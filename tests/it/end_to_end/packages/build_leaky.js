// Writes a server that loads a file of the build's packages, and a link to one.
const { mkdirSync, symlinkSync, writeFileSync } = require("node:fs");
const { dirname } = require("node:path");

const place = require.resolve("only-for-builds");
mkdirSync("dist/server", { recursive: true });
writeFileSync("dist/server/index.js", `module.exports = require(${JSON.stringify(place)});\n`);
symlinkSync(dirname(place), "dist/link");
