"""Calls as values, results and endings."""

from __future__ import annotations

import errno
from typing import Any

import msgspec
import pytest

from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, error_of, failure_of, finish, read_result, result_of, result_type
from workbench.base import errors
from workbench.engine import inference_calls
from workbench.techniques import embedding_calls
from workbench.training import protocol as finetuning_protocol

ALL_CALLS = [
    *calls.ALL,
    *inference_calls.InferenceCall.__args__,
    *embedding_calls.EmbeddingCall.__args__,
    *finetuning_protocol.TrainingCall.__args__,
]


@pytest.mark.parametrize("call", ALL_CALLS, ids=lambda c: c.__name__)
def test_every_call_says_what_it_returns_and_explains_itself(call: type[Call[Any]]) -> None:
    assert result_type(call) is not None
    assert call.__struct_config__.frozen
    assert not call.about or call.about in call.__struct_fields__


def test_the_changes_that_make_an_answer_old_are_not_sent() -> None:
    call = calls.ListDocuments(collection="c")
    assert (call.changed_by, call.about) == (("collection",), "collection")
    assert msgspec.to_builtins(call) == {"call": "docs.list", "collection": "c"}


def test_a_result_is_typed_again_after_a_wire() -> None:
    models = calls.ModelList(
        models=(
            calls.ModelRecord(
                name="m", kind="chat", format="gguf", path="/m.gguf", architecture="llama", parameters=1,
                quantization="Q4_1", context_tokens=8, bytes=9,
            ),
        )
    )  # fmt: skip
    wire = events.decode(events.encode(finish(models)))
    assert isinstance(wire, events.Finished)
    assert read_result(calls.ListModels(), wire.result) == models


def test_bytes_survive_a_wire() -> None:
    picture = calls.PagePicture(png=b"\x89PNG\x00", width=1, height=1, page=1, pages=1)
    for plain in (finish(picture).result, msgspec.json.decode(msgspec.json.encode(finish(picture).result))):
        assert read_result(calls.DrawPage(collection="c", document="d"), plain) == picture


@pytest.mark.parametrize(
    "error",
    [errors.UserError("No model.", "Import one."), errors.WorkerDied("inference", -9, "killed"), errors.Cancelled()],
    ids=lambda e: type(e).__name__,
)
def test_an_error_survives_its_event(error: Exception) -> None:
    again = error_of(failure_of(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)


def test_a_full_disk_is_something_that_a_person_can_act_on() -> None:
    event = failure_of(OSError(errno.ENOSPC, "No space left on device", "/home/x/settings.toml"))
    assert isinstance(event, events.Failed)
    assert event.reason == "user"
    assert "/home/x/settings.toml" in event.message


def test_a_bug_keeps_its_traceback() -> None:
    event = failure_of(ZeroDivisionError("by zero"), "Traceback: here")
    assert isinstance(event, events.Failed)
    assert event.reason == "bug"
    assert "here" in str(error_of(event))
    passed_on = failure_of(error_of(event), "where it was passed on")
    assert passed_on == event


def test_want_of_memory_stays_what_it_is_on_its_way_through_processes() -> None:
    event = failure_of(MemoryError("of 9 GB"), "Traceback: here")
    assert isinstance(event, events.Failed)
    assert event.reason == "memory"
    error = error_of(event)
    assert isinstance(error, errors.OutOfMemory)
    assert failure_of(error) == event


def test_following_a_stream_returns_the_result_and_shows_the_rest() -> None:
    seen: list[events.Event] = []
    stream = [events.Progress(stage="x"), events.Finished(result="text")]
    assert result_of(calls.ExportChat(chat="1"), stream, seen.append) == "text"
    assert seen == [events.Progress(stage="x")]


def test_a_stream_without_an_ending_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="terminal"):
        result_of(calls.ExportChat(chat="1"), [events.Progress(stage="x")])
