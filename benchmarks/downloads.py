"""Kill downloads, break them and switch the network off; count what is lost and what leaves the machine.

    python benchmarks/downloads.py

*Kills*: a process downloads a file from a hub on this machine at about 12 MB/s and is killed after 0.1 to 1.2 s, again
and again; then it may end. For each kill: the bytes that were on the disk, and from which the next attempt went on.
*Faults*: a real server's faults, one by one, with the message that a person reads. *Offline*: the whole core, its
workers and the hub's own library are asked to search, look up, fit and download while the network is switched off, in a
network namespace and under strace; connections that are tried to anything but this machine are counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import msgspec
from harness import arguments

from tests.fake_hub import FakeHub, Fault, serving
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import RemoteFile
from workbench.subjects.models.download import download

WHOLE = "whole, and verified"
ALLOWED_LOSS = 10_000_000
LEAVING = re.compile(r"(?:connect|sendto|sendmsg)\(.*sa_family=AF_INET6?\b(?!.*(?:127\.0\.0\.1|\"::1\"))")
OFFLINE = """
import sys
from pathlib import Path
from workbench.api import calls
from workbench.app import Workbench
from workbench.base.paths import Home
core = Workbench(Home(Path(sys.argv[1])))
core.start()
asked = (
    calls.SearchHub(words="small"), calls.ListHubFiles(repository="a/b"), calls.ReadHubCard(repository="a/b"),
    calls.FitHubFile(repository="a/b", file="Q8_0"), calls.DownloadModel(repository="a/b", file="Q8_0"),
    calls.FindLocalModels(), calls.RegisterStarter(), calls.GetMachine(),
)
for call in asked:
    *_, last = core.handle(call)
    print(type(call).__name__, type(last).__name__, getattr(last, "message", ""), flush=True)
import huggingface_hub
try:
    huggingface_hub.HfApi().model_info("a/b")
except Exception as error:
    print("huggingface_hub by itself", type(error).__name__, flush=True)
