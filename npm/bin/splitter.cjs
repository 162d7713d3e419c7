#!/usr/bin/env node
// Starts the program of this machine's platform package, and ends as it ends. Nothing is downloaded, and no script runs
// at install: the package manager chooses the platform package by its `os` and `cpu`.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const own = require("../package.json");

// splitter's own code for "the environment lacks something".
const MISSING = 3;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

function complain(lines) {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exitCode = MISSING;
}

function missing(name) {
  const of = `${name}@${own.version}`;
  complain([
    `error: the npm package ${name} is missing; it has the splitter program for this machine`,
    "hint: install again without `--omit=optional`, `--no-optional` or `--ignore-optional`",
    "hint: if node_modules comes from another machine, or the lockfile lacks the package, remove both and install on this machine",
    `hint: or add the package: \`npm install --save-optional ${of}\`, \`bun add --optional ${of}\` or \`yarn add --optional ${of}\``,
  ]);
}

function start(program) {
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  child.on("error", (error) => complain([`error: could not start ${program}: ${error.message}`]));
  child.on("exit", (code, signal) => {
    for (const each of FORWARDED) process.off(each, forward);
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // The shell that started this program must see the same signal. If the signal is ignored here, its exit code remains.
    process.exitCode = 128 + constants.signals[signal];
    process.kill(process.pid, signal);
  });
}

function run() {
  const name = `${own.name}-${process.platform}-${process.arch}`;
  if (!Object.hasOwn(own.optionalDependencies, name)) {
    complain([
      `error: splitter has no program for ${process.platform}-${process.arch}`,
      `hint: it has ${Object.keys(own.optionalDependencies).join(", ")}; with Rust, run \`cargo install --locked ${own.name}\``,
    ]);
    return;
  }
  let program;
  try {
    program = require.resolve(`${name}/bin/splitter`);
  } catch {
    missing(name);
    return;
  }
  start(program);
}

run();
