"""The page of exams: each model with what it reached, and an exam that is begun there."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from ui.bridge import Bridge
from ui.features.models import texts
from ui.features.models.exam_page import ExamPage
from workbench.base.errors import UserError
from workbench.subjects.evaluation.calls import ExamineModel


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> ExamPage:
    page = ExamPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: bool(page.cards))
    return page


def test_only_models_that_answer_are_examined(page: ExamPage, home: FakeHome) -> None:
    assert SMOL.name in page.cards
    assert not [name for name in page.cards if home.models[name].kind == "embedder"]
    assert page.cards[SMOL.name].state.text() == texts.NOT_EXAMINED


def test_an_exam_is_begun_and_a_refusal_is_told(page: ExamPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(ExamineModel, UserError("The model is being removed.", "Choose another one."))
    card = page.cards[SMOL.name]
    card.button.click()
    qtbot.waitUntil(lambda: card.message.text == "The model is being removed. Choose another one.")
    assert front.asked(ExamineModel) == [ExamineModel(name=SMOL.name)]


def test_a_home_without_models_leads_to_the_models(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    home.models.clear()
    page = ExamPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.empty.isVisible)
    assert page.empty.button is not None
    page.empty.button.click()
    assert shell.opened == [("models", {})]
