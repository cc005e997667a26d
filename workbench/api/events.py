"""Events: the only values that cross a process or thread boundary.

Small, frozen and typed; one JSON line each. Every request ends in exactly one terminal event:
``Finished``, ``Failed`` or ``Cancelled``. A reader passes over tags and fields that it does not know,
so that an older window can watch a newer core. This module knows nothing of who sends or reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, get_args

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.messages import Beam, Citation, Passage, Statement, Usage
from workbench.records.trace import TokenIds

EVENT_FILE_FORMAT = 1


class Base(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """The common fields of all events: ``seq`` counts from 1 within one stream; ``at`` is seconds since the epoch."""

    seq: int = 0
    at: float = 0.0


class TextDelta(Base, frozen=True, kw_only=True, tag="text"):
    """A piece of the answer, or of the output of ``step``; those of one ``sequence`` joined in order are its text.
    ``tokens`` of the sequence were generated up to here; 0: not known."""

    text: str
    sequence: int = 0
    step: str = ""
    tokens: int = 0


class Thought(Base, frozen=True, kw_only=True, tag="thought"):
    """A piece of a reasoning model's thinking, kept apart from its answer. ``tokens`` as of a TextDelta."""

    text: str
    sequence: int = 0
    step: str = ""
    tokens: int = 0


class BeamStep(Base, frozen=True, kw_only=True, tag="beams"):
    """The beams after step ``number`` (from 0) of a beam search, best first."""

    number: int = msgspec.field(name="step")  # its name in files and streams of the first event format
    beams: tuple[Beam, ...]
    step: str = msgspec.field(name="in_step", default="")


class Retrieved(Base, frozen=True, kw_only=True, tag="retrieved"):
    """The passages found for ``query``, best first.

    Without a ``step``, or in one that is directly in the answer, they are the passages that the answer is based on.
    """

    query: str
    passages: tuple[Passage, ...]
    step: str = ""


class Verified(Base, frozen=True, kw_only=True, tag="verified"):
    """Statements of the answer that are complete, verified while the rest is written; they follow those of earlier
    events. ``citations`` are new ones, and known ones that point to another sentence now. ``quoted`` characters at the
    beginning of the answer are quotes. The terminal event has the whole ``Verification``, which replaces all of this.
    """

    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    quoted: int = 0


class StepStarted(Base, frozen=True, kw_only=True, tag="step_started"):
    """A step of an answer begins; its fields are those of ``records.trace.TraceStep``.

    ``step`` is unique within the stream. Events that carry it belong to the step, those with "" to the answer itself.
    """

    step: str
    parent: str = ""
    kind: str
    title: Shown = ""
    input: str = ""
    writes_answer: bool = False


class StepFinished(Base, frozen=True, kw_only=True, tag="step_finished"):
    """The end of a step; failed when there is an ``error``. Without ``output`` its streamed text is its output.

    A step without this event ended with the answer: it was stopped.
    """

    step: str
    output: str = ""
    score: float | None = None
    usage: Usage | None = None
    error: Shown = ""
    seconds: float = 0.0
    tokens: TokenIds | None = None


LONGEST_ESTIMATE_S = 4 * 86_400.0
"""A longer time comes from too little that was measured, and nobody would believe it."""


class Progress(Base, frozen=True, kw_only=True, tag="progress"):
    """Progress of a piece of work. ``total`` 0 and ``seconds_left`` None mean unknown, as does a time that is longer
    than ``LONGEST_ESTIMATE_S``. ``overall``: the share of the whole where it has several stages whose times are known,
    0..1; then ``seconds_left`` is that of the whole."""

    stage: str
    done: float = 0
    total: float = 0
    unit: str = ""
    seconds_left: float | None = None
    detail: str = ""
    step: str = ""
    overall: float | None = None

    def __post_init__(self) -> None:
        if self.seconds_left is not None and not self.seconds_left <= LONGEST_ESTIMATE_S:
            msgspec.structs.force_setattr(self, "seconds_left", None)


class Metric(Base, frozen=True, kw_only=True, tag="metric"):
    """One measured number; ``step`` is the x of its curve. Never NaN: a missing value is a missing event."""

    name: str
    value: float
    step: int = 0


class Artifact(Base, frozen=True, kw_only=True, tag="artifact"):
    """Something that exists from now on: a stored message, an indexed document, an answered question."""

    kind: str
    id: str
    result: dict[str, Any] = {}


class Log(Base, frozen=True, kw_only=True, tag="log"):
    """A line for people. ``notice`` is meant to be seen beside the result, the others are for the log."""

    text: Shown
    level: Literal["debug", "info", "notice", "warning"] = "info"


class Changed(Base, frozen=True, kw_only=True, tag="changed"):
    """Something in the home folder changed. ``kind``: chat, run, model, collection, adapter, data (a set), settings,
    questions (a set), evaluation, mcp (servers), worker."""

    kind: str
    id: str = ""


class PartEvent(Base, frozen=True, kw_only=True, tag="part"):
    """An event of one of several requests that were made together: of the one at place ``part``, from 0."""

    part: int
    of: Event


