// Writes a site with paths of the build in a source map, a comment and a value.
const { mkdirSync, writeFileSync } = require("node:fs");

const place = require.resolve("only-for-builds");
mkdirSync("dist", { recursive: true });
writeFileSync("dist/index.html", `<p>${require("only-for-builds")}</p><!-- ${place} -->\n`);
writeFileSync("dist/app.js", `const __dirname = ${JSON.stringify(__dirname)}; // ${process.execPath}\nconst from = ${JSON.stringify(place)};\n`);
writeFileSync("dist/app.js.map", JSON.stringify({ sources: [place], sourcesContent: [`import x from "${place}"`] }));
