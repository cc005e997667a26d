"""A hub on this machine: files by range with ETags, and the faults of real servers, one after the other."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Fault:
    """What happens to one request: another ``status`` with ``headers``, or the body is ``cut`` after so many bytes,
    ``ignores_range``, or ``lies`` about the start of a range."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    ignores_range: bool = False
    lies: bool = False
    extra: bytes = b""


class FakeHub:
    """``files`` by their paths; ``faults`` are taken one per request. ``asked`` are the requests so far: path, range
    and authorization; ``queries`` what followed the paths."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: deque[Fault] = deque()
        self.asked: list[tuple[str, str, str]] = []
        self.queries: list[str] = []
        self.block_s = 0.0
        self.url = ""
        self.commit = "c0ffee" + "0" * 34
        self.sent: list[int] = []
        self._digests: dict[int, str] = {}

    def add_repository(self, name: str, files: dict[str, bytes], **about: object) -> None:
        """A repository as the hub's API describes it, found by every search."""
        tags = ["gguf", f"license:{about.pop('licence', 'apache-2.0')}"]
        siblings = [
            {
                "rfilename": file, "size": len(content), "blobId": "x",
                "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1},
            }
            for file, content in files.items()
        ]  # fmt: skip
        info = {
            "id": name, "modelId": name, "sha": self.commit, "downloads": 1234, "likes": 5, "gated": False,
            "private": False, "lastModified": "2026-05-04T03:02:01.000Z", "tags": tags,
            "pipeline_tag": "text-generation", **about,
        }  # fmt: skip
        for revision in ("", f"/revision/{self.commit}"):
            self.files[f"/api/models/{name}{revision}"] = json.dumps({**info, "siblings": siblings}).encode()
        found = json.loads(self.files.get("/api/models", b"[]"))
        self.files["/api/models"] = json.dumps([*found, info]).encode()
        for file, content in files.items():
            self.files[f"/{name}/resolve/{self.commit}/{file}"] = content

    def add_data_set(self, name: str, files: dict[str, bytes]) -> None:
        """A data set as the hub's API describes it."""
        siblings = [
            {"rfilename": file, "size": len(content), "blobId": "x", "lfs": {
                "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}}
            for file, content in files.items()
        ]  # fmt: skip
        info = {"id": name, "sha": self.commit, "private": False, "tags": [], "downloads": 1, "likes": 0}
        self.files[f"/api/datasets/{name}"] = json.dumps({**info, "siblings": siblings}).encode()
        for file, content in files.items():
            self.files[f"/datasets/{name}/resolve/{self.commit}/{file}"] = content

    def etag(self, path: str) -> str:
        return f'"{self.sha256(path)[:16]}"'

    def sha256(self, path: str) -> str:
        content = self.files[path]
        known = hash(content)  # bytes remember theirs
        if known not in self._digests:
            self._digests[known] = hashlib.sha256(content).hexdigest()
        return self._digests[known]


@contextmanager
def serving(hub: FakeHub) -> Iterator[str]:
    """Serve a hub on a free port; gives its address."""
    pause = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            self.path, _, query = self.path.partition("?")
            hub.queries.append(query)
            hub.asked.append((self.path, wanted, self.headers.get("Authorization", "")))
            fault = hub.faults.popleft() if hub.faults else Fault()
            if fault.status:
                self.send_response(fault.status)
                for name, value in fault.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = hub.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start, status, end = 0, 200, len(content)
            same = self.headers.get("If-Range", hub.etag(self.path)) == hub.etag(self.path)
            if wanted and same and not fault.ignores_range:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, status = int(first) if first else max(0, len(content) - int(last)), 206
                end = min(end, int(last) + 1) if first and last else end
            if start >= len(content) and status == 206:
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = content[start:end]
            self.send_response(status)
            self.send_header("ETag", hub.etag(self.path))
            self.send_header("Content-Length", str(len(body)))
            if status == 206:
                told = start + 1 if fault.lies else start
                self.send_header("Content-Range", f"bytes {told}-{end - 1}/{len(content)}")
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.end_headers()
            sent = body if fault.cut is None else body[: fault.cut]
            hub.sent.append(len(sent))
            with suppress(ConnectionError):  # the client was killed, or stopped
                for begin in range(0, len(sent), 1 << 16):
                    self.wfile.write(sent[begin : begin + (1 << 16)])
                    if hub.block_s:
                        pause.wait(hub.block_s)
            if fault.cut is not None:
                self.wfile.flush()
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub.url
    finally:
        pause.set()
        server.shutdown()
        server.server_close()
        thread.join()
