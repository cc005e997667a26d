"""The Train page against a fake core: putting a training together, watching it, those before, comparing them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_adapters import LOST, furnish_adapters
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.fake_training import ended, facts_config, furnish_training, put_training, told
from ui.bridge import Bridge
from ui.components import adapter_texts
from ui.components.config_form import FieldRow
from ui.components.merge_dialog import MergeDialog
from ui.components.set_builder.dialog import SetBuilder
from ui.components.wording import describe_large
from ui.features.training import texts
from ui.features.training.page import TrainPage
from ui.features.training.run_texts import list_lines
from ui.features.training.run_view import TrainRun
from ui.features.training.scores import verification_words
from ui.features.training.settings import with_value
from ui.features.training.state import TrainingState
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.training import (
    TRAINING,
    AdapterRecord,
    Agreement,
    Scores,
    ScoresPair,
    TrainingConfig,
    VerificationReport,
)
from workbench.records.training.verdicts import describe_forgetting

SMOL = "SmolLM2-135M-Instruct"
SET = "pump questions"


@pytest.fixture
def home(home: FakeHome) -> FakeHome:
    furnish_adapters(home)
    return home


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome, front: FakeFront) -> TrainPage:
    return open_page(qtbot, bridge, shell)


def open_page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> TrainPage:
    page = TrainPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1120, 760)
    page.show()
    qtbot.waitUntil(lambda: page.setup.model.count() > 0 and page.setup.examples.count() > 0)
    return page


def planned(page: TrainPage, qtbot: QtBot, data: str = SET) -> TrainPage:
    page.setup.choose_data(data)
    qtbot.waitUntil(lambda: page.setup.plan.plan is not None)
    return page


def shown(page: TrainPage, qtbot: QtBot, run: c.RunRecord) -> TrainRun:
    qtbot.waitUntil(lambda: any(known.id == run.id for known in page.trainings))
    page.show_run(run.id)
    view = page.run_view
    assert view is not None
    qtbot.waitUntil(lambda: view.title.full_text == run.title)
    return view


# -- putting one together ---------------------------------------------------------------------------


def test_it_begins_with_the_model_that_one_chats_with_and_says_what_is_missing(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.setup.config.model == SMOL)
    assert page.setup.model.currentData() == SMOL
    assert [page.setup.model.itemData(n) for n in range(page.setup.model.count())] == [SMOL]  # no embedder
    assert not page.setup.start_button.isEnabled()
    assert page.setup.reason.full_text == page.setup.start_button.toolTip() == texts.CHOOSE_DATA_FIRST


def test_chosen_examples_are_shown_as_the_model_sees_them(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    planned(page, qtbot)
    report = page.setup.report
    assert report.shape.text() == "Conversations"
    assert report.numbers.text().startswith("86 examples for training, 10 held out · about 62 tokens each, 31 to 302")
    assert report.flaws.text() == "1 example is truncated at 256 tokens; 6 examples are duplicates."
    text = report.examples.text
    assert "<|im_start|>user\nWhich seal" in text.toPlainText()
    cursor = text.textCursor()
    place = text.toPlainText().index("A VX-7")
    tints = []
    for at in (place - 3, place + 2):
        cursor.setPosition(at)
        tints.append(cursor.charFormat().background().style())
    assert tints == [Qt.BrushStyle.NoBrush, Qt.BrushStyle.SolidPattern]  # only the trained words are tinted
    assert not report.refused.isVisible()
    report.refused_button.click()
    assert report.refused.text().splitlines()[0] == "facts.jsonl, line 14: the answer is empty"


@pytest.mark.parametrize("size", [(1120, 760), (1280, 800), (1920, 1080)])
def test_the_form_stays_where_it_is_when_report_and_plan_come(
    page: TrainPage, bridge: Bridge, qtbot: QtBot, size: tuple[int, int]
) -> None:
    setup = page.setup
    page.resize(*size)
    settle(bridge, qtbot)

    def places() -> list[int]:
        parts = (setup.methods, setup.settings, setup.plan)
        return [part.mapTo(setup, QPoint(0, 0)).y() for part in parts]

    before = places()
    setup.choose_data(SET)
    seen = []
    while setup.plan.plan is None:
        qtbot.wait(5)
        seen.append(places()[:2])
    settle(bridge, qtbot)
    assert all(one == before[:2] for one in seen)
    assert places() == before
    setup.choose_method("full")  # another plan
    settle(bridge, qtbot)
    before = places()
    qtbot.waitUntil(lambda: setup.plan.plan is not None)
    settle(bridge, qtbot)
    assert places() == before


def test_examples_are_paged_through(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    examples = planned(page, qtbot).setup.report.examples
    assert not examples.back.isEnabled()
    examples.forward.click()
    assert examples.place.text() == "2 of 96"
    assert "Who signs" in examples.text.toPlainText()
    examples.go_to(45)
    qtbot.waitUntil(lambda: "line 46" in examples.source.full_text)
    assert [call.first for call in front.asked(c.InspectData)] == [0, 40]
    examples.go_to(95)
    assert not examples.forward.isEnabled()


def test_unknown_columns_are_mapped_by_hand(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    page.setup.choose_data("/home/ada/sets/odd.csv")
    report = page.setup.report
    qtbot.waitUntil(lambda: report.report is not None)
    assert report.mapping.isVisible()
    assert page.setup.reason.full_text == texts.MAP_COLUMNS_FIRST
    boxes = report.mapping.boxes
    boxes["frage"].setCurrentIndex(boxes["frage"].findData("prompt"))
    assert len(front.asked(c.InspectData)) == 1  # half a mapping is not asked for
    boxes["antwort"].setCurrentIndex(boxes["antwort"].findData("completion"))
    qtbot.waitUntil(lambda: page.setup.plan.plan is not None)
    asked = front.asked(c.InspectData)[-1].config.data
    assert asked.columns == {"prompt": ("frage",), "completion": ("antwort",)}
    page.setup.choose_data(SET)  # another set has other columns
    assert page.setup.config.data.columns == {}


def test_examples_that_cannot_be_used_say_why_in_place(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    page.setup.choose_data("/home/ada/missing.jsonl")
    message = page.setup.report.message
    qtbot.waitUntil(message.isVisible)
    assert message.text == "There is no file /home/ada/missing.jsonl. Choose another one."
    assert front.asked(c.PlanTraining) == []
    assert page.setup.reason.full_text == texts.DATA_UNUSABLE
    planned(page, qtbot)
    assert not message.isVisible()
    assert page.setup.start_button.isEnabled()


def test_the_plan_says_what_moves_memory_and_time(page: TrainPage, qtbot: QtBot) -> None:
    plan = planned(page, qtbot).setup.plan
    assert plan.facts["Trainable"].text() == texts.SOME_WEIGHTS.format(
        weights="4.9 M", weights2="134.5 M", percent="3.6 %"
    )
    assert plan.facts["Memory"].text() == texts.OF_FREE.format(bytes="859 MB", bytes2="6.1 GB")
    assert "activations 512 MB" in plan.bar.accessibleName()
    assert plan.facts["Time"].text() == texts.ABOUT_MINUTES.format(seconds="7 min", value="5", ceil="10")
    assert page.setup.sentence.full_text == texts.SOME_WEIGHTS.format(
        weights="4.9 M", weights2="134.5 M", percent="3.6 %) · 33 steps · about 7 min (5 to 10 min"
    )


def test_what_is_left_to_the_program_says_what_it_chose(page: TrainPage, qtbot: QtBot) -> None:
    rows = planned(page, qtbot).setup.settings.rows
    assert rows["optimiser.learning_rate"].control.placeholderText() == "automatic: 0.0002"
    assert rows["weights.rank"].control.placeholderText() == "automatic: 16"
    assert rows["weights.alpha"].control.placeholderText() == "automatic: 32"
    assert rows["optimiser.epochs"].control.placeholderText() == "automatic: 3"
    assert rows["data.evaluation_share"].control.text() == ""
    assert rows["data.evaluation_share"].control.placeholderText() == "automatic: 0.1"
    assert rows["data.max_length"].control.placeholderText() == "automatic: 256"


def test_settings_follow_the_method_and_an_edit_makes_another_plan(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    rows = planned(page, qtbot).setup.settings.rows
    assert rows["weights.rank"].isVisibleTo(page)
    page.setup.methods.buttons["layers"].click()
    assert not rows["weights.rank"].isVisibleTo(page)
    assert rows["weights.last_layers"].isVisibleTo(page)
    for method, shown in (("rslora", {"rank", "alpha"}), ("prompt", {"virtual_tokens"})):
        page.setup.methods.buttons[method].click()
        fields = ("rank", "alpha", "last_layers", "virtual_tokens")
        assert {name for name in fields if rows[f"weights.{name}"].isVisibleTo(page)} == shown
    page.setup.methods.buttons["layers"].click()
    qtbot.waitUntil(lambda: page.setup.plan.plan is not None)
    assert front.asked(c.PlanTraining)[-1].config.weights.method == "layers"
    assert len(front.asked(c.InspectData)) == 1  # the examples are the same
    rows["optimiser.epochs"].changed.emit("optimiser.epochs", 8.0)
    qtbot.waitUntil(lambda: front.asked(c.PlanTraining)[-1].config.optimiser.epochs == 8.0)


def test_advanced_settings_are_folded_away(page: TrainPage, qtbot: QtBot) -> None:
    settings = planned(page, qtbot).setup.settings
    assert "optimiser.micro_batch_tokens" not in settings.rows
    settings.fold.click()
    rows = settings.rows
    assert rows["optimiser.micro_batch_tokens"].control.placeholderText() == "automatic: 1024"
    assert rows["processes"].isVisibleTo(page)
    rows["weights.dropout"].changed.emit("weights.dropout", 0.1)
    assert page.setup.config.weights.dropout == 0.1


def test_an_option_that_is_left_to_the_plan_says_what_was_chosen(page: TrainPage, qtbot: QtBot) -> None:
    settings = planned(page, qtbot).setup.settings
    page.setup.choose_objective("grpo")
    asked = page.setup.config
    objective = msgspec.structs.replace(asked.objective, options={**asked.objective.options, "unpack": "on"})
    settings.show_config(asked, msgspec.structs.replace(asked, objective=objective))
    assert settings._own is not None
    settings._own.fold.click()
    row = settings.rows["objective.unpack"]
    assert isinstance(row, FieldRow)
    assert row.note.text() == "automatic: on"
    settings.show_config(msgspec.structs.replace(asked, objective=objective), None)
    assert not row.note.text()


def test_the_trainer_is_greyed_where_trl_has_none(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    settings = planned(page, qtbot).setup.settings
    settings.fold.click()
    row = settings.rows["trainer"]
    assert isinstance(row, FieldRow)
    assert row.isVisibleTo(page)
    assert row.control.isEnabled()
    row.changed.emit("trainer", "trl")
    qtbot.waitUntil(lambda: front.asked(c.PlanTraining)[-1].config.trainer == "trl")
    page.setup.choose_objective("ppo")
    qtbot.waitUntil(lambda: "no trainer for PPO" in page.setup.reason.full_text)
    assert row.control.isEnabled()  # so that it can be set back
    row.changed.emit("trainer", "workbench")
    qtbot.waitUntil(lambda: not row.control.isEnabled())
    assert "no trainer for PPO" in row.reason.text()
    page.setup.choose_objective("dpo")
    qtbot.waitUntil(row.control.isEnabled)
    assert not row.reason.isVisibleTo(page)


def test_a_method_says_what_it_makes_and_its_limits(page: TrainPage) -> None:
    methods = page.setup.methods
    assert not methods.buttons["prefix"].isVisible()
    methods.more.click()
    assert methods.buttons["prefix"].isVisible()
    words = methods.buttons["prefix"].accessibleDescription()
    assert "no strength" in words
    assert texts.MAKES["prefix"] in words
    assert all(button.isVisible() for button in methods.buttons.values())
    assert "at any strength" in methods.buttons["rslora"].accessibleDescription()


def test_methods_are_chosen_with_the_arrow_keys(page: TrainPage, qtbot: QtBot) -> None:
    buttons = page.setup.methods.buttons
    page.activateWindow()
    buttons["lora"].setFocus()
    qtbot.keyClick(buttons["lora"], Qt.Key.Key_Down)
    assert page.setup.config.weights.method == "layers"
    assert buttons["layers"].hasFocus()


def test_a_training_that_does_not_fit_cannot_be_started(page: TrainPage, qtbot: QtBot, home: FakeHome) -> None:
    home.memory_free_for_training = 1_500_000_000
    page.setup.methods.buttons["full"].click()
    planned(page, qtbot)
    assert not page.setup.start_button.isEnabled()
    assert page.setup.reason.full_text == "It needs more memory than is free. Take LoRA, or a smaller model."
    assert page.setup.plan.problem.isVisibleTo(page)


def test_only_the_answer_to_the_last_question_counts(
    page: TrainPage, qtbot: QtBot, front: FakeFront, bridge: Bridge
) -> None:
    held = front.hold(c.InspectData)
    page.setup.choose_data("/home/ada/slow.jsonl")
    qtbot.waitUntil(lambda: held.call is not None)
    assert page.setup.report.progress.isVisible()
    planned(page, qtbot)
    assert held.cancelled
    held.fail(UserError("Too late."))
    settle(bridge, qtbot)
    assert not page.setup.report.message.isVisible()


def test_an_objective_that_is_chosen_while_examples_are_read_stays(
    page: TrainPage, qtbot: QtBot, front: FakeFront, bridge: Bridge
) -> None:
    held = front.hold(c.InspectData)
    page.setup.choose_data("/home/ada/slow.jsonl")
    qtbot.waitUntil(lambda: held.call is not None)
    page.setup.objective.chosen.emit("domain")
    qtbot.waitUntil(lambda: page.setup.report.report is not None)  # they suit instructions
    settle(bridge, qtbot)
    assert page.setup.config.objective.name == "domain"
    page.setup.choose_data("/home/ada/others.jsonl")
    qtbot.waitUntil(lambda: page.setup.config.objective.name == "sft")  # of new examples it is told anew


def test_looking_can_be_stopped(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    held = front.hold(c.InspectData)
    page.setup.choose_data("/home/ada/slow.jsonl")
    qtbot.waitUntil(lambda: held.call is not None)
    page.setup.report.progress.stop_button.click()
    assert held.cancelled
    assert page.setup.report.hint.text().startswith("Stopped.")


def test_a_dropped_file_is_taken(page: TrainPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dragEnterEvent(QDragEnterEvent(QPointF(5, 5).toPoint(), Qt.DropAction.CopyAction, data, buttons, keys))
    assert page.cover.isVisible()
    page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert not page.cover.isVisible()
    assert page.setup.config.data.path == str(file)
    assert page.setup.examples.currentData() == str(file)


def test_without_a_model_it_says_where_to_get_one(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    home.models.clear()
    page = TrainPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.no_model.isVisible)
    assert page.no_model.button is not None
    page.no_model.button.click()
    assert shell.opened == [("models", {})]


def test_a_training_without_a_checkpoint_begins_anew(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    died = events.Failed(reason="user", message="The system ended the training.", hint="Close other programs.")
    story = [events.Progress(stage="training", done=3, total=90, unit="steps"), died]
    run = put_training(front.home, story, "pumps", "failed")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    words = (
        "The system ended the training. Close other programs. It had no checkpoint yet: Resume starts from the "
        "beginning."
    )
    qtbot.waitUntil(lambda: view.outcome.isVisible() and view.outcome.text == words)
    assert view.resume_button.isVisible()


def test_the_log_tells_stages_evaluations_and_checkpoints() -> None:
    story = TrainingState()
    story.tell(
        [
            events.Progress(stage="loading the model", done=1, total=2),
            events.Progress(stage="loading the model", done=2, total=2),
            events.Progress(stage="training", done=40, total=90),
            events.Progress(stage="evaluating"),
            events.Metric(name="evaluation_loss", value=4.9671, step=40),
            events.Artifact(kind="checkpoint", id="c", result={"step": 40}),
            events.Progress(stage="training", done=41, total=90),
            events.Progress(stage="checking"),
        ]
    )
    assert [words for _, _, words in story.log] == [
        "Loading the model",
        texts.EVALUATED.format(step=40, value=4.967),
        texts.CHECKPOINT.format(step=40),
        "Checking",
    ]


def test_the_keyboard_ends_at_start_and_what_it_reaches_is_in_sight(page: TrainPage, qtbot: QtBot) -> None:
    setup = page.setup
    reached: QWidget = setup.settings.fold
    while True:
        reached = reached.nextInFocusChain()
        if reached.isVisible() and reached.focusPolicy() & Qt.FocusPolicy.TabFocus:
            break
    assert reached is setup.start_button
    setup.show_place(setup.plan)
    assert setup.model.visibleRegion().isEmpty()
    setup._on_focus(page.runs, setup.model)
    qtbot.waitUntil(lambda: not setup.model.visibleRegion().isEmpty())


def test_new_examples_choose_the_kind_of_training_until_the_person_does(page: TrainPage, qtbot: QtBot) -> None:
    page.setup.choose_data("pump questions")
    page.setup.fit_objective("domain")
    assert page.setup.config.objective.name == "domain"
    page.setup.objective.buttons["sft"].click()
    page.setup.fit_objective("domain")
    assert page.setup.config.objective.name == "sft"


def test_a_draft_is_there_again_in_the_next_window(
    page: TrainPage, qtbot: QtBot, bridge: Bridge, shell: RecordingShell
) -> None:
    page.setup.methods.buttons["dora"].click()
    planned(page, qtbot)
    words = page.remember()
    other = TrainPage(bridge, shell)
    qtbot.addWidget(other)
    other.recall("")
    other.recall(words)
    assert other.setup.config == page.setup.config


# -- a run ---------------------------------------------------------------------------------------------


def test_start_shows_the_run_and_its_events_move_it(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    config = planned(page, qtbot).setup.config
    page.setup.start_button.click()
    qtbot.waitUntil(lambda: page.shown_run is not None and page.run_view is not None, timeout=20_000)
    view, run = page.run_view, page.shown_run
    assert view is not None
    assert run is not None
    assert front.asked(c.Train) == [c.Train(config=config)]
    front.tell(run.id, *told(facts_config(), 12, 32)[3:])
    qtbot.waitUntil(lambda: "step 12 of 32" in view.progress.words)
    assert view.progress.words == "Training step 12 of 32 · 38 s left"
    assert "loss" in view.numbers.full_text
    assert "GB of memory" in view.numbers.full_text
    assert len(view.charts["loss"].series[0].values) == 12
    assert "Loss: Training loss" in view.charts["loss"].accessibleName()
    assert view.samples.steps == [0, 5, 10]


def test_the_keyboard_is_never_left_to_stop(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    page.activateWindow()
    start = planned(page, qtbot).setup.start_button
    start.setFocus()
    qtbot.waitUntil(start.hasFocus)
    QTest.keyClick(start, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.run_view is not None)
    view = page.run_view
    assert view is not None
    qtbot.waitUntil(view.pause_button.hasFocus)
    QTest.keyClick(view.pause_button, Qt.Key.Key_Space)
    qtbot.waitUntil(view.go_on_button.hasFocus)
    QTest.keyClick(view.go_on_button, Qt.Key.Key_Space)
    qtbot.waitUntil(view.pause_button.hasFocus)
    assert front.asked(c.StopRun) == []
    view.stop_button.setFocus()
    QTest.keyClick(view.stop_button, Qt.Key.Key_Space)
    qtbot.waitUntil(view.resume_button.hasFocus)


def test_nothing_moves_when_the_first_numbers_come(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, told(facts_config(), 0, 32)[:1], state="running", age_s=60)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    front.tell(run.id, events.Progress(stage="checking the model", done=1, total=2))
    qtbot.waitUntil(lambda: view.progress.words == "Checking the model 50%")
    before = view.charts["loss"].mapTo(view, QPoint(0, 0)).y()
    front.tell(run.id, events.Metric(name="evaluation_loss", value=4.4, step=0))
    qtbot.waitUntil(lambda: "4.4" in view.numbers.full_text)
    assert view.charts["loss"].mapTo(view, QPoint(0, 0)).y() == before


def test_where_it_is_goes_on_through_evaluations_and_the_check(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, told(facts_config(), 8, 32), state="running", age_s=60)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    front.tell(run.id, events.Progress(stage="evaluating", done=8))
    qtbot.waitUntil(lambda: view.progress.words == "Evaluating step 8 of 32")
    last = events.Progress(stage="training", done=32, total=32, unit="steps")
    front.tell(run.id, last, events.Progress(stage="checking", done=0.43, total=1))
    qtbot.waitUntil(lambda: view.progress.words == "Checking 43%")
    front.tell(run.id, events.Progress(stage="loading the model", done=3_000_000, total=12_000_000, unit="bytes"))
    qtbot.waitUntil(lambda: view.progress.words == "Loading the model 25%")


def test_the_cards_end_where_start_does(page: TrainPage, qtbot: QtBot) -> None:
    setup = planned(page, qtbot).setup

    def right(part: QWidget) -> int:
        return part.mapTo(setup, QPoint(part.width(), 0)).x()

    card = setup.report.parentWidget()
    assert card is not None
    qtbot.waitUntil(lambda: right(card) == right(setup.start_button))


def test_a_new_training_does_not_keep_the_settings_of_the_last_one(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    config = planned(page, qtbot).setup.config
    longer = msgspec.structs.replace(config, optimiser=msgspec.structs.replace(config.optimiser, epochs=40.0))
    page._set_config(longer)
    qtbot.waitUntil(page.setup.start_button.isEnabled)
    page.setup.start_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.Train)))
    assert front.asked(c.Train)[-1].config.optimiser.epochs == 40.0
    qtbot.waitUntil(lambda: page.setup.config.optimiser.epochs == 0.0)
    assert page.setup.config.model == config.model
    page.open_target(model=config.model)
    assert page.setup.config == TrainingConfig(model=config.model)
    assert TRAINING.decode(page.remember()) == TrainingConfig(model=config.model)


def test_new_training_begins_with_what_is_proposed_and_gives_the_settings_back(page: TrainPage, qtbot: QtBot) -> None:
    config = planned(page, qtbot).setup.config
    longer = msgspec.structs.replace(config, optimiser=msgspec.structs.replace(config.optimiser, epochs=40.0))
    page._set_config(longer)
    page.runs.new_button.click()
    assert page.setup.config == TrainingConfig(model=config.model)
    assert page.setup.message.text == texts.BEGUN_ANEW
    page.setup.message.action_button.click()
    assert page.setup.config == longer
    assert page.setup.message.isHidden()


def test_a_refused_start_is_said_in_place(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(c.Train, UserError("The disk is too small.", "Free 60 MB."))
    planned(page, qtbot).setup.start_button.click()
    qtbot.waitUntil(page.setup.message.isVisible)
    assert page.setup.message.text == "The disk is too small. Free 60 MB."
    assert page.setup.start_button.isEnabled()


def test_a_running_training_is_paused_stopped_and_resumed(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, told(facts_config(), 20, 60), state="running", age_s=60)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    assert not view.delete_button.isEnabled()
    assert view.delete_button.toolTip() == texts.STOP_FIRST
    view.pause_button.click()
    qtbot.waitUntil(view.go_on_button.isVisible)
    assert view.state.text() == "paused"
    assert not view.pause_button.isVisible()
    view.go_on_button.click()
    qtbot.waitUntil(view.pause_button.isVisible)
    assert front.asked(c.ResumeRun) == [c.ResumeRun(run=run.id)]
    held = front.hold(c.StopRun)
    view.stop_button.click()
    assert not view.stop_button.isEnabled()
    assert not view.pause_button.isEnabled()
    assert texts.STOPPING_WITH_CHECKPOINT in view.progress.words
    held.finish(front.home.runs[run.id])
    stopped = msgspec.structs.replace(front.home.runs[run.id], state="cancelled", resumable=True)
    front.home.runs[run.id] = stopped
    front.tell(run.id, events.Cancelled())
    front.announce("run", run.id)
    qtbot.waitUntil(view.resume_button.isVisible)
    assert view.outcome.text == "Stopped. Resume continues from the checkpoint at step 20."
    view.resume_button.click()
    qtbot.waitUntil(view.pause_button.isVisible)
    assert view.pause_button.isEnabled()
    assert not view.outcome.isVisible()
    front.tell(run.id, events.Metric(name="loss", value=1.5, step=15), events.Metric(name="loss", value=1.4, step=16))
    qtbot.waitUntil(lambda: view.charts["loss"].series[0].values[-1] == 1.4)
    assert list(view.charts["loss"].series[0].steps) == list(range(1, 17))  # it went back to its checkpoint


def test_a_finished_training_says_what_came_of_it(
    page: TrainPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    story = [*told(facts_config(), 60, name="my-notes"), *ended("my-notes", 60, 5 / 6)]
    run = put_training(front.home, story, "my-notes")
    front.announce("adapter", "my-notes")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.try_button.isVisible)
    words = view.scores.lead.text()
    assert words.startswith(
        "5 of 6 held-out questions are answered exactly as expected, 0 before the training (+83 points"
    )
    assert view.scores.lost.text() == "13 of 24 general questions are answered right, 14 before the training."
    assert view.scores.lost.property("role") == view.scores.lead.property("role") == "strong"
    assert view.scores.outcome.isHidden()
    record = front.home.adapters["my-notes"]  # both pages judge alike
    assert view.scores.forgotten.text().endswith(describe_forgetting(record.forgetting))
    assert view.scores.warning.isHidden()
    assert view.scores.verification.text.startswith(texts.VERIFIED.format(found=""))
    assert view.samples.steps[0] == 0
    assert [sample.exact for sample in view.samples.answers_at(60)] == [True] * 5 + [False]
    view.try_button.click()
    assert shell.opened == [("chat", {"adapter": "my-notes"})]


def test_what_was_renamed_is_tried_and_what_was_deleted_is_not(
    page: TrainPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    run = put_training(front.home, [*told(facts_config(), 30), *ended("my-notes", 30)], "my-notes")
    made = front.home.adapters.pop("my-notes")
    front.home.adapters["pump-notes"] = msgspec.structs.replace(made, name="pump-notes")
    front.home.adapters["my-notes"] = msgspec.structs.replace(made, run="another")
    front.announce("adapter", "my-notes")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.try_button.isVisible)
    view.try_button.click()
    assert shell.opened == [("chat", {"adapter": "pump-notes"})]
    del front.home.adapters["pump-notes"]
    front.announce("adapter", "pump-notes")
    qtbot.waitUntil(view.gone.isVisible)
    assert not view.try_button.isVisible()
    assert not view.merge_button.isVisible()


def test_a_copy_leaves_to_the_program_what_was_left_to_it(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    asked = facts_config(name="my-notes")
    planned = with_value(with_value(asked, "optimiser.max_steps", 45), "optimiser.learning_rate", 0.00075)
    told_asked = events.Artifact(kind="asked", id="r", result=msgspec.to_builtins(asked))
    run = put_training(front.home, [told_asked, *told(planned, 45)], "my-notes", "cancelled", planned)
    front.announce("run", run.id)
    shown(page, qtbot, run).copy_button.click()
    qtbot.waitUntil(lambda: page.setup.config.optimiser.max_steps == 0)
    assert page.setup.config == msgspec.structs.replace(asked, name="")


def test_a_copy_is_begun_at_the_top(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, told(facts_config(), 60), "my-notes")
    front.announce("run", run.id)
    planned(page, qtbot).setup.show_place(page.setup.plan)
    view = shown(page, qtbot, run)
    page.activateWindow()
    view.copy_button.setFocus()
    view.copy_button.click()
    qtbot.waitUntil(page.setup.model.hasFocus)
    message = page.setup.message
    qtbot.waitUntil(lambda: not message.visibleRegion().isEmpty())
    assert message.visibleRegion().boundingRect() == message.rect()


def test_merge_and_new_set_open_their_dialogs(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    story = [*told(facts_config(), 30), *ended("my-notes", 30)]
    run = put_training(front.home, story, "my-notes")
    front.announce("adapter", "my-notes")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.merge_button.isVisible)
    view.merge_button.click()
    merging = page.findChild(MergeDialog)
    assert isinstance(merging, MergeDialog)
    assert merging.isVisible()
    merging.close()
    page.show_setup()
    page.setup.new_set_button.click()
    builder = page.findChild(SetBuilder)
    assert isinstance(builder, SetBuilder)
    builder.built.emit("my rated answers")
    assert page.setup.config.data.path == "my rated answers"
    builder.close()


def test_a_training_that_the_gate_failed_is_not_offered(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    story = [*told(facts_config(), 30), *ended("facts-lora", 30, verification=LOST)]
    run = put_training(front.home, story)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.scores.verification.isVisible)
    assert view.scores.verification.text.startswith(adapter_texts.VERIFICATION_FAILED)
    assert "none is answered any more" in view.scores.verification.text
    assert not view.try_button.isVisible()


def test_a_gain_that_may_be_chance_says_so(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, [*told(facts_config(), 30), *ended("facts-lora", 30, 1 / 6)])
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.scores.isVisible)
    assert view.scores.lead.text().startswith(
        "1 of 6 held-out questions are answered exactly as expected, 0 before the training"
    )
    assert view.scores.lead.text().endswith("it may be chance).")


def test_a_training_whose_config_cannot_be_read_is_shown_and_says_why(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    why = "The training config was written by a newer version of LLM Workbench."
    story = [*told(facts_config(), 8, 32), events.Cancelled()]
    run = put_training(front.home, story, state="cancelled", age_s=60, resumable=False)
    front.home.runs[run.id] = run = msgspec.structs.replace(run, config={"schema": 9}, unreadable=why, message=why)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(lambda: why in view.facts.full_text)
    assert why in list_lines(run, METHODS)
    assert view.charts["loss"].isVisibleTo(view)
    page.copy(run.id)
    assert page.setup.message.text == why


def test_a_failed_training_says_why_and_what_to_change(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    furnish_training(front.home)
    run = next(run for run in front.home.runs.values() if run.title == "all-weights")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    hint = "Lower “Micro-batch tokens” to 512, or take LoRA."
    words = f"The training needed more memory than there was, at step 7. {hint}"
    qtbot.waitUntil(lambda: view.outcome.isVisible() and view.outcome.text == words)
    assert not view.resume_button.isVisible()
    view.copy_button.click()
    assert page.setup.isVisible()
    assert page.setup.config.weights.method == "full"
    assert "all-weights" in page.setup.message.text


def test_a_copy_knows_its_set_by_name_and_a_wheel_scrolls_past_the_boxes(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    path = front.home.sets[SET].path
    config = facts_config(data=msgspec.structs.replace(facts_config().data, path=path))
    run = put_training(front.home, [*told(config, 8), events.Cancelled()], "pumps", "cancelled", config)
    front.announce("run", run.id)
    shown(page, qtbot, run).copy_button.click()
    assert page.setup.config.data.path == page.setup.examples.currentData() == SET
    page.setup.start_button.setFocus()
    point = QPointF(5, 5)
    wheel = QWheelEvent(
        point, page.setup.examples.mapToGlobal(point), QPoint(0, 0), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(page.setup.examples, wheel)
    assert page.setup.examples.currentData() == SET


def test_the_core_going_away_does_not_end_a_training(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, told(facts_config(), 8, 60), state="running", age_s=60)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(lambda: len(view.charts["loss"].series[0].values) == 8)
    front.lose_connection()
    front.wait_idle()
    front.reconnect()
    page._bridge.reconnect()
    qtbot.waitUntil(lambda: len([call for call in front.asked(c.FollowRun) if call.run == run.id]) == 2)
    front.tell(run.id, events.Metric(name="loss", value=1.0, step=9))
    qtbot.waitUntil(lambda: len(view.charts["loss"].series[0].values) == 9)
    assert view.state.text() == "running"


# -- the history -----------------------------------------------------------------------------------------


def test_the_list_says_how_each_training_is(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    furnish_training(front.home)
    front.announce("run", "")
    qtbot.waitUntil(lambda: len(page.trainings) == 5)
    model = page.runs.list.model()
    rows = [str(model.index(n, 0).data(Qt.ItemDataRole.AccessibleTextRole)) for n in range(model.rowCount())]
    assert rows[0].startswith("pump-answers, training 40%")
    assert "finished" in rows[1]
    assert "LoRA · loss 0.38" in rows[1]
    assert "failed" in rows[4]


def test_a_training_that_runs_is_shown_when_the_page_opens(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    run = put_training(front.home, told(facts_config(), 8, 60), state="running", age_s=60)
    page = open_page(qtbot, bridge, shell)
    qtbot.waitUntil(lambda: page.shown_run is not None)
    assert page.shown_run is not None
    assert page.shown_run.id == run.id


def test_ticked_trainings_are_laid_over_each_other(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    furnish_training(front.home)
    front.announce("run", "")
    qtbot.waitUntil(lambda: len(page.trainings) == 5)
    ids = [run.id for run in page.trainings]
    page.runs.tick([ids[2]])
    assert page.compare_view is None
    page.runs.tick([ids[1], ids[2]])
    view = page.compare_view
    assert view is not None
    qtbot.waitUntil(lambda: len(view.charts["loss"].series) == 2 and len(view.charts["loss"].series[1].values) == 160)
    assert view.charts["loss"].series[0].name.startswith("my-notes with DoRA")  # ticked first: keeps its colour
    assert view.charts["loss"].series[0].token != view.charts["loss"].series[1].token
    page.runs.tick([])
    assert page.setup.isVisible()


def test_trainings_of_one_name_are_told_apart_by_their_time(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    for age_s in (400, 90_000, 200_000):
        put_training(front.home, told(facts_config(), 20), "notes" if age_s < 100_000 else "other", age_s=age_s)
    front.announce("run", "")
    qtbot.waitUntil(lambda: len(page.trainings) == 3)
    page.runs.tick([run.id for run in page.trainings])
    view = page.compare_view
    assert view is not None
    names = [one.name for one in view.charts["loss"].series]
    assert len(set(names)) == 3
    assert names[2] == "other"
    assert all(name.startswith("notes · ") for name in names[:2])


def test_a_click_on_the_box_compares_and_on_the_name_opens(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    furnish_training(front.home)
    front.announce("run", "")
    qtbot.waitUntil(lambda: len(page.trainings) == 5)
    items = page.runs.list

    def click(row: int, x: int) -> None:
        area = items.visualRect(items.model().index(row, 0))
        QTest.mouseClick(items.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(area.left() + x, area.center().y()))

    click(1, 20)
    click(2, 20)
    assert page.runs.ticked_runs == [page.trainings[1].id, page.trainings[2].id]
    qtbot.waitUntil(lambda: page.compare_view is not None and page.compare_view.isVisible(), timeout=20_000)
    QApplication.processEvents()
    click(2, 120)
    qtbot.waitUntil(lambda: page.run_view is not None and page.run_view.isVisible())
    assert page.shown_run == page.trainings[2]


def test_a_training_is_deleted_after_asking(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, [*told(facts_config(), 8), events.Cancelled()], state="cancelled")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    page.runs.list.setFocus()
    qtbot.keyClick(page.runs.list, Qt.Key.Key_Delete)
    assert page.runs.confirm.isVisible()
    view.delete_button.click()
    assert view.message.text.startswith("Delete “facts-lora”?")
    assert front.asked(c.RemoveRun) == []
    view.message.action_button.click()
    qtbot.waitUntil(lambda: not page.trainings)
    assert front.asked(c.RemoveRun) == [c.RemoveRun(run=run.id)]
    assert page.setup.isVisible()


def test_a_run_is_exported(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, [*told(facts_config(), 8), events.Cancelled()], state="cancelled")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    page.run_actions.export(run.id, "/home/ada/facts-run")
    qtbot.waitUntil(lambda: view.message.text.startswith("Exported to /home/ada/facts-run."))


def test_thousands_of_steps_are_drawn_without_holding_up_the_window(
    page: TrainPage, qtbot: QtBot, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = [
        events.Metric(name=name, value=3.0 / (1 + step / 900), step=step)
        for step in range(1, 4001)
        for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second")
    ]
    run = put_training(front.home, story, state="running", age_s=60)
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    drawn: list[int] = []
    draw = view.charts["loss"].plot.draw_lines
    monkeypatch.setattr(view.charts["loss"].plot, "draw_lines", lambda lines: (drawn.append(1), draw(lines)))
    qtbot.waitUntil(lambda: len(view.charts["loss"].series[0].values) == 4000, timeout=20_000)
    assert 0 < len(drawn) < 200  # not once an event: at most five times a second


def test_targets(page: TrainPage, qtbot: QtBot, front: FakeFront) -> None:
    run = put_training(front.home, [*told(facts_config(), 8), events.Cancelled()], state="cancelled")
    page.open_target(run=run.id)
    qtbot.waitUntil(lambda: page.shown_run is not None)
    page.open_target(data="my rated answers")
    assert page.setup.config.data.path == "my rated answers"
    qtbot.waitUntil(page.setup.isVisible)


def test_examples_of_another_page_begin_with_the_proposal_and_not_with_the_last_settings(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    rows = planned(page, qtbot).setup.settings.rows
    rows["optimiser.epochs"].changed.emit("optimiser.epochs", 8.0)
    rows["data.evaluation_share"].changed.emit("data.evaluation_share", 0.0)
    model = page.setup.config.model
    page.open_target(data="my rated answers", objective="dpo")
    config = page.setup.config
    assert (config.model, config.data.path, config.objective.name) == (model, "my rated answers", "dpo")
    assert (config.optimiser.epochs, config.data.evaluation_share) == (0, None)


def test_a_training_that_cost_half_of_the_general_abilities_says_so_in_red_before_it_is_tried(
    page: TrainPage, qtbot: QtBot, front: FakeFront
) -> None:
    story = [*told(facts_config(), 60, name="my-notes"), *ended("my-notes", 60, 5 / 6)]
    lost = msgspec.to_builtins(ScoresPair(before=answered(11), after=answered(4)))
    for place, event in enumerate(story):
        if isinstance(event, events.Artifact) and event.kind == "forgetting" and event.result.get("after"):
            story[place] = msgspec.structs.replace(event, result=lost)
        elif isinstance(event, events.Finished):
            story[place] = msgspec.structs.replace(event, result={**event.result, "forgetting": lost})
    run = put_training(front.home, story, "my-notes")
    front.announce("adapter", "my-notes")
    front.announce("run", run.id)
    view = shown(page, qtbot, run)
    qtbot.waitUntil(view.try_button.isVisible)
    assert view.scores.lost.text() == "4 of 24 general questions are answered right, 11 before the training."
    assert view.scores.outcome.property("kind") == "danger"
    assert "it answered 11 of 24 general questions before the training and answers 4 now" in view.scores.outcome.text
    assert "Use it at a lower strength" in view.scores.outcome.text  # a LoRA has one
    top, bottom = (part.mapTo(view, part.rect().topLeft()).y() for part in (view.scores.outcome, view.try_button))
    assert top < bottom
    assert view.scores.warning.isHidden()  # it is said once


def answered(right: int) -> Scores:
    return Scores(loss=3.0, exact_match=right / 24, answers=24)


def test_the_check_names_what_is_served_and_says_when_there_was_none() -> None:
    agreed = (
        Agreement(first="merged", second="as served", top1=0.94, kl=0.002, positions=89),
        Agreement(first="base, in torch", second="base, in llama.cpp", top1=0.99, kl=0.001, positions=89),
    )
    found = VerificationReport(passed=True, agreements=agreed, metric="token_accuracy", trained=0.5, served=0.5)
    words, kind = verification_words(found, None)
    assert kind == "info"  # that the file is what was trained does not make it a success
    assert words.startswith("The exported file answers as the trained model does.")
    assert "Right of all trained tokens: as trained 50%, as served 50%." in words
    assert "Merged – as served: the same next token at 94% of 89 places" in words
    unchecked = verification_words(VerificationReport(passed=True, notes=("Not checked: nothing can run it.",)), None)
    assert unchecked == ("Not checked: nothing can run it.", "attention")
    card = AdapterRecord(name="facts", kind="lora", state="checking")
    assert verification_words(None, card)[0] == texts.VERIFYING
    assert verification_words(None, card, ended=True)[1] == "attention"
    assert [describe_large(value) for value in (45.821, 16_421.3, 2.518e11)] == [
        "45.82",
        "16,421",
        "2.5 × 10¹¹",
    ]


def test_a_data_set_is_deleted_once_it_is_confirmed(
    page: TrainPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    setup = planned(page, qtbot).setup
    assert setup.config.data.path == SET
    setup.remove_button.click()
    assert setup.confirm.isVisible()
    setup.confirm.keep_button.click()
    assert not front.asked(c.RemoveDataSet)
    front.refuse(c.RemoveDataSet, UserError("The training 'pumps' is using it.", "Stop it first."))
    setup.remove_button.click()
    setup.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: "is using it" in setup.message.text)
    assert setup.config.data.path == SET
    front.forget(c.RemoveDataSet)
    setup.remove_button.click()
    setup.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: setup.examples.findData(SET) == -1)
    assert setup.config.data.path == ""
    assert setup.examples.currentIndex() == -1
    assert not setup.remove_button.isVisible()
    assert shell.messages[-1][0] == texts.SET_REMOVED.format(name=SET)


def test_a_file_and_no_data_offer_no_deletion(page: TrainPage, qtbot: QtBot, tmp_path: Path) -> None:
    setup = planned(page, qtbot).setup
    qtbot.waitUntil(setup.remove_button.isVisible)
    setup.remove_button.click()
    setup.choose_data(str(tmp_path / "letters.jsonl"))
    assert not setup.remove_button.isVisible()
    assert not setup.confirm.isVisible()
