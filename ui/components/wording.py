"""Numbers, amounts and errors as people read them."""

from __future__ import annotations

from ui import texts
from workbench.api.events import Progress
from workbench.base.counting import counted
from workbench.base.errors import FaultElsewhere, OutOfMemory, UserError
from workbench.records.messages import Citation, Passage
from workbench.records.models import ModelRecord
from workbench.records.visible import visible_name

describe_count = counted


def describe_place(source: Citation | Passage) -> str:
    """``pump.pdf p.3``"""
    name = visible_name(source.path) or source.title
    return f"{name} p.{source.page}" if source.page else name


def describe_kind(kind: str) -> str:
    """``PDF``, ``Markdown``: abbreviations in capitals, words as words."""
    return kind.upper() if len(kind) <= 4 and kind not in ("text", "code", "mail", "book") else kind.capitalize()


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
        return share, f"{describe_bytes(int(progress.done))} of {describe_bytes(int(progress.total))}"
    return share, f"{progress.done:,.0f} of {progress.total:,.0f} {progress.unit}".rstrip()


def describe_seconds(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


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
        return f"{error.message} {error.hint}".strip()
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
