from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chat_exports import CREATED, chatgpt, claude, lm_studio, open_webui, write_export
from workbench.base.errors import UserError
from workbench.reading.chat_exports.read import read_chat_export
from workbench.records.chat_exports import ForeignChat


def lines(chat: ForeignChat) -> list[tuple[str, str, str]]:
    """Each message with the text of the one that it follows."""
    texts = {message.id: message.text for message in chat.messages}
    return [(one.role, texts.get(one.parent, ""), one.text) for one in chat.messages]


QUESTION = "How high is the bridge?"


@pytest.mark.parametrize(
    ("written", "program", "model", "versions"),
    [
        ("chatgpt", "chatgpt", "gpt-4o", 2),
        ("chatgpt-zip", "chatgpt", "gpt-4o", 2),
        ("claude", "claude", "", 1),
        ("openwebui", "openwebui", "llama3:8b", 2),
        ("lmstudio", "lmstudio", "qwen2.5-7b", 2),
        ("jan", "jan", "tinyllama-1.1b", 1),
    ],
)
def test_an_export_is_known_by_its_content_and_arrives_whole(
    tmp_path: Path, written: str, program: str, model: str, versions: int
) -> None:
    export = read_chat_export(write_export(tmp_path, written))
    (chat,) = export.chats
    assert (export.program, chat.title, chat.created, chat.updated) == (program, "Bridge", CREATED, CREATED + 60)
    answers = [one for one in chat.messages if one.role == "assistant"]
    assert len(answers) == versions
    assert {one.model for one in answers} == {model}
    assert lines(chat)[0] == ("user", "", QUESTION)
    assert all(line[:2] == ("assistant", QUESTION) for line in lines(chat) if line[0] == "assistant")
    assert answers[-1].text.startswith("12 m.")
    assert all(one.created in (CREATED + 5, 0.0) for one in chat.messages)
    shown = next(one for one in chat.messages if one.id == chat.head)
    assert shown.text in ("Sure?", answers[-1].text)


def test_an_answer_of_several_messages_is_one_and_those_of_tools_are_left_out(tmp_path: Path) -> None:
    export = read_chat_export(write_export(tmp_path, "chatgpt"))
    assert export.left_out == 4  # the root, the system message, the call and its result
    assert lines(export.chats[0])[2:] == [
        ("assistant", QUESTION, "12 m.\n\nOr 12.5 m with the railing: 桥."),
        ("user", "12 m.\n\nOr 12.5 m with the railing: 桥.", "Sure?"),
    ]


def test_thoughts_arrive_apart_from_the_answer(tmp_path: Path) -> None:
    (chat,) = read_chat_export(write_export(tmp_path, "claude")).chats
    assert (chat.messages[1].text, chat.messages[1].thought) == ("12 m.", "Think.")


def changed(made: Callable[[], Any], change: Callable[[Any], object]) -> Any:
    value = made()
    change(value)
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (changed(chatgpt, lambda v: v[0].update(mapping=[])), r"export.json\[0\].mapping is not an object"),
        (
            changed(chatgpt, lambda v: v[0]["mapping"]["q"]["message"].pop("author")),
            r"export.json\[0\].mapping.q.message.author is missing",
        ),
        (changed(chatgpt, lambda v: v[0].update(create_time="noon")), r"export.json\[0\].create_time is not a date"),
        (changed(chatgpt, lambda v: v[0]["mapping"]["root"].update(parent="q2")), "in a circle"),
        (changed(claude, lambda v: v.append(5)), r"export.json\[1\] is not an object"),
        (changed(claude, lambda v: v[0].update(chat_messages={})), r"\[0\].chat_messages is not a list"),
        (
            changed(open_webui, lambda v: v[0]["chat"]["history"].pop("messages")),
            r"\[0\].chat.history.messages is missing",
        ),
        (
            changed(lm_studio, lambda v: v["messages"].append({"versions": "x"})),
            r"export.json.messages\[2\].versions is not a list",
        ),
        ({"anything": 1}, "no export of chats that this program knows"),
    ],
)
def test_a_broken_export_is_refused_by_its_place(tmp_path: Path, value: Any, words: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match=words):
        read_chat_export(path)


def test_what_is_no_json_is_refused_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text('[{"mapping": ')
    with pytest.raises(UserError, match=r"export\.json is not valid JSON: Input data was truncated"):
        read_chat_export(path)
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="nested too deeply"):
        read_chat_export(path)
    threads = write_export(tmp_path, "jan")
    messages = next(threads.glob("*/messages.jsonl"))
    messages.write_text(messages.read_text() + "{\n")
    with pytest.raises(UserError, match=r"jan_1/messages.jsonl, line 3 is not valid JSON"):
        read_chat_export(threads)
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(UserError):
        read_chat_export(tmp_path / "bad.zip")


def test_a_large_file_in_an_archive_is_not_unpacked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.reading.chat_exports.read.LARGEST_BYTES", 1_000_000)
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", "[" + " " * 5_000_000 + "]")
    with pytest.raises(UserError, match="is larger than 1 MB"):
        read_chat_export(path)


def test_an_empty_chat_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([*claude(), {**claude()[0], "uuid": "k2", "chat_messages": []}]))
    assert [chat.id for chat in read_chat_export(path).chats] == ["k1"]
