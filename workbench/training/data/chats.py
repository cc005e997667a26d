"""Examples from chats: answers that a person rated as good, wrote anew, or chose among several.

A pure function over stored messages; ratings and edits are handed in. An answer stands in its conversation: the
instructions that it was given under and the turns before it, as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from workbench.records.answers import StoredMessage
from workbench.records.messages import Message
from workbench.training.data.examples import Example, Source

_CITATION = re.compile(r" ?\[(\d{1,3})\](?!\()")


def examples_from_chats(
    messages: Sequence[StoredMessage],
    *,
    ratings: Mapping[str, int] | None = None,
    edits: Mapping[str, str] | None = None,
    with_chosen: bool = True,
) -> Iterator[Example]:
    """One example for each good answer, in the order of ``messages`` (of any chats, with all that stands above).

    Good is an answer with a rating above 0, one that was edited (then its text is the edited one, whatever its rating),
    and, unless ``with_chosen`` is False, one of several that was put in the place of the first. Ratings and edits go by
    the message's id. Left out are answers that are unfinished, failed or empty or repeated themselves, those that said
    that the documents do not hold the answer, and work on whole documents. In an edited turn further up the edited text
    stands as well.

    An answer from documents loses its numbers ``[1]``, which name passages that are not shown.
    """
    ratings, edits = ratings or {}, edits or {}
    known = {message.id: message for message in messages}
    for message in messages:
        reason = _why_good(message, ratings, edits, with_chosen)
        if not reason:
            continue
        if conversation := conversation_to(message, known, edits):
            yield Example(
                messages=conversation,
                source=Source(origin="chat", chat=message.chat, message=message.id, note=reason),
            )


def conversation_to(
    message: StoredMessage, known: Mapping[str, StoredMessage], edits: Mapping[str, str]
) -> tuple[Message, ...]:
    """The conversation that ends with an answer, as it is learnt from: with the instructions that it was given under,
    edited turns as they were edited, and without numbers of passages. () where it is not known what was asked."""
    branch = _branch(message, known)
    turns = tuple(m.as_message(_text(m, edits)) for m in branch if _text(m, edits).strip() or m.parts)
    if len(turns) < 2 or turns[-1].role != "assistant" or branch[0].parent is not None:
        return ()
    if any(m.unreadable for m in branch):  # what it was told, or shown, is not known
        return ()
    system = message.recipe.prompting.instructions.strip() if message.recipe is not None else ""
    return (Message("system", system), *turns) if system else turns


def _why_good(message: StoredMessage, ratings: Mapping[str, int], edits: Mapping[str, str], with_chosen: bool) -> str:
    if message.role != "assistant" or message.document is not None:
        return ""
    if message.id in edits:
        return "edited" if edits[message.id].strip() else ""
    if message.state != "done" or message.looped or message.declined or not message.text.strip():
        return ""
    if message.id in ratings:
        return "rated" if ratings[message.id] > 0 else ""
    return "chosen" if with_chosen and message.selected_sequence > 0 else ""


def _branch(message: StoredMessage, known: Mapping[str, StoredMessage]) -> list[StoredMessage]:
    """From the first message down to this one."""
    branch = [message]
    while (parent := known.get(branch[-1].parent or "")) is not None and len(branch) <= len(known):
        branch.append(parent)
    return branch[::-1]


def _text(message: StoredMessage, edits: Mapping[str, str]) -> str:
    text = edits.get(message.id, message.text)
    if message.role == "user" or not message.passages:
        return text
    shown = {str(passage.n) for passage in message.passages}
    return _CITATION.sub(lambda found: "" if found[1] in shown else found[0], text)