class Finished(Base, frozen=True, kw_only=True, tag="finished"):
    """The terminal event of a request that did what it was asked to."""

    result: Any = None


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to allow (``AllowSending``) before a request is done: that passages of a collection ("": files
    attached to chats) are sent to the host of a model. ``refused``: they have said no before."""

    model: str
    collection: str
    refused: bool = False


class Exceeded(msgspec.Struct, frozen=True, kw_only=True):
    """A request has ``tokens`` tokens, more than the model's context of ``context_tokens`` has room for."""

    tokens: int
    context_tokens: int


class Failed(Base, frozen=True, kw_only=True, tag="failed"):
    """The terminal event of a request that could not be done.

    ``reason``: ``user`` (a person can act; ``hint`` says how), ``worker`` (a process died: ``exit_code`` and
    ``stderr_tail`` tell), ``memory`` (it ran out) or ``bug`` (ours); of both ``stderr_tail`` has the traceback.
    ``sending``: it fails for want of this permission; ``exceeded``: for its length; ``unknown``: since the engine in
    use does not know this of a model.
    """

    message: Shown
    hint: Shown = ""
    reason: Literal["user", "worker", "memory", "bug"] = "user"
    exit_code: int | None = None
    stderr_tail: str = ""
    sending: Sending | None = None
    exceeded: Exceeded | None = None
    unknown: str = ""


class Cancelled(Base, frozen=True, kw_only=True, tag="cancelled"):
    """The terminal event of a request that was stopped on request, or with ``interrupted``, because the program ended.
    What was done stays done."""

    result: Any = None
    interrupted: bool = False


Event = (
    TextDelta | Thought | BeamStep | Retrieved | Verified | StepStarted | StepFinished | Progress | Metric | Artifact
    | Log | Changed | PartEvent | Finished | Failed | Cancelled
)  # fmt: skip
Terminal = Finished | Failed | Cancelled
TERMINAL = (Finished, Failed, Cancelled)

_E = TypeVar("_E", bound=Base)
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class _Tag(msgspec.Struct):
    event: str = ""


_tag_decoder = msgspec.json.Decoder(_Tag)
_KNOWN_TAGS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Event))


def encode(event: Event) -> bytes:
    """One line of JSON without its newline. Raises ValueError for a NaN or an infinity (JSON has none)."""
    if isinstance(event, Metric) and not math.isfinite(event.value):
        raise ValueError(f"metric {event.name} is {event.value}; leave the event out instead")
    return _encoder.encode(event)


def decode(line: bytes | str) -> Event | None:
    """The event of one line, or None for a tag that this version does not know.

    Raises msgspec.DecodeError for a line that is not a JSON object or lacks a known event's fields.
    """
    tag = _tag_decoder.decode(line).event
    if tag not in _KNOWN_TAGS:
        return None
    return _decoder.decode(line)


def read_line(line: bytes, seq: int) -> Event | None:
    """As ``decode``, of a line of a file: one that cannot be read becomes a ``Log`` that says so."""
    try:
        return decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Log(text="A part of this record is damaged and cannot be shown.", level="warning", seq=seq)


def stamped(event: _E, seq: int, at: float) -> _E:
    """The same event with its number in the stream and its time."""
    return msgspec.structs.replace(event, seq=seq, at=at)


class EventFile:
    """An append-only ``events.jsonl``. Opening an existing one appends after its last complete line; raises UserError
    for one of another format."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq = 0
        if path.exists() and path.stat().st_size:
            whole = 0
            with path.open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    if not whole:
                        _check_header(path, line)
                    whole += len(line)
                    self._seq += 1
            self._seq = max(0, self._seq - 1)  # the header line is not an event
            self._file: BinaryIO = path.open("r+b")
            self._file.seek(whole)
            self._file.truncate()
        else:
            whole = 0
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        if not whole:  # a new file, or one whose first line was torn
            self._file.write(msgspec.json.encode({"format": EVENT_FILE_FORMAT}) + b"\n")
            self._file.flush()

    def append(self, event: Event, at: float) -> Event:
        """Write the event; returns it with its sequence number."""
        numbered = stamped(event, self._seq + 1, at)
        line = encode(numbered) + b"\n"
        self._seq += 1
        self._file.write(line)
        self._file.flush()
        return numbered

    def close(self) -> None:
        self._file.close()


def read_event_file(path: Path, after: int = 0) -> Iterator[Event]:
    """The file's events with ``seq > after``. A torn last line and unknown tags are passed over.

    Raises UserError when the file was written by a newer format.
    """
    with path.open("rb") as file:
        header = file.readline()
        if not header.endswith(b"\n"):
            return
        _check_header(path, header)
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            event = read_line(line, number)
            if event is not None and event.seq > after:
                yield event


def _check_header(path: Path, header: bytes) -> None:
    try:
        version = msgspec.json.decode(header, type=dict[str, Any]).get("format")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged: its first line cannot be read.") from error
    if version != EVENT_FILE_FORMAT:
        raise UserError(
            f"{path} was written in event format {version}; this program reads {EVENT_FILE_FORMAT}.",
            "Update LLM Workbench to read it.",
        )
