"""An OpenAI-compatible service on this machine, with the faults of real ones, one after the other."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret-4711"


@dataclass
class Fault:
    """What happens to one request: another ``status`` with ``headers`` and ``body``, or a stream that is ``cut`` after
    so many chunks, ``closes`` the connection then, or is no JSON (``garbage``); the request
    is not answered before ``waits_for``."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    cut: int | None = None
    closes: bool = False
    garbage: bool = False
    waits_for: threading.Event | None = None


class FakeEndpoint:
    """``alternatives`` to the first token are reported with their log-probabilities where they are asked for. ``reply``
    is said word by word. ``faults`` are taken one per request; ``refuses`` are fields of requests that are
    answered with 400, and so are images unless it ``sees``. ``listed`` is what its list of models says beside the
    context. ``asked`` are the bodies so far, ``keys`` what was in Authorization."""

    def __init__(self) -> None:
        self.reply = "It is so indeed."
        self.faults: deque[Fault] = deque()
        self.refuses: set[str] = set()
        self.tells_usage = True
        self.sees = False
        self.listed: dict[str, Any] = {}
        self.alternatives: dict[str, float] = {}
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.address = ""

    def choices(self, body: dict[str, Any], text: str, kind: str, ended: str | None) -> list[dict[str, Any]]:
        return [
            {
                "index": place,
                kind: {"role": "assistant", "content": text},
                "finish_reason": ended,
                **self.logprobs(body),
            }
            for place in range(body.get("n", 1))
        ]

    def logprobs(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self.alternatives or not body.get("logprobs"):
            return {}
        listed = [{"token": token, "logprob": value} for token, value in self.alternatives.items()]
        return {"logprobs": {"content": [{"token": listed[0]["token"], "top_logprobs": listed}]}}


@contextmanager
def serving(endpoint: FakeEndpoint) -> Iterator[FakeEndpoint]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._json(200, {"data": [{"id": "big", "max_model_len": 32_768, **endpoint.listed}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.asked.append(body)
            endpoint.keys.append(self.headers.get("Authorization", ""))
            fault = endpoint.faults.popleft() if endpoint.faults else Fault()
            if fault.waits_for is not None:
                fault.waits_for.wait()
                self.close_connection = True
                return
            if fault.status:
                self._json(fault.status, fault.body, fault.headers)
            elif fault.garbage:
                self._send(200, b"<html>Welcome</html>", "text/html")
            elif refused := sorted(endpoint.refuses.intersection(body)):
                self._json(400, {"error": {"message": f"{refused[0]} is not supported"}})
            elif not endpoint.sees and any(isinstance(one["content"], list) for one in body["messages"]):
                self._json(400, {"error": {"message": "content must be a string"}})
            elif body.get("stream"):
                self._stream(body, fault)
            else:
                usage = {"prompt_tokens": 7, "completion_tokens": 3} if endpoint.tells_usage else None
                choices = endpoint.choices(body, endpoint.reply, "message", "stop")
                self._json(200, {"choices": choices, "usage": usage})

        def _stream(self, body: dict[str, Any], fault: Fault) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            if fault.closes:
                self.send_header("Content-Length", "100000")
            self.end_headers()
            words = endpoint.reply.split(" ")
            for number, word in enumerate(words):
                if fault.cut is not None and number >= fault.cut:
                    return
                text = word if not number else f" {word}"
                self._chunk({"choices": endpoint.choices(body, text, "delta", None)})
            self._chunk({"choices": endpoint.choices(body, "", "delta", "stop")})
            if endpoint.tells_usage and body.get("stream_options"):
                self._chunk({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(words)}})
            self.wfile.write(b"data: [DONE]\n\n")

        def _chunk(self, value: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
            self.wfile.flush()

        def _json(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            self._send(status, json.dumps(value).encode(), "application/json", headers)

        def _send(self, status: int, body: bytes, media: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, text in {"Content-Type": media, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    endpoint.address = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
