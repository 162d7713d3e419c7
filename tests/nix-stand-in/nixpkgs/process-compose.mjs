// A stand-in for process-compose, which no registry has: a small interpreter of the part of its configuration that
// splitter writes, with the same options. It refuses every key that it does not know.

import { spawn } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { createServer, get, request } from "node:http";
import { join } from "node:path";

const KEYS = {
  file: ["version", "is_strict", "disable_env_expansion", "ordered_shutdown", "shell", "processes"],
  shell: ["shell_command", "shell_argument"],
  process: ["description", "command", "is_template_disabled", "working_dir", "environment", "depends_on", "readiness_probe", "availability", "shutdown"],
  dependency: ["condition"],
  probe: ["exec", "http_get", "period_seconds", "timeout_seconds", "failure_threshold"],
  exec: ["command"],
  http_get: ["host", "scheme", "path", "port"],
  availability: ["restart", "max_restarts"],
  shutdown: ["signal", "timeout_seconds"],
};

function refuse(text) {
  console.error(`process-compose: ${text}`);
  process.exit(1);
}

function checkKeys(place, kind, value) {
  if (value === undefined) return;
  const unknown = Object.keys(value).find((key) => !KEYS[kind].includes(key));
  if (unknown !== undefined) refuse(`${place}: field ${unknown} not found`);
}

function readConfig(file) {
  const config = JSON.parse(readFileSync(file, "utf8"));
  checkKeys("the file", "file", config);
  checkKeys("shell", "shell", config.shell);
  if (!config.is_strict || !config.disable_env_expansion) refuse("expected is_strict and disable_env_expansion");
  for (const [name, given] of Object.entries(config.processes)) {
    checkKeys(name, "process", given);
    checkKeys(name, "availability", given.availability);
    checkKeys(name, "shutdown", given.shutdown);
    checkKeys(name, "probe", given.readiness_probe);
    checkKeys(name, "exec", given.readiness_probe?.exec);
    checkKeys(name, "http_get", given.readiness_probe?.http_get);
    for (const [other, dependency] of Object.entries(given.depends_on ?? {})) {
      checkKeys(name, "dependency", dependency);
      if (config.processes[other] === undefined) refuse(`${name} depends on ${other}, which does not exist`);
    }
  }
  return config;
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// One process of the file. States: Pending, Launched, Ready, Completed, Error, Skipped, Terminated.
class Runner {
  constructor(name, given, project) {
    Object.assign(this, { name, given, project, state: "Pending", restarts: 0, log: [], waiting: [] });
  }

  set(state) {
    this.state = state;
    this.project.say(`${this.name} is ${state}`);
    for (const wake of this.waiting.splice(0)) wake();
  }

  // Whether a dependent may start: true, false, or undefined while that is open.
  reached(condition) {
    const ended = ["Completed", "Error", "Skipped", "Terminated"].includes(this.state);
    if (condition === "process_completed_successfully") return this.state === "Completed" || (ended ? false : undefined);
    if (condition === "process_healthy") return this.state === "Ready" || (ended ? false : undefined);
    return this.state === "Skipped" ? false : this.state !== "Pending" || undefined;
  }

  async wait(condition) {
    for (;;) {
      const reached = this.reached(condition);
      if (reached !== undefined) return reached;
      await new Promise((resolve) => this.waiting.push(resolve));
    }
  }

  async start() {
    for (const [other, { condition }] of Object.entries(this.given.depends_on ?? {})) {
      if (!(await this.project.runners[other].wait(condition))) return this.set("Skipped");
    }
    if (this.project.stopping === undefined) this.launch();
  }

  launch() {
    const { command, working_dir: folder = ".", environment = [] } = this.given;
    const added = Object.fromEntries(environment.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]));
    const { shell_command: shell, shell_argument: argument } = this.project.config.shell;
    const child = spawn(shell, [argument, command], {
      cwd: folder,
      env: { ...process.env, PC_PROC_NAME: this.name, ...added },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(this.exited(code, signal))));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => this.write(String(text)));
    this.set("Launched");
    if (this.given.readiness_probe !== undefined) this.probe(child);
  }

  write(text) {
    this.log.push(text);
    for (const line of text.trimEnd().split("\n")) console.log(`[${this.name}\t] ${line}`);
  }

  async probe(child) {
    const { period_seconds: period, failure_threshold: threshold, timeout_seconds: timeout } = this.given.readiness_probe;
    for (let failures = 0; this.child === child && child.exitCode === null && failures < threshold; failures += 1) {
      if (await this.isReady(timeout * 1000)) return this.child === child && child.exitCode === null && this.set("Ready");
      await sleep(period * 1000);
    }
  }

  isReady(timeout) {
    const { exec, http_get: http } = this.given.readiness_probe;
    return new Promise((resolve) => {
      if (exec !== undefined) {
        const probe = spawn(this.project.config.shell.shell_command, ["-c", exec.command], { stdio: "ignore", timeout });
        probe.once("exit", (code) => resolve(code === 0));
        return;
      }
      const asked = get({ host: http.host, port: Number(http.port), path: http.path, timeout }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.once("error", () => resolve(false)).once("timeout", () => asked.destroy());
    });
  }

  exited(code, signal) {
    this.child = undefined;
    if (this.project.stopping !== undefined) return this.set("Terminated");
    if (code === 0) return this.set("Completed");
    const { restart, max_restarts: most = 0 } = this.given.availability;
    this.project.say(`${this.name} ended with ${code ?? signal}`);
    if (restart === "on_failure" && (most === 0 || this.restarts < most)) {
      this.restarts += 1;
      return void setTimeout(() => this.project.stopping === undefined && this.launch(), 1000);
    }
    this.set("Error");
    if (restart === "exit_on_failure") this.project.stop(code ?? 1);
  }

  async stop() {
    const { signal, timeout_seconds: timeout } = this.given.shutdown;
    const { child } = this;
    if (child === undefined) return;
    const kill = (number) => {
      try {
        process.kill(-child.pid, number);
      } catch {}
    };
    kill(signal);
    const late = setTimeout(() => kill(9), timeout * 1000);
    await this.ended;
    clearTimeout(late);
  }
}

