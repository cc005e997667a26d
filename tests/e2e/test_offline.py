"""The whole of documents and chat in a network namespace that has nothing but loopback, with no attempt to leave.

A Python audit hook does not see sockets that native code opens, so that the namespace cuts what would leave and
strace, where it is installed, proves that nothing tried.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LEAVING = re.compile(r"(?:connect|sendto|sendmsg)\(.*sa_family=AF_INET6?\b(?!.*(?:127\.0\.0\.1|\"::1\"))")


def _namespace_command() -> list[str] | None:
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return None
    for options in (["-n"], ["-rn"]):
        if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode == 0:
            return ["unshare", *options]
    return None


NAMESPACE = _namespace_command()


@pytest.mark.skipif(NAMESPACE is None, reason="this system does not let us make a network namespace")
def test_documents_and_chat_work_without_a_network_and_try_nothing(tmp_path: Path, smollm_path: Path) -> None:
    assert NAMESPACE is not None
    home, folder, traces = tmp_path / "home", tmp_path / "manuals", tmp_path / "traces"
    folder.mkdir()
    traces.mkdir()
    (folder / "pump.md").write_text(
        "# Pump P-40\n\nThe warranty of the pump P-40 lasts 36 months from delivery.\n\n"
        "The impeller must be replaced every 4,000 hours of operation.\n"
    )
    (folder / "terms.html").write_text("<h1>Terms</h1><p>Claims must be made in writing within 14 days.</p>")
    script = tmp_path / "session.sh"
    python = f'"{sys.executable}" -m workbench --home "{home}" --json'
    script.write_text(
        "set -e\n"
        f"{python} models starter > {tmp_path}/starter.jsonl\n"
        f"{python} docs create manuals > {tmp_path}/create.jsonl\n"
        f'{python} docs add manuals "{folder}" > {tmp_path}/add.jsonl\n'
        f'{python} docs search manuals "warranty of the pump" > {tmp_path}/search.jsonl\n'
        f'{python} ask "How long does the warranty of the pump P-40 last?" --collection manuals '
        f"--set decoding.max_tokens=48 > {tmp_path}/ask.jsonl\n"
    )
    tracer = (
        ["strace", "-f", "-ff", "-o", str(traces / "t"), "-e", "trace=connect,sendto,sendmsg"]
        if shutil.which("strace")
        else []
    )
    environment = {k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY")}
    done = subprocess.run(
        [*NAMESPACE, *tracer, "bash", str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr[-4000:]
    added = json.loads((tmp_path / "add.jsonl").read_text().splitlines()[-1])
    assert (added["event"], added["result"]["indexed"], added["result"]["failed"]) == ("finished", 2, [])
    found = json.loads((tmp_path / "search.jsonl").read_text().splitlines()[-1])
    assert "36 months" in found["result"]["hits"][0]["text"]
    answered = json.loads((tmp_path / "ask.jsonl").read_text().splitlines()[-1])
    assert answered["event"] == "finished"
    assert answered["result"]["answer"]
    attempts = [
        line
        for file in traces.iterdir()
        for line in file.read_text(errors="replace").splitlines()
        if LEAVING.search(line)
    ]
    assert attempts == []


def test_the_pattern_sees_an_attempt_to_leave() -> None:
    out = 'connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("3.5.7.9")}, 16) = -1 ENETUNREACH'
    home = 'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0'
    socket = 'connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0'
    assert LEAVING.search(out)
    assert not LEAVING.search(home)
    assert not LEAVING.search(socket)
