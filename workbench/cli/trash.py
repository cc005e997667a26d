"""``workbench trash``: what was deleted, for 30 days."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import Number, TextOutput, byte_size, listing, moment, when
from workbench.cli.session import Events, Session
from workbench.subjects.trash.calls import DeleteForGood, EmptyTrash, ListTrash, RestoreDeleted

NEXT = "It is in the trash for 30 days; `workbench trash restore {item}` brings it back."


def add_commands(commands: Commands) -> None:
    group = commands.group(
        "trash", "list and restore what was deleted: chats, documents, models, endpoints, adapters, recipes and prompts"
    )
    add_call(group, "list", "list what is in the trash, the latest first", ListTrash, show_list)
    restored = one_sentence(lambda result: f"{result['title']} was restored.")
    deleted = one_sentence(lambda result: f"{result['title']} was deleted for good.")
    add_call(group, "restore", "put something back to where it was", RestoreDeleted, restored)
    add_call(group, "delete", "delete something in the trash for good", DeleteForGood, deleted)
    emptying = group.command("empty", "delete for good all that is in the trash", empty, show_emptied)
    emptying.add_argument("--yes", action="store_true", help="do not ask first")


def empty(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    found = yield from session.call(ListTrash())
    if found.entries and not arguments.yes and not _confirmed(len(found.entries)):
        raise UserError("Nothing was deleted.", "Confirm with y, or use --yes.")
    left = yield from session.call(EmptyTrash())
    gone = len(found.entries) - len(left.entries)
    return {"deleted": gone, "entries": left.entries, "bytes": left.bytes}


def _confirmed(count: int) -> bool:
    """Asked on the terminal; without one the answer is no."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"Delete {counted(count, 'thing')} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show_emptied(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"{counted(result['deleted'], 'thing')} deleted for good.")
    for entry in result["entries"]:
        output.line(f"{entry['title']} could not be deleted and is still in the trash.")


show_list = listing(
    "entries",
    "The trash is empty.",
    {
        "ID": "id",
        "WHAT": "kind",
        "DELETED": when("deleted"),
        "GONE ON": lambda one: moment(one["until"])[:10],
        "SIZE": Number("bytes", byte_size, blank=True),
        "FROM": "place",
        "TITLE": "title",
    },
)
