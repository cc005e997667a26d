"""Numbers, amounts and errors as people read them."""

from __future__ import annotations

import functools

import msgspec

from ui import texts
from workbench.api.events import Progress
from workbench.base.catalogue import _, localised, translated
from workbench.base.counting import counted
from workbench.base.errors import FaultElsewhere, OutOfMemory, UserError
from workbench.base.fields import Field, fields_of
from workbench.records.messages import Citation, Passage
from workbench.records.models import ModelRecord
from workbench.records.places import describe_position
from workbench.records.visible import visible_name

describe_count = counted


@functools.cache
def shown_fields_of(config: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of a configuration type, with their texts in the person's language."""
    return localised(fields_of(config))


def stage_of(progress: Progress) -> str:
    """The stage of the work, as the beginning of a line."""
    words = translated(progress.stage)
    return f"{words[:1].upper()}{words[1:]}"


def describe_place(source: Citation | Passage) -> str:
    """``pump.pdf, page 3``"""
    name = visible_name(source.path) or source.title
    position = translated(describe_position(source))
    return f"{name}, {position}" if position else name


def describe_kind(kind: str) -> str:
    """``PDF``, ``Markdown``: abbreviations in capitals, words as words."""
    return kind.upper() if len(kind) <= 4 and kind not in ("text", "code", "mail", "book") else _(kind.capitalize())


def describe_parameters(count: int) -> str:
    """``135 M``, ``7.2 B``."""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} B"
    if count >= 1_000_000:
        return f"{count / 1e6:.0f} M"
    return f"{count:,}"


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def how_far(progress: Progress) -> tuple[float | None, str]:
    """The share that is done, None where the total is not known, and the same in numbers: ``12 of 40 files``."""
    if not progress.total:
        return None, ""
    share = progress.done / progress.total
    if progress.unit == "bytes":
        return share, texts.DONE_OF.format(
            done=describe_bytes(int(progress.done)), total=describe_bytes(int(progress.total))
        )
    numbers = texts.DONE_OF.format(done=f"{progress.done:,.0f}", total=f"{progress.total:,.0f}")
    return share, f"{numbers} {translated(progress.unit)}".rstrip()


def describe_seconds(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 60:
        return _("{seconds} s").format(seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def describe_speed(per_second: float) -> str:
    """``41``, ``2.3``, ``1,200``: a slow model's speed has a digit after the point."""
    return f"{per_second:.1f}" if per_second < 10 else f"{per_second:,.0f}"


def describe_bytes(count: int) -> str:
    """``812 B``, ``92 MB``, ``2.4 GB``; decimal units, as disks and shops use them."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 1000 or unit == "TB":
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
    raise AssertionError("unreachable")


def describe_large(value: float) -> str:
    """``168.86``, ``16,421``; what is beyond a million by its power of ten: ``2.5 × 10¹¹``."""
    if abs(value) < 1000:
        return f"{value:.2f}"
    if abs(value) < 1_000_000:
        return f"{value:,.0f}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits} × 10{str(int(power)).translate(_RAISED)}"


def in_words(error: Exception) -> str:
    """One or two sentences; never the traceback of a fault of ours, never nothing."""
    if isinstance(error, UserError):
        return f"{translated(error.message)} {translated(error.hint)}".strip()
    if isinstance(error, OutOfMemory):
        return texts.OUT_OF_MEMORY
    if isinstance(error, FaultElsewhere):
        return texts.FAULT.format(message=error.message)
    return str(error).splitlines()[0] if str(error) else type(error).__name__


_SMALL = 1_000_000_000
"""Models with fewer parameters quote documents rather than answer in their own words (``RetrievalPart.mode``)."""


def is_small(model: ModelRecord) -> bool:
    """Whether a model is good at quoting rather than at facts of its own."""
    return 0 < model.parameters < _SMALL


def within(text: str, length: int) -> str:
    """A text that is too long, without its middle: file names differ at both ends."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…{text[-length // 2 + 1 :]}"
