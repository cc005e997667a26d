"""Garbage of the window is collected on the GUI thread alone."""

from __future__ import annotations

import gc
import threading

from pytestqt.qtbot import QtBot

from ui.garbage import GarbageCollection


class Cycle:
    """Garbage that tells on which thread it ends."""

    def __init__(self, ended_on: list[threading.Thread]) -> None:
        self.itself = self
        self.ended_on = ended_on

    def __del__(self) -> None:
        self.ended_on.append(threading.current_thread())


def allocate(ended_on: list[threading.Thread]) -> list[list[int]]:
    """Make garbage, and then enough of other objects that Python would look for it, on a thread of its own. The other
    objects are returned, since Python counts those that are there."""
    kept: list[list[int]] = []

    def work() -> None:
        Cycle(ended_on)
        kept.extend([number] for number in range(20_000))

    thread = threading.Thread(target=work, name="reader")
    thread.start()
    thread.join()
    return kept


def test_garbage_of_any_thread_is_collected_on_the_gui_thread(qtbot: QtBot) -> None:
    gc.enable()
    gc.collect()
    left: list[threading.Thread] = []
    assert allocate(left)
    assert [one.name for one in left] == ["reader"], "without it, Python collects on the thread that allocates"

    ended_on: list[threading.Thread] = []
    collection = GarbageCollection()
    kept = allocate(ended_on)
    assert not ended_on
    qtbot.waitUntil(lambda: bool(ended_on))
    assert ended_on == [threading.current_thread()]
    collection.close()
    assert gc.isenabled()
    assert kept
