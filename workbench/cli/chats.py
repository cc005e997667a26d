"""``workbench chats``: the history that window and terminal share."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.api.calls import (
    Chat,
    ChatRecord,
    DeleteChat,
    ExportChat,
    GetChat,
    ListChats,
    RenameChat,
    SelectSequence,
    SetHead,
    StoredMessage,
)
from workbench.cli.arguments import Commands, at_least, write_file
from workbench.cli.docs import place
from workbench.cli.output import TextOutput, moment
from workbench.cli.session import Events, Session
from workbench.cli.tokens import show_steps, show_tokens, steps, tokens


def add_commands(commands: Commands) -> None:
    group = commands.group("chats", "the history of questions and answers")
    listing = group.command("list", "list chats, the latest first", list_chats, show_chats)
    listing.add_argument("--search", metavar="WORDS", default="", help="only those with these words")
    searching = group.command("search", "list the chats whose title or messages hold these words", search, show_chats)
    searching.add_argument("words", metavar="WORDS", nargs="+")
    group.command("show", "show the messages of a chat", get, show_chat).add_argument("id", metavar="ID")
    exporting = group.command("export", "export a chat as Markdown, with its sources", export, show_markdown)
    exporting.add_argument("id", metavar="ID")
    exporting.add_argument("--output", metavar="FILE", help="write to this file instead of the terminal")
    renaming = group.command("rename", "rename a chat", rename, show_record)
    renaming.add_argument("id", metavar="ID")
    renaming.add_argument("title", metavar="TITLE")
    branching = group.command("branch", "show the branch of a message", branch, show_record)
    branching.add_argument("id", metavar="ID")
    branching.add_argument("message", metavar="MESSAGE")
    keeping = group.command("keep", "choose which of several answers the chat continues from", keep, show_kept)
    keeping.add_argument("message", metavar="MESSAGE")
    keeping.add_argument("sequence", metavar="I", type=at_least(0), help="its number, from 0")
    telling = group.command(
        "tokens", "show the tokens of an answer, with their probabilities and alternatives", tokens, show_tokens
    )
    telling.add_argument("message", metavar="MESSAGE")
    telling.add_argument("--sequence", metavar="I", type=at_least(0), default=0, help="the answer number I of several")
    telling.add_argument("--alternatives", metavar="N", type=at_least(0), default=5, help="alternatives per token [5]")
    telling.add_argument("--last", metavar="N", type=at_least(0), default=0, help="only the last N tokens")
    tracing = group.command("steps", "show the steps of an answer", steps, show_steps)
    tracing.add_argument("message", metavar="MESSAGE")
    group.command("delete", "delete a chat", delete, show_deleted).add_argument("id", metavar="ID")


def list_chats(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(ListChats(search=arguments.search))
    return {"chats": listed.chats}


def search(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(ListChats(search=" ".join(arguments.words)))
    return {"chats": listed.chats}


def get(session: Session, arguments: argparse.Namespace) -> Events[Chat]:
    return (yield from session.call(GetChat(chat=arguments.id)))


def export(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    markdown = yield from session.call(ExportChat(chat=arguments.id))
    if arguments.output is None:
        return {"markdown": markdown}
    return {"markdown": markdown, "path": write_file(arguments.output, markdown.encode())}


def rename(session: Session, arguments: argparse.Namespace) -> Events[ChatRecord]:
    return (yield from session.call(RenameChat(chat=arguments.id, title=arguments.title)))


def branch(session: Session, arguments: argparse.Namespace) -> Events[ChatRecord]:
    return (yield from session.call(SetHead(chat=arguments.id, message=arguments.message)))


def keep(session: Session, arguments: argparse.Namespace) -> Events[StoredMessage]:
    return (yield from session.call(SelectSequence(message=arguments.message, sequence=arguments.sequence)))


def delete(session: Session, arguments: argparse.Namespace) -> Events[ChatRecord]:
    return (yield from session.call(DeleteChat(chat=arguments.id)))


def show_chats(result: dict[str, Any], output: TextOutput) -> None:
    if not result["chats"]:
        output.line("No chats.")
        return
    rows = [(c["id"], moment(c["updated"]), _titled(c)) for c in result["chats"]]
    output.table(("ID", "LAST", "TITLE"), rows)


def show_chat(result: dict[str, Any], output: TextOutput) -> None:
    """The shown branch: from its last message up to the first."""
    messages = {m["id"]: m for m in result["messages"]}
    branch: list[dict[str, Any]] = []
    current = result["chat"]["head"]
    while current in messages and len(branch) < len(messages):
        branch.insert(0, messages[current])
        current = messages[current]["parent"]
    output.line(result["chat"]["title"])
    if result["chat"]["unreadable"]:
        output.line(result["chat"]["unreadable"])
    for message in branch:
        output.line()
        who = "You" if message["role"] == "user" else "Answer"
        output.line(f"{who}, {moment(message['created'])}, message {message['id']}")
        output.line(message["text"] or message["error"])
        for citation in message["citations"]:
            output.line(f"[{citation['n']}] {place(citation)}")
        if message["state"] not in ("done", "streaming"):
            output.line(f"({message['state']})")
        if message["unreadable"]:
            output.line(message["unreadable"])


def show_markdown(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"Written to {result['path']}." if "path" in result else result["markdown"].rstrip("\n"))


def show_record(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"{result['id']}  {result['title']}")


def show_kept(result: dict[str, Any], output: TextOutput) -> None:
    output.line(result["text"].strip())


def show_deleted(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"The chat {result['title']!r} was deleted.")


def _titled(chat: dict[str, Any]) -> str:
    return f"{chat['title']} ({chat['unreadable']})" if chat["unreadable"] else str(chat["title"])
