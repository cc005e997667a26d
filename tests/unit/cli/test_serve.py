"""``workbench serve`` outlives the core that serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.client import LOST
from workbench.api.events import Artifact, Cancelled, Event, Failed
from workbench.cli import serve
from workbench.subjects.serving.calls import ListServedModels, ServeApi, ServedModels


def served(front: FakeFront, ends: list[Event]) -> None:
    front.answer(ListServedModels, ServedModels(models=()))

    state = {"running": True, "address": "http://127.0.0.1:4711", "key": "wb-x", "answered": 0, "refused": 0}

    def script(call: Any, cancelled: threading.Event) -> Iterator[Event]:
        yield Artifact(kind="api", id="4711", result={**state, "problem": ""})
        yield ends.pop(0)

    front.scripts[ServeApi] = script


def test_another_core_serves_on_when_one_dies(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [LOST, LOST, Cancelled()])
    ran = run("serve")
    assert ran.status == 0
    assert sum(isinstance(call, ServeApi) for call in front.calls) == 3
    assert ran.err.count("Another one is started and serves on.") == 2
    assert ran.out.count("served again at http://127.0.0.1:4711/v1") == 2
    assert ran.out.count("Ctrl+C ends it.") == 1


def test_a_core_that_dies_again_and_again_is_not_started_for_ever(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [LOST] * 20)
    ran = run("serve")
    assert ran.status == 1
    assert sum(isinstance(call, ServeApi) for call in front.calls) == serve.MOST_STARTS
    assert "served no more: the core ended 4 times" in ran.err


def test_what_else_fails_ends_it(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [Failed(message="The model process crashed.", hint="inference", reason="worker")])
    ran = run("serve")
    assert ran.status == 1
    assert "crashed" in ran.err
