"""The output of commands: events as JSON lines for programs, or text, tables and progress for people."""

from __future__ import annotations

import shutil
import textwrap
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TextIO

import msgspec

from workbench.api.events import BeamStep, Cancelled, Event, Failed, Finished, Log, Progress, TextDelta, encode, stamped
from workbench.records.visible import TURNS, named

Show = Callable[[Any, "TextOutput"], None]
EventMessage = Callable[[Event, "TextOutput"], None]


class Output(Protocol):
    """The destination of a command's events and its end."""

    def event(self, event: Event, on_event: EventMessage | None = None) -> None: ...

    def finished(self, result: Any, show: Show) -> None: ...

    def failed(self, event: Failed) -> None: ...

    def cancelled(self, result: Any) -> None: ...


class JsonOutput:
    """One event per line on ``out``, the terminal event last; progress, notices and errors for people on ``err``."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._text = TextOutput(err, err)
        self._seq = 0

    def event(self, event: Event, on_event: EventMessage | None = None) -> None:
        self._write(event)
        if isinstance(event, Progress | Log):
            self._text.event(event)

    def finished(self, result: Any, show: Show) -> None:
        self._text.clear_progress()
        self._write(Finished(result=msgspec.to_builtins(result)))

    def failed(self, event: Failed) -> None:
        self._text.failed(event)
        self._write(event)

    def cancelled(self, result: Any) -> None:
        self._text.cancelled(result)
        self._write(Cancelled(result=msgspec.to_builtins(result)))

    def _write(self, event: Event) -> None:
        self._seq += 1
        line = encode(stamped(event, self._seq, event.at or time.time()))
        self._out.write(line.decode() + "\n")
        self._out.flush()


class TextOutput:
    """Text for people. Progress is drawn only where ``err`` is a terminal."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._bar = ProgressBar(err) if err.isatty() else None
        self.streamed = ""

    @property
    def columns(self) -> int:
        """Of the terminal; 100 where the text goes elsewhere."""
        return shutil.get_terminal_size().columns if self._out.isatty() else 100

    def event(self, event: Event, on_event: EventMessage | None = None) -> None:
        if isinstance(event, Progress):
            if self._bar is not None:
                self._bar.show(event)
        elif isinstance(event, BeamStep):
            if self._bar is not None:  # nothing can be read before its end
                self._bar.show(Progress(stage="searching", done=event.number + 1, unit="steps"))
        elif isinstance(event, Log) and event.level in ("notice", "warning"):
            self.note(event.text)
        elif isinstance(event, TextDelta) and event.sequence == 0 and not event.step and self._out.isatty():
            self.clear_progress()
            self.streamed += event.text
            self._out.write(printable(event.text))
            self._out.flush()
        elif on_event is not None:
            self.clear_progress()
            on_event(event, self)
            self._out.flush()

    def finished(self, result: Any, show: Show) -> None:
        self.clear_progress()
        show(msgspec.to_builtins(result), self)
        self._out.flush()

    def failed(self, event: Failed) -> None:
        self._end_streamed()
        self.note(event.message)
        if event.hint and event.reason == "user":
            self.note(event.hint)
        if event.sending is not None:
            asked = event.sending
            self.note(f'In the terminal: workbench models endpoint allow "{asked.model}" "{asked.collection}"')
        if event.stderr_tail and event.reason != "user":
            self.note(event.stderr_tail.rstrip())

    def cancelled(self, result: Any) -> None:
        self._end_streamed()
        self.note("Cancelled.")

    def line(self, text: str = "") -> None:
        self._out.write(printable(text) + "\n")

    def note(self, text: str) -> None:
        """A line on the error stream."""
        self.clear_progress()
        self._err.write(printable(text) + "\n")
        self._err.flush()

    def pairs(self, rows: Sequence[tuple[str, object]]) -> None:
        """Names and values below each other; empty values are left out."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            if value not in ("", None):
                self.line(f"{name.ljust(width)}  {value}")

    def wrapped(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names, with a text beside each that goes on below its beginning where it is wider than the terminal."""
        width = max((display_width(name) for name, _ in rows), default=0) + 2
        for name, text in rows:
            beside = name + " " * (width - display_width(name))
            for line in textwrap.wrap(one_line(text), max(24, self.columns - 1 - width)) or [""]:
                self.line((beside + line).rstrip())
                beside = " " * width

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str] = ()) -> None:
        """Aligned columns, those in ``numbers`` to the right. On a terminal the last one is cut to fit."""
        cells = [[one_line(str(cell)) for cell in row] for row in rows]
        widths = [max(display_width(c) for c in column) for column in zip(headers, *cells, strict=True)]
        room = shutil.get_terminal_size().columns if self._out.isatty() else None
        for row in (list(headers), *cells):
            last = len(row) - 1
            line = ""
            for index, cell in enumerate(row):
                space = " " * (widths[index] - display_width(cell))
                if headers[index] in numbers:
                    line += space + cell
                else:
                    line += cell + (space if index < last else "")
                line += "  " if index < last else ""
            self.line((fitted(line, room) if room else line).rstrip())

    def replace_streamed(self, text: str) -> None:
        """Replace the text that was streamed to the terminal by the final one."""
        room = shutil.get_terminal_size()
        streamed, self.streamed = self.streamed, ""
        rows = sum(max(1, -(-display_width(line) // room.columns)) for line in streamed.split("\n"))
        if not streamed:
            self.line(text)
        elif text.strip() == streamed.strip():
            self.line()
        elif rows < room.lines:
            up = f"\x1b[{rows - 1}A" if rows > 1 else ""
            self._out.write(f"\r{up}\x1b[J")
            self.line(text)
        else:
            self.line("\n")
            self.line(text)

    def clear_progress(self) -> None:
        if self._bar is not None:
            self._bar.clear()

    def _end_streamed(self) -> None:
        self.clear_progress()
        if self.streamed:
            self.line()
            self._out.flush()


class Number(NamedTuple):
    """A column of numbers, which stand at the right: a field of each row, or what is made of the row, as ``spell``
    writes it; with ``blank`` nothing for 0 and for None."""

    of: str | Callable[[dict[str, Any]], Any]
    spell: Callable[[Any], str] = "{:,}".format
    blank: bool = False

    def __call__(self, row: dict[str, Any]) -> str:
        value = row[self.of] if isinstance(self.of, str) else self.of(row)
        return self.spell(value) if value or not self.blank else ""


Column = str | Number | Callable[[dict[str, Any]], object]


def when(field: str) -> Callable[[dict[str, Any]], str]:
    """A column of moments."""
    return lambda row: moment(row[field])


def listing(part: str, none: str, columns: Mapping[str, Column]) -> Show:
    """Shows the rows of a result's ``part`` as a table, or the sentence ``none`` where there are none. ``columns`` says
    by header what stands in a column: a field of the row, or what is made of the row."""

    def show(result: dict[str, Any], output: TextOutput) -> None:
        if not result[part]:
            output.line(none)
            return
        rows = [
            [row[cell] if isinstance(cell, str) else cell(row) for cell in columns.values()] for row in result[part]
        ]
        output.table([*columns], rows, [header for header, cell in columns.items() if isinstance(cell, Number)])

    return show


class ProgressBar:
    """One line at the bottom of a terminal, drawn at most ten times a second."""

    WIDTH = 24

    def __init__(self, err: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._err = err
        self._now = now
        self._last = -1.0
        self._stage = ""
        self._shown = False

    def show(self, progress: Progress) -> None:
        now = self._now()
        ended = progress.total and progress.done >= progress.total
        if progress.stage == self._stage and not ended and now - self._last < 0.1:
            return
        self._last, self._stage = now, progress.stage
        self._err.write("\r\x1b[K" + fitted(progress_text(progress), shutil.get_terminal_size().columns - 1))
        self._err.flush()
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._shown = False


def progress_text(progress: Progress) -> str:
    """Progress in one line, such as ``reading [#####-----] 12/40 files, 0:35 left  notes.md``."""
    parts = [progress.stage]
    if progress.total:
        share = min(1.0, max(0.0, progress.done / progress.total if progress.overall is None else progress.overall))
        filled = round(share * ProgressBar.WIDTH)
        parts.append(f"[{'#' * filled}{'-' * (ProgressBar.WIDTH - filled)}]")
        if progress.unit == "bytes":
            parts.append(f"{byte_size(progress.done)} of {byte_size(progress.total)}")
        elif progress.unit:
            parts.append(f"{progress.done:,.0f}/{progress.total:,.0f} {progress.unit}")
        else:
            parts.append(f"{share:.0%}")
    elif progress.done:
        parts.append(f"{progress.done:,.0f} {progress.unit}".rstrip())
    if progress.seconds_left is not None:
        parts[-1] += f", {duration(progress.seconds_left)} left"
    return " ".join(parts) + (f"  {one_line(progress.detail)}" if progress.detail else "")


def byte_size(count: float) -> str:
    """``98.4 MB``; in powers of 1,000, as for disks and downloads."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def count_size(count: int) -> str:
    """``134.5M``, the usual form for parameters."""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def duration(seconds: float) -> str:
    """``0:35`` or ``1:02:03``."""
    minutes, left = divmod(round(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def moment(at: float | None) -> str:
    """An epoch time as ``2026-11-24 15:30``, in local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else ""


def printable(text: str) -> str:
    """The text without control characters, and with the names of marks that turn the direction of writing: content of
    files must not control the terminal."""
    text = "".join(named(c) if c in TURNS else c for c in text)
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


def display_width(text: str) -> int:
    """The text's width in terminal columns: two for Chinese and the like, none for combining marks."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in printable(text)
    )


def fitted(text: str, columns: int) -> str:
    """The text, truncated to ``columns``."""
    if display_width(text) <= columns:
        return text
    kept, width = "", 1
    for character in text:
        width += display_width(character)
        if width > columns:
            break
        kept += character
    return kept + "…"
