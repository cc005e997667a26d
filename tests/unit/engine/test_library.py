from __future__ import annotations

import contextlib
import threading

import pytest

from workbench.engine import library


class SlowLog(library.LibraryLog):
    """Waits until the other threads are in here as well, which they must not be."""

    meeting = threading.Barrier(4)

    def __init__(self) -> None:
        super().__init__()
        with contextlib.suppress(threading.BrokenBarrierError):
            self.meeting.wait(0.2)


def test_threads_that_start_the_library_together_share_one_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LibraryLog", SlowLog)
    library._start.cache_clear()
    found: list[library.LibraryLog] = []
    threads = [threading.Thread(target=lambda: found.append(library.start_library())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(log) for log in found}) == 1  # llama.cpp would call one that was freed
