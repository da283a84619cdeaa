"""The program reauth, as a process, between a client and a server of gRPC: grpcio's, over HTTP/2 without TLS on both sides."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded


class Books:
    """What tokens were handed out, and what came with them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = 0
        self.taken = []
        self.refused = []
        self.cancelled = threading.Event()

    def expire(self):
        """The token that is good now is good no more."""
        with self.lock:
            self.good = None


books = Books()
books.good = None


def hand_out_tokens(listener):
    """Hands out tokens over HTTP/2, of which the last one is good."""
    while True:
        threading.Thread(target=hand_out_over, args=listener.accept()[:1], daemon=True).start()


def hand_out_over(link):
    connection = H2Connection(H2Configuration(client_side=False))
    connection.initiate_connection()
    link.sendall(connection.data_to_send())
    while data := link.recv(65536):
        for event in connection.receive_data(data):
            if isinstance(event, StreamEnded):
                with books.lock:
                    books.tokens += 1
                    books.good = f"Bearer token-{books.tokens}"
                said = json.dumps({"access_token": f"token-{books.tokens}", "expires_in": 3600}).encode()
                connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/json")])
                connection.send_data(event.stream_id, said, end_stream=True)
        link.sendall(connection.data_to_send())


def admit(context):
    """Refuses a token that isn't good."""
    metadata = dict(context.invocation_metadata())
    with books.lock:
        is_good = metadata.get("authorization") == books.good and books.good is not None
        (books.taken if is_good else books.refused).append(metadata)
    if not is_good:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token has expired")


def echo(request, context):
    admit(context)
    context.send_initial_metadata((("at-first", "1"),))
    context.set_trailing_metadata((("at-last", "2"), ("at-last-bin", b"\x00\xff")))
    return request


def find(request, context):
    admit(context)
    context.abort(grpc.StatusCode.NOT_FOUND, f"no {request.decode()}, \u00e4nd never was")


def count(request, context):
    admit(context)
    for number in range(int(request)):
        yield b"%d" % number


def add(requests, context):
    admit(context)
    return b"%d" % sum(len(request) for request in requests)


def talk(requests, context):
    admit(context)
    for request in requests:
        yield request


def expire(request, context):
    """Says that the token has expired when it has said something else already."""
    admit(context)
    yield b"first"
    books.expire()
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token has expired meanwhile")


def hang(request, context):
    admit(context)
    context.add_callback(books.cancelled.set)
    yield b"waiting"
    books.cancelled.wait(30)


def service():
    handlers = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Find": grpc.unary_unary_rpc_method_handler(find),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Add": grpc.stream_unary_rpc_method_handler(add),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
        "Expire": grpc.unary_stream_rpc_method_handler(expire),
        "Hang": grpc.unary_stream_rpc_method_handler(hang),
    }
    return grpc.method_handlers_generic_handler("Test", handlers)


def declared(tokens, server):
    """A vendor with gRPC's way to say that a token has expired: before everything else, or after it."""
    return f"""
name = "Test"
base_url = "http://127.0.0.1:{server}"
[acquire]
request = "POST http://127.0.0.1:{tokens}/token"
form = {{ key = "env:KEY" }}
[[rules]]
verdict = "expired"
status = 200
when = {{ header = "grpc-status", is = "16" }}
[[rules]]
verdict = "expired"
status = 200
when = {{ trailer = "grpc-status", is = "16" }}
"""


def status_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("it succeeds")


