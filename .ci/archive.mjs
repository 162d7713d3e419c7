// Makes the archive of a release: the program, its man pages, completions and licences. The same inputs give the same bytes.
//
//   node .ci/archive.mjs TARGET PROGRAM DIR
//
// It starts the program, so it runs on a machine of the target.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { writeTar } from "../nix-templates/tools/tar.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const TEXTS = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
// Each shell's own name for the file.
const COMPLETIONS = { bash: "splitter.bash", elvish: "splitter.elv", fish: "splitter.fish", zsh: "_splitter" };

function manPages(program) {
  const folder = mkdtempSync(join(tmpdir(), "splitter-"));
  try {
    execFileSync(program, ["man", "--quiet", "--output", folder]);
    return readdirSync(folder).sort().map((name) => [`man/${name}`, readFileSync(join(folder, name))]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function files(program) {
  return [
    ...TEXTS.map((name) => [name, readFileSync(join(ROOT, name))]),
    ...Object.entries(COMPLETIONS).map(([shell, name]) => [`completions/${name}`, execFileSync(program, ["completions", shell])]),
    ...manPages(program),
  ];
}

const [target, program, out] = process.argv.slice(2);
if (out === undefined) {
  console.error("usage: node .ci/archive.mjs TARGET PROGRAM DIR");
  process.exit(1);
}
const name = `splitter-${target}`;
const entry = (path, data, executable = false) => ({ path: `${name}/${path}`, kind: "file", executable, data });
const entries = [entry("splitter", readFileSync(program), true), ...files(program).map(([path, data]) => entry(path, data))];
mkdirSync(out, { recursive: true });
const path = join(out, `${name}.tar.gz`);
writeFileSync(path, gzipSync(writeTar(entries)));
console.log(path);
