"""The exports of ChatGPT, Claude, Open WebUI, LM Studio and Jan, from parsed JSON.

The formats are those of the programs' own exports and files: ``conversations.json`` of ChatGPT (a tree ``mapping``) and
of Claude (``chat_messages``), the JSON of *Export chats* of Open WebUI (``history.messages``), ``*.conversation.json``
of LM Studio (``versions`` of each message), and the ``thread.json`` with ``messages.jsonl`` of Jan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from workbench.reading.chat_exports.fields import Node
from workbench.reading.chat_exports.tree import RawMessage, chat_of, in_a_row
from workbench.records.chat_exports import ForeignChat

Read = Iterator[tuple[ForeignChat | None, int]]
_Role = Literal["user", "assistant"]
_ROLES: dict[str, _Role] = {"user": "user", "human": "user", "assistant": "assistant", "model": "assistant"}


def program_of(value: object) -> str:
    """The program that wrote parsed JSON, "" for none that is known."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict):
        return ""
    if "mapping" in first:
        return "chatgpt"
    if "chat_messages" in first:
        return "claude"
    if isinstance(first.get("chat"), dict) or isinstance(first.get("history"), dict):
        return "openwebui"
    messages = first.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict) and "versions" in messages[0]:
        return "lmstudio"
    return ""


def read_chatgpt(conversation: Node) -> tuple[ForeignChat | None, int]:
    raw = []
    for name, node in conversation.object("mapping").fields():
        if node.get("message") is None:
            raw.append(RawMessage(id=name, parent=node.text("parent", ""), role=None, text=""))
            continue
        message = node.object("message")
        author, content = message.object("author"), message.object("content")
        metadata = message.get("metadata") or {}
        hidden = isinstance(metadata, dict) and bool(metadata.get("is_visually_hidden_from_conversation"))
        kind = content.text("content_type", "text")
        parts = [part.value for part in content.list("parts")] if content.get("parts") is not None else []
        written = "\n\n".join(part for part in parts if isinstance(part, str))
        shown = kind in ("text", "multimodal_text") and not hidden and message.text("recipient", "all") == "all"
        raw.append(
            RawMessage(
                id=name,
                parent=node.text("parent", ""),
                role=_ROLES.get(author.text("role")) if shown else None,
                text=written,
                created=message.time("create_time"),
                model=_text_in(metadata, "model_slug"),
            )
        )
    id_ = conversation.text("conversation_id", "") or conversation.text("id", "") or conversation.place
    return chat_of(
        id_,
        conversation.text("title", ""),
        conversation.time("create_time"),
        conversation.time("update_time"),
        raw,
        conversation.text("current_node", ""),
        conversation.place,
    )


def read_claude(conversation: Node) -> tuple[ForeignChat | None, int]:
    raw = []
    for number, message in enumerate(conversation.list("chat_messages")):
        blocks = [] if message.get("content") is None else list(message.list("content"))
        texts = [block.text("text", "") for block in blocks if block.get("type") == "text"]
        thoughts = [block.text("thinking", "") for block in blocks if block.get("type") == "thinking"]
        raw.append(
            RawMessage(
                id=message.text("uuid", str(number)),
                parent=message.text("parent_message_uuid", ""),
                role=_ROLES.get(message.text("sender")),
                text="\n\n".join(filter(None, texts)) or message.text("text", ""),
                created=message.time("created_at"),
                model=conversation.text("model", ""),
                thought="\n\n".join(filter(None, thoughts)),
            )
        )
    head = conversation.text("current_leaf_message_uuid", "")
    if not any(one.parent in {other.id for other in raw} for one in raw):
        raw = in_a_row(raw)
    return chat_of(
        conversation.text("uuid", "") or conversation.place,
        conversation.text("name", ""),
        conversation.time("created_at"),
        conversation.time("updated_at"),
        raw,
        head or (raw[-1].id if raw else ""),
        conversation.place,
    )


