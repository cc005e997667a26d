"""A chat that is not kept: nothing of it is on the disk, and nothing of it is there once it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_core import begin, call, last, opened, until
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.agents import Decision
from workbench.records.recipes import AgentPart, ModelPart, Recipe
from workbench.subjects.agents.calls import Decide
from workbench.subjects.chats.calls import (
    Ask,
    AttachFiles,
    CreateChatFolder,
    DeleteChat,
    EditAnswer,
    ExportChat,
    FollowAnswer,
    GetChat,
    GetTrace,
    ListChats,
    MoveChat,
    PinChat,
    RateAnswer,
    SetHead,
    StopAnswer,
)
from workbench.subjects.models.calls import ImportModel

SECRET = "zebraquartz7719"


@pytest.fixture
def core(tmp_path: Path, smollm_path: Path) -> Iterator[Workbench]:
    core = opened(Home(tmp_path / "home"))
    call(core, ImportModel(path=str(smollm_path), name="smollm"))
    yield core
    core.close()


def recipe(**parts: object) -> Recipe:
    return Recipe(model=ModelPart(name="smollm"), **parts)  # type: ignore[arg-type]


def files_with(folder: Path, words: str) -> list[str]:
    """The files below a folder that hold these words as they are."""
    every = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in every if words.encode() in path.read_bytes()]


def test_nothing_of_it_is_written_and_a_kept_chat_is(core: Workbench, tmp_path: Path) -> None:
    asked = call(core, Ask(question=f"What is {SECRET}?", recipe=recipe(), temporary=True))
    call(core, Ask(question="Say it again.", recipe=recipe(), chat=asked.chat))
    chat = call(core, GetChat(chat=asked.chat))
    assert [message.role for message in chat.messages] == ["user", "assistant", "user", "assistant"]
    assert SECRET in chat.messages[0].text
    answer = chat.messages[1].id
    assert call(core, RateAnswer(message=answer, rating=1)).rating == 1
    assert call(core, EditAnswer(message=answer, text=f"A {SECRET}.")).original is not None
    again = call(core, Ask(regenerate=answer, recipe=recipe()))
    assert again.chat == asked.chat
    call(core, SetHead(chat=asked.chat, message=answer))
    assert SECRET in call(core, ExportChat(chat=asked.chat))
    assert call(core, FollowAnswer(message=answer)).message == answer
    call(core, StopAnswer(message=answer))
    assert call(core, ListChats()).chats == ()
    assert call(core, ListChats(search=SECRET)).chats == ()
    assert files_with(tmp_path / "home", SECRET) == []
    kept = call(core, Ask(question=f"What is {SECRET}?", recipe=recipe()))
    assert [one.id for one in call(core, ListChats()).chats] == [kept.chat]
    assert files_with(tmp_path / "home", SECRET), "the search would find what is written"


def test_it_ends(core: Workbench, tmp_path: Path) -> None:
    asked = call(core, Ask(question=f"What is {SECRET}?", recipe=recipe(), temporary=True))
    call(core, DeleteChat(chat=asked.chat))
    for gone in (GetChat(chat=asked.chat), GetTrace(message=asked.message), Ask(question="And?", chat=asked.chat)):
        with pytest.raises(UserError, match="There is no"):
            call(core, gone)
    other = call(core, Ask(question="Hello?", recipe=recipe(), temporary=True))
    core.close()
    again = opened(Home(tmp_path / "home"))
    try:
        assert call(again, ListChats()).chats == ()
        with pytest.raises(UserError, match="There is no chat"):
            call(again, GetChat(chat=other.chat))
    finally:
        again.close()


def test_an_answer_of_it_is_stopped_with_it(core: Workbench) -> None:
    arrived, _ = begin(core, Ask(question="Count to a thousand.", recipe=recipe(), temporary=True))
    made = until(arrived, events.Artifact).result
    call(core, DeleteChat(chat=made["chat"]))
    assert isinstance(last(arrived), events.TERMINAL)
    assert not core.busy


def test_what_would_be_stored_is_refused(core: Workbench, tmp_path: Path) -> None:
    asked = call(core, Ask(question="Hello?", recipe=recipe(), temporary=True))
    call(core, CreateChatFolder(name="Work"))
    paper = tmp_path / "paper.txt"
    paper.write_text("words")
    refused = (
        AttachFiles(chat=asked.chat, paths=(str(paper),)),
        MoveChat(chat=asked.chat, folder="Work"),
        PinChat(chat=asked.chat),
        Ask(question="Hello?", recipe=recipe(), temporary=True, folder="Work"),
        Ask(question="Hello?", recipe=recipe(agent=AgentPart(memory="read-write")), temporary=True),
    )
    for one in refused:
        with pytest.raises(UserError, match="not kept"):
            call(core, one)
    with pytest.raises(UserError, match="waits for no decision"):
        call(core, Decide(message=asked.message, decision=Decision(choice="allow", signature="x")))
