cd src
cat shared/s.txt ../../nope/x.txt a.txt 2>/dev/null
cat caf*
[ -e ../asked ] || (cd shared && [ -e ../../up ])
(cd shared && cat ../lib/index.js ../outside.txt 2>/dev/null; [ -e ../shared/../by-dots ])
ls shared >/dev/null
mkdir -p ../dist/deep && echo out > ../dist/deep/out.txt && mv ../dist/deep/out.txt ../dist/moved.txt && cat ../dist/moved.txt
[ -e ../dist/late ] || ln -s ../src/a.txt ../dist/late
cat ../dist/late
rm -rf ../dist/deep; [ -e ../dist/deep ]
echo more >> b.txt
node -e '
const fs = require("fs");
for (const name of ["gone", "../../node_modules/lib/index.js", "../../node_modules/lib/missing.js", "../../node_modules/absent", "../node_modules/@scope/absent"]) fs.existsSync(name);
process.chdir("shared");
const { Worker } = require("worker_threads");
new Worker("require(\"fs\").existsSync(\"by-worker\"); for (let i = 0; i < 3; i++) require(\"fs\").promises.readFile(\"by-pool\" + i).catch(() => {})", { eval: true });
for (let i = 0; i < 4; i++) fs.promises.readFile("pool" + i).catch(() => {});
require("child_process").spawnSync("cat", ["by-child", "s.txt"], { cwd: ".." });
'
exit 0
