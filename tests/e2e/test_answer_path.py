"""The way of a question to its cited answer in the core: the borders that it crosses, and how often it reads its chat.

A room is a package of ``workbench/``; each subject is one. ``base``, ``text``, ``records`` and ``api`` are the ground
on which all rooms stand, and are none: they hold values, words and events. The border between two rooms is crossed
where a function of one calls a function of the other, or begins its generator, also by way of the ground or of a
library; either way it is the same border. Threads that the question starts count; the workers and their start do not.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_GENERATOR
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import workbench
from tests.e2e.test_core import call, opened
from tests.e2e.training_core import TENSORS
from tests.unit.subjects.models.conftest import TINY_CONFIG, TINY_METADATA, gguf_bytes, safetensors_bytes
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.answers import AskResult
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.storage.database import Database
from workbench.subjects.chats import store as chat_store
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun

MOST_BORDERS = 16
GROUND = {"base", "text", "records", "api"}
RECIPE = Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers"), decoding=DecodingPart(max_tokens=80))
QUESTION = "When was the bridge built?"
_READS_CHAT = re.compile(r"\s*(select|with)\b.*\bfrom (chats|messages)\b", re.DOTALL)


class Trace:
    """The ``borders`` that are crossed, as pairs of rooms in the order of their names, and the ``readings`` of a chat:
    the methods of its store that have read its record or messages from the database."""

    def __init__(self) -> None:
        self.borders: set[tuple[str, str]] = set()
        self.readings: list[str] = []
        self._rooms: dict[str, str] = {}
        self._seen: set[FrameType] = set()  # generators are entered again for each event
        self._reading: set[FrameType] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        before = sys.getprofile()
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call":
            return
        if frame.f_code is Database.execute.__code__ and _READS_CHAT.match(frame.f_locals["sql"]):
            self._add_reading(frame)
        room = self._room_of(frame.f_code)
        if not room or (frame.f_code.co_flags & CO_GENERATOR and frame in self._seen):
            return
        self._seen.add(frame)
        caller = frame.f_back
        while caller is not None and not self._room_of(caller.f_code):
            caller = caller.f_back
        if caller is not None and (other := self._room_of(caller.f_code)) != room:
            first, second = sorted((room, other))
            self.borders.add((first, second))

    def _add_reading(self, frame: FrameType) -> None:
        """One for each method that is called from outside the store, whatever it reads."""
        outermost, above = frame, frame.f_back
        while above is not None:
            if above.f_code.co_filename == chat_store.__file__:
                outermost = above
            above = above.f_back
        if outermost not in self._reading:
            self._reading.add(outermost)
            self.readings.append(outermost.f_code.co_name)

    def _room_of(self, code: CodeType) -> str:
        """ "" for the ground and for what is not the program."""
        known = self._rooms.get(code.co_filename)
        if known is None:
            known = self._rooms[code.co_filename] = _room(Path(code.co_filename))
        return known


def _room(path: Path) -> str:
    root = Path(workbench.__file__).parent
    if not path.is_relative_to(root):
        return ""
    first, *more = path.relative_to(root).with_suffix("").parts
    if first == "subjects" and len(more) > 1:
        return more[0]
    return "" if first in GROUND else first


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Workbench]:
    """A core with two small models, a collection, and a first answer that has started the workers."""
    core = opened(Home(tmp_path / "home"))
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    chat_model = tmp_path / "base.gguf"
    chat_model.write_bytes(gguf_bytes({**TINY_METADATA, "tokenizer.chat_template": template}, TENSORS))
    embedder = tmp_path / "embedder"
    (embedder / "1_Pooling").mkdir(parents=True)
    files = {
        "config.json": {**TINY_CONFIG, "model_type": "bert"},
        "modules.json": [{"type": "sentence_transformers.models.Transformer", "path": ""}],
        "1_Pooling/config.json": {"word_embedding_dimension": 16},
        "tokenizer.json": {},
    }
    for name, content in files.items():
        (embedder / name).write_text(json.dumps(content))
    (embedder / "model.safetensors").write_bytes(safetensors_bytes())
    for path in (chat_model, embedder):
        call(core, ImportModel(path=str(path), copy=True))  # copied: the checksum is known
    papers = tmp_path / "papers"
    papers.mkdir()
    for name in ("bridge", "river"):
        (papers / f"{name}.txt").write_text(f"All about the {name}. The {name} was built in 1907.")
    call(core, CreateCollection(name="papers"))
    run = call(core, AddDocuments(collection="papers", paths=(str(papers),)))
    call(core, FollowRun(run=run.id))
    yield core
    core.close()


def asked(core: Workbench, **question: Any) -> tuple[AskResult, Trace]:
    trace = Trace()
    with trace.watching():
        result: AskResult = call(core, Ask(recipe=RECIPE, **question))
    assert [one.n for one in result.citations] == [1]
    return result, trace


def test_a_cited_answer_crosses_few_borders_and_reads_its_chat_once(core: Workbench) -> None:
    first, begun = asked(core, question=QUESTION)
    assert begun.readings == []  # there was no chat yet
    second, followed = asked(core, question=QUESTION, chat=first.chat)
    assert followed.readings == ["read_chat"]
    assert {("answering", "chats"), ("answering", "techniques"), ("backends", "processes")} <= followed.borders
    assert len(followed.borders) <= MOST_BORDERS, "\n".join(map(" - ".join, sorted(followed.borders)))
    _, again = asked(core, regenerate=second.message)
    assert again.readings == ["read_to"]
    assert again.borders == followed.borders


def test_another_reading_is_noticed(core: Workbench) -> None:
    first, _ = asked(core, question=QUESTION)
    trace = Trace()
    with trace.watching():
        core_store = chat_store.ChatStore(core._base.database)
        core_store.get_record(first.chat or "")
        core_store.get_message(first.message or "")
    assert trace.readings == ["get_record", "get_message"]