print("refused and logged:", len([1 for one in core.handle(calls.ListNetworkRequests())]), flush=True)
core.close()
"""


def child(url: str, size: int, sha256: str, folder: str) -> None:
    file = RemoteFile(url=url, name="model.gguf", bytes=size, sha256=sha256)
    with open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
        download(file, Path(folder), client, RequestContext())


def kills(count: int, megabytes: int, seed: int) -> None:
    drawn = random.Random(seed)
    hub = FakeHub()
    hub.files["/model.gguf"] = b"".join(drawn.randbytes(1_000_000) for _ in range(megabytes))
    size, sha256 = len(hub.files["/model.gguf"]), hub.sha256("/model.gguf")
    folder = Path(tempfile.mkdtemp(prefix="downloads-"))
    part = folder / "model.gguf.part"
    command = [sys.executable, __file__, "--child", "", str(size), sha256, str(folder)]
    losses, reached, done = list[int](), list[int](), 0
    with serving(hub) as url:
        command[3] = f"{url}/model.gguf"
        hub.block_s = 0.005
        while done < count:
            asked = len(hub.asked)
            running = subprocess.Popen(command, start_new_session=True)
            while len(hub.asked) == asked and running.poll() is None:
                time.sleep(0.01)
            time.sleep(drawn.uniform(0.1, 1.2))
            if running.poll() is not None:
                print("it was whole before the last kill: give more --megabytes")
                break
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            there = part.stat().st_size if part.exists() else 0
            known = json.loads((folder / "model.gguf.part.json").read_text()) if there else {"synced": 0}
            resumes = min(int(known["synced"]), there)
            losses.append(there - resumes)
            reached.append(there)
            done += 1
        hub.block_s = 0
        subprocess.run(command, check=True)
    asked_from = [int(one[1].removeprefix("bytes=").rstrip("-") or 0) for one in hub.asked if one[1]]
    whole = hashlib.sha256((folder / "model.gguf").read_bytes()).hexdigest() == sha256
    left = sorted(path.name for path in folder.iterdir())
    shutil.rmtree(folder)
    print(
        f"{done} kills of a download of {megabytes} MB, at {min(reached) / 1e6:.1f} to "
        f"{max(reached) / 1e6:.1f} MB: lost at most {max(losses) / 1e6:.1f} MB (mean "
        f"{sum(losses) / len(losses) / 1e6:.1f}), {sum(loss <= ALLOWED_LOSS for loss in losses)}/{done} within 10 MB; "
        f"{len(asked_from)} attempts by range, positions never fell: {asked_from == sorted(asked_from)}; begun anew "
        f"after the first bytes were safe: {sum(one == 0 for one in asked_from)}; SHA-256 right: {whole}; left: {left}"
    )


def faults() -> None:
    whole = random.Random(2).randbytes(3_000_000)
    cases: dict[str, tuple[list[Fault], dict[str, object]]] = {
        "gated (403)": ([Fault(status=403, headers={"X-Error-Message": "Access to this model is gated"})], {}),
        "no token (401)": ([Fault(status=401)], {}),
        "missing (404)": ([Fault(status=404)], {}),
        "gone (410)": ([Fault(status=410)], {}),
        "asked to wait (429), for good": ([Fault(status=429, headers={"Retry-After": "1"})] * 10, {}),
        "unavailable (503), for good": ([Fault(status=503)] * 10, {}),
        "connection cut, for good": ([Fault(cut=0)] * 10, {}),
        "legal reasons (451)": ([Fault(status=451)], {}),
        "wrong SHA-256": ([], {"sha256": "0" * 64}),
        "another size": ([], {"bytes": 17}),
        "a range from elsewhere": ([Fault(cut=1_000_000), Fault(lies=True)], {}),
        "redirect without encryption": ([Fault(status=302, headers={"Location": "http://example.org/x"})], {}),
        "redirects without end": ([Fault(status=302, headers={"Location": "/model.gguf"})] * 10, {}),
        "full disk": ([], {}),
        "cut three times, then whole": ([Fault(cut=900_000)] * 3, {}),
        "503 twice, then whole": ([Fault(status=503)] * 2, {}),
        "range ignored, then whole": ([Fault(cut=900_000), Fault(ignores_range=True)], {}),
    }
    messages = set()
    for name, (given, changes) in cases.items():
        hub = FakeHub()
        hub.files["/model.gguf"] = whole
        hub.faults.extend(given)
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        with serving(hub) as url, open_client(Gate(lambda purpose: False), "hub", context=RequestContext()) as client:
            file = RemoteFile(
                url=f"{url}/model.gguf", name="model.gguf", bytes=len(whole), sha256=hub.sha256("/model.gguf")
            )
            free = 1_000 if name == "full disk" else 10**12
            try:
                with patch("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free)):
                    download(
                        msgspec.structs.replace(file, **changes), folder, client, RequestContext(), sleep=lambda s: None
                    )
                said = WHOLE
            except UserError as error:
                said = f"{error.message} {error.hint}".strip()
                messages.add(re.sub(r"\d[\d.,]*", "0", error.message))
        looks_whole = (folder / "model.gguf").exists() and said != WHOLE
        print(f"{name:30} {said.replace(str(folder), 'FOLDER')}{'  LEFT A FILE' if looks_whole else ''}")
        shutil.rmtree(folder)
    print(f"{len(messages)} messages that differ.")


def offline() -> None:
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        traces = folder / "traces"
        traces.mkdir()
        script = folder / "offline.py"
        script.write_text(OFFLINE)
        strace = ["strace", "-f", "-ff", "-o", str(traces / "t"), "-e", "trace=connect,sendto,sendmsg"]
        command = ["unshare", "-n", *strace, sys.executable, str(script), str(folder / "home")]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        print(ended.stdout.strip())
        lines = [line for path in traces.iterdir() for line in path.read_text(errors="replace").splitlines()]
        tried = [line for line in lines if LEAVING.search(line)]
        print(
            f"exit {ended.returncode}; {len(lines)} calls traced in {len(list(traces.iterdir()))} threads and processes"
        )
        print(f"{len(tried)} connections tried to anything but this machine", *tried[:5], sep="\n")


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
    parser = arguments(__doc__, kills=60, megabytes=400, seed=1)
    parser.add_argument("--only", choices=("kills", "faults", "offline"))
    options = parser.parse_args()
    if options.only in (None, "faults"):
        faults()
    if options.only in (None, "kills"):
        kills(options.kills, options.megabytes, options.seed)
    if options.only in (None, "offline"):
        offline()


if __name__ == "__main__":
    main()
