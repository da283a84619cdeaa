// Counts by callgrind the instructions that one request takes of `reauth proxy`, and of `bare/` in both its kinds, and prints them.
// A count is that of 4,500 requests less that of 500, by 4,000, over 16 connections that stay. `run` says what it needs.
import { spawn } from "node:child_process";
import http from "node:http";
import { createInterface } from "node:readline";
import { freePort, listen, listens } from "./ports.mjs";

const [reauth, bare] = process.argv.slice(2);
const [few, many, connections] = [500, 4500, 16];

// Answers as vendors do, and hands out the token.
const body = "x".repeat(1024);
const vendor = http.createServer((request, response) => {
    if (request.url === "/token") {
        response.setHeader("content-type", "application/json");
        response.end('{"access_token":"the-token","token_type":"Bearer","expires_in":86400}');
    } else {
        response.statusCode = request.headers.authorization === "Bearer the-token" ? 200 : 401;
        for (const [name, value] of [["content-type", "text/plain"], ["etag", '"6b0ca3e1-400"'], ["accept-ranges", "bytes"]]) {
            response.setHeader(name, value);
        }
        response.setHeader("content-length", body.length);
        response.end(body);
    }
});
vendor.keepAliveTimeout = 600_000;

function get(port, agent) {
    return new Promise((resolve, reject) => {
        const request = http.get({ host: "127.0.0.1", port, path: "/1k", agent }, (response) => {
            response.resume();
            response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`answered ${response.statusCode}`))));
        });
        request.on("error", reject);
    });
}

// All instructions of a program, from its start to its end. It has one core, as where times are measured.
async function counted(command, port, requests) {
    const child = spawn("taskset", ["-c", "0", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ...command], {
        env: { ...process.env, BENCH_SECRET: "a-secret" },
        stdio: ["ignore", "ignore", "pipe"],
    });
    let found;
    createInterface({ input: child.stderr }).on("line", (line) => {
        found ??= / Collected : (\d+)/.exec(line)?.[1];
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    try {
        await listens(port);
        const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
        let left = requests;
        const caller = async () => {
            while (left > 0) {
                left -= 1;
                await get(port, agent);
            }
        };
        await Promise.all(Array.from({ length: connections }, caller));
        agent.destroy();
    } finally {
        child.kill("SIGTERM");
        await ended;
    }
    if (!found) throw new Error("callgrind has counted nothing");
    return Number(found);
}

async function perRequest(command) {
    const counts = [];
    for (const requests of [few, many]) {
        const port = await freePort();
        counts.push(await counted(command(port), port, requests));
    }
    return (counts[1] - counts[0]) / (many - few);
}

const origin = `http://127.0.0.1:${await listen(vendor)}`;
const alone = await perRequest((port) => [bare, "hyper", `127.0.0.1:${port}`, origin]);
const pooled = await perRequest((port) => [bare, "hyper-util", `127.0.0.1:${port}`, origin]);
const options = ["--vendor", "oauth2", "--token-url", `${origin}/token`, "--client-id", "bench", "--client-secret", "env:BENCH_SECRET"];
const whole = await perRequest((port) => [reauth, "proxy", ...options, "--base-url", origin, "--no-proxy", "--listen", `127.0.0.1:${port}`]);
const say = (name, count) => console.log(`${name.padEnd(32)} ${count.toFixed(0).padStart(8)}`);
console.log("instructions of one request");
say("hyper alone", alone);
say("with hyper-util's client", pooled);
say("reauth", whole);
say("reauth's own", whole - pooled);
vendor.closeAllConnections();
vendor.close();
