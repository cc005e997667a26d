"""From an empty home to the first cited answer from a folder of one's own, by somebody who knows the texts on the
screen alone: over a real core with the starter model, in five clicks."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.person import PATIENCE_MS, Person, window
from ui.features.welcome.page import SAMPLES
from ui.shell import Shell

__all__ = ["window"]


pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.nightly, pytest.mark.timeout(600)]
CLICKS = 5


def test_the_first_cited_answer_is_five_clicks_away(window: Shell, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "Pump papers"
    shutil.copytree(SAMPLES, folder)
    person = Person(window, qtbot)
    began = time.monotonic()
    person.click("I want answers from my documents")
    person.click("Use the starter model, 98 MB")
    person.click("Choose a folder…")
    person.pick(str(folder))
    person.click("Ask a question")
    assert person.clicks == CLICKS
    qtbot.waitUntil(lambda: person.sees("Asking Pump papers"), timeout=PATIENCE_MS)
    person.type("How long is the warranty on a new pump?")
    qtbot.waitUntil(lambda: person.sees("[1] "), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: person.sees("Sources ("), timeout=PATIENCE_MS)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    assert {"Measure", "Adapt", "Tools"}.isdisjoint(person.choices())
