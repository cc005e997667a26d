"""From an empty home to the first result of *What pays*, by somebody who knows the texts on the screen alone.

Over a real core with the starter model, with the limit in minutes that the page proposes.
"""

from __future__ import annotations

import sys
import time

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.person import PATIENCE_MS, Person, window
from ui.shell import Shell

__all__ = ["window"]


pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.nightly, pytest.mark.timeout(3_600)]
CLICKS = 5


def test_the_first_ladder_is_five_clicks_away(window: Shell, qtbot: QtBot) -> None:
    person = Person(window, qtbot)
    began = time.monotonic()
    person.click("I want to adapt and compare models")
    person.click("Use the starter model, 98 MB")
    person.click("Measure")
    person.click("Questions on the sample documents")
    person.click("Start")
    assert person.clicks == CLICKS
    qtbot.waitUntil(lambda: person.reads("Now: "), timeout=PATIENCE_MS)

    def title() -> str:
        found = (one for one in window.findChildren(QLabel) if one.isVisible() and one.property("role") == "title")
        return [one.text() for one in found][-1]

    qtbot.waitUntil(lambda: not person.reads("Now: ") and "%" in title(), timeout=3_000_000)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s: {title()}\n")
    assert person.reads("Worse") or person.reads("Not worse") or person.reads("Undecided")
