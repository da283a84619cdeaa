"""The program reauth, as a process, between clients of Python and a server of Python's own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import requests
import websockets
from websockets.asyncio.server import serve

KEY = {"Proxy-Authorization": "Bearer a-key-of-the-client"}
SOCKET = os.path.join(tempfile.mkdtemp(), "reauth.sock")
seen = []


class Vendor(BaseHTTPRequestHandler):
    """Says what it was asked, and how long the body was."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = b""
        if length := self.headers.get("Content-Length"):
            body = self.rfile.read(int(length))
        elif self.headers.get("Transfer-Encoding") == "chunked":
            while chunk := int(self.rfile.readline(), 16):
                body += self.rfile.read(chunk)
                self.rfile.readline()
            self.rfile.readline()
        seen.append(self.headers)
        said = json.dumps([self.command, self.path, len(body)]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass

    do_GET = do_POST = do_PUT = answer


@contextmanager
def proxy(port, *options):
    """A proxy for the vendor at this port, which must end well."""
    vendor = ["--vendor", "videsk", "--key", "env:KEY", "--base-url", f"http://127.0.0.1:{port}"]
    listen = ["--listen", "127.0.0.1:0", "--listen", f"unix:{SOCKET}", "--roots", "bundled"]
    process = subprocess.Popen(
        [sys.argv[1], "proxy", *listen, *vendor, *options],
        env={"KEY": "a-key-of-the-vendor", "CLIENT": "a-key-of-the-client"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not os.path.exists(SOCKET)
    finally:
        process.kill()
        process.wait()


def with_requests(url):
    session = requests.Session()
    session.trust_env = False
    assert session.get(f"{url}/a").status_code == 407
    assert session.get(f"{url}/a?b=c", headers=KEY).json() == ["GET", "/a?b=c", 0]
    assert session.post(f"{url}/p", headers=KEY, data=b"x" * 3_000_000).json() == ["POST", "/p", 3_000_000]
    pieces = (b"y" * 1000 for _ in range(500))
    assert session.put(f"{url}/c", headers=KEY, data=pieces).json() == ["PUT", "/c", 500_000]


async def with_aiohttp(url):
    async def pieces():
        for _ in range(100):
            yield b"z" * 10_000

    async with aiohttp.ClientSession() as client:
        answers = await asyncio.gather(*[client.get(f"{url}/{number}", headers=KEY) for number in range(200)])
        said = sorted([(await answer.json())[1] for answer in answers])
        assert said == sorted(f"/{number}" for number in range(200))
        headers = {**KEY, "Expect": "100-continue"}
        async with client.post(f"{url}/s", headers=headers, data=pieces()) as answer:
            assert await answer.json() == ["POST", "/s", 1_000_000]
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(SOCKET)) as client:
        async with client.get("http://any/x", headers=KEY) as answer:
            assert await answer.json() == ["GET", "/x", 0]


async def with_websockets():
    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        with proxy(server.sockets[0].getsockname()[1]) as (process, url):
            client = await websockets.connect(url.replace("http", "ws"), proxy=None)
            for message in ["hello", b"b" * 900_000, "x" * 65_536]:
                await client.send(message)
                assert await client.recv() == message
            async with websockets.unix_connect(SOCKET, "ws://any/") as other:
                await other.send("at a socket")
                assert await other.recv() == "at a socket"
            process.send_signal(signal.SIGTERM)
            try:
                await client.recv()
                raise AssertionError("it isn't told of the end")
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd.code == 1001, closed
            assert await asyncio.to_thread(process.wait, 30) == 0


vendor = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
vendor.daemon_threads = True
threading.Thread(target=vendor.serve_forever, daemon=True).start()
with proxy(vendor.server_port, "--allow-key", "env:CLIENT") as (_, url):
    with_requests(url)
    asyncio.run(with_aiohttp(url))
assert len(seen) == 205, len(seen)
for headers in seen:
    assert headers["Authorization"] == "Bearer a-key-of-the-vendor"
    assert "Proxy-Authorization" not in headers
asyncio.run(with_websockets())
print("python: requests, aiohttp and websockets call through the proxy")