def read_open_webui(entry: Node) -> tuple[ForeignChat | None, int]:
    chat = entry.object("chat") if isinstance(entry.get("chat"), dict) else entry
    raw = []
    history = chat.object("history")
    for name, message in history.object("messages").fields():
        content = message.get("content")
        raw.append(
            RawMessage(
                id=name,
                parent=message.text("parentId", ""),
                role=_ROLES.get(message.text("role")),
                text="" if content is None else _content(message),
                created=message.time("timestamp"),
                model=message.text("model", ""),
            )
        )
    return chat_of(
        entry.text("id", "") or chat.text("id", "") or entry.place,
        chat.text("title", "") or entry.text("title", ""),
        entry.time("created_at") or chat.time("timestamp"),
        entry.time("updated_at"),
        raw,
        history.text("currentId", ""),
        entry.place,
    )


def read_lm_studio(conversation: Node) -> tuple[ForeignChat | None, int]:
    """Versions of a message stand beside each other; the selected one goes on."""
    raw: list[RawMessage] = []
    above = ""
    for number, message in enumerate(conversation.list("messages")):
        versions = list(message.list("versions"))
        selected = message.get("currentlySelected")
        chosen = selected if isinstance(selected, int) and 0 <= selected < len(versions) else 0
        for place, version in enumerate(versions):
            raw.append(_lm_studio_version(f"{number}.{place}", above, version))
        if versions:
            above = f"{number}.{chosen}"
    return chat_of(
        f"{conversation.time('createdAt'):.3f}",
        conversation.text("name", ""),
        conversation.time("createdAt"),
        conversation.time("updatedAt", "assistantLastMessagedAt", "userLastMessagedAt"),
        raw,
        above,
        conversation.place,
    )


def _lm_studio_version(id: str, parent: str, version: Node) -> RawMessage:
    steps = list(version.list("steps")) if version.get("steps") is not None else [version]
    said = [step for step in steps if step.get("type") in ("contentBlock", "singleStep", None)]
    thinking = [step for step in said if _text_in(step.get("style"), "type") == "thinking"]
    return RawMessage(
        id=id,
        parent=parent,
        role=_ROLES.get(version.text("role")),
        text="\n\n".join(filter(None, (_content(step) for step in said if step not in thinking))),
        model=_text_in(version.get("senderInfo"), "senderName"),
        thought="\n\n".join(filter(None, map(_content, thinking))),
    )


def read_jan(thread: Node, messages: Iterator[Node]) -> tuple[ForeignChat | None, int]:
    raw = [
        RawMessage(
            id=message.text("id", str(number)),
            parent="",
            role=_ROLES.get(message.text("role")),
            text=_content(message),
            created=message.time("created_at", "created"),
            model=_text_in(message.get("metadata"), "model") or _jan_model(thread),
        )
        for number, message in enumerate(messages)
    ]
    raw = in_a_row(raw)
    return chat_of(
        thread.text("id", "") or thread.place,
        thread.text("title", "") or thread.text("summary", ""),
        thread.time("created"),
        thread.time("updated"),
        raw,
        raw[-1].id if raw else "",
        thread.place,
    )


def _jan_model(thread: Node) -> str:
    assistants = thread.get("assistants")
    first = assistants[0] if isinstance(assistants, list) and assistants else None
    model = first.get("model") if isinstance(first, dict) else thread.get("model")
    return _text_in(model, "id")


def _content(message: Node) -> str:
    """The text of a content that is a text, or a list of blocks with texts."""
    if isinstance(message.get("content"), str):
        return message.text("content")
    texts = []
    for block in message.list("content"):
        if isinstance(block.get("text"), dict):
            texts.append(block.object("text").text("value", ""))
        elif block.get("text") is not None:
            texts.append(block.text("text"))
    return "\n\n".join(filter(None, texts))


def _text_in(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


READERS: dict[str, Callable[[Node], tuple[ForeignChat | None, int]]] = {
    "chatgpt": read_chatgpt,
    "claude": read_claude,
    "openwebui": read_open_webui,
    "lmstudio": read_lm_studio,
}
