"""Questions from documents by one button, and their review by keys with undo."""

from __future__ import annotations

import time

import pytest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_evaluation import furnish_evaluation
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, furnished_home
from ui import texts as shared_texts
from ui.bridge import Bridge
from ui.features.evaluation import texts
from ui.features.evaluation.edit_question import EditQuestionDialog
from ui.features.evaluation.page import EvaluatePage
from ui.features.evaluation.review import ReviewDialog
from workbench import calls as c
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.records.documents import Collection
from workbench.records.evaluation import QuestionSet


@pytest.fixture
def home() -> FakeHome:
    home = furnished_home()
    furnish_evaluation(home, questions=5)
    return home


@pytest.fixture
def page(bridge: Bridge, shell: RecordingShell, qtbot: QtBot) -> EvaluatePage:
    page = EvaluatePage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1124, 700)
    page.show()
    settle(bridge, qtbot)
    page.open_target(question_set="q1")
    settle(bridge, qtbot)
    return page


@pytest.fixture
def review(page: EvaluatePage, bridge: Bridge, qtbot: QtBot) -> ReviewDialog:
    page.questions.review_button.click()
    settle(bridge, qtbot)
    found = page.findChild(ReviewDialog)
    assert isinstance(found, ReviewDialog)
    return found


def press(review: ReviewDialog, bridge: Bridge, qtbot: QtBot, keys: str) -> None:
    for key in keys:
        qtbot.keyClick(review.list, key)
        settle(bridge, qtbot)


def test_questions_are_kept_and_dropped_by_keys_and_put_back(
    review: ReviewDialog, page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    assert review.list.count() == 5
    assert review.counts.text() == "0 kept, 0 dropped, 5 left"
    assert review.expected.text() == "Expected: 36 months"
    press(review, bridge, qtbot, "kd")
    assert review.counts.text() == "1 kept, 1 dropped, 3 left"
    assert review.list.currentRow() == 2
    dropped = front.asked(c.EditQuestion)
    assert [(call.number, call.question) for call in dropped] == [(2, None)]
    assert page.questions.figures.text().startswith("4 questions")
    review.list.setCurrentRow(1)
    assert not review.drop_button.isEnabled()
    press(review, bridge, qtbot, "k")  # a dropped question is not kept
    assert review.counts.text() == "1 kept, 1 dropped, 3 left"
    press(review, bridge, qtbot, "uu")
    assert review.counts.text() == "0 kept, 0 dropped, 5 left"
    back = front.asked(c.EditQuestion)[-1]
    assert (back.number, back.question is not None, back.split) == (2, True, "held-out")
    assert not review.undo_button.isEnabled()


def test_a_question_is_edited_by_a_key(review: ReviewDialog, bridge: Bridge, front: FakeFront, qtbot: QtBot) -> None:
    press(review, bridge, qtbot, "e")
    dialog = review.findChild(EditQuestionDialog)
    assert isinstance(dialog, EditQuestionDialog)
    assert not dialog.remove_button.isVisible()
    before = front.asked(c.EditQuestion)
    assert before == []
    dialog.question.setPlainText("Which seal?")
    dialog.go.click()
    settle(bridge, qtbot)
    assert review.counts.text() == "1 kept, 0 dropped, 4 left"
    assert front.asked(c.EditQuestion)[-1].question.text == "Which seal?"
    press(review, bridge, qtbot, "u")
    assert front.asked(c.EditQuestion)[-1].question.text == "How long is the warranty of the P12? (sheet 1)"
    assert review.counts.text() == "0 kept, 0 dropped, 5 left"


def test_the_last_question_is_not_dropped(review: ReviewDialog, bridge: Bridge, front: FakeFront, qtbot: QtBot) -> None:
    press(review, bridge, qtbot, "ddddd")
    assert review.counts.text() == "0 kept, 4 dropped, 1 left"
    assert len(front.asked(c.EditQuestion)) == 4
    assert review.message.text == texts.LAST_QUESTION


def test_a_set_is_made_from_a_collection_and_shown_for_review(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    run = c.RunRecord(id="made", kind="document-questions", title="Pumps", state="running", created=time.time())
    made = QuestionSet(id="q9", name="Questions on Pumps", created=time.time(), questions=3, tune=1)

    def start(call: c.QuestionsFromDocuments) -> list[Event]:
        front.home.runs[run.id] = run
        front.home.question_sets[made.id] = made
        return [finish(run)]

    front.answer(c.QuestionsFromDocuments, start)
    front.answer(c.FollowRun, lambda call: [finish(made)])
    maker = page.side.from_documents
    listed = bridge.home.listing(c.ListCollections())
    assert maker.button.text() == shared_texts.FROM_DOCUMENTS
    listed.put(c.CollectionList(collections=()))
    assert not maker.button.isEnabled()
    assert maker.button.toolTip() == shared_texts.NO_DOCUMENTS_YET
    pumps, others = Collection(id="c1", name="Pumps", documents=2), Collection(id="c2", name="Others", documents=1)
    listed.put(c.CollectionList(collections=(pumps, others)))
    maker.button.click()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [action.text() for action in menu.actions()] == ["Pumps (2 documents)", "Others (1 document)"]
    menu.actions()[0].trigger()
    menu.close()
    settle(bridge, qtbot)
    assert [call.collection for call in front.asked(c.QuestionsFromDocuments)] == ["c1"]
    assert page.questions.title.text() == "Questions on Pumps"
    assert isinstance(page.findChild(ReviewDialog), ReviewDialog)
    sample = c.SampleSet(name="sums", title="Sums", sentence="Small sums.", questions=4, task="number")
    bridge.home.listing(c.ListSampleSets()).put(c.SampleSetList(samples=(sample,)))
    front.answer(c.AddSampleSet, lambda call: [finish(made)])
    [action] = page.side.samples.button.menu().actions()
    assert (action.text(), action.toolTip()) == ("Sums (4 questions)", "Small sums.")
    action.trigger()
    settle(bridge, qtbot)
    assert [call.name for call in front.asked(c.AddSampleSet)] == ["sums"]
    listed.put(c.CollectionList(collections=(others,)))
    maker.button.click()  # one collection: no list
    settle(bridge, qtbot)
    assert [call.collection for call in front.asked(c.QuestionsFromDocuments)] == ["c1", "c2"]
