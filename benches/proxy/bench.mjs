// Measures `reauth proxy`, nginx, HAProxy and `bare/` in both its kinds, each alone on one core, with the load and the server
// that all of them call on the other, and writes a table. `run` says what it needs.
import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, listens } from "./ports.mjs";

const [root, reauth, bare, secondsText, machine, out] = process.argv.slice(2);
const seconds = Number(secondsText);
const here = dirname(fileURLToPath(import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "reauth-bench-"));
// Of clock ticks, in which the kernel counts processor time.
const ticks = Number(execFileSync("getconf", ["CLK_TCK"]));
const page = Number(execFileSync("getconf", ["PAGESIZE"]));
const libraries = ["usr/lib", "lib"].flatMap((lib) => {
    try {
        return readdirSync(join(root, lib)).filter((name) => name.endsWith("-linux-gnu")).map((name) => join(root, lib, name));
    } catch {
        return [];
    }
});
const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(":") };
const [proxyCore, loadCore] = ["0", "1"];
if (cpus().length < 2) throw new Error("two cores are needed");

const started = [];
const run = promisify(execFile);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function start(core, program, args, environment = env) {
    const child = spawn("taskset", ["-c", core, program, ...args], { env: environment, stdio: ["ignore", "ignore", "inherit"], detached: true });
    started.push(child);
    return child;
}

// The process and its children, since nginx's work is done by one.
function family(pid) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    return [pid, ...children.flatMap((child) => family(Number(child)))];
}

