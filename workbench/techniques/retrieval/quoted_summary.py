"""A summary of sentences of the document, word for word, under its headings: for a model whose own words on a section
are wrong more often than right."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.counting import counted
from workbench.base.errors import Cancelled
from workbench.engine.inference_calls import Generated
from workbench.records.documents import DocumentText
from workbench.techniques.context import AnswerContext, SavedSections
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.extracts import (
    Extract,
    choose_for_summary,
    leads_of,
    measure_likeness,
    words_of_summary,
)
from workbench.techniques.retrieval.outline import Section
from workbench.techniques.retrieval.quoted_units import UnitQuotes
from workbench.techniques.retrieval.quoting import Quotes
from workbench.text.language import detect_language

_UNITS_TOGETHER = 160
"""A longer section is measured in parts."""


class QuotedSummary(msgspec.Struct, frozen=True):
    """``stopped``: only the sections that were read by then are in it. ``quotes`` is None without any."""

    quotes: Quotes | None
    stopped: bool


def quote_summary(
    document: DocumentText, sections: Sequence[Section], context: AnswerContext
) -> Generator[Event, None, QuotedSummary]:
    """Summarise sections of a document in as many words as suit its length.

    Yields a step and Progress, whose share never falls. What was measured of a section is kept in ``context.saved``.
    When the request is cancelled, the summary is that of the sections until then.
    """
    assert context.retriever is not None
    parts = _in_parts(sections)
    total = sum(len(part.units) for part in parts)
    leads = leads_of(sections)
    step = context.step("sections", f"Read {counted(len(sections), 'section')}", document.document.path)
    yield step.started
    likeness: list[list[float]] = []
    done = measured = 0
    began = time.monotonic()
    stopped = False
    for number, part in enumerate(parts, start=1):
        seconds = (time.monotonic() - began) / measured * (total - done) if measured else None
        yield events.Progress(
            stage="reading", done=done, total=total, unit="sentences", seconds_left=seconds,
            detail=f"section {number:,} of {len(parts):,}",
        )  # fmt: skip
        try:
            context.raise_if_cancelled()
            found, was_saved = _measure(part, leads, context.retriever, context.saved)
        except Cancelled:
            stopped = True
            break
        likeness.append(found)
        done += len(part.units)
        measured += 0 if was_saved else len(part.units)
    length = sum(len(unit.text.split()) for part in parts[: len(likeness)] for unit in part.units)
    extracts = (
        choose_for_summary(parts[: len(likeness)], likeness, words_of_summary(length), detect_language(document.text))
        if likeness
        else []
    )
    chosen = sum(len(extract.units) for extract in extracts)
    yield step.finished(f"{counted(chosen, 'sentence')} of {total:,} chosen")
    if stopped and extracts:
        yield from context.note(
            f"Stopped: this is a summary of {len(likeness):,} of the document's {counted(len(parts), 'section')}."
        )
    elif extracts:
        yield from context.note(f"The summary quotes {chosen:,} of the document's {counted(total, 'sentence')}.")
    quotes = UnitQuotes(context.retriever)
    write_extracts(quotes, document, extracts)
    return QuotedSummary(quotes.quotes() if quotes else None, stopped)


def write_extracts(quotes: UnitQuotes, document: DocumentText, extracts: Sequence[Extract]) -> None:
    """The chosen units as points below the headings of their sections."""
    path: tuple[str, ...] = ()
    above = shared_path([extract.section.path for extract in extracts])
    for extract in extracts:
        if extract.section.path != path:
            path = extract.section.path
            if path[above:]:
                quotes.say(f"**{as_heading(path[above:])}**\n\n")
        for unit in extract.units:
            quotes.say("- ")
            quotes.quote(document, extract.section, unit)
            quotes.say("\n")
        quotes.say("\n")


def shared_path(paths: Sequence[tuple[str, ...]]) -> int:
    """How many of the outermost headings all sections below a heading share: the document's title."""
    paths = [path for path in paths if path]
    longest = min((len(path) for path in paths), default=0)
    for depth in range(longest):
        if len({path[depth] for path in paths}) > 1 or (depth + 1 == longest and len(set(paths)) == 1):
            return depth
    return longest


def as_heading(path: Sequence[str]) -> str:
    """The two innermost headings in one line."""
    return " · ".join(one.replace("*", "").strip() for one in path[-2:])


def _in_parts(sections: Sequence[Section]) -> list[Section]:
    """The sections, long ones cut into several: the likeness of all units to each other is measured at once."""
    parts: list[Section] = []
    for section in sections:
        for start in range(0, len(section.units), _UNITS_TOGETHER):
            units = section.units[start : start + _UNITS_TOGETHER]
            parts.append(Section(section.path, units[0].start, units[-1].end, units))
    return parts


def _measure(
    section: Section, leads: Sequence[str], retriever: Retriever, saved: SavedSections | None
) -> tuple[list[float], bool]:
    """The likeness of a section's units, and whether an earlier attempt had measured it."""
    texts = [unit.text for unit in section.units]
    key = hashlib.sha256(msgspec.json.encode((retriever.collection.embedder, texts, leads))).hexdigest()
    before = saved.find(key) if saved is not None else None
    if before is not None:
        return msgspec.json.decode(before.text, type=list[float]), True
    found = measure_likeness(section, leads, retriever.similarities)
    if saved is not None:
        saved.add(key, Generated(text=msgspec.json.encode(found).decode()))
    return found, False
