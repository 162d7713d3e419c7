// Writes what a compiler would: a server, and a source map with paths of the build.
const { mkdirSync, writeFileSync } = require("node:fs");
const { dirname } = require("node:path");

const place = require.resolve("only-for-builds");
const main = `
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
let found = "with";
try { require("only-for-builds"); } catch { found = "without"; }
const view = readFileSync(join(__dirname, "../views/hello.txt"), "utf8").trim();
console.log(process.env.NODE_ENV, first, loaded, \`[\${process.argv.slice(2)}]\`, \`\${view}, \${require("@acme/words")}, \${found} only-for-builds\`);
// built with ${place}
`;
mkdirSync("dist/.cache", { recursive: true });
writeFileSync("dist/main.js", main);
writeFileSync("dist/main.js.map", JSON.stringify({ sources: [place, dirname(place)] }));
