"""``workbench chat``: a conversation, line by line."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.events import Cancelled, Event, Failed, TextDelta
from workbench.api.protocol import finish
from workbench.records.answers import AskResult
from workbench.records.documents import AddResult, Collection, FailedFile
from workbench.subjects.chats.calls import Ask, Attached, AttachFiles, Chat, ChatRecord, DeleteChat, GetChat
from workbench.subjects.documents.calls import RemoveDocument
from workbench.subjects.runs.calls import FollowRun, RunRecord

Run = Callable[..., Ran]
ANSWER = AskResult(answer="In 1911.")


def chatting(front: FakeFront, *texts: str) -> None:
    """Answers to one question after the other, in one chat."""
    left = list(texts)

    def answer(call: Ask, cancelled: Any) -> list[Event]:
        text = left.pop(0)
        if text == "bad":
            return [Failed(message="Too long.", hint="Ask less.")]
        made = msgspec.structs.replace(ANSWER, answer=text, sequences=(), chat="chat1", message=f"m{len(left)}")
        return [TextDelta(text=text), finish(made)]

    front.scripts[Ask] = lambda call, cancelled: iter(answer(call, cancelled))


def test_chat_asks_line_by_line_in_one_chat(run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch) -> None:
    chatting(front, "One.", "bad", "Two.", "Three.", "Four.")
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\n\nfails\n/help\nsecond\n/again\n/new\nfourth\n/quit\nmore\n"))
    ran = run("chat")
    asked = [(call.question, call.chat, call.regenerate) for call in front.asked(Ask)]
    assert [call.varied for call in front.asked(Ask)] == [False, False, False, True, False]
    assert asked == [
        ("first", None, None), ("fails", "chat1", None), ("second", "chat1", None), ("", "chat1", "m2"),
        ("fourth", None, None),
    ]  # fmt: skip
    assert [line for line in ran.out.splitlines() if line in ("One.", "Two.", "Three.", "Four.")] == [
        "One.", "Two.", "Three.", "Four."
    ]  # fmt: skip
    assert ran.status == 0
    assert "Too long. Ask less." in ran.err
    assert "/again" in ran.err


def attaching(front: FakeFront, *failed: FailedFile) -> None:
    run = RunRecord(id="r1", kind="ingest", title="lease.txt", state="queued", created=0.0)
    chat = ChatRecord(id="chat9", title="", created=0, updated=0, attachments="c9")
    front.answer(AttachFiles, Attached(chat=chat, collection=Collection(id="c9", name="x", chat="chat9"), run=run))
    front.answer(FollowRun, AddResult(indexed=1, failed=failed))
    front.answer(RemoveDocument, Collection(id="c9", name="x", chat="chat9"))
    front.answer(DeleteChat, chat)


def test_files_are_attached_before_a_question_is_asked(
    run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chatting(front, "Ninety days.", "1,240 euros.", "Yes.")
    attaching(front)
    monkeypatch.chdir(tmp_path)
    assert run("ask", "How long?", "--attach", "lease.txt", "--attach", "/a/b.pdf").status == 0
    paths = (str(tmp_path / "lease.txt"), "/a/b.pdf")
    assert front.asked(AttachFiles) == [AttachFiles(paths=paths)]
    assert front.asked(FollowRun) == [FollowRun(run="r1")]
    monkeypatch.setattr(sys, "stdin", io.StringIO("/attach lease.txt\nHow much?\n/attach /b.pdf\nReally?\n"))
    assert run("chat").status == 0
    assert [call.chat for call in front.asked(Ask)] == ["chat9", "chat9", "chat9"]
    assert [call.chat for call in front.asked(AttachFiles)] == [None, None, "chat1"]


def test_a_file_that_cannot_be_read_is_named_and_not_attached(
    run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    chatting(front, "On I go.")
    attaching(front, FailedFile(path="/a/b.pdf", reason="Not a PDF."))
    ran = run("ask", "How long?", "--attach", "/a/b.pdf")
    assert (ran.status, ran.err.strip()) == (1, "/a/b.pdf cannot be read: Not a PDF.")
    assert front.asked(Ask) == []
    assert front.asked(RemoveDocument) == [RemoveDocument(collection="c9", document="/a/b.pdf")]
    assert front.asked(DeleteChat) == [DeleteChat(chat="chat9", forever=True)]
    monkeypatch.setattr(sys, "stdin", io.StringIO("/attach /a/b.pdf\nAnd now?\n"))
    front.answer(GetChat, Chat(chat=ChatRecord(id="chat1", title="", created=0, updated=0), messages=()))
    ran = run("chat", "--chat", "chat1")
    assert "cannot be read" in ran.err
    assert [call.chat for call in front.asked(Ask)] == ["chat1"]
    assert front.asked(DeleteChat) == [DeleteChat(chat="chat9", forever=True)]


def test_chat_for_programs(run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch) -> None:
    chatting(front, "One.", "Two.")
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))
    ran = run("chat", "--chat", "chat1", "--recipe", "/nowhere.toml", "--json")
    assert ran.status == 1
    front.answer(GetChat, Chat(chat=ChatRecord(id="chat1", title="t", created=1.0, updated=1.0), messages=()))
    ran = run("chat", "--chat", "chat1", "--json")
    assert [e["result"]["answer"] for e in ran.events if e["event"] == "artifact"] == ["One.", "Two."]
    assert ran.result["answers"] == 2
    assert [call.chat for call in front.asked(Ask)] == ["chat1", "chat1"]


def test_ctrl_c_stops_an_answer_of_the_chat_and_not_the_chat(
    run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(call: Ask, cancelled: Any) -> Iterator[Event]:
        if call.question == "long":
            yield TextDelta(text="It began")
            os.kill(os.getpid(), signal.SIGINT)
            assert cancelled.wait(10)
            yield Cancelled(result=finish(msgspec.structs.replace(ANSWER, answer="It began", chat="chat1")).result)
        else:
            yield finish(msgspec.structs.replace(ANSWER, answer="Short.", sequences=(), chat="chat1"))

    front.scripts[Ask] = answer
    monkeypatch.setattr(sys, "stdin", io.StringIO("long\nshort\n"))
    ran = run("chat")
    assert ran.status == 0
    assert [call.chat for call in front.asked(Ask)] == [None, "chat1"]
    assert "Stopped." in ran.err
    assert "Short." in ran.out
