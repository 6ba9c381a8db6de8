// SPDX-License-Identifier: MIT
const { execFileSync, spawn } = require("child_process");
const { Worker, isMainThread, parentPort } = require("worker_threads");
const assert = require("assert");
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const os = require("os");
const zlib = require("zlib");
const { promisify } = require("util");

async function main() {
    const answer = await new Promise((resolve, reject) => {
        const worker = new Worker(__filename);
        worker.on("message", resolve);
        worker.on("error", reject);
    });
    assert.strictEqual(answer, 42);
    assert.strictEqual(execFileSync("/bin/echo", ["hi"]).toString(), "hi\n");
    const child = spawn("/bin/cat");
    child.stdin.end("piped");
    assert.strictEqual((await child.stdout.toArray()).join(""), "piped");
    const server = http.createServer((request, response) => response.end("hello"));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const body = await new Promise((resolve, reject) => {
        http.get({ host: "127.0.0.1", port: server.address().port }, async (response) =>
            resolve((await response.toArray()).join(""))).on("error", reject);
    });
    assert.strictEqual(body, "hello");
    server.close();
    assert.strictEqual((await promisify(crypto.scrypt)("word", "salt", 16)).length, 16);
    assert((await promisify(zlib.gzip)(Buffer.alloc(1 << 20))).length < 10000);
    await fs.promises.writeFile("file", "text");
    assert.strictEqual(await fs.promises.readFile("file", "utf8"), "text");
    fs.watchFile("file", () => {});
    fs.unwatchFile("file");
    assert(os.cpus().length >= 1);
    let garbage;
    for (let i = 0; i < 3e6; i++)
        garbage = { i, garbage: i % 10 ? garbage : null };
    await new Promise((resolve) => setTimeout(resolve, 10));
    console.log("threads, processes, collector, sockets: work");
}

if (isMainThread)
    main();
else
    parentPort.postMessage(6 * 7);
