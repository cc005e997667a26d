"""Events: one JSON line each, forgiving towards newer writers, strict about NaN."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.messages import Beam, Passage, Statement, Usage
from workbench.records.trace import TokenIds
from workbench.techniques.retrieval.citations import as_citation

PASSAGE = Passage(
    collection="c", document="d", document_hash="h", path="/a.txt", title="a", start=0, end=3, text="abc", n=1
)
EVERY_EVENT: list[events.Event] = [
    events.TextDelta(text="hé 🙂"),
    events.Thought(text="hm"),
    events.BeamStep(number=2, beams=(Beam(parent=1, token=7, text=" sea", score=-1.5, ended=True),)),
    events.Retrieved(query="q", passages=(PASSAGE,)),
    events.Verified(
        statements=(Statement(start=0, end=9, verdict="unsupported", conflicts=("12",), n=1),),
        citations=(as_citation(PASSAGE, claimed=True),),
        quoted=9,
    ),
    events.StepStarted(step="1", kind="tool", title="Add", input="1 + 2", parent="0"),
    events.StepFinished(
        step="1", output="3", score=0.5, usage=Usage(new_tokens=3), tokens=TokenIds(prompt=(1,), sequences=((2,),))
    ),
    events.Progress(stage="reading", done=1, total=3, unit="files", seconds_left=2.5),
    events.Metric(name="loss", value=0.25, step=4),
    events.Artifact(kind="document", id="/a.txt", result={"state": "indexed", "chunks": 3}),
    events.Log(text="two turns were dropped", level="notice"),
    events.Changed(kind="chat", id="1"),
    events.PartEvent(part=2, of=events.TextDelta(text="x", seq=3)),
    events.Finished(result={"answer": "x"}),
    events.Failed(message="gone", reason="worker", exit_code=-9, stderr_tail="killed"),
    events.Cancelled(),
]


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda e: type(e).__name__)
def test_an_event_survives_its_line(event: events.Event) -> None:
    line = events.encode(event)
    assert b"\n" not in line
    assert events.decode(line) == event


def test_events_of_the_first_format_are_read() -> None:
    beams = b'{"event":"beams","step":2,"beams":[{"parent":-1,"token":5,"text":"a","score":-0.5}]}'
    read = events.decode(beams)
    assert read == events.BeamStep(number=2, beams=(Beam(parent=-1, token=5, text="a", score=-0.5),))
    assert events.decode(b'{"event":"progress","stage":"reading","done":1}') == events.Progress(stage="reading", done=1)


def test_every_event_type_is_covered() -> None:
    assert {type(e) for e in EVERY_EVENT} == set(events.Event.__args__)


def test_an_unknown_tag_is_passed_over_and_an_unknown_field_ignored() -> None:
    assert events.decode(b'{"event":"from_the_future","x":1}') is None
    assert events.decode(b'{"event":"text","text":"a","colour":"red"}') == events.TextDelta(text="a")


def test_a_line_that_is_no_event_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        events.decode(b'{"event":"text"}')


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="loss"):
        events.encode(events.Metric(name="loss", value=value))


def test_an_event_file_numbers_its_events_and_is_read_from_any_point(tmp_path: Path) -> None:
    file = events.EventFile(tmp_path / "run" / "events.jsonl")
    for step in range(3):
        file.append(events.Metric(name="loss", value=1.0, step=step), at=100.0 + step)
    file.close()
    read = list(events.read_event_file(tmp_path / "run" / "events.jsonl"))
    assert [e.seq for e in read] == [1, 2, 3]
    assert [e.at for e in read] == [100.0, 101.0, 102.0]
    assert [e.seq for e in events.read_event_file(file.path, after=2)] == [3]


def test_a_torn_last_line_is_passed_over_and_replaced_on_reopening(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    file = events.EventFile(path)
    file.append(events.Log(text="one"), at=1.0)
    file.close()
    with path.open("ab") as torn:
        torn.write(b'{"event":"log","te')
    assert [e.seq for e in events.read_event_file(path)] == [1]
    again = events.EventFile(path)
    again.append(events.Log(text="two"), at=2.0)
    again.close()
    assert [(e.seq, e.text) for e in events.read_event_file(path) if isinstance(e, events.Log)] == [
        (1, "one"),
        (2, "two"),
    ]


def test_a_newer_event_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"format":99}\n')
    for use in (lambda: list(events.read_event_file(path)), lambda: events.EventFile(path)):
        with pytest.raises(UserError, match="format 99"):
            use()
    assert path.read_bytes() == b'{"format":99}\n'


@pytest.mark.parametrize("header", [b"\xff\n", b"[]\n", b"{\n"])
def test_a_file_with_a_damaged_first_line_is_refused_by_name(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(header)
    with pytest.raises(UserError, match=r"events\.jsonl"):
        list(events.read_event_file(path))


def test_a_damaged_line_is_told_in_its_place(tmp_path: Path) -> None:
    file = events.EventFile(tmp_path / "events.jsonl")
    for text in ("one", "two", "three"):
        file.append(events.Log(text=text), 1.0)
    file.close()
    file.path.write_bytes(file.path.read_bytes().replace(b'"two"', b"7"))
    read = [(e.seq, e.text) for e in events.read_event_file(file.path) if isinstance(e, events.Log)]
    assert read == [(1, "one"), (2, "A part of this record is damaged and cannot be shown."), (3, "three")]


def test_a_file_whose_first_line_was_torn_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"form')
    file = events.EventFile(path)
    file.append(events.Log(text="one"), 1.0)
    file.close()
    assert [(e.seq, e.text) for e in events.read_event_file(path) if isinstance(e, events.Log)] == [(1, "one")]


def test_an_event_that_cannot_be_written_takes_no_number(tmp_path: Path) -> None:
    file = events.EventFile(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="nan"):
        file.append(events.Metric(name="loss", value=float("nan")), 1.0)
    assert file.append(events.Log(text="one"), 1.0).seq == 1
    file.close()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(531 * 3600.0, None), (float("inf"), None), (3600.0, 3600.0), (None, None)]
)
def test_a_time_that_nobody_would_believe_is_none(seconds: float | None, shown: float | None) -> None:
    told = events.Progress(stage="reading", seconds_left=seconds)
    assert told.seconds_left == shown
    line = events.encode(msgspec.structs.replace(told, stage="on"))
    assert events.decode(line).seconds_left == shown  # type: ignore[union-attr]
