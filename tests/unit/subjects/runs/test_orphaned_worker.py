"""A run's folder is worked in by one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled
from workbench.subjects.runs.orphaned_worker import FILE, note_worker, wait_for_earlier

pytestmark = pytest.mark.process


def test_it_waits_until_the_earlier_one_has_left(tmp_path: Path) -> None:
    earlier = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert earlier.stdin is not None
    note_worker(tmp_path, earlier.pid)
    told: list[Event] = []
    waiting = threading.Event()

    def report(event: Event) -> None:
        told.append(event)
        waiting.set()

    thread = threading.Thread(target=wait_for_earlier, args=(tmp_path, RequestContext(), report))
    thread.start()
    assert waiting.wait(10)
    assert thread.is_alive()
    earlier.stdin.close()  # as its core's end does
    thread.join(10)
    assert not thread.is_alive()
    assert len(told) == 1
    earlier.wait()
    wait_for_earlier(tmp_path, RequestContext(), told.append)
    assert len(told) == 1


def test_waiting_can_be_stopped(tmp_path: Path) -> None:
    note_worker(tmp_path, os.getpid())
    context = RequestContext()
    with pytest.raises(Cancelled):
        wait_for_earlier(tmp_path, context, lambda event: context.cancel())


def test_it_waits_also_after_the_clock_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note_worker(tmp_path, os.getpid())
    set_clock(monkeypatch, ahead_s=3600)
    context = RequestContext()
    with pytest.raises(Cancelled):
        wait_for_earlier(tmp_path, context, lambda event: context.cancel())


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
    """On Linux psutil reckons when a process began from the machine's start by the clock of today."""
    if sys.platform == "linux":
        create_time = psutil.Process.create_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + ahead_s)


@pytest.mark.parametrize("left", [b"", b"{", b'{"pid": 1, "mark": "x"}', b'{"pid": 99999999, "mark": "x"}'])
def test_what_tells_of_nobody_holds_nobody_up(tmp_path: Path, left: bytes) -> None:
    (tmp_path / FILE).write_bytes(left)
    wait_for_earlier(tmp_path, RequestContext(), lambda event: pytest.fail("it waited"))
