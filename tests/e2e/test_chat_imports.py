"""Chats of other programs, read by the real reader process and stored in a home."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat_exports import CREATED, chatgpt, write_export
from tests.e2e.test_core import COMMANDS, call
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.calls import DeleteChat, GetChat, ImportChats, Imported, ListChats


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(Home(tmp_path / "home"), commands=COMMANDS)
    workbench.start()
    yield workbench
    workbench.close()


def test_chats_arrive_with_branches_dates_and_models_and_once(workbench: Workbench, tmp_path: Path) -> None:
    path = str(write_export(tmp_path, "chatgpt-zip"))
    done: Imported = call(workbench, ImportChats(path=path))
    assert (done.program, len(done.chats), done.messages, done.known, done.left_out) == ("ChatGPT", 1, 4, 0, 4)
    (record,) = call(workbench, ListChats(search="railing")).chats
    assert (record.title, record.created, record.updated) == ("Bridge", CREATED, CREATED + 60)
    chat = call(workbench, GetChat(chat=record.id))
    question, first, second, again, unanswered = chat.messages
    assert [one.parent for one in (first, second)] == [question.id] * 2
    assert first.recipe is not None
    assert first.recipe.model.name == "gpt-4o"
    assert again.parent == second.id
    assert (unanswered.parent, unanswered.state) == (again.id, "failed")
    assert chat.chat.head == unanswered.id
    assert call(workbench, ImportChats(path=path)).known == 1
    assert len(call(workbench, ListChats()).chats) == 1
    call(workbench, DeleteChat(chat=record.id))
    assert call(workbench, ImportChats(path=path)).known == 1, "it is in the trash"
    threads = str(write_export(tmp_path, "jan"))
    (imported,) = call(workbench, ImportChats(path=threads)).chats
    call(workbench, DeleteChat(chat=imported, forever=True))
    assert len(call(workbench, ImportChats(path=threads)).chats) == 1


def test_of_a_broken_export_nothing_is_imported(workbench: Workbench, tmp_path: Path) -> None:
    broken = chatgpt()[0]
    del broken["mapping"]["a1"]["message"]["content"]
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([*chatgpt(), {**broken, "conversation_id": "c2"}]))
    with pytest.raises(UserError, match=r"conversations.json\[1\].mapping.a1.message.content is missing"):
        call(workbench, ImportChats(path=str(path)))
    assert call(workbench, ListChats()).chats == ()
    with pytest.raises(UserError, match="no file or folder"):
        call(workbench, ImportChats(path=str(tmp_path / "nowhere.json")))
