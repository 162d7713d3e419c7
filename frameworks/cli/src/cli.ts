#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { greet } from "@acme/greeting";
import { program } from "commander";

program
  .argument("<file>", "a file whose text is the name, relative to the caller's folder")
  .action((file: string) => console.log(greet(readFileSync(file, "utf8").trim())));
program.parse();
