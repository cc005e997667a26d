"""Every text of the window comes from the catalogue, and none is cut in a language with longer words.

The window of a furnished home runs in a process whose language is made of the catalogue (``pseudo_locale``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ui.pseudo_locale import CLOSE, OPEN, environment, outside, pseudo, write_catalogue
from tests.unit.packaging.scripts import ROOT, script

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(1800)]
LEFT_OUT = (
    "agent", "agent-question", "map-similarity",  # a stored text in the middle of another one
    "adapter-gone", "settings-update",  # a name and a report that the core does not send as values of their own
    "settings-engines", "settings-engines-offered",  # what a process said when it ended
    "agent-approval",  # a title made of a tool's name, and arguments in pieces
    "runs",  # a title in brackets that is cut within another one
)  # fmt: skip
"""Scenes in which the test does not tell stored texts from those of the window."""
PARTS = 4
"""The scenes are looked at in so many processes beside each other: each mostly waits for a window to be still."""


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[subprocess.Popen[bytes], Path]]]:
    """The processes, each with the folder of what it writes."""
    folder = tmp_path_factory.mktemp("locale")
    write_catalogue([(entry.text, entry.plural) for entry in script("catalogue").entries()], folder)
    with ExitStack() as stack:
        started = []
        for part in range(PARTS):
            told = tmp_path_factory.mktemp(f"part-{part}")
            command = [sys.executable, "-m", "tests.ui.pseudo_locale", str(folder), "--part", str(part)]
            command += ["--parts", str(PARTS), "--without", *LEFT_OUT]
            with (told / "out").open("wb") as out, (told / "errors").open("wb") as errors:
                process = subprocess.Popen(command, stdout=out, stderr=errors, cwd=ROOT, env=environment(folder))
            stack.enter_context(process)
            stack.callback(process.kill)
            started.append((process, told))
        yield started


@pytest.mark.parametrize("part", range(PARTS))
def test_each_scene_speaks_the_language_and_cuts_nothing(
    looks: list[tuple[subprocess.Popen[bytes], Path]], part: int
) -> None:
    process, told = looks[part]
    assert process.wait() == 0, (told / "errors").read_text("utf-8")
    rows = [json.loads(line) for line in (told / "out").read_text("utf-8").splitlines()]
    assert len(rows) > 90 // PARTS
    assert {row["scene"]: row["found"] for row in rows if row["found"]} == {}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{OPEN}Fíléš·{CLOSE}", ""),
        (f"{OPEN}3 {OPEN}fíléš·{CLOSE} áré réád··{CLOSE}", ""),
        ("pump.pdf", ""),
        (f"pump.pdf, {OPEN}págé 3·{CLOSE}", ""),
        ("3 of 4 files", "3 of 4 files"),
        (f"{OPEN}Módél·{CLOSE}: off", ": off"),
        ("12.4 MB · 26 Nov, 09:42", ""),
        (f"{OPEN}Thréé fíxéd éxámpl…", ""),
        (f"Three {OPEN}fíxéd··{CLOSE} éxámpl…", "Three éxámpl"),
        (f"pum…df · {OPEN}réád{CLOSE}", ""),
        ("pum…doc", "pum doc"),
    ],
)
def test_a_text_outside_of_the_catalogue_is_told_from_a_stored_one(text: str, left: str) -> None:
    assert outside(text, ["pump.pdf"]) == left


def test_a_pseudo_text_is_longer_by_two_fifths_and_keeps_its_places() -> None:
    text = pseudo("Reading {name}: {done:,} of {total:,} files")
    assert text.format(name="a", done=1, total=2).startswith(f"{OPEN}Réádíñg a: 1 óf 2 fíléš")
    assert len(pseudo("Delete the collection")) >= 1.4 * len("Delete the collection") - 1
