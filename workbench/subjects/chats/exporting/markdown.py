"""Transcripts as Markdown. Texts of models and people are unchanged, but for the rows of tables that an answer quotes,
which are tables; what was quoted is a block quote. Images are small copies within the text, as data addresses."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from workbench.records.quoted_tables import QuotedTable
from workbench.subjects.chats.exporting.transcript import Transcript, Turn


def write_markdown(transcripts: Sequence[Transcript]) -> str:
    return "\n\n---\n\n".join("\n\n".join(_parts(one)) for one in transcripts) + "\n"


def _parts(transcript: Transcript) -> Iterator[str]:
    yield f"# {transcript.title}"
    yield transcript.date
    for turn in transcript.turns:
        yield from _turn(turn)
    for heading, turns in transcript.other:
        yield f"## {heading}"
        for turn in turns:
            yield from _turn(turn)


def _turn(turn: Turn) -> Iterator[str]:
    yield f"## {turn.heading}"
    for picture in turn.pictures:
        name = re.sub(r"([\\\[\]])", r"\\\1", " ".join(picture.name.split()))
        yield f"![{name}](data:image/png;base64,{base64.b64encode(picture.small).decode()})"
    if turn.text:
        yield turn.text
    for note in turn.notes:
        yield f"*{note}*"
    if turn.sources:
        yield "### Sources"
    for source in turn.sources:
        place = f", {source.place}" if source.place else ""
        lines = "\n".join(f"\n{one.as_markdown()}\n" if isinstance(one, QuotedTable) else one for one in source.parts())
        quoted = "\n".join(f"> {line}".rstrip() for line in lines.strip("\n").splitlines())
        yield f"**[{source.n}]** {source.name}{place}\n\n{quoted}"
