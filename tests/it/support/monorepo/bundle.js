#!/usr/bin/env node
// Usage: bundle ENTRY OUT. Writes ENTRY and all modules that it requires to one file.
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const ids = new Map();
const modules = [];

function add(file) {
  if (ids.has(file)) return ids.get(file);
  const id = modules.push("") - 1;
  ids.set(file, id);
  const resolve = createRequire(file).resolve;
  const text = fs.readFileSync(file, "utf8");
  const linked = text.replace(/require\("([^"]+)"\)/g, (_, name) => `load(${add(resolve(name))})`);
  modules[id] = `(module, load) => {\n${linked}}`;
  return id;
}

const [entry, out] = process.argv.slice(2);
add(path.resolve(entry));
fs.mkdirSync(path.dirname(out), { recursive: true });
fs.writeFileSync(
  out,
  `const modules = [\n${modules.join(",\n")}\n];
const loaded = [];
function load(id) {
  if (!loaded[id]) modules[id]((loaded[id] = { exports: {} }), load);
  return loaded[id].exports;
}
load(0);
`,
);
