"""Text on a terminal: progress, tables, and an answer that is put in the place of its draft."""

from __future__ import annotations

import io

import pytest

from workbench.api.events import BeamStep, Progress, TextDelta
from workbench.cli.output import (
    Number,
    ProgressBar,
    TextOutput,
    byte_size,
    count_size,
    display_width,
    duration,
    fitted,
    listing,
    progress_text,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def forty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "10")


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(stage="reading", done=3, total=6, unit="files", seconds_left=35.2, detail="a.md"),
         "reading [############------------] 3/6 files, 0:35 left  a.md"),
        (Progress(stage="copying", done=5e6, total=1e7, unit="bytes"),
         "copying [############------------] 5.0 MB of 10.0 MB"),
        (Progress(stage="loading", done=1, total=1), "loading [########################] 100%"),
        (Progress(stage="waiting"), "waiting"),
        (Progress(stage="walking", done=12, unit="files"), "walking 12 files"),
    ],
)  # fmt: skip
def test_progress_in_words(progress: Progress, text: str) -> None:
    assert progress_text(progress) == text


def test_progress_is_drawn_ten_times_a_second_at_most_and_always_at_its_end() -> None:
    now = 0.0
    err = Terminal()
    bar = ProgressBar(err, lambda: now)
    for done in range(101):
        bar.show(Progress(stage="x", done=done, total=100))
        now += 0.01
    drawn = err.getvalue().split("\r\x1b[K")[1:]
    assert 10 <= len(drawn) <= 12
    assert "100%" in drawn[-1]
    bar.clear()
    assert err.getvalue().endswith("\r\x1b[K")


def test_a_beam_search_is_seen_to_go_on() -> None:
    out, err = Terminal(), Terminal()
    output = TextOutput(out, err)
    output.event(BeamStep(number=11, beams=()))
    assert err.getvalue().endswith("searching 12 steps")
    output.event(TextDelta(text="Found."))
    assert err.getvalue().endswith("\r\x1b[K")
    assert out.getvalue() == "Found."


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    err = io.StringIO()
    TextOutput(io.StringIO(), err).event(Progress(stage="x", done=1, total=2))
    assert err.getvalue() == ""


def test_final_answer_replaces_the_draft_on_a_terminal() -> None:
    out = Terminal()
    output = TextOutput(out, io.StringIO())
    for piece in ("In 1911, a year ", "of many works on", " the old tower."):
        output.event(TextDelta(text=piece))
    output.replace_streamed("In 1911 [1].")
    assert out.getvalue() == "In 1911, a year of many works on the old tower.\r\x1b[1A\x1b[JIn 1911 [1].\n"


def test_unchanged_answer_is_not_written_twice() -> None:
    out = Terminal()
    output = TextOutput(out, io.StringIO())
    output.event(TextDelta(text="Yes."))
    output.replace_streamed("Yes.")
    assert out.getvalue() == "Yes.\n"


def test_draft_that_has_left_the_screen_stays() -> None:
    out = Terminal()
    output = TextOutput(out, io.StringIO())
    output.event(TextDelta(text="line\n" * 20))
    output.replace_streamed("Short.")
    assert "\x1b[" not in out.getvalue()
    assert out.getvalue().endswith("\nShort.\n")


def test_draft_is_not_written_to_a_file() -> None:
    out = io.StringIO()
    output = TextOutput(out, io.StringIO())
    output.event(TextDelta(text="draft"))
    output.replace_streamed("final")
    assert out.getvalue() == "final\n"


def test_tables_align_wide_characters_and_fit_the_terminal() -> None:
    out = Terminal()
    TextOutput(out, io.StringIO()).table(
        ("NAME", "N", "PATH"), [("模型", 5, "x" * 60), ("ab", 12, "y")], numbers=("N",)
    )
    lines = out.getvalue().splitlines()
    assert [line[: line.index("x")] for line in lines if "x" in line] == ["模型   5  "]
    assert lines[2] == "ab    12  y"
    assert display_width(lines[1]) == 40
    assert lines[1].endswith("…")


def test_amounts_in_words() -> None:
    assert [byte_size(n) for n in (0, 999, 98_362_432, 5e12)] == ["0 B", "999 B", "98.4 MB", "5000.0 GB"]
    assert [count_size(n) for n in (12, 134_515_008, 7 * 10**9)] == ["12", "134.5M", "7.0B"]
    assert [duration(s) for s in (0, 35.4, 3723)] == ["0:00", "0:35", "1:02:03"]
    assert fitted("模型模型", 5) == "模型…"


def test_a_listing_shows_the_rows_of_a_part_with_numbers_at_the_right_or_says_that_there_are_none() -> None:
    show = listing(
        "sets", "There are no sets.", {"NAME": "name", "SIZE": Number("size", blank=True), "OF": lambda one: 1}
    )
    out = io.StringIO()
    show({"sets": [{"name": "a", "size": 1200}, {"name": "long name", "size": 0}]}, TextOutput(out, io.StringIO()))
    assert out.getvalue().splitlines() == ["NAME        SIZE  OF", "a          1,200  1", "long name         1"]
    out = io.StringIO()
    show({"sets": []}, TextOutput(out, io.StringIO()))
    assert out.getvalue() == "There are no sets.\n"
