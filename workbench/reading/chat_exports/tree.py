"""From the messages of another program to questions and answers that take turns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from workbench.base.errors import UserError
from workbench.records.chat_exports import ForeignChat, ForeignMessage

MOST_MESSAGES = 200_000
_TITLE = 60


class RawMessage(msgspec.Struct, kw_only=True):
    """A message as it is exported; ``role`` is None for one that is neither question nor answer, whose followers then
    follow its parent."""

    id: str
    parent: str
    role: Literal["user", "assistant"] | None
    text: str
    created: float = 0.0
    model: str = ""
    thought: str = ""


def chat_of(
    id: str, title: str, created: float, updated: float, raw: Sequence[RawMessage], head: str, place: str
) -> tuple[ForeignChat | None, int]:
    """The chat, None for one without a question or an answer; and how many messages were left out. An answer that goes
    on in a further message is one. Raises UserError when messages follow each other in a circle."""
    if len(raw) > MOST_MESSAGES:
        raise UserError(f"{place} has {len(raw):,} messages; at most {MOST_MESSAGES:,} are read.", "Split the export.")
    by_id = {one.id: one for one in raw}
    children: dict[str, list[str]] = {}
    for one in raw:
        parent = one.parent if one.parent in by_id else ""
        children.setdefault(parent, []).append(one.id)
    kept: dict[str, ForeignMessage] = {}
    stands_for: dict[str, str] = {"": ""}  # of each message the kept one
    joined_into: dict[str, str] = {}  # of a kept one the message that it has become a part of
    followed: set[str] = set()
    left_out, waiting, seen = 0, list(reversed(children.get("", []))), 0
    while waiting:
        one = by_id[waiting.pop()]
        seen += 1
        above = _end_of(stands_for[one.parent if one.parent in by_id else ""], joined_into)
        waiting += reversed(children.get(one.id, []))
        stands_for[one.id] = above
        if one.role is None or not (one.text.strip() or one.thought):
            left_out += 1
            continue
        before = kept.get(above)
        message = ForeignMessage(
            id=one.id,
            parent=above,
            role=one.role,
            text=one.text.strip(),
            created=one.created,
            model=one.model,
            thought=one.thought,
        )
        if before is not None and before.role == one.role:  # it goes on: one message, or another version of it
            joined = "\n\n".join(filter(None, (before.text, message.text)))
            message = msgspec.structs.replace(message, parent=before.parent, text=joined)
            if len(children.get(one.parent, ())) == 1 and above not in followed:
                del kept[above]
                joined_into[above] = one.id
        followed.add(message.parent)
        stands_for[one.id] = one.id
        kept[one.id] = message
    if seen < len(by_id):
        raise UserError(f"{place} has messages that follow each other in a circle.", "Export the chats again.")
    if not kept:
        return None, left_out
    messages = tuple(kept.values())
    first = next((one for one in messages if one.role == "user"), messages[0])
    times = [one.created for one in messages if one.created]
    return (
        ForeignChat(
            id=id,
            title=" ".join(title.split()) or " ".join(first.text.split())[:_TITLE],
            created=created or min(times, default=0.0),
            updated=updated or max(times, default=created),
            messages=messages,
            head=_end_of(stands_for.get(head, ""), joined_into),
        ),
        left_out,
    )


def _end_of(message: str, joined_into: dict[str, str]) -> str:
    while message in joined_into:
        message = joined_into[message]
    return message


def in_a_row(raw: Sequence[RawMessage]) -> list[RawMessage]:
    """Messages of a program without branches: each follows the one before it."""
    for before, after in pairwise(raw):
        after.parent = before.id
    return list(raw)