def calls(channel):
    unary = channel.unary_unary("/Test/Echo")
    pending = [unary.future(b"%d" % number) for number in range(300)]
    assert [call.result(30) for call in pending] == [b"%d" % number for number in range(300)]
    answer, call = unary.with_call(b"x" * 1_000_000, timeout=30)
    assert answer == b"x" * 1_000_000
    assert ("at-first", "1") in call.initial_metadata()
    trailers = dict(call.trailing_metadata())
    assert (trailers["at-last"], trailers["at-last-bin"]) == ("2", b"\x00\xff"), trailers
    assert (books.tokens, len(books.taken), len(books.refused)) == (1, 301, 0)

    found = status_of(lambda: channel.unary_unary("/Test/Find")(b"it", timeout=30))
    assert found == (grpc.StatusCode.NOT_FOUND, "no it, \u00e4nd never was"), found
    unknown = status_of(lambda: channel.unary_unary("/Test/None")(b"", timeout=30))
    assert unknown[0] == grpc.StatusCode.UNIMPLEMENTED, unknown

    counted = list(channel.unary_stream("/Test/Count")(b"2000", timeout=30))
    assert counted == [b"%d" % number for number in range(2000)]
    assert channel.stream_unary("/Test/Add")((b"y" * 1000 for _ in range(2000)), timeout=30) == b"2000000"

    # Each message is sent when the one before it has come back.
    turn = threading.Semaphore(1)

    def messages():
        for number in range(200):
            assert turn.acquire(timeout=30)
            yield b"%d" % number

    for number, answer in enumerate(channel.stream_stream("/Test/Talk")(messages(), timeout=30)):
        assert answer == b"%d" % number
        turn.release()
    assert number == 199
    assert books.tokens == 1


def expiries(channel):
    # Before anything was said: it is renewed, and the call is made again.
    for number, body in [(2, b"small"), (3, b"z" * 60_000)]:
        time.sleep(1.2)
        books.expire()
        refused = len(books.refused)
        assert channel.unary_unary("/Test/Echo")(body, timeout=30) == body
        assert (books.tokens, len(books.refused)) == (number, refused + 1)
    time.sleep(1.2)
    books.expire()
    assert list(channel.unary_stream("/Test/Count")(b"3", timeout=30)) == [b"0", b"1", b"2"]
    assert books.tokens == 4
    # Many at once have one new token.
    time.sleep(1.2)
    books.expire()
    pending = [channel.unary_unary("/Test/Echo").future(b"%d" % number) for number in range(50)]
    assert [call.result(30) for call in pending] == [b"%d" % number for number in range(50)]
    assert books.tokens == 5

    # After something was said: whoever has called is told, and the next one has a new token.
    time.sleep(1.2)
    got = []
    ended = status_of(lambda: got.extend(channel.unary_stream("/Test/Expire")(b"", timeout=30)))
    assert ended == (grpc.StatusCode.UNAUTHENTICATED, "the token has expired meanwhile"), ended
    assert channel.unary_unary("/Test/Echo")(b"", timeout=30) == b""
    assert books.tokens == 6


def cancelling(channel):
    call = channel.unary_stream("/Test/Hang")(b"", timeout=30)
    assert next(call) == b"waiting"
    call.cancel()
    assert books.cancelled.wait(30), "the server isn't told"
    books.cancelled.clear()
    late = status_of(lambda: list(channel.unary_stream("/Test/Hang")(b"", timeout=0.5)))
    assert late[0] == grpc.StatusCode.DEADLINE_EXCEEDED, late
    assert books.cancelled.wait(30), "the server isn't told"


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=hand_out_tokens, args=(listener,), daemon=True).start()
server = grpc.server(ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((service(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with tempfile.TemporaryDirectory() as directory:
    config = os.path.join(directory, "test.toml")
    with open(config, "w") as file:
        file.write(declared(listener.getsockname()[1], port))
    listen = ["--listen", "127.0.0.1:0", "--roots", "bundled", "--http2-prior-knowledge"]
    proxy = subprocess.Popen(
        [sys.argv[1], "proxy", *listen, "--config", config],
        env={"KEY": "a-key-of-the-vendor"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = proxy.stdout.readline().strip().removeprefix("http://")
        with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]) as channel:
            calls(channel)
            expiries(channel)
            cancelling(channel)
            for metadata in books.taken:
                assert metadata["via"] == "2.0 tower-reauth", metadata
            # A call that is under way when the proxy is to end is brought to its end.
            turn = threading.Event()

            def messages():
                yield b"before"
                turn.wait(30)
                yield b"after"

            answers = channel.stream_stream("/Test/Talk")(messages(), timeout=30)
            assert next(answers) == b"before"
            proxy.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert proxy.poll() is None
            turn.set()
            assert list(answers) == [b"after"]
        assert proxy.wait(30) == 0
    finally:
        proxy.kill()
        proxy.wait()
server.stop(None)
print("python: grpcio calls through the proxy")
