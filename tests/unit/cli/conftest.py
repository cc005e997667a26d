"""The terminal against a core that answers from a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from workbench import cli
from workbench.api.client import Front
from workbench.api.events import TERMINAL, Cancelled, Event
from workbench.api.protocol import Call, finish, result_of
from workbench.base.paths import Home
from workbench.records.documents import Collection
from workbench.records.models import ModelRecord
from workbench.records.training import AdapterList
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.costs.calls import CostEstimates, EstimateCost
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.models.calls import ListModels, ModelList

Script = Callable[[Any, threading.Event], Iterator[Event]]

SMOLLM = ModelRecord(
    name="SmolLM2 135M Instruct",
    kind="chat",
    format="gguf",
    path="/models/smollm.gguf",
    architecture="llama",
    parameters=134_515_008,
    quantization="Q4_1",
    context_tokens=8192,
    bytes=98_362_432,
    licence="Apache-2.0",
    files=("/models/smollm.gguf",),
)


class FakeHandle:
    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


class FakeFront:
    """A Front that answers each kind of call from a script, on a thread of its own; it keeps what it was asked."""

    def __init__(self) -> None:
        self.scripts: dict[type[Call[Any]], Script] = {}
        self.calls: list[Call[Any]] = []
        self.closed = False

    def answer(self, kind: type[Call[Any]], result: Any, *before: Event) -> None:
        """Let calls of this kind end in ``result``, after some events."""
        self.scripts[kind] = lambda call, cancelled: iter((*before, finish(result)))

    def end(self, kind: type[Call[Any]], *events: Event) -> None:
        self.scripts[kind] = lambda call, cancelled: iter(events)

    def start(self, call: Call[Any], on_event: Callable[[Event], None]) -> FakeHandle:
        self.calls.append(call)
        handle = FakeHandle()

        def run() -> None:
            for event in self.scripts[type(call)](call, handle.cancelled):
                on_event(event)
                if isinstance(event, TERMINAL):
                    return
            on_event(Cancelled())

        threading.Thread(target=run, daemon=True).start()
        return handle

    def stream(self, call: Call[Any]) -> Iterator[Event]:
        yield from self.scripts[type(call)](call, threading.Event())

    def call(self, call: Call[Any], watch: Callable[[Event], None] | None = None) -> Any:
        return result_of(call, self.scripts[type(call)](call, threading.Event()), watch)

    def close(self) -> None:
        self.closed = True

    def asked(self, kind: type[Call[Any]]) -> list[Any]:
        return [c for c in self.calls if isinstance(c, kind)]


@dataclass
class Ran:
    """What one run of the program came to."""

    status: int
    out: str
    err: str
    home: Home | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def result(self) -> Any:
        """The result of the terminal event, which stands last and alone."""
        assert [e["event"] for e in self.events if e["event"] in ("finished", "failed", "cancelled")] == [
            self.events[-1]["event"]
        ]
        return self.events[-1].get("result")


@pytest.fixture
def front() -> FakeFront:
    front = FakeFront()
    front.answer(ListModels, ModelList(models=(SMOLLM,)))
    front.answer(ListAdapters, AdapterList(adapters=()))
    front.answer(EstimateCost, CostEstimates())
    front.answer(ListCollections, CollectionList(collections=(Collection(id="c1", name="notes"),)))
    return front


@pytest.fixture
def run(front: FakeFront, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Ran]:
    def run(*argv: str) -> Ran:
        homes: list[Home] = []

        def connect(home: Home) -> Front:
            homes.append(home)
            return front

        status = cli.main(argv, connect)
        captured = capsys.readouterr()
        ran = Ran(status, captured.out, captured.err, homes[0] if homes else None)
        if "--json" in argv:
            ran.events = [json.loads(line) for line in captured.out.splitlines()]
        return ran

    return run
