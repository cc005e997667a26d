"""Renders chat templates in a process of their own, within limits of time and memory.

A template comes with the model and is code from a stranger. The process is kept from one rendering to the next,
since starting one takes a tenth of a second, and is replaced when it had to die.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import psutil

from workbench.base.errors import UserError

SECONDS = 2.0
"""What one rendering may take: ordinary ones take a thousandth of it."""

MEMORY_BYTES = 512 << 20
"""Address space of the rendering process, its interpreter included."""

LARGEST_TEMPLATE = 1 << 20
"""In characters: the longest real ones have thirty thousand."""

FAULTY_HINT = "The model file may be faulty or hostile: get it from another source."

_GRACE_S = 1.0
_LOOK_S = 0.05


class TemplateError(Exception):
    """The template itself refused or failed; the text is its own."""


class TemplateRenderer:
    """One rendering process, started in the background by ``start`` or with the first rendering.

    Methods may be called from any thread; renderings take turns.
    """

    def __init__(self, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the process unless it runs; does not wait for it."""
        with self._lock:
            self._running()

    def render(self, template: str, variables: dict[str, Any]) -> str:
        """Render. Raises TemplateError when the template fails or refuses, UserError when it breaks the limits."""
        if len(template) > LARGEST_TEMPLATE:
            raise UserError(
                f"The chat template that is stored in the model is {len(template):,} characters long.", FAULTY_HINT
            )
        with self._lock:
            process = self._running()
            line = json.dumps({"template": template, "variables": variables}).encode() + b"\n"
            assert process.stdin is not None
            # a process that has died tells so by its empty reply
            with contextlib.suppress(OSError):
                process.stdin.write(line)
                process.stdin.flush()
            raw = self._wait_for_reply(process)
            if not raw.endswith(b"\n"):
                self._stop()
                raise UserError(
                    "The chat template that is stored in the model takes too much time or memory.", FAULTY_HINT
                )
        reply = json.loads(raw)
        if "error" in reply:
            raise TemplateError(reply["error"])
        text: str = reply["text"]
        return text

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = _spawn(self._seconds, self._memory_bytes)
            self._replies = queue.SimpleQueue()
            assert self._process.stdout is not None
            threading.Thread(
                target=_read_replies, args=(self._process.stdout, self._replies), name="template-replies", daemon=True
            ).start()
        return self._process

    def _wait_for_reply(self, process: subprocess.Popen[bytes]) -> bytes:
        """One line, or nothing when the process died, took too long or too much.

        It keeps its own limits; watching it here is for systems that have none for memory, and for a process that
        is stuck in one long step of the interpreter.
        """
        deadline = time.monotonic() + self._seconds + _GRACE_S
        while time.monotonic() < deadline:
            try:
                return self._replies.get(timeout=_LOOK_S)
            except queue.Empty:
                if _resident_bytes(process.pid) > self._memory_bytes:
                    return b""
        return b""

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process = None


def _spawn(seconds: float, memory_bytes: int) -> subprocess.Popen[bytes]:
    if getattr(sys, "frozen", False):
        command = [sys.executable, "--worker", "template"]
    else:
        # -P: the modules beside the script must not stand in for others of the same name
        command = [sys.executable, "-P", str(Path(__file__).with_name("template_process.py"))]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        [*command, str(seconds), str(memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=flags,
    )


def _read_replies(stream: IO[bytes], replies: queue.SimpleQueue[bytes]) -> None:
    """On a thread, for Windows cannot wait for a pipe with a timeout. An empty line says that it is closed."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            replies.put(line)
    replies.put(b"")


def _resident_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
