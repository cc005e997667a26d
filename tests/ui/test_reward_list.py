"""The rewards of a training: written as lines, shown as cards with their settings and weights."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from ui.components.choice_box import ChoiceBox
from ui.components.recipe.known_rows import NamedRow
from ui.components.reward_list import RewardList
from ui.theme.theme import Theme
from workbench import methods as registry
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.reward_lines import RewardLine, read_line, write_line
from workbench.rewards.methods import METHODS as REWARDS
from workbench.rewards.spec import weighted_sum

ROWS: Methods[Any] = Methods(registry.describe())


@pytest.mark.parametrize(
    "reward",
    [
        RewardLine(name="letter-share", options={"letters": "e", "prefer": "few", "scale": 4.0}),
        RewardLine(name="listed-words", options={"unwanted": ("very", "really")}, weight=0.5),
        RewardLine(name="expression-match", options={"pattern": "a b=c", "whole": True}),
        RewardLine(name="json-answer", weight=-2.0),
    ],
)
def test_a_line_is_read_back_as_it_was_written_also_by_the_program(reward: RewardLine) -> None:
    line = write_line(reward)
    assert read_line(line, ROWS) == reward
    (part,) = weighted_sum([line], Methods(REWARDS)).parts
    assert (part.name, part.weight) == (reward.name, reward.weight)
    for name, value in reward.options.items():
        assert getattr(part.options, name) == value


@pytest.mark.parametrize("line", ["praise", "letter-share colour=red", "letter-share 'e"])
def test_a_line_that_is_no_reward_is_refused(line: str) -> None:
    with pytest.raises(UserError):
        read_line(line, ROWS)


def test_rewards_are_added_weighed_changed_and_removed(qtbot: QtBot, theme: Theme) -> None:
    view = RewardList(ROWS)
    qtbot.addWidget(view)
    sent: list[tuple[str, ...]] = []
    view.changed.connect(sent.append)
    view.add("letter-share")
    view.add("length-range")
    card = view.cards[1]
    assert card.form is not None
    card.form.changed.emit("maximum", 12)
    card.weight.setText("0.5")
    card.weight.editingFinished.emit()
    assert sent[-1] == ("letter-share", "length-range maximum=12 weight=0.5")
    view.show_lines(sent[-1])  # what was sent comes back: nothing is made anew
    assert view.cards[1] is card
    view.cards[0].remove_button.click()
    assert sent[-1] == ("length-range maximum=12 weight=0.5",)
    view.show_lines(("praise",))
    assert len(view.cards) == 1
    assert view.cards[0].form is None


def test_a_reward_names_a_reward_model_and_a_judge_from_lists(qtbot: QtBot, theme: Theme) -> None:
    view = RewardList(ROWS)
    qtbot.addWidget(view)
    view.add("reward-model")
    view.offer(["taste"], ["careful"])
    view.add("graded-answer")
    sent: list[tuple[str, ...]] = []
    view.changed.connect(sent.append)
    for card, field, name in zip(view.cards, ("adapter", "recipe"), ("taste", "careful"), strict=True):
        assert card.form is not None
        row = card.form.rows[field]
        assert isinstance(row, NamedRow)
        box = row.findChild(ChoiceBox)
        assert box is not None
        assert [box.itemData(at) for at in range(box.count())] == ["", name]
        box.setCurrentIndex(1)
        box.activated.emit(1)
    assert [read_line(line, ROWS).options for line in sent[-1]] == [{"adapter": "taste"}, {"recipe": "careful"}]
