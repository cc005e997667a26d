"""Two homes in two network namespaces: the second asks a recipe with documents of the first by its code.

    sudo .venv/bin/python benchmarks/two_machines.py

Linux, as root, with the packages of the extra ``starter`` and the command ``ip``. Prints a line for each check, and
ends with status 1 where one fails. Between the namespaces is a pair of virtual network devices; each has addresses and
ports of its own, as two machines have.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.records.network_code import read_code, write_code

FIRST, SECOND = "wb-desk-1", "wb-desk-2"
ADDRESSES = {FIRST: "10.77.0.1", SECOND: "10.77.0.2"}
WORKBENCH = Path(sys.executable).with_name("workbench")
QUESTION, ANSWER = "How long is the warranty of the pump?", "36 months"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def two_namespaces() -> Iterator[None]:
    ip("link", "add", "wbd1", "type", "veth", "peer", "name", "wbd2")
    try:
        for name, device in ((FIRST, "wbd1"), (SECOND, "wbd2")):
            ip("netns", "add", name)
            ip("link", "set", device, "netns", name)
            ip("-n", name, "addr", "add", f"{ADDRESSES[name]}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in ADDRESSES:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


class Desk:
    """A home in a namespace."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.home = folder / name
        self._begin = ["ip", "netns", "exec", name]

    def workbench(self, *arguments: str, code: str = "") -> tuple[int, dict[str, Any], str]:
        """The exit status, the result, and what was printed for people."""
        ran = subprocess.run(
            [*self._begin, str(WORKBENCH), "--home", str(self.home), "--json", *arguments],
            capture_output=True, text=True, timeout=600, env={**os.environ, "WORKBENCH_ENDPOINT_CODE": code},
        )  # fmt: skip
        lines = ran.stdout.splitlines()
        last = json.loads(lines[-1]) if lines else {}
        return ran.returncode, last, ran.stderr

    def serve(self) -> subprocess.Popen[str]:
        serving = subprocess.Popen(
            [*self._begin, str(WORKBENCH), "--home", str(self.home), "--json", "serve"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert serving.stdout is not None
        for line in serving.stdout:
            if '"api"' in line:
                return serving
        raise RuntimeError(f"nothing is served: {serving.stderr.read() if serving.stderr else ''}")

    def listening(self) -> str:
        """The addresses at which something listens in this namespace, but for those of this machine itself."""
        shown = subprocess.run([*self._begin, "ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        return " ".join(line.split()[3] for line in shown.splitlines() if not line.split()[3].startswith("127."))

    def reaches(self, address: str, port: int) -> bool:
        script = f"import socket; socket.create_connection(({address!r}, {port}), 3)"
        return subprocess.run([*self._begin, sys.executable, "-c", script], capture_output=True).returncode == 0


def main() -> int:
    failed = 0

    def check(what: str, holds: bool, more: object = "") -> None:
        nonlocal failed
        failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'} {what} {more}".rstrip(), flush=True)

    folder = Path(tempfile.mkdtemp())
    try:
        with two_namespaces():
            first, second = Desk(FIRST, folder), Desk(SECOND, folder)
            _furnish(first, folder)
            second.workbench("settings", "set", "network.endpoints", "true")
            serving = first.serve()
            try:
                check("with the switch off nothing listens beyond 127.0.0.1", not first.listening(), first.listening())
                _, made, _ = first.workbench("api", "clients", "add", "desk two")
                code = made["result"]["code"]
                port = read_code(code).port
                check("with the switch off the second cannot connect", not second.reaches(ADDRESSES[FIRST], port))
                first.workbench("settings", "set", "server.shared", "true")
                check("with the switch on it listens", str(port) in first.listening(), first.listening())
                began = time.monotonic()
                status, _, said = second.workbench(
                    "models", "endpoint", "add", "--code", "manuals", "--name", "colleague", code=code
                )
                check("the second adds the recipe by the code", status == 0, f"{time.monotonic() - began:.1f} s {said}")
                began = time.monotonic()
                _, answered, said = second.workbench("ask", QUESTION, "--model", "colleague")
                text = str(answered.get("result", {}).get("answer", ""))
                check("it answers from the documents of the first", ANSWER in text, f"{time.monotonic() - began:.1f} s")
                known = read_code(code)
                other = write_code(type(known)(known.hosts, known.port, bytes(32), known.key))
                status, _, said = second.workbench("models", "endpoint", "add", "--code", "--name", "x", code=other)
                check("another certificate than that of the code is refused", status == 1 and "certificate" in said)
                wrong = write_code(type(known)(known.hosts, known.port, known.fingerprint, "wb-guessed"))
                status, _, said = second.workbench("models", "endpoint", "add", "--code", "--name", "y", code=wrong)
                check("another key than that of a client is refused", status == 1 and "401" in said)
                first.workbench("api", "clients", "remove", "desk two")
                status, _, said = second.workbench("ask", QUESTION, "--model", "colleague")
                check("a removed client is refused", status == 1 and "401" in said)
                first.workbench("settings", "set", "server.shared", "false")
                check("switched off again, nothing listens", not first.listening(), first.listening())
            finally:
                serving.terminate()
                serving.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def _furnish(desk: Desk, folder: Path) -> None:
    """A recipe over one document, with the starter models."""
    (folder / "pump.txt").write_text("The warranty of the pump is 36 months from delivery.")
    desk.workbench("models", "starter")
    desk.workbench("docs", "create", "manuals")
    desk.workbench("docs", "add", "manuals", str(folder / "pump.txt"))
    recipes = desk.home / "recipes"
    recipes.mkdir(parents=True, exist_ok=True)
    (recipes / "manuals.toml").write_text('[retrieval]\ncollection = "manuals"\n')


if __name__ == "__main__":
    raise SystemExit(main())
