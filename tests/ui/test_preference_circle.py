"""The sixth technique to its end in the window, by somebody who knows the texts on the screen alone: rated pairs, a
reward model, PPO and GRPO, and a blind test. Over a real core with the starter model; PPO is stopped once and resumed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

from tests.ui.person import PATIENCE_MS, Person, window
from ui.features.feedback.pair_view import PairView
from ui.shell import Shell

__all__ = ["window"]


pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.nightly, pytest.mark.timeout(9_000)]
PAIRS, STEPS = 12, "1"
TRAINING_MS = 3_000_000
THINGS = (
    "apples", "bread", "candles", "doors", "elephants", "forks", "gloves", "hammers", "ice", "jars", "keys", "lamps",
    "maps", "nails", "ovens", "paper", "rain", "salt", "trees", "water",
)  # fmt: skip


def rate(person: Person, qtbot: QtBot, most: int) -> int:
    """Prefer the shorter of two answers, pair after pair. Returns how many were rated."""
    rated, last = 0, ""

    def next_pair() -> PairView | None:
        return next((view for view in person.seen(PairView) if view.pair is not None and view.pair.id != last), None)

    while rated < most:
        qtbot.waitUntil(lambda: next_pair() is not None or person.reads("All pairs are compared"), timeout=PATIENCE_MS)
        view = next_pair()
        if view is None:
            break
        assert view.pair is not None
        assert view.pair.b is not None
        last = view.pair.id
        lengths = {"a": len(view.pair.a.text.strip()), "b": len(view.pair.b.text.strip())}
        left, right = (lengths[side] for side in view.order)
        view.bar.buttons["tie" if left == right else "left" if left < right else "right"].click()
        rated += 1
    return rated


def to_path(person: Person) -> None:
    person.click("Adapt")
    person.click("Preferences")
    person.click("Path to a better model")


def begin_training(person: Person, words: str) -> None:
    """From the path's button to the running training. One that samples answers gets a single step, and is not asked
    what it forgets, which would take longer than the step."""
    to_path(person)
    person.click(words)
    person.waits_for(" steps · about")  # the plan
    if any(one.accessibleName() == "Steps" for one in person.seen(QLineEdit)):
        person.fill("Steps", STEPS)
        person.click("Advanced", last=True)
        [forgetting] = [one for one in person.seen(QCheckBox) if one.accessibleName() == "Measure forgetting"]
        forgetting.click()
    person.click("Start training")


def test_the_path_is_walked_by_its_buttons(window: Shell, qtbot: QtBot, tmp_path: Path) -> None:
    person = Person(window, qtbot)
    began = time.monotonic()

    def told(words: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:.0f} s: {words}\n")
        sys.stdout.flush()

    questions, others = tmp_path / "questions.txt", tmp_path / "others.txt"
    questions.write_text("".join(f"In one sentence, what are {thing} good for?\n" for thing in THINGS), "utf-8")
    others.write_text("".join(f"In one sentence, where do {thing} come from?\n" for thing in THINGS[:12]), "utf-8")
    person.click("I want to adapt and compare models")
    person.click("Use the starter model, 98 MB")
    to_path(person)
    person.click("Compare answers", last=True)
    person.click("Generate answers")
    person.click("A file")
    person.fill("File of questions", str(questions))
    person.choose("20")
    person.choose("64 tokens")
    person.click("Generate answers")
    assert rate(person, qtbot, PAIRS) == PAIRS
    told(f"{PAIRS} pairs are rated")

    begin_training(person, "Set up the reward model")
    to_path(person)
    person.waits_for("A reward has no unit", TRAINING_MS)
    told("the reward model is trained")

    begin_training(person, "Set up PPO")
    person.click("Stop")
    person.click("Resume")
    to_path(person)
    person.waits_for("PPO has made", TRAINING_MS)
    told("PPO is stopped, resumed, and trained")

    begin_training(person, "Set up GRPO")
    to_path(person)
    person.waits_for("GRPO has made", TRAINING_MS)
    told("GRPO is trained")

    person.click("Begin a blind test")
    person.click("A file")
    person.fill("File of questions", str(others))
    person.choose("64 tokens")
    person.click("Generate answers")
    assert rate(person, qtbot, len(others.read_text("utf-8").splitlines())) > 0
    to_path(person)
    person.waits_for("is preferred to its base model in")
    told("the blind test is rated")
