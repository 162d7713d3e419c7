// A proxy for hosts whose names are built into package managers and that they reach only by https. It forwards requests for
// GitHub to the loopback forge, and answers requests for Yarn 1 with a file. Arguments: the forge's URL, that file, the folder
// of the templates' tools.

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";

const [forge, yarn, tools] = process.argv.slice(2);
const { answerConnect } = await import(`${tools}/connect.mjs`);

const server = createServer((asked, answer) => {
  const host = asked.socket.tunnelTo?.replace(/:\d+$/, "");
  if (host === "classic.yarnpkg.com") return answer.end(readFileSync(yarn));
  if (host === "repo.yarnpkg.com") return answer.end(JSON.stringify({ latest: { stable: "4.0.0" }, tags: ["4.0.0"] }));
  const [, repository, revision] = /^\/([^/]+\/[^/]+)\/(?:archive|tar\.gz)\/([0-9a-f]+)(?:\.tar\.gz)?$/.exec(asked.url) ?? [];
  if (!/(?:^|\.)github\.com$/.test(host ?? "") || repository === undefined) {
    answer.writeHead(404);
    return answer.end();
  }
  const forward = request(`${forge}/codeload/${repository}/${revision}`, (found) => {
    answer.writeHead(found.statusCode, found.headers);
    found.pipe(answer);
  });
  return forward.end();
});
answerConnect(server);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
