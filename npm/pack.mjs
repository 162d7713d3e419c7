// Makes the npm packages of a release: one with the launcher, and one for each platform whose program is given.
//
//   node npm/pack.mjs --out DIR [--archives DIR] [PLATFORM=PROGRAM]...
//
// With --archives, the programs of all platforms come from the archives of a release, which .ci/archive.mjs makes.
// The same inputs give the same bytes. `npm publish FILE` takes the tarballs. Publish those of the platforms first.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { fileIn, writeTar } from "../nix-templates/tools/tar.mjs";

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
  return [manifest(value), file("README.md", Buffer.from(text)), ...licences(), file("bin/splitter", program, true)];
}

function write(folder, name, of, entries) {
  const path = join(folder, `${name}-${of.version}.tgz`);
  writeFileSync(path, gzipSync(writeTar(entries)));
  chmodSync(path, 0o644);
  console.log(path);
}

const USAGE = "usage: node npm/pack.mjs --out DIR [--archives DIR] [PLATFORM=PROGRAM]...";

function argumentsOf(words) {
  const found = { programs: new Map() };
  for (let at = 0; at < words.length; at += 1) {
    if (["--out", "--archives"].includes(words[at])) {
      found[words[at].slice(2)] = words[(at += 1)];
      continue;
    }
    const [platform, ...path] = words[at].split("=");
    if (!Object.hasOwn(PLATFORMS, platform) || path.length === 0) {
      throw new Error(`unexpected \`${words[at]}\`; the platforms are ${Object.keys(PLATFORMS).join(", ")}\n${USAGE}`);
    }
    found.programs.set(platform, readFileSync(path.join("=")));
  }
  if (found.out === undefined) throw new Error(`\`--out\` is missing\n${USAGE}`);
  return found;
}

function* programsOf(archives) {
  for (const [platform, { target }] of Object.entries(PLATFORMS)) {
    const archive = readFileSync(join(archives, `splitter-${target}.tar.gz`));
    yield [platform, fileIn(archive, `splitter-${target}/splitter`)];
  }
}

try {
  const { out, archives, programs } = argumentsOf(process.argv.slice(2));
  const of = project();
  mkdirSync(out, { recursive: true });
  for (const [platform, program] of [...programs, ...(archives === undefined ? [] : programsOf(archives))]) {
    write(out, packageOf(platform, of), of, platformPackage(platform, program, of));
  }
  write(out, of.name, of, mainPackage(of));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