class Project {
  constructor(config, names, logFile) {
    Object.assign(this, { config, logFile });
    const chosen = new Set();
    const open = names.length === 0 ? Object.keys(config.processes) : [...names];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (config.processes[name] === undefined) refuse(`no such process ${name}`);
      if (chosen.has(name)) continue;
      chosen.add(name);
      open.push(...Object.keys(config.processes[name].depends_on ?? {}));
    }
    this.runners = Object.fromEntries([...chosen].map((name) => [name, new Runner(name, config.processes[name], this)]));
  }

  say(text) {
    if (this.logFile !== undefined) appendFileSync(this.logFile, `${text}\n`);
  }

  async run(socket) {
    const server = createServer((asked, answer) => this.answer(asked, answer));
    server.listen(socket);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => this.stop(0));
    const starts = Object.values(this.runners).map((runner) => runner.start());
    await Promise.all(starts);
    // It ends when every process has ended.
    for (;;) {
      await Promise.race([sleep(100), this.stopping ?? sleep(100)]);
      if (this.code !== undefined) break;
      const states = Object.values(this.runners).map((runner) => runner.state);
      if (states.every((state) => ["Completed", "Error", "Skipped", "Terminated"].includes(state))) break;
    }
    server.closeAllConnections();
    server.close();
    rmSync(socket, { force: true });
    process.exit(this.code ?? 0);
  }

  // Ends processes before those that they depend on.
  stop(code) {
    this.stopping ??= (async () => {
      const open = new Set(Object.keys(this.runners));
      while (open.size > 0) {
        const free = [...open].filter((name) => ![...open].some((other) => this.runners[other].given.depends_on?.[name] !== undefined));
        await Promise.all(free.map((name) => this.runners[name].stop()));
        free.forEach((name) => open.delete(name));
      }
      this.code = code;
    })();
    return this.stopping;
  }

  answer(asked, answer) {
    const name = asked.url.match(/^\/logs\/([^/]+)$/)?.[1];
    if (asked.url === "/processes") {
      const states = Object.values(this.runners).map(({ name, state, restarts, child }) => ({ name, state, restarts, pid: child?.pid }));
      answer.end(JSON.stringify(states));
    } else if (asked.url === "/stop" && asked.method === "POST") {
      this.stop(0).then(() => answer.end("{}"));
    } else if (this.runners[name] !== undefined) {
      answer.end(this.runners[name].log.join(""));
    } else {
      answer.writeHead(404).end(`no such process ${name}`);
    }
  }
}

// Asks the process-compose of a socket.
function ask(socket, path, method = "GET") {
  return new Promise((resolve) => {
    const asked = request({ socketPath: socket, path, method }, async (answer) => {
      const text = (await answer.setEncoding("utf8").toArray()).join("");
      if (answer.statusCode !== 200) refuse(text);
      resolve(text);
    });
    asked.once("error", (error) => refuse(error.message));
    asked.end();
  });
}

const VALUES = { "-f": "config", "--config": "config", "-u": "socket", "--unix-socket": "socket", "-L": "log", "--log-file": "log", "--output": "output", "-o": "output", "--tail": "tail" };
const FLAGS = ["--use-uds", "-U", "--disable-dotenv", "--ordered-shutdown", "--tui=false", "-t=false"];

function readArguments(args) {
  const [words, options] = [[], {}];
  for (let at = 0; at < args.length; at += 1) {
    if (VALUES[args[at]] !== undefined) options[VALUES[args[at]]] = args[(at += 1)];
    else if (args[at].startsWith("-") && !FLAGS.includes(args[at])) refuse(`unknown flag: ${args[at]}`);
    else if (!args[at].startsWith("-")) words.push(args[at]);
  }
  return { words, options };
}

const { words, options } = readArguments(process.argv.slice(2));
const [command, ...rest] = words;
if (command === "up") {
  await new Project(readConfig(options.config ?? join(".", "process-compose.yaml")), rest, options.log).run(options.socket);
} else if (command === "down") {
  await ask(options.socket, "/stop", "POST");
} else if (command === "process" && rest[0] === "list") {
  for (const { name, state, restarts, pid } of JSON.parse(await ask(options.socket, "/processes"))) console.log([name, state, restarts, pid ?? "-"].join("\t"));
} else if (command === "process" && rest[0] === "logs") {
  process.stdout.write(await ask(options.socket, `/logs/${rest[1]}`));
} else {
  refuse(`unknown command ${words.join(" ")}`);
}
