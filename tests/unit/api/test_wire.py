"""What a request goes through between processes: contexts, messages, bytes, the way a child is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Union

import msgspec
import pytest

from workbench import calls
from workbench.api import events, wire
from workbench.api.ownership import folder_identity
from workbench.api.protocol import Call, RequestContext, finish, read_result
from workbench.base import errors
from workbench.base.launching import import_path, python_command
from workbench.records.documents import PagePicture
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import DrawPage
from workbench.subjects.runs.calls import GetStatus

PICTURE = PagePicture(png=bytes(range(256)), width=3, height=2, page=1, pages=9)
DRAW = DrawPage(collection="c", document="d")


def test_cancelling_tells_everybody_once_also_those_that_come_late() -> None:
    context = RequestContext()
    told: list[str] = []
    context.when_cancelled(lambda: told.append("early"))
    assert not context.cancelled
    context.cancel()
    context.cancel()
    context.when_cancelled(lambda: told.append("late"))
    assert told == ["early", "late"]
    assert not context.left
    with pytest.raises(errors.Cancelled):
        context.raise_if_cancelled()


def test_what_has_ended_before_is_not_told() -> None:
    context = RequestContext()
    told: list[str] = []
    forget = context.when_cancelled(lambda: told.append("ended"))
    context.when_cancelled(lambda: told.append("under way"))
    forget()
    forget()
    context.cancel()
    assert told == ["under way"]


def test_leaving_is_told_apart_from_cancelling() -> None:
    context = RequestContext()
    seen: list[bool] = []
    context.when_cancelled(lambda: seen.append(context.left))
    context.leave()
    assert (seen, context.cancelled) == ([True], True)


def test_bytes_survive_both_ways_through_the_wires() -> None:
    in_process = finish(PICTURE)
    told = wire.decode_to_client.decode(wire.encode(wire.EventMessage(1, in_process)))
    assert isinstance(told, wire.EventMessage)
    assert isinstance(told.event, events.Finished)
    assert read_result(DRAW, told.event.result) == PICTURE
    from_worker = events.decode(events.encode(in_process))  # JSON, as workers write it
    assert isinstance(from_worker, events.Finished)
    again = wire.decode_to_client.decode(wire.encode(wire.EventMessage(1, from_worker)))
    assert isinstance(again, wire.EventMessage)
    assert isinstance(again.event, events.Finished)
    assert read_result(DRAW, again.event.result) == PICTURE


@pytest.mark.parametrize(
    "call", [GetStatus(), Ask(question="你好 🙂", recipe=Recipe(retrieval=RetrievalPart(collection="Papers")))]
)
def test_calls_arrive_as_they_were_sent(call: Call[Any]) -> None:
    sent = wire.encode(wire.CallMessage(7, msgspec.Raw(wire.encode(call))))
    request = wire.decode_to_core.decode(sent)
    assert isinstance(request, wire.CallMessage)
    assert msgspec.msgpack.decode(request.call, type=Union[calls.ALL])  # noqa: UP007 - of types known at run time == call


def test_a_child_is_started_by_module_or_as_the_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert python_command("workbench.workers", "--worker", "reader") == [
        sys.executable, "-P", "-m", "workbench.workers", "reader",
    ]  # fmt: skip
    assert python_command("workbench.workers", "--worker", "reader", "/other/python")[0] == "/other/python"
    places = import_path().get("PYTHONPATH", str(Path(wire.__file__).parents[2])).split(os.pathsep)
    assert Path(places[0], "workbench", "api", "wire.py").exists()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert python_command("workbench.workers", "--worker", "reader") == [sys.executable, "--worker", "reader"]
    assert import_path() == {}


def test_a_folder_with_a_number_of_128_bits_is_named_to_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """ReFS numbers folders so."""
    status = os.stat_result((0o40700, (1 << 127) + 5, 1 << 63, 1, 0, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path: status)
    hello = wire.decode_hello(wire.encode(wire.Hello("1", home=folder_identity(Path("home")))))
    assert hello.home == folder_identity(Path("home"))
