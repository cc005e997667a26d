"""Exports of other programs' chats, in the forms that these programs write: one chat with two versions of an answer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

CREATED = 1_700_000_000.0


def _chatgpt_node(name: str, parent: str | None, role: str, text: str, **message: Any) -> dict[str, Any]:
    metadata = {"model_slug": "gpt-4o"} if role == "assistant" else {}
    content = {"content_type": "text", "parts": [text]}
    made = {"id": name, "author": {"role": role}, "content": content, "metadata": metadata, "create_time": CREATED + 5}
    return {"id": name, "parent": parent, "children": [], "message": {**made, **message}}


def chatgpt() -> list[Any]:
    nodes = [
        {"id": "root", "parent": None, "children": ["s"], "message": None},
        _chatgpt_node("s", "root", "system", ""),
        _chatgpt_node("q", "s", "user", "How high is the bridge?"),
        _chatgpt_node("a1", "q", "assistant", "10 m."),
        _chatgpt_node("a2", "q", "assistant", "I look it up.", recipient="browser"),
        _chatgpt_node("t", "a2", "tool", "page text"),
        _chatgpt_node("a3", "t", "assistant", "12 m."),
        _chatgpt_node("a4", "a3", "assistant", "Or 12.5 m with the railing: 桥."),
        _chatgpt_node("q2", "a4", "user", "Sure?"),
    ]
    mapping = {node["id"]: node for node in nodes}
    chat = {"title": "Bridge", "create_time": CREATED, "update_time": CREATED + 60, "mapping": mapping}
    return [{**chat, "current_node": "q2", "conversation_id": "c1", "id": "c1"}]


def claude() -> list[Any]:
    def message(name: str, sender: str, text: str) -> dict[str, Any]:
        block = {"type": "text", "text": text}
        return {"uuid": name, "sender": sender, "text": text, "content": [block], "created_at": "2023-11-14T22:13:25Z"}

    messages = [message("q", "human", "How high is the bridge?"), message("a", "assistant", "12 m.")]
    messages[1]["content"].insert(0, {"type": "thinking", "thinking": "Think."})
    dates = {"created_at": "2023-11-14T22:13:20.000000Z", "updated_at": "2023-11-14T22:14:20+00:00"}
    return [{"uuid": "k1", "name": "Bridge", **dates, "account": {"uuid": "u"}, "chat_messages": messages}]


def open_webui() -> list[Any]:
    def message(name: str, parent: str | None, role: str, content: str) -> dict[str, Any]:
        made = {"id": name, "parentId": parent, "childrenIds": [], "role": role, "content": content}
        return {**made, "timestamp": int(CREATED) + 5, **({"model": "llama3:8b"} if role == "assistant" else {})}

    nodes = (
        message("q", None, "user", "How high is the bridge?"),
        message("a1", "q", "assistant", "10 m."),
        message("a2", "q", "assistant", "12 m."),
    )
    history = {"messages": {node["id"]: node for node in nodes}, "currentId": "a2"}
    chat = {"title": "Bridge", "models": ["llama3:8b"], "history": history, "timestamp": int(CREATED * 1000)}
    return [{"id": "w1", "title": "Bridge", "chat": chat, "created_at": int(CREATED), "updated_at": int(CREATED) + 60}]


def lm_studio() -> dict[str, Any]:
    def answer(text: str) -> dict[str, Any]:
        block = {"type": "contentBlock", "content": [{"type": "text", "text": text}]}
        sender = {"senderName": "qwen2.5-7b"}
        return {"type": "multiStep", "role": "assistant", "senderInfo": sender, "steps": [block, {"type": "debugInfo"}]}

    question = {"type": "singleStep", "role": "user", "content": [{"type": "text", "text": "How high is the bridge?"}]}
    return {
        "name": "Bridge",
        "createdAt": int(CREATED * 1000),
        "userLastMessagedAt": int(CREATED * 1000) + 60_000,
        "messages": [
            {"versions": [question], "currentlySelected": 0},
            {"versions": [answer("10 m."), answer("12 m.")], "currentlySelected": 1},
        ],
    }


def write_jan(folder: Path) -> Path:
    """The ``threads`` folder of Jan, which knows no versions."""
    thread = folder / "threads" / "jan_1"
    thread.mkdir(parents=True)
    assistants = [{"assistant_name": "Jan", "model": {"id": "tinyllama-1.1b"}}]
    facts = {
        "id": "j1",
        "title": "Bridge",
        "assistants": assistants,
        "created": int(CREATED),
        "updated": int(CREATED) + 60,
    }
    (thread / "thread.json").write_text(json.dumps(facts))

    def line(name: str, role: str, text: str) -> str:
        content = [{"type": "text", "text": {"value": text, "annotations": []}}]
        return json.dumps({"id": name, "role": role, "content": content, "created_at": (int(CREATED) + 5) * 1000})

    lines = [line("q", "user", "How high is the bridge?"), line("a", "assistant", "12 m.")]
    (thread / "messages.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "threads"


def write_export(folder: Path, program: str) -> Path:
    """An export of a program as a file or folder."""
    if program == "jan":
        return write_jan(folder)
    if program == "chatgpt-zip":
        path = folder / "export.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("user.json", "{}")
            archive.writestr("conversations.json", json.dumps(chatgpt()))
        return path
    made = {"chatgpt": chatgpt, "claude": claude, "openwebui": open_webui, "lmstudio": lm_studio}[program]()
    path = folder / "export.json"
    path.write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    return path