// In microseconds.
function processorTime(pid) {
    return family(pid).reduce((sum, one) => {
        const stat = readFileSync(`/proc/${one}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return sum + ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticks;
    }, 0);
}

// In bytes.
function resident(pid) {
    return family(pid).reduce((sum, one) => sum + Number(readFileSync(`/proc/${one}/statm`, "utf8").split(" ")[1]) * page, 0);
}

// What all of them call: files, for whoever has the token, and a token.
async function upstream(tls) {
    const port = await freePort();
    const files = join(directory, "files");
    const config = join(directory, `upstream-${tls}.conf`);
    writeFileSync(
        config,
        `daemon off; worker_processes 1; pid ${directory}/upstream-${tls}.pid; error_log stderr crit;
events { worker_connections 16384; }
http {
    access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000;
    ${temporaries(`upstream-${tls}`)}
    server {
        listen 127.0.0.1:${port}${tls ? " ssl" : ""} backlog=4096;
        ${tls ? `ssl_certificate ${directory}/server.pem; ssl_certificate_key ${directory}/server.key;` : ""}
        location / { if ($http_authorization != "Bearer the-token") { return 401; } root ${files}; }
        location = /token { default_type application/json; return 200 '{"access_token":"the-token","token_type":"Bearer","expires_in":86400}'; }
    }
}`,
    );
    start(loadCore, join(root, "usr/sbin/nginx"), ["-c", config, "-p", directory, "-e", "stderr"]);
    await listens(port);
    return port;
}

function temporaries(name) {
    return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${name}-${kind};`).join(" ");
}

// The libraries without anything of ours.
async function floor(kind, tls, to) {
    const port = await freePort();
    const origin = tls ? `https://localhost:${to}` : `http://127.0.0.1:${to}`;
    const child = start(proxyCore, bare, [kind, `127.0.0.1:${port}`, origin, `${directory}/ca.pem`], process.env);
    return { port, child };
}

// Returns what is measured: a port and a process.
const proxies = {
    async nginx(tls, to) {
        const port = await freePort();
        const config = join(directory, `nginx-${tls}.conf`);
        writeFileSync(
            config,
            `daemon off; worker_processes 1; pid ${directory}/nginx-${tls}.pid; error_log stderr crit;
events { worker_connections 16384; }
http {
    access_log off; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600s;
    ${temporaries(`nginx-${tls}`)}
    upstream vendor { server 127.0.0.1:${to}; keepalive 512; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location / {
            proxy_pass ${tls ? "https" : "http"}://vendor; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer the-token";
            ${tls ? `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${directory}/ca.pem; proxy_ssl_name localhost; proxy_ssl_server_name on;` : ""}
        }
    }
}`,
        );
        const child = start(proxyCore, join(root, "usr/sbin/nginx"), ["-c", config, "-p", directory, "-e", "stderr"]);
        return { port, child };
    },
    async HAProxy(tls, to) {
        const port = await freePort();
        const config = join(directory, `haproxy-${tls}.cfg`);
        const verified = ` ssl verify required ca-file ${directory}/ca.pem sni str(localhost) verifyhost localhost`;
        writeFileSync(
            config,
            `global
    nbthread 1
    maxconn 9500
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 60s
    http-reuse always
frontend here
    bind 127.0.0.1:${port} backlog 4096
    http-request set-header Authorization "Bearer the-token"
    default_backend vendor
backend vendor
    server one 127.0.0.1:${to}${tls ? verified : ""}
`,
        );
        const child = start(proxyCore, join(root, "usr/sbin/haproxy"), ["-f", config, "-db", "-q"]);
        return { port, child };
    },
    "hyper alone": (tls, to) => floor("hyper", tls, to),
    "hyper-util": (tls, to) => floor("hyper-util", tls, to),
    async reauth(tls, to) {
        const port = await freePort();
        const origin = tls ? `https://localhost:${to}` : `http://127.0.0.1:${to}`;
        // Of all this machine's certificates it is to trust one only.
        const environment = { ...process.env, SSL_CERT_FILE: `${directory}/ca.pem`, BENCH_SECRET: "a-secret" };
        const options = ["--vendor", "oauth2", "--token-url", `${origin}/token`, "--client-id", "bench", "--client-secret", "env:BENCH_SECRET"];
        const args = ["proxy", ...options, "--base-url", origin, "--no-proxy", "--max-connections", "10000", "--listen", `127.0.0.1:${port}`];
        const child = start(proxyCore, reauth, args, environment);
        return { port, child };
    },
};

// The load of all that there is. Returns requests per second, and microseconds of the proxy's processor time for each.
async function most({ port, child }, path, connections) {
    const url = `http://127.0.0.1:${port}${path}`;
    const wrk = (time) => run("taskset", ["-c", loadCore, join(root, "usr/bin/wrk"), "-t1", `-c${connections}`, `-d${time}s`, "--timeout", "30s", url], { env });
    await wrk(1);
    const before = processorTime(child.pid);
    const { stdout } = await wrk(seconds);
    const used = processorTime(child.pid) - before;
    const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
    if (/Non-2xx|Socket errors/.test(stdout) || requests === 0) throw new Error(`not everything was answered:\n${stdout}`);
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), micros: used / requests };
}

// The 99th percentile of what an answer takes at this rate, in milliseconds.
async function slowest({ port }, path, connections, rate) {
    const log = join(directory, "h2load.log");
    const each = Math.max(1, Math.round(rate / connections));
    const args = ["--h1", "-t1", `-c${connections}`, `-D${seconds}`, `--rps=${each}`, `--log-file=${log}`, `http://127.0.0.1:${port}${path}`];
    const h2load = ["-c", loadCore, join(root, "usr/bin/h2load"), ...args];
    try {
        await run("taskset", h2load, { env, timeout: (seconds + 20) * 1000 });
    } catch (error) {
        // It forgets to stop those whose connection was there only after its end, as it may be on a busy machine.
        if (!error.killed) throw error;
    }
    const all = readFileSync(log, "utf8").trim().split("\n").map((line) => line.split("\t").map(Number));
    rmSync(log);
    const begin = all.reduce((first, [at]) => Math.min(first, at), Infinity);
    const lines = all.filter(([at]) => at - begin < seconds * 1e6);
    if (lines.length === 0 || lines.some(([, status]) => status !== 200)) throw new Error("not everything was answered with 200");
    const times = lines.map(([, , micros]) => micros).sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.99)] / 1000;
}

