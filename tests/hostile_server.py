"""Servers of strangers that do not keep to the rules, on this machine: silent ones, and ones that never stop."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\n"
STREAM = HEAD + b"Content-Type: text/event-stream\r\nConnection: close\r\n\r\n"
JSON = HEAD + b"Content-Type: application/json\r\nConnection: close\r\n\r\n"


class Hostile:
    """``behaviour`` gives what is sent on each connection, piece by piece; ``reached`` is set when it is asked for the
    first one. ``sent`` counts bytes, and ``ended`` is set when the other side has left."""

    def __init__(self, behaviour: Callable[[Hostile], Iterator[bytes]], *, reads_request: bool = True) -> None:
        self.behaviour, self.reads_request = behaviour, reads_request
        self.reached, self.ended, self.closing = threading.Event(), threading.Event(), threading.Event()
        self.connections = self.sent = 0
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, connection: socket.socket) -> None:
        self.connections += 1
        with connection, contextlib.suppress(OSError):
            while self.reads_request and b"\r\n\r\n" not in connection.recv(1 << 16):
                pass
            for piece in self.behaviour(self):
                self.reached.set()
                connection.sendall(piece)
                self.sent += len(piece)
        self.ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Be silent, until the server is closed at the latest."""
        self.reached.set()
        return self.closing.wait(seconds)


@contextmanager
def serving(hostile: Hostile, port: int = 0) -> Iterator[Hostile]:
    """Serve until the block ends; at a free ``port`` where it is 0."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        hostile.port = listener.getsockname()[1]
        open_now: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    open_now.append(connection)
                    threading.Thread(target=hostile.answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield hostile
        finally:
            hostile.closing.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in open_now:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def chunk(**choice: object) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def text(said: str, index: int = 0) -> bytes:
    return chunk(index=index, delta={"content": said})


# -- behaviours -----------------------------------------------------------------------------------


def never_answers(server: Hostile) -> Iterator[bytes]:
    server.wait()
    yield b""


def drips_its_head(server: Hostile) -> Iterator[bytes]:
    yield HEAD + b"X-Slow: "
    while not server.wait(0.01):
        yield b"x"


def drips_its_body(server: Hostile) -> Iterator[bytes]:
    yield STREAM
    while not server.wait(0.01):
        yield b"d"


def is_silent_in_its_body(server: Hostile) -> Iterator[bytes]:
    yield STREAM + text("It")
    server.wait()


def sends_comments_for_ever(server: Hostile) -> Iterator[bytes]:
    yield STREAM
    while not server.wait(0.001):
        yield b": still thinking\n\n"


def announces_for_ever(server: Hostile) -> Iterator[bytes]:
    while not server.wait(0.001):
        yield b"HTTP/1.1 102 Processing\r\n\r\n"


def streams_for_ever(server: Hostile) -> Iterator[bytes]:
    yield STREAM
    while True:
        yield text(" word") * 50


def sends_headers_for_ever(server: Hostile) -> Iterator[bytes]:
    yield HEAD
    while True:
        yield b"X-More: " + b"y" * 1000 + b"\r\n"


def sends_a_line_without_end(server: Hostile) -> Iterator[bytes]:
    yield STREAM + b"data: "
    while True:
        yield b"x" * 65536


def sends_a_huge_index(server: Hostile) -> Iterator[bytes]:
    yield STREAM + text("It", index=10**9) + b"data: [DONE]\n\n"


def sends_a_negative_index(server: Hostile) -> Iterator[bytes]:
    yield STREAM + text("It", index=-1) + b"data: [DONE]\n\n"


def sends_many_choices(server: Hostile) -> Iterator[bytes]:
    yield STREAM + b"data: " + json.dumps({"choices": [{"index": one} for one in range(10_000)]}).encode() + b"\n\n"


def sends_many_values(server: Hostile) -> Iterator[bytes]:
    yield STREAM + b'data: {"unknown": [' + b"{}," * 300_000 + b"0]}\n\n"


def nests_deeply(server: Hostile) -> Iterator[bytes]:
    yield STREAM + b"data: " + b"[" * 150_000 + b"\n\n"


def sends_a_bomb(server: Hostile) -> Iterator[bytes]:
    zipped = gzip.compress(b"\0" * (64 << 20))
    yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(zipped) + zipped


def answers_without_end(server: Hostile) -> Iterator[bytes]:
    yield JSON + b'{"choices": [{"message": {"content": "'
    while True:
        yield b"x" * 65536


WAITING = (never_answers, drips_its_head, drips_its_body, is_silent_in_its_body, sends_comments_for_ever,
           announces_for_ever)  # fmt: skip
"""Nothing ends these but the person."""

OVERFLOWING = (sends_headers_for_ever, sends_a_line_without_end, sends_a_huge_index, sends_a_negative_index,
               sends_many_choices, sends_many_values, nests_deeply, sends_a_bomb)  # fmt: skip
"""The program itself ends these with a reason."""
