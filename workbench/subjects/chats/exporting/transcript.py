"""A chat as it is read from top to bottom: its turns, with their notes and the sources that they cite.

The forms of an export (Markdown, HTML, DOCX) write the same transcript, so that none says more than another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from workbench.base.errors import UserError
from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation, ImagePart
from workbench.records.places import columns_of, describe_position
from workbench.records.quoted_tables import QuotedTable, parts_of, with_markdown_tables
from workbench.records.trust import describe_trust
from workbench.records.visible import visible_name
from workbench.subjects.chats.calls import Chat

UNTITLED = "New chat"
HEADINGS = {"user": "Question", "assistant": "Answer", "tool": "Tool result"}
_STATES = {
    "streaming": "This answer is not finished.",
    "stopped": "This answer was stopped.",
    "interrupted": "The program ended before this answer was finished.",
    "waiting": "This answer waits for your decision on a call.",
}


class Source(msgspec.Struct, frozen=True):
    """What a ``[n]`` in an answer stands for: the name of the document, the place in it, and what it says there.
    ``columns`` are the names of the columns of a row that it quotes, empty for other text."""

    n: int
    name: str
    place: str
    quote: str
    columns: tuple[str, ...] = ()

    def parts(self) -> list[str | QuotedTable]:
        """The quote as its lines and tables."""
        return list(parts_of(self.quote, {0: self.columns}))

    @property
    def label(self) -> str:
        """``[1] lease.pdf, page 3``"""
        return f"[{self.n}] {self.name}, {self.place}" if self.place else f"[{self.n}] {self.name}"


class Picture(msgspec.Struct, frozen=True):
    """An image that a question shows: its name, and a PNG file of so many pixels. ``small`` is the copy for lists."""

    name: str
    png: bytes
    width: int
    height: int
    small: bytes


PictureOf = Callable[[ImagePart], Picture]
"""Raises UserError for an image that is not kept."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message. ``heading`` says whose it is and, where there are other versions of it, which one; ``text`` is
    Markdown, ``notes`` are sentences about it. ``pictures`` come before the text."""

    heading: str
    text: str
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    pictures: tuple[Picture, ...] = ()


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """``other`` are the turns of branches that are not shown in the chat, each branch under its own heading."""

    title: str
    date: str
    turns: tuple[Turn, ...]
    other: tuple[tuple[str, tuple[Turn, ...]], ...] = ()


def transcript_of(chat: Chat, branches: bool = False, picture_of: PictureOf | None = None) -> Transcript:
    """The shown branch of a chat, with ``branches`` all of them. Without ``picture_of`` images are their names."""
    by_id = {message.id: message for message in chat.messages}
    children: dict[str | None, list[StoredMessage]] = {}
    for message in chat.messages:
        children.setdefault(message.parent, []).append(message)
    shown = _branch(by_id, chat.chat.head)
    turns = tuple(_turn(message, children, picture_of) for message in shown)
    other = tuple(_other(by_id, children, {one.id for one in shown}, picture_of)) if branches else ()
    return Transcript(
        title=chat.chat.title or UNTITLED,
        date=time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.chat.created)),
        turns=turns,
        other=other,
    )


def source_of(citation: Citation) -> Source:
    """The sentence that bears the answer where it is known, else the passage."""
    first, last = citation.sentence_start - citation.start, citation.sentence_end - citation.start
    known = citation.sentence_end > citation.sentence_start and 0 <= first < last <= len(citation.text)
    quote = citation.text[first:last] if known else citation.text
    name = visible_name(citation.path) or citation.title
    return Source(
        n=citation.n, name=name, place=describe_position(citation), quote=quote.strip(), columns=columns_of(citation)
    )


def _branch(by_id: Mapping[str, StoredMessage], head: str | None) -> list[StoredMessage]:
    found: list[StoredMessage] = []
    while head is not None and head in by_id and len(found) <= len(by_id):
        found.insert(0, by_id[head])
        head = by_id[head].parent
    return found


def _other(
    by_id: Mapping[str, StoredMessage],
    children: Mapping[str | None, Sequence[StoredMessage]],
    shown: set[str],
    picture_of: PictureOf | None,
) -> Iterator[tuple[str, tuple[Turn, ...]]]:
    """Each branch that leaves what was written before it, down to its end."""
    written = set(shown)
    leaves = [message for message in by_id.values() if not children.get(message.id)]
    for number, leaf in enumerate((one for one in leaves if one.id not in shown), 2):
        branch = [message for message in _branch(by_id, leaf.id) if message.id not in written]
        written |= {message.id for message in branch}
        above = by_id.get(branch[0].parent or "")
        after = f", after: {_first_words(above.text)}" if above is not None else ""
        yield f"Branch {number}{after}", tuple(_turn(message, children, picture_of) for message in branch)


def _turn(
    message: StoredMessage, children: Mapping[str | None, Sequence[StoredMessage]], picture_of: PictureOf | None
) -> Turn:
    beside = [one.id for one in children.get(message.parent, ()) if one.role == message.role]
    heading = HEADINGS[message.role]
    if len(beside) > 1:
        heading = f"{heading}, version {beside.index(message.id) + 1} of {len(beside)}"
    pictures, notes = _pictures(message, picture_of)
    if message.state == "failed":
        notes.append(f"This answer failed: {message.error}")
    elif message.state in _STATES:
        notes.append(_STATES[message.state])
    if message.original is not None:
        notes.append("A person has corrected this answer.")
    notes += message.notices
    trusted, _ = describe_trust(message.verification)
    notes += [trusted] if trusted else []
    if message.role == "assistant" and message.recipe is not None and message.recipe.model.name:
        notes.append(f"Answered by {message.recipe.model.name}.")
    sources = tuple(source_of(citation) for citation in message.citations)
    text = message.text.strip()
    if message.role == "assistant":
        text = with_markdown_tables(text, {source.n: source.columns for source in sources})
    return Turn(heading=heading, text=text, notes=tuple(notes), sources=sources, pictures=pictures)


def _pictures(message: StoredMessage, picture_of: PictureOf | None) -> tuple[tuple[Picture, ...], list[str]]:
    """The images of a question, and what is said of those that are not written."""
    pictures, notes = [], []
    for image in message.as_message().images:
        name = image.name or "image"
        if picture_of is None:
            notes.append(f"The question shows the image {name}.")
            continue
        try:
            pictures.append(picture_of(image))
        except UserError as error:
            notes.append(f"The question shows the image {name}, which is missing here: {error.message}")
    return tuple(pictures), notes


def _first_words(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