// What a connection costs that nothing is said on, in bytes.
async function idle({ port, child }, count) {
    const open = (number) =>
        Promise.all(
            Array.from({ length: number }, () =>
                new Promise((resolve, reject) => {
                    const socket = net.connect(port, "127.0.0.1");
                    socket.on("error", reject);
                    // One answer each, so that it is between two requests and not before the first.
                    socket.on("connect", () => socket.write("GET /1k HTTP/1.1\r\nHost: localhost\r\n\r\n"));
                    socket.once("data", () => resolve(socket));
                }),
            ),
        );
    const first = await open(100);
    await pause(500);
    const before = resident(child.pid);
    const sockets = [];
    for (let opened = 0; opened < count; opened += 100) sockets.push(...(await open(100)));
    await pause(1000);
    const bytes = (resident(child.pid) - before) / sockets.length;
    for (const socket of [...first, ...sockets]) socket.destroy();
    return bytes;
}

function certificates() {
    const openssl = (...args) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench");
    openssl("req", ...key.slice(0, -2), "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
    writeFileSync(join(directory, "names"), "subjectAltName=DNS:localhost\n");
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem");
}

function kill(child) {
    try {
        process.kill(-child.pid, "SIGKILL");
    } catch {
        // It has ended.
    }
}

async function stop(child) {
    const ended = new Promise((resolve) => child.on("exit", resolve));
    kill(child);
    await ended;
}

const cell = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const names = Object.keys(proxies);

function table(rows) {
    const head = "| to the server | body | connections | | requests/s | of nginx's | CPU µs per request | of nginx's | p99 at 70 % |\n|---|---|---:|---|---:|---:|---:|---:|---:|";
    return [head, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}

async function all() {
    certificates();
    // Where nginx begins as root, it goes on as nobody.
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, "files"));
    writeFileSync(join(directory, "files/1k"), "x".repeat(1024));
    writeFileSync(join(directory, "files/1m"), "x".repeat(1 << 20));
    const rows = [];
    const memory = {};
    for (const tls of [false, true]) {
        const to = await upstream(tls);
        // All run at once, and one at a time has something to do.
        const running = {};
        for (const name of names) {
            running[name] = await proxies[name](tls, to);
            await listens(running[name].port);
        }
        for (const [path, body] of [["/1k", "1 KB"], ["/1m", "1 MB"]]) {
            for (const connections of [16, 256]) {
                const found = {};
                for (const name of names) found[name] = await most(running[name], path, connections);
                const rate = Math.min(...names.map((name) => found[name].rate)) * 0.7;
                for (const name of names) {
                    const { rate: each, micros } = found[name];
                    const p99 = await slowest(running[name], path, connections, rate);
                    const ratio = (value, base) => (name === "nginx" ? "" : `${cell(value / base, 2)}×`);
                    rows.push([
                        tls ? "TLS" : "plain", body, connections, name, cell(each, 0), ratio(each, found.nginx.rate),
                        cell(micros, 1), ratio(micros, found.nginx.micros), `${cell(p99, 2)} ms`,
                    ]);
                    console.log(rows.at(-1).join(" | "));
                }
            }
        }
        if (!tls) {
            const count = seconds < 5 ? 1000 : 9000;
            for (const name of names) {
                // A fresh one, which holds nothing of what came before.
                await stop(running[name].child);
                running[name] = await proxies[name](tls, to);
                await listens(running[name].port);
                memory[name] = await idle(running[name], count);
                console.log(`${name}: ${cell(memory[name] / 1024, 1)} KiB per idle connection`);
            }
        }
        for (const name of names) await stop(running[name].child);
    }
    const idles = names.map((name) => `| ${name} | ${cell(memory[name] / 1024, 1)} KiB |`).join("\n");
    const text = readFileSync(join(here, "page.md"), "utf8");
    writeFileSync(out, text.replace("{machine}", machine).replace("{requests}", table(rows)).replace("{idle}", `| | |\n|---|---:|\n${idles}`));
}

try {
    await all();
} finally {
    // With its children, as it leads a group.
    for (const child of started) kill(child);
    rmSync(directory, { recursive: true, force: true });
}
