// Makes the npm packages of a release: one with the launcher, and one for each platform whose program is given.
//
//   node npm/pack.mjs --out DIR [PLATFORM=PROGRAM]...
//
// The same inputs give the same bytes. `npm publish FILE` takes the tarballs. Publish those of the platforms first.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { writeTar } from "../nix-templates/tools/tar.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const PLATFORMS = JSON.parse(readFileSync(join(HERE, "platforms.json"), "utf8"));
const LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"];

// Reads what all packages have in common from the manifest of the crate, so that no second place names a version.
function project() {
  const manifest = readFileSync(join(HERE, "../Cargo.toml"), "utf8");
  const value = (key) => {
    const found = new RegExp(`^${key} = "(.*)"`, "m").exec(manifest);
    if (found === null) throw new Error(`Cargo.toml has no \`${key}\``);
    return found[1];
  };
  return {
    name: value("name"),
    version: value("version"),
    description: value("description"),
    license: value("license"),
    repository: { type: "git", url: `git+${value("repository")}.git` },
    homepage: value("repository"),
  };
}

const packageOf = (platform, of) => `${of.name}-${platform}`;
const file = (path, data, executable = false) => ({ path: `package/${path}`, kind: "file", executable, data });
const read = (path) => readFileSync(join(HERE, path));
const manifest = (value) => file("package.json", Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
const licences = () => LICENCES.map((name) => file(name, read(`../${name}`)));

function mainPackage(of) {
  const bin = "bin/splitter.cjs";
  const value = {
    ...of,
    keywords: ["nix", "bun", "yarn", "monorepo", "lockfile"],
    // `npx`, `bunx` and `yarn dlx` start the command with the name of the package.
    bin: { splitter: bin, [of.name]: bin },
    files: ["bin"],
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(Object.keys(PLATFORMS).map((each) => [packageOf(each, of), of.version])),
  };
  return [manifest(value), file("README.md", read("README.md")), ...licences(), file(bin, read(bin), true)];
}

function platformPackage(platform, program, of) {
  const { os, cpu } = PLATFORMS[platform];
  const value = {
    ...of,
    name: packageOf(platform, of),
    description: `The program of ${of.name} for ${platform}`,
    os: [os],
    cpu: [cpu],
    files: ["bin"],
    // Plug'n'Play starts no program inside of a zip.
    preferUnplugged: true,
  };
  const text = `# ${value.name}\n\n${value.description}. Install \`${of.name}\`, which chooses the package of your machine.\n`;
  return [manifest(value), file("README.md", Buffer.from(text)), ...licences(), file("bin/splitter", readFileSync(program), true)];
}

function write(folder, name, of, entries) {
  const path = join(folder, `${name}-${of.version}.tgz`);
  writeFileSync(path, gzipSync(writeTar(entries)));
  chmodSync(path, 0o644);
  console.log(path);
}

function argumentsOf(words) {
  const usage = (text) => new Error(`${text}\nusage: node npm/pack.mjs --out DIR [PLATFORM=PROGRAM]...`);
  const programs = new Map();
  let out;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === "--out") {
      out = words[(at += 1)];
      continue;
    }
    const [platform, ...program] = words[at].split("=");
    if (!Object.hasOwn(PLATFORMS, platform)) throw usage(`unknown platform \`${platform}\`; known: ${Object.keys(PLATFORMS).join(", ")}`);
    if (program.length === 0) throw usage(`\`${platform}\` has no program`);
    programs.set(platform, program.join("="));
  }
  if (out === undefined) throw usage("`--out` is missing");
  return { out, programs };
}

try {
  const { out, programs } = argumentsOf(process.argv.slice(2));
  const of = project();
  mkdirSync(out, { recursive: true });
  for (const [platform, program] of programs) write(out, packageOf(platform, of), of, platformPackage(platform, program, of));
  write(out, of.name, of, mainPackage(of));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
