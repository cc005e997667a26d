"""The catalogue of models: cards, loading, details, import, removal, and the empty page."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui import texts as shared
from ui.bridge import Bridge
from ui.components.wording import describe_parameters
from ui.features.models import hub_texts, quantize_texts, texts
from ui.features.models.leaderboard import LeaderboardPage
from ui.features.models.model_card import ModelCard
from ui.features.models.page import ModelsPage
from ui.features.models.quantize_dialog import QuantizeDialog
from ui.features.models.speed_dialog import SpeedDialog
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.evaluation import (
    ColumnScore,
    Leaderboard,
    LeaderboardCell,
    LeaderboardColumn,
    LeaderboardRow,
)
from workbench.records.exam import EXAM_VERSION, OLD, Ends, ExamRates, ExamResult, OfficeKind, Rate
from workbench.records.fit import Fit, MemoryPart
from workbench.records.local_models import LocalModel
from workbench.subjects.adapters.calls import QuantizeModel
from workbench.subjects.evaluation.calls import ExamineModel, GetLeaderboard
from workbench.subjects.models.calls import (
    BenchModel,
    FindLocalModels,
    FitModel,
    ImportModel,
    LoadModel,
    LocalModels,
    RegisterStarter,
    RemoveModel,
    SetDefaultModel,
    SetProjector,
    UnloadModel,
)
from workbench.subjects.runs.calls import FollowRun, StopRun

SMOL = "SmolLM2-135M-Instruct"


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> ModelsPage:
    page = ModelsPage(bridge, shell)
    qtbot.addWidget(page)
    qtbot.addWidget(page.header())
    page.resize(1000, 700)
    page.show()
    qtbot.waitUntil(lambda: bridge.status is not None)
    return page


def card(page: ModelsPage, qtbot: QtBot, name: str = SMOL) -> ModelCard:
    qtbot.waitUntil(lambda: name in page.cards)
    return page.cards[name]


def test_a_card_says_what_a_model_is(page: ModelsPage, qtbot: QtBot) -> None:
    smol = card(page, qtbot)
    assert smol.facts == "llama · decoder · 135 M parameters · Q4_1 · 92 MB · 8,192 tokens of context · Apache-2.0"
    qtbot.waitUntil(smol.unload_button.isVisible)  # once the card is laid out
    assert not smol.load_button.isVisible()  # it is loaded
    embedder = card(page, qtbot, "all-MiniLM-L6-v2")
    assert not embedder.load_button.isVisible()
    assert not embedder.unload_button.isVisible()


def test_unload_and_load_with_progress(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    smol.unload_button.click()
    qtbot.waitUntil(smol.load_button.isVisible)
    assert len(front.asked(UnloadModel)) == 1
    held = front.hold(LoadModel)
    smol.load_button.click()
    assert smol.progress.isVisible()
    assert not smol.load_button.isVisible()
    held.emit(events.Progress(stage="loading", done=0.25, total=1))
    qtbot.waitUntil(lambda: smol.progress.words == f"Loading {SMOL} 25%")
    front.home.loaded = SMOL
    held.finish(front.home.status())
    qtbot.waitUntil(smol.unload_button.isVisible)
    assert not smol.progress.isVisible()


def test_the_default_model_is_shown_and_chosen(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    assert not smol.default_button.isVisible()  # the only chat model answers where none is chosen
    assert not card(page, qtbot, "all-MiniLM-L6-v2").default_button.isVisible()
    other = msgspec.structs.replace(front.home.models[SMOL], name="Other")
    front.home.models["Other"] = other
    front.announce("model", "Other")
    card(page, qtbot, "Other").default_button.click()
    qtbot.waitUntil(smol.default_button.isVisible)
    assert front.home.settings.general.model == "Other"
    assert not page.cards["Other"].default_button.isVisible()
    front.refuse(SetDefaultModel, UserError("The settings file cannot be written."))
    smol.default_button.click()
    qtbot.waitUntil(lambda: "cannot be written" in smol.problem)


def test_loading_can_be_stopped(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.loaded = ""
    held = front.hold(LoadModel)
    smol = card(page, qtbot)
    front.announce("worker")
    qtbot.waitUntil(smol.load_button.isVisible)
    smol.load_button.click()
    smol.progress.stop_button.click()
    qtbot.waitUntil(smol.load_button.isVisible)
    assert held.cancelled
    assert smol.problem == ""


def test_why_a_model_cannot_be_loaded_stands_in_its_card(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.loaded = ""
    front.refuse(LoadModel, UserError("It needs 9 GB, 3 GB are free.", "Close other programs."))
    smol = card(page, qtbot)
    front.announce("worker")
    qtbot.waitUntil(smol.load_button.isVisible)
    smol.load_button.click()
    qtbot.waitUntil(lambda: smol.problem == "It needs 9 GB, 3 GB are free. Close other programs.")
    assert smol.load_button.isVisible()


def test_details_open_below_and_fold_away(page: ModelsPage, qtbot: QtBot) -> None:
    smol = card(page, qtbot)
    smol.details_button.click()
    qtbot.waitUntil(lambda: len(smol.findChildren(QPlainTextEdit)) == 2)
    texts = [box.toPlainText() for box in smol.findChildren(QPlainTextEdit)]
    assert "<|im_start|>" in texts[0]
    assert "general.architecture = llama" in texts[1]
    smol.details_button.click()
    qtbot.waitUntil(lambda: smol.findChildren(QPlainTextEdit) == [])


def test_a_model_is_removed_at_once_and_undone(
    page: ModelsPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    smol = card(page, qtbot)
    smol.remove_button.click()
    qtbot.waitUntil(lambda: SMOL not in page.cards)
    assert front.asked(RemoveModel) == [RemoveModel(name=SMOL)]
    qtbot.waitUntil(lambda: bool(shell.messages))
    words, _, undo = shell.messages[0]
    assert words == shared.IN_TRASH.format(title=SMOL, days=30)
    assert undo is not None
    undo.run()
    qtbot.waitUntil(lambda: SMOL in page.cards)


def test_a_missing_model_says_so_and_cannot_be_loaded(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.loaded = ""
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], missing=True)
    front.announce("model", SMOL)
    smol = card(page, qtbot)
    qtbot.waitUntil(lambda: smol.problem == texts.FILES_MISSING)
    assert not smol.load_button.isVisible()


def test_import_by_reference_or_copy(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    page.open_target(add=True)
    panel = page.import_panel
    assert panel.isVisible()
    assert not panel.import_button.isEnabled()
    assert panel.import_button.toolTip() == texts.CHOOSE_FIRST
    panel.set_path("/models/other.gguf")
    panel.copy.setChecked(True)
    panel.import_button.click()
    qtbot.waitUntil(lambda: "other" in page.cards)
    assert front.asked(ImportModel) == [ImportModel(path="/models/other.gguf", copy=True)]
    assert not panel.isVisible()
    assert page.cards["other"].property("selected") is True


def test_why_an_import_was_refused_stands_in_the_panel(page: ModelsPage, qtbot: QtBot) -> None:
    page.open_target(add=True)
    page.import_panel.set_path("/models/notes.txt")
    page.import_panel.import_button.click()
    qtbot.waitUntil(lambda: page.import_panel.problem.startswith("notes.txt is not a model."))
    assert page.import_panel.import_button.isEnabled()


def test_an_import_can_be_stopped(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    held = front.hold(ImportModel)
    page.open_target(add=True)
    page.import_panel.set_path("/models/large.gguf")
    page.import_panel.import_button.click()
    page.open_target(path="/models/next.gguf")  # opened from the desktop meanwhile: one is imported at a time
    assert not page.import_panel.import_button.isEnabled()
    page.import_panel.stopped.emit()
    qtbot.waitUntil(page.import_panel.import_button.isEnabled)
    assert held.cancelled
    assert page.import_panel.problem == ""


def test_a_dropped_file_is_taken_to_the_panel(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped.gguf"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, data, buttons, keys)
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    page.dropEvent(QDropEvent(QPoint(10, 10), Qt.DropAction.CopyAction, data, buttons, keys))
    assert page.import_panel.isVisible()
    assert page.import_panel.import_button.isEnabled()


def test_without_models_the_page_offers_the_starter(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.models.clear()
    front.announce("model")
    qtbot.waitUntil(page.empty_state.isVisible)
    assert page.empty_state.button is not None
    page.empty_state.button.click()
    qtbot.waitUntil(lambda: set(page.cards) == {model.name for model in front.home.starters})
    assert len(front.asked(RegisterStarter)) == 1
    assert not page.empty_state.isVisible()


def test_a_starter_that_is_not_installed_says_what_to_do(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.models.clear()
    front.home.starters = ()
    front.announce("model")
    qtbot.waitUntil(page.empty_state.isVisible)
    assert page.empty_state.button is not None
    assert not page.empty_state.button.isVisible()
    assert "pip install" in page.starter_problem


EXAM = ExamResult(
    version=EXAM_VERSION,
    sha256="ab",
    ended=1_760_000_000.0,
    seconds=240.0,
    languages={
        "en": ExamRates(
            own=Rate(14, 35),
            quoted=Rate(29, 35),
            answers=Rate(14, 38),
            unmarked=Rate(8, 11),
            abstained=Rate(7, 10),
            declined=Rate(1, 36),
        ),
        "de": ExamRates(
            own=Rate(3, 36),
            quoted=Rate(15, 36),
            answers=Rate(3, 39),
            unmarked=Rate(0, 0),
            abstained=Rate(7, 10),
            declined=Rate(1, 37),
        ),
    },
)


def test_card_shows_the_rates_of_an_exam_with_counts_and_intervals(
    page: ModelsPage, qtbot: QtBot, front: FakeFront
) -> None:
    smol = card(page, qtbot)
    assert not smol.exam.isVisible()  # not examined: nothing is said
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], exam=EXAM)
    front.announce("model", SMOL)
    qtbot.waitUntil(smol.exam.isVisible)
    assert smol.exam.cells["English", "own"] == "40 % 14 of 35, 26–56 %"
    assert smol.exam.cells["German", "unmarked"] == "none 0 of 39 not marked"
    assert smol.exam.poor.text() == "In German fewer than half of its answers are right, also when quoting."
    assert "In English and German answers are quoted" in smol.exam.mode.text()
    assert texts.EXAM_CORRECTS in smol.exam.mode.text()
    facts = OfficeKind(kind="fact", quoted=Ends(asked=9, right_unmarked=6), own=Ends(asked=5, right_marked=2))
    front.home.models[SMOL] = msgspec.structs.replace(
        front.home.models[SMOL], exam=msgspec.structs.replace(EXAM, office=(facts,))
    )
    front.announce("model", SMOL)
    qtbot.waitUntil(lambda: ("Office", "quoted") in smol.exam.cells)
    assert smol.exam.cells["Office", "quoted"] == "100 % 6 of 6, 61–100 %"
    assert "Office, quoted: facts 6 of 9 right, 3 declined." in smol.exam.mode.text()
    old = msgspec.structs.replace(EXAM, version=EXAM_VERSION - 1)
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], exam=old)
    front.announce("model", SMOL)
    qtbot.waitUntil(lambda: OLD in smol.exam.title.text())


def test_exam_that_cannot_be_read_says_why(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], exam_problem="It is damaged.")
    front.announce("model", SMOL)
    qtbot.waitUntil(smol.exam.isVisible)
    assert smol.exam.title.text() == "It is damaged."


def test_exam_is_started_followed_and_stopped(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    assert not card(page, qtbot, "all-MiniLM-L6-v2").exam_button.isVisible()
    held = front.hold(FollowRun)
    smol.exam_button.click()
    qtbot.waitUntil(lambda: smol.exam.running)
    assert front.asked(ExamineModel) == [ExamineModel(name=SMOL)]
    assert not smol.exam_button.isVisible()
    held.emit(events.Progress(stage="examining", done=31, total=93, unit="questions", seconds_left=120.0))
    qtbot.waitUntil(lambda: smol.exam.progress.words == "Exam 31 of 93 questions · 2 min left")
    smol.exam.progress.stop_button.click()
    qtbot.waitUntil(lambda: len(front.asked(StopRun)) == 1)
    held.emit(events.Cancelled())
    qtbot.waitUntil(smol.exam_button.isVisible)
    assert not smol.exam.progress.isVisible()


def test_exam_begun_elsewhere_is_followed(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    held = front.hold(FollowRun)
    front.announce("run", front.home.begin_exam(SMOL).id)
    qtbot.waitUntil(smol.exam.progress.isVisible)
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], exam=EXAM)
    front.announce("model", SMOL)
    held.finish({})
    qtbot.waitUntil(lambda: not smol.exam.running and smol.exam_button.text() == texts.EXAMINE_AGAIN)


def test_why_an_exam_failed_stands_in_the_card(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    held = front.hold(FollowRun)
    smol.exam_button.click()
    held.fail(UserError("There is no embedding model.", "Import one."))
    qtbot.waitUntil(lambda: smol.problem == "There is no embedding model. Import one.")


def test_parameters_in_words() -> None:
    assert [describe_parameters(n) for n in (900, 134_515_008, 7_241_732_096)] == ["900", "135 M", "7.2 B"]


def test_a_model_that_does_not_fit_is_loaded_anyway(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    smol.unload_button.click()
    qtbot.waitUntil(smol.load_button.isVisible)
    front.refuse(LoadModel, UserError("It needs 9.0 GB; 1.0 GB are free.", "A shorter context would fit."))
    front.answer(FitModel, lambda call: [finish(Fit(verdict="too big"))])
    smol.load_button.click()
    qtbot.waitUntil(lambda: "9.0 GB" in smol.problem and smol.problem_action.text() == hub_texts.LOAD_ANYWAY)
    smol.problem_action.click()
    qtbot.waitUntil(lambda: len(front.asked(LoadModel)) == 2)
    assert [call.anyway for call in front.asked(LoadModel)] == [False, True]


def test_a_card_says_what_its_model_takes(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    parts = (MemoryPart(weights=92_000_000, cache=10_000_000, computing=3_000_000, free=500_000_000),)
    fit = Fit(verdict="processor", context_tokens=8192, parts=parts, source="llama.cpp")
    front.answer(FitModel, lambda call: [finish(fit)])
    smol = card(page, qtbot)
    smol.fit_button.click()
    qtbot.waitUntil(lambda: smol.fit.fit is not None)
    assert "105 MB with 8,192 tokens of context" in smol.fit.words
    assert "Memory: 92 MB weights, 10 MB cache, 3.0 MB computing; 500 MB free" in smol.fit.words


def test_models_of_other_programs_are_added_where_they_are(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    found = (
        LocalModel(name="qwen3:4b", source="Ollama", path="/o/blobs/sha256-a", bytes=2_500_000_000),
        LocalModel(name="small", source="LM Studio", path="/l/small.gguf", bytes=90_000_000, known=SMOL),
    )
    front.answer(FindLocalModels, lambda call: [finish(LocalModels(models=found))])
    card(page, qtbot)
    page.local.look_button.click()
    qtbot.waitUntil(lambda: list(page.local.rows) == ["/o/blobs/sha256-a"])  # the other one is in the catalogue
    row = page.local.rows["/o/blobs/sha256-a"]
    front.refuse(ImportModel, UserError("It is damaged.", "Pull it again."))
    row.add_button.click()
    qtbot.waitUntil(row.problem.isVisible)
    front.answer(ImportModel, lambda call: [finish(front.home.model(SMOL))])
    row.add_button.click()
    qtbot.waitUntil(row.isHidden)
    assert front.asked(ImportModel)[-1] == ImportModel(path="/o/blobs/sha256-a", name="qwen3:4b")


def test_the_leaderboard_has_a_table_for_each_set_of_settings(
    bridge: Bridge, shell: RecordingShell, qtbot: QtBot, front: FakeFront
) -> None:
    def cell(value: float) -> LeaderboardCell:
        score = ColumnScore(value=value, low=value - 0.1, high=value + 0.1, n=200)
        return LeaderboardCell(score=score, date=0.0, evaluation="e")

    columns = tuple(
        LeaderboardColumn(benchmark="MMLU", shots=shots, metric="acc", question_set="MMLU test", questions="all")
        for shots in (0, 5)
    )
    rows = (
        LeaderboardRow(model=SMOL, quantization="Q4_1", bytes=1, parameters=1, cells=(cell(0.25), cell(0.3))),
        LeaderboardRow(model="Better", quantization="Q8_0", bytes=1, parameters=1, cells=(None, cell(0.5))),
    )
    front.answer(GetLeaderboard, lambda call: [finish(Leaderboard(columns=columns, rows=rows))])
    parts = (MemoryPart(weights=92_000_000),)
    front.answer(FitModel, lambda call: [finish(Fit(verdict="processor", parts=parts))])
    page = LeaderboardPage(bridge, shell)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: len(page.tables) == 2)
    first, second = page.tables
    assert "0 examples" in first.title
    assert list(first.cells) == [SMOL]
    assert list(second.cells) == ["Better", SMOL]
    assert second.cells["Better"][2:5] == ("50.0%", "40.0% – 60.0%", "200")
    qtbot.waitUntil(lambda: second.memory(SMOL) == "92 MB")


# -- quantising and measuring ---------------------------------------------------------------------


def open_entry(page: ModelsPage, qtbot: QtBot, words: str) -> None:
    smol = card(page, qtbot)
    qtbot.waitUntil(smol.more_button.isVisible)
    menu = smol.make_menu()
    [entry] = [action for action in menu.actions() if action.text() == words]
    entry.trigger()


def test_an_image_encoder_is_chosen_and_taken_away(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    open_entry(page, qtbot, texts.IMAGE_ENCODER)
    [dialog] = page.findChildren(QFileDialog)
    smol = card(page, qtbot)
    dialog.fileSelected.emit("/models/mmproj-smol.gguf")
    dialog.close()
    qtbot.waitUntil(lambda: texts.SEES_IMAGES in smol.facts)
    assert front.asked(SetProjector) == [SetProjector(name=SMOL, path="/models/mmproj-smol.gguf")]
    [entry] = [action.menu() for action in smol.make_menu().actions() if action.menu() is not None]
    assert isinstance(entry, QMenu)
    shown = {action.text(): action for action in entry.actions()}
    assert not shown["mmproj-smol.gguf"].isEnabled()
    shown[texts.NO_ENCODER].trigger()
    qtbot.waitUntil(lambda: texts.SEES_IMAGES not in smol.facts)
    assert front.asked(SetProjector)[-1] == SetProjector(name=SMOL)


def test_why_an_image_encoder_was_refused_is_said_on_the_card(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(SetProjector, UserError("It belongs to another model."))
    open_entry(page, qtbot, texts.IMAGE_ENCODER)
    [dialog] = page.findChildren(QFileDialog)
    dialog.fileSelected.emit("/models/mmproj-other.gguf")
    dialog.close()
    smol = card(page, qtbot)
    qtbot.waitUntil(lambda: "It belongs to another model." in smol.problem)


def quantising(page: ModelsPage, qtbot: QtBot) -> QuantizeDialog:
    open_entry(page, qtbot, texts.QUANTISE)
    [dialog] = page.findChildren(QuantizeDialog)
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def test_a_model_is_quantised_under_a_name_that_follows_the_format(
    page: ModelsPage, qtbot: QtBot, front: FakeFront
) -> None:
    dialog = quantising(page, qtbot)
    assert dialog.name.text() == f"{SMOL} Q4_K_M"
    dialog.type.setCurrentIndex(dialog.type.findData("Q6_K"))
    dialog.type.chosen.emit("Q6_K")
    assert dialog.name.text() == f"{SMOL} Q6_K"
    assert dialog.type.currentText() == "Q6_K, about 6.6 bits, about 111 MB"
    dialog.name.clear()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == quantize_texts.NAME_FIRST
    dialog.name.setText("small")
    dialog.type.chosen.emit("Q6_K")
    assert dialog.name.text() == "small"  # it was edited
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.text == quantize_texts.MADE.format(model="small"))
    assert front.asked(QuantizeModel) == [QuantizeModel(model=SMOL, type="Q6_K", name="small")]
    assert not dialog.go.isVisible()
    qtbot.waitUntil(lambda: "small" in page.cards)
    dialog.reject()


@pytest.mark.parametrize("name", ["Smol Q8_0", "Smol Q4_K_M 2"])
def test_the_format_at_the_end_of_a_name_is_replaced(bridge: Bridge, qtbot: QtBot, front: FakeFront, name: str) -> None:
    model = msgspec.structs.replace(front.home.models[SMOL], name=name)
    dialog = QuantizeDialog(bridge, model)
    qtbot.addWidget(dialog)
    assert dialog.name.text() == "Smol Q4_K_M"


def test_a_quantisation_is_stopped_and_a_refused_one_says_why(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(QuantizeModel, UserError("There is no room on the disk."))
    dialog = quantising(page, qtbot)
    dialog.go.click()
    qtbot.waitUntil(lambda: "no room" in dialog.message.text)
    assert dialog.go.isEnabled()
    front.forget(QuantizeModel)
    held = front.hold(FollowRun)
    dialog.go.click()
    qtbot.waitUntil(lambda: held.call is not None)
    assert dialog.leave.text() == "Run in background"
    held.emit(events.Progress(stage="quantising", done=0.25, total=1))
    qtbot.waitUntil(lambda: dialog.progress.words == "Quantising 25%")
    dialog.progress.stop_button.click()
    qtbot.waitUntil(lambda: len(front.asked(StopRun)) == 1)
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: dialog.message.text == quantize_texts.STOPPED)
    assert dialog.go.isEnabled()
    dialog.reject()


def test_the_speed_of_a_model_is_measured_and_measuring_ends_with_the_dialog(
    page: ModelsPage, qtbot: QtBot, front: FakeFront
) -> None:
    open_entry(page, qtbot, texts.MEASURE_SPEED)
    [dialog] = page.findChildren(SpeedDialog)
    qtbot.waitUntil(dialog.isVisible)
    dialog.sequences.setValue(4)
    dialog.go.click()
    qtbot.waitUntil(dialog.measured.isVisible)
    assert front.asked(BenchModel) == [BenchModel(name=SMOL, sequences=4)]
    assert dialog.measured.rows == [
        ("Reading a prompt of 512 tokens", "1,234.5 tokens/s", ""),
        ("One answer of 64 tokens", "50.0 tokens/s", ""),
        ("4 answers in parallel", "110.0 tokens/s", "2.2 times one answer"),
    ]
    front.refuse(BenchModel, UserError("The model is gone."))
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.text == "The model is gone.")
    assert not dialog.measured.isVisible()
    front.forget(BenchModel)
    held = front.hold(BenchModel)
    dialog.go.click()
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(events.Progress(stage="measuring", done=1, total=4, unit="rounds"))
    qtbot.waitUntil(lambda: dialog.progress.words.startswith("Measuring"))
    assert not dialog.go.isEnabled()
    dialog.reject()
    qtbot.waitUntil(lambda: held.cancelled)


def test_only_a_gguf_model_that_is_there_is_quantised(page: ModelsPage, qtbot: QtBot, front: FakeFront) -> None:
    smol = card(page, qtbot)
    qtbot.waitUntil(smol.more_button.isVisible)
    front.home.models[SMOL] = msgspec.structs.replace(front.home.models[SMOL], missing=True)
    front.announce("model", SMOL)
    qtbot.waitUntil(lambda: not smol.more_button.isVisible())
