// Written by `splitter bench` into its scratch copy. Runs the builders of several derivations one after the other, each with the
// variables, the files and the folder that Nix would give it.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { NIX_BUILD_TOP, NIX_BUILD_CORES, NIX_STORE, specificationPath } = process.env;

// Nix reads this line and tells the phase in its log.
const enter = (phase) => process.stderr.write(`@nix ${JSON.stringify({ action: "setPhase", phase })}\n`);

function run(step, folder) {
  mkdirSync(folder, { recursive: true });
  const places = Object.fromEntries(["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"].map((name) => [name, folder]));
  const environment = { PATH: "/path-not-set", HOME: "/homeless-shelter", NIX_STORE, NIX_BUILD_CORES, NIX_LOG_FD: "2", TERM: "xterm-256color", ...places };
  for (const [name, value] of Object.entries({ ...step.environment, ...step.outputs })) {
    if (!step.passAsFile.includes(name)) {
      environment[name] = value;
      continue;
    }
    const file = join(folder, `.attr-${createHash("sha256").update(name).digest("hex")}`);
    writeFileSync(file, value);
    environment[`${name}Path`] = file;
  }
  const { status, signal, error } = spawnSync(step.builder, step.args, { cwd: folder, env: environment, stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw error;
  if (status === 0) return;
  console.error(`${step.name} failed: ${signal ?? `exit code ${status}`}`);
  process.exit(1);
}

const steps = JSON.parse(readFileSync(specificationPath, "utf8"));
for (const [number, step] of steps.entries()) {
  enter(step.kind);
  const folder = join(NIX_BUILD_TOP, `step-${number}`);
  run(step, folder);
  rmSync(folder, { recursive: true, force: true });
}
enter("register");
