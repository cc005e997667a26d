from __future__ import annotations

import threading
import time

import pytest

from workbench.engine import library


class SlowLog(library.LibraryLog):
    """Gives other threads the time to begin as well."""

    def __init__(self) -> None:
        super().__init__()
        time.sleep(0.05)


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
