// A build that writes something else each time, in ten ways. Each way is a file.
import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

const folder = process.cwd();
const now = new Date();
const seconds = Math.floor(now / 1000);
mkdirSync("dist", { recursive: true });
const write = (name, content) => writeFileSync(`dist/${name}`, content);
const json = (name, value) => write(name, JSON.stringify(value, null, 2));

write("banner.js", `/* built at ${now.toISOString()} */\nconsole.log("web");\n`);
json("release.json", { name: "web", release: randomUUID() });
write("config.js", `export const root = "${folder}";\n`);
json("main.js.map", { version: 3, sources: [`${folder}/src/index.ts`], mappings: "AAAA" });
json("app.tsbuildinfo", { version: "5.9.0", root: [`${folder}/src/index.ts`] });
json("workers.json", { threads: availableParallelism() });
json("token.json", { salt: randomBytes(16).toString("hex") });
// The order of a folder on another disk.
const names = ["alpha", "beta", "gamma", "delta"];
json("pages.json", { pages: folder.startsWith("/build") ? names : names.toReversed() });
const gzip = gzipSync("the same text");
gzip.writeUInt32LE(seconds, 4);
write("text.gz", gzip);
write("site.zip", zip("index.html", Buffer.from("<p>the same page</p>"), now));
write("site.tar", tar("index.html", Buffer.from("<p>the same page</p>"), seconds));
const program = readFileSync(new URL("program.elf", import.meta.url));
randomBytes(4).copy(program, program.indexOf(Buffer.from([0x12, 0x34, 0xab, 0xcd])));
write("addon.node", program);
write("same.txt", "the same in each build\n");

function zip(name, data, date) {
  const packed = deflateRawSync(data);
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt16LE(time, 6);
  common.writeUInt16LE(day, 8);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

function tar(name, data, time) {
  const header = Buffer.alloc(512);
  const octal = (value, size) => `${value.toString(8).padStart(size - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(data.length, 12) + octal(time, 12), 100);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  header.write(octal(header.reduce((sum, byte) => sum + byte, 0), 7), 148);
  return Buffer.concat([header, data, Buffer.alloc(512 - (data.length % 512) + 1024)]);
}
