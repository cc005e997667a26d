"""Kills backups and restores at random moments, and looks whether anything that looks whole is not.

Makes a home with chats, a collection and a large file, then, in turn: a backup whose core is killed (SIGKILL) while
another client writes chats; a restore by the terminal that is killed; a restore in the place of a home that is killed.
After each kill everything that bears the name of a backup or a home must be whole: a backup restores and its databases
are sound; a home opens with all of its files as the manifest lists them; or there is none. The first backup and restore
are not killed: their durations are the range from which the moments are drawn.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import apsw
import psutil
from harness import arguments

from workbench.api.client import Client
from workbench.api.ownership import read_owner
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.backup import Manifest
from workbench.subjects.backup.calls import BackUp
from workbench.subjects.backup.restoring import open_backup, restore
from workbench.subjects.documents.calls import CreateCollection, ListCollections
from workbench.subjects.runs.calls import FollowRun


def main() -> int:
    parser = arguments(__doc__, seed=0)
    parser.add_argument("--kills", type=int, default=20, help="of backups, and as many of restores (default: 20)")
    parser.add_argument("--megabytes", type=int, default=300, help="size of the large file (default: 300)")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder), options.kills, options.megabytes, moments)


def _run(folder: Path, kills: int, megabytes: int, moments: random.Random) -> int:
    home, out = Home(folder / "home"), folder / "b.zip"
    _fill(home, megabytes)
    faults: list[str] = []
    took = _backup_seconds(home, out)
    print(f"a backup takes {took:.2f} s and has {out.stat().st_size / 1e6:.0f} MB")
    ended = 0
    for number in range(kills):
        out.unlink(missing_ok=True)
        with _Writing(home):
            ended += not _kill_core_of_backup(home, out, moments.uniform(0.0, took))
        faults += _faults_of_backup(out, folder / "look", f"backup {number}")
    print(f"{kills} backups killed, {ended} of them after their end; {len(faults)} faults")
    _terminal(home, "backup", str(out)).wait()
    took = _timed(lambda: _terminal(Home(folder / "new"), "restore", str(out)).wait())
    print(f"a restore takes {took:.2f} s")
    with open_backup(out) as backup:
        manifest = backup.manifest
    ended = before = 0
    for number in range(kills):
        replaces = number % 2 == 1
        target = folder / "new"
        if not replaces:
            shutil.rmtree(target, ignore_errors=True)
        process = _terminal(Home(target), "restore", str(out), *(["--replace"] if replaces else []))
        time.sleep(moments.uniform(0.3, took))
        ended += process.poll() is not None
        process.kill()
        process.wait()
        found = [path for path in folder.iterdir() if path.name.startswith("new")]
        before += not target.exists()
        for path in found:
            # what is not finished is named so, and no program takes it for a home
            faults += _faults_of_home(path, manifest, f"restore {number} {path.name}")
        for path in [*found, *folder.glob(".unfinished-*")]:
            if path != target:
                shutil.rmtree(path)
        if not target.exists():
            _terminal(Home(target), "restore", str(out)).wait()
    print(f"{kills} restores killed, {ended} of them after their end; {before} had made no home; {len(faults)} faults")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _fill(home: Home, megabytes: int) -> None:
    client = Client(home)
    for number in range(200):
        client.call(CreateCollection(name=f"Collection {number}"))
    client.close()
    (home.models / "large").mkdir(parents=True)
    with (home.models / "large" / "model.gguf").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))


def _terminal(home: Home, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "workbench", "--home", str(home.root), *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _backup_seconds(home: Home, out: Path) -> float:
    """How long a backup takes once the core runs."""
    client = Client(home)
    client.call(ListCollections())
    took = _timed(lambda: client.call(FollowRun(run=client.call(BackUp(path=str(out))).id)))
    client.close()
    return took


def _timed(work: object) -> float:
    began = time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - began


class _Writing:
    """A client that writes all the time, also after its core was killed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _write(self) -> None:
        client, number = Client(self._home), 0
        while not self._stopped.is_set():
            number += 1
            try:
                client.call(CreateCollection(name=f"{time.time_ns()} {number}"))
            except Exception:  # noqa: BLE001 - its core was killed; the next call starts another
                continue
        client.close()


def _kill_core_of_backup(home: Home, out: Path, after_s: float) -> bool:
    """Begin a backup and kill the core so long after. Returns whether it was under way."""
    client = Client(home)
    client.call(ListCollections())
    client.call(BackUp(path=str(out)))
    time.sleep(after_s)
    under_way = not out.exists()
    owner = read_owner(home)
    if owner is not None:
        core = psutil.Process(owner.pid)
        os.kill(owner.pid, signal.SIGKILL)
        core.wait(10)
    client.close()
    return under_way


def _faults_of_backup(out: Path, folder: Path, what: str) -> list[str]:
    if not out.exists():
        return []
    try:
        with open_backup(out) as backup:
            restore(backup, folder, RequestContext(), lambda event: None)
            return _faults_of_home(folder, backup.manifest, what)
    except UserError as error:
        return [f"{what}: {error}"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _faults_of_home(root: Path, manifest: Manifest, what: str) -> list[str]:
    faults = []
    for file in manifest.files:
        path = root / file.name
        if not path.exists():
            faults.append(f"{what}: {file.name} is missing")
        elif path.suffix == ".sqlite":
            connection = apsw.Connection(str(path))
            ((said,),) = connection.execute("pragma integrity_check")
            connection.close()
            faults += [f"{what}: {file.name}: {said}"] if said != "ok" else []
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            faults.append(f"{what}: {file.name} is not as it was")
    return faults


if __name__ == "__main__":
    sys.exit(main())
