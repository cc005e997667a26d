"""The adapters: the list, one in full, renaming, deleting, merging after verification, exporting, importing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_adapters import BASE, LOST, furnish_adapters, record, reward_model
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, running_ingest
from tests.ui.fake_training import put_training
from tests.ui.test_accessibility import described, focusable, named
from ui.bridge import Bridge
from ui.components import adapter_texts as texts
from ui.components.adapter_texts import describe_asked, find_problem, score_rows
from ui.components.layout import ScrolledColumn
from ui.components.merge_dialog import MergeDialog, lost_words
from ui.components.recipe.adapter_form import AdapterRow
from ui.components.recipe.recipes import with_adapter
from ui.components.run_follower import RunFollower
from ui.components.set_builder.dialog import SetBuilder
from ui.features.adapters.import_panel import ImportDialog
from ui.features.adapters.page import FAILED_HEADING, AdaptersPage
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.records.training import AdapterRecord, Scores, ScoresPair


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> AdaptersPage:
    furnish_adapters(home)
    page = AdaptersPage(bridge, shell)
    qtbot.addWidget(page)
    qtbot.addWidget(page.header())
    page.resize(1100, 700)
    page.show()
    qtbot.waitUntil(lambda: page.current is not None)
    return page


def show(page: AdaptersPage, qtbot: QtBot, name: str) -> None:
    page.open_target(adapter=name)
    qtbot.waitUntil(lambda: page.current is not None and page.current.name == name)


def test_failed_ones_stand_apart_and_are_not_offered(page: AdaptersPage, qtbot: QtBot) -> None:
    assert page.list.names[-2:] == [FAILED_HEADING, "four-bit-try"]
    assert page.list.current == "pump-answers"
    show(page, qtbot, "four-bit-try")
    details = page.details
    assert not details.use_button.isVisibleTo(details)
    assert not details.merge_button.isVisibleTo(details)
    assert details.check_lines[:3] == [
        texts.VERIFICATION_FAILED,
        "Of 16 facts that it had learnt, none is answered any more.",
        "Right of all answers: as trained 100%, as served 0%, base 0%.",
    ]


def test_a_reward_model_says_how_well_it_agrees_and_is_not_for_chats(
    page: AdaptersPage, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    home.adapters["my-taste"] = reward_model()
    front.announce("adapter", "my-taste")
    qtbot.waitUntil(lambda: "my-taste" in page.list.names)
    show(page, qtbot, "my-taste")
    details = page.details
    lines = details.score_lines
    assert (
        "Agrees with you on 63% of 297 held-out pairs (57% to 68%). Taking the shorter answer agrees on 54%." in lines
    )
    assert "It is better than the length alone by 9 points (2 to 15)." in lines
    assert details.check_lines[0] == texts.VERIFIED_SCORES
    assert "served scores of 64 answers" in details.check_lines[1]
    assert not details.use_button.isVisibleTo(details)
    assert not details.merge_button.isVisibleTo(details)
    assert details.export_button.isVisibleTo(details)


def test_one_whose_card_cannot_be_read_says_so_and_can_only_be_removed(
    page: AdaptersPage, qtbot: QtBot, home: FakeHome, front: FakeFront
) -> None:
    why = "The card of this adapter cannot be read: it is damaged."
    home.adapters["torn"] = AdapterRecord(name="torn", kind="unknown", state="unreadable", origin="unknown", note=why)
    front.announce("adapter", "torn")
    qtbot.waitUntil(lambda: "torn" in page.list.names)
    assert page.list.names.index("torn") > page.list.names.index(FAILED_HEADING)
    show(page, qtbot, "torn")
    details = page.details
    assert details.check_lines == [why]
    for button in (details.use_button, details.merge_button, details.export_button):
        assert not button.isVisibleTo(details)
    assert details.delete_button.isVisibleTo(details)
    assert find_problem([AdapterUse(name="torn")], {"torn": home.adapters["torn"]}, "Smol")[1].endswith(why)


def test_one_that_passed_tells_its_figures_and_its_origin(page: AdaptersPage, qtbot: QtBot) -> None:
    show(page, qtbot, "my-notes")
    details = page.details
    assert f"{texts.EXACT_MATCH}: 0% → 87.5% (+87.5 points)" in details.score_lines
    assert "Loss: 3.21 → 0.38 (−2.83)" in details.score_lines
    assert "95% interval" in details.score_lines[0]
    assert details.score_lines[-1].startswith("Slight forgetting: perplexity on general texts")
    assert (
        "at 98.7% of 1,562 places, where 95% is needed; KL divergence 0.0041 nats. That is enough."
        in details.check_lines[2]
    )
    assert "Trained on: pump questions (96 examples)" in details.origin_lines
    assert "Method: LoRA, rank 16, all linear layers" in details.origin_lines
    assert "Steps: 180 in 7 min" in details.origin_lines


def test_one_under_check_can_be_used_already(page: AdaptersPage, qtbot: QtBot, shell: RecordingShell) -> None:
    show(page, qtbot, "pump-answers")
    assert page.details.state.text() == texts.STATE_CHECKING
    page.details.use_button.click()
    assert shell.opened[-1] == ("chat", {"adapter": "pump-answers"})


def test_what_cannot_be_merged_says_why(page: AdaptersPage, qtbot: QtBot) -> None:
    show(page, qtbot, "house-style")
    assert not page.details.merge_button.isEnabled()
    assert page.details.merge_button.toolTip() == texts.CANNOT_MERGE_KIND.format(what="soft prompt")
    show(page, qtbot, "smol-contracts")
    assert not page.details.merge_button.isVisibleTo(page.details)


def test_the_forms_of_an_export_are_those_that_there_are(page: AdaptersPage, qtbot: QtBot) -> None:
    def forms(name: str) -> list[str]:
        show(page, qtbot, name)
        menu = page.details.make_export_menu()
        found = [action.data() for action in menu.actions()]
        menu.deleteLater()
        return found

    assert forms("my-notes") == ["gguf", "peft", "merged"]
    assert forms("house-style") == ["gguf", "peft"]
    assert forms("smol-contracts") == ["merged"]
    assert forms("from-a-friend") == ["gguf"]


def test_an_export_goes_to_a_new_folder(page: AdaptersPage, qtbot: QtBot, front: FakeFront, tmp_path: Path) -> None:
    show(page, qtbot, "my-notes")
    (tmp_path / "my-notes-gguf").mkdir()
    page.export_to(str(tmp_path), "gguf")
    qtbot.waitUntil(lambda: page.details.message.text.startswith("Exported to"))
    wanted = str(tmp_path / "my-notes-gguf-2")
    assert page.details.progress.isHidden()
    assert front.asked(c.ExportAdapter) == [c.ExportAdapter(adapter="my-notes", path=wanted, form="gguf")]
    assert wanted in page.details.message.text


def test_renaming_in_place_and_a_name_that_is_taken(page: AdaptersPage, qtbot: QtBot, home: FakeHome) -> None:
    show(page, qtbot, "my-notes")
    page.details.begin_rename()
    page.details.name_field.setText("notes")
    page.details.name_field.returnPressed.emit()
    qtbot.waitUntil(lambda: page.list.current == "notes")
    page.details.begin_rename()
    page.details.name_field.setText("polite-tone")
    page.details.name_field.returnPressed.emit()
    qtbot.waitUntil(lambda: "already an adapter" in page.details.message.text)
    assert "notes" in home.adapters
    field = page.details.name_field
    assert (field.isVisible(), field.isEnabled(), field.text()) == (True, True, "polite-tone")  # to be changed
    field.setText("notes-2")
    field.returnPressed.emit()
    qtbot.waitUntil(lambda: page.list.current == "notes-2")
    assert not field.isVisible()


def test_the_keyboard_is_in_the_list_and_what_is_asked_is_in_sight(page: AdaptersPage, qtbot: QtBot) -> None:
    page.resize(900, 300)
    page.list.view.setFocus()
    page.activateWindow()
    qtbot.waitUntil(page.list.view.hasFocus)
    bar = page.details.window().findChildren(ScrolledColumn)[0].verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    page.list.rename_pressed.emit()
    assert bar.value() == 0
    assert page.details.name_field.isVisible()


def test_deleting_is_asked_for_twice_and_undone(
    page: AdaptersPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    show(page, qtbot, "my-notes")
    page.details.delete_button.click()
    assert front.asked(c.RemoveAdapter) == []
    page.details.confirm.keep_button.click()
    assert not page.details.confirm.isVisible()
    page.details.delete_button.click()
    page.details.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: "my-notes" not in page.list.names)
    assert front.asked(c.RemoveAdapter) == [c.RemoveAdapter(adapter="my-notes")]
    _, _, undo = shell.messages[-1]
    assert undo is not None
    undo.run()
    qtbot.waitUntil(lambda: "my-notes" in page.list.names)


def test_the_newly_trained_appear_by_themselves(
    page: AdaptersPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    show(page, qtbot, "my-notes")
    home.adapters["fresh"] = record("fresh", state="checking", verification=None)
    front.announce("adapter", "fresh")
    qtbot.waitUntil(lambda: "fresh" in page.list.names)
    assert page.list.current == "my-notes"


def test_an_empty_page_leads_to_training(page: AdaptersPage, qtbot: QtBot, front: FakeFront, home: FakeHome) -> None:
    home.adapters.clear()
    front.announce("adapter")
    qtbot.waitUntil(page.empty.isVisible)
    assert page.empty.button is not None
    shell = page._shell
    assert isinstance(shell, RecordingShell)
    page.empty.button.click()
    assert shell.opened == [("train", {})]


# -- merging ----------------------------------------------------------------------------------------


def merging(page: AdaptersPage, qtbot: QtBot) -> MergeDialog:
    show(page, qtbot, "my-notes")
    dialog = page.begin_merge()
    assert dialog is not None
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def test_a_merge_is_called_good_after_the_gate(
    page: AdaptersPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    dialog = merging(page, qtbot)
    dialog.name.setText("tuned")
    dialog.strength.slider.setValue(18)
    dialog.go.click()
    qtbot.waitUntil(dialog.message.isVisible)
    call = c.MergeAdapter(adapter="my-notes", name="tuned", type="Q8_0", scale=0.9)
    assert front.asked(c.MergeAdapter) == [call]
    assert dialog.message.text == texts.MERGED_SHOWN.format(model="tuned", checked=texts.VERIFIED_MERGE)
    assert "as served 96.9%" in dialog.findings.text()
    assert shell.messages[-1][0] == texts.MERGED_VERIFIED.format(model="tuned")
    assert not dialog.name.isVisible()
    assert dialog.height() < 400  # nothing is left above what came of it
    dialog.reject()


def test_a_merge_that_lost_what_was_learnt_is_told_with_its_numbers(page: AdaptersPage, qtbot: QtBot) -> None:
    dialog = merging(page, qtbot)
    dialog.type.chosen.emit("same")
    assert "erase" in dialog.type_help.text()
    dialog.go.click()
    qtbot.waitUntil(dialog.message.isVisible)
    assert dialog.message.text == (
        texts.MERGE_LOST.format(advice=" ", value="Choose 8 bits (Q8_0) or 16 bits (F16) for the changed weights.")
    )
    assert "as served 0%" in dialog.findings.text()
    assert dialog.go.isEnabled()  # with another format
    dialog.reject()


def test_a_merge_that_was_lost_while_its_dialog_is_closed_is_told_on_the_page(
    page: AdaptersPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    show(page, qtbot, "my-notes")
    held = front.hold(c.FollowRun)
    asked = {"adapter": "my-notes", "type": "Q8_0", "quantization": "Q4_K_M"}
    run = running_ingest(home, kind="merge", title="Merge my-notes", config=asked)
    front.announce("run", run.id)
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(
        events.Artifact(kind="verification", id="small", result=msgspec.to_builtins(LOST)),
        events.Failed(message="The merged model lost the training, and was deleted."),
    )
    words = f"{lost_words('Q8_0', 'Q4_K_M')} Right of all answers: as trained 100%, as served 0%, base 0%."
    qtbot.waitUntil(lambda: page.details.message.text == words)


@pytest.mark.parametrize(
    ("type", "quantization", "advice"),
    [
        ("Q8_0", "", "Choose 16 bits (F16) for the changed weights."),
        ("same", "Q4_K_M", "for the changed weights, and leave the rest of the model as it is."),
        ("F32", "Q4_K_M", "deleted. Leave the rest of the model as it is."),
        ("F32", "", "and was deleted."),
    ],
)
def test_a_lost_merge_says_what_may_keep_it(type: str, quantization: str, advice: str) -> None:
    assert lost_words(type, quantization).endswith(advice)


def test_tab_goes_through_what_a_dialog_asks_to_its_buttons(page: AdaptersPage, qtbot: QtBot) -> None:
    dialog = merging(page, qtbot)
    assert dialog.focusWidget() is dialog.name
    passed = [dialog.name]
    while dialog.go not in passed and len(passed) < 40:
        dialog.focusNextChild()
        passed.append(dialog.focusWidget())
    assert passed.index(dialog.quantization) < passed.index(dialog.leave) < passed.index(dialog.go)
    dialog.reject()


def test_a_merge_shows_how_far_it_is_and_is_stopped(page: AdaptersPage, qtbot: QtBot, front: FakeFront) -> None:
    held = front.hold(c.FollowRun)
    dialog = merging(page, qtbot)
    dialog.go.click()
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(events.Progress(stage="merging", done=30, total=210, unit="tensors", seconds_left=9))
    qtbot.waitUntil(lambda: dialog.progress.words == "Merging 30 of 210 tensors · 9 s left")
    assert dialog.leave.text() == "Run in background"
    assert not dialog.name.isEnabled()
    dialog.progress.stop_button.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: dialog.message.text == texts.MERGE_STOPPED)
    dialog.reject()


def test_a_merge_that_is_refused_keeps_what_was_filled_in(page: AdaptersPage, qtbot: QtBot) -> None:
    dialog = merging(page, qtbot)
    dialog.name.setText(BASE)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.message.text.startswith("There is already a model"))
    assert dialog.name.isEnabled()
    dialog.name.setText("")
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip() == texts.NAME_FIRST
    dialog.reject()


# -- importing --------------------------------------------------------------------------------------


def importing(page: AdaptersPage, qtbot: QtBot, path: str) -> ImportDialog:
    dialog = page.begin_import()
    assert not dialog.go.isEnabled()
    dialog.set_path(path)
    qtbot.waitUntil(dialog.go.isEnabled)
    return dialog


def test_an_import_is_shown_at_once(page: AdaptersPage, qtbot: QtBot, front: FakeFront) -> None:
    dialog = importing(page, qtbot, "/downloads/theirs.gguf")
    dialog.go.click()
    qtbot.waitUntil(lambda: page.list.current == "theirs")
    assert front.asked(c.ImportAdapter) == [c.ImportAdapter(path="/downloads/theirs.gguf", model=BASE)]


def test_an_import_that_is_refused_says_why(page: AdaptersPage, qtbot: QtBot) -> None:
    dialog = importing(page, qtbot, "/downloads/adapter_model.bin")
    dialog.go.click()
    qtbot.waitUntil(lambda: "is a pickle" in dialog.message.text)
    assert dialog.go.isEnabled()
    dialog.reject()


# -- for everybody ----------------------------------------------------------------------------------


def test_each_control_of_page_and_dialogs_has_a_name(page: AdaptersPage, qtbot: QtBot, bridge: Bridge) -> None:
    show(page, qtbot, "my-notes")
    merge, builder = merging(page, qtbot), SetBuilder(bridge, page)
    builder.open()
    qtbot.waitUntil(builder.isVisible)
    for place in (page, merge, builder, page.begin_import()):
        assert [described(widget) for widget in focusable(place) if not named(widget)] == []
    builder.reject()
    merge.reject()


# -- words ------------------------------------------------------------------------------------------


def test_what_is_asked_in_words() -> None:
    def asked(*uses: tuple[str, float]) -> str:
        part = ModelPart(name="Smol", adapters=tuple(AdapterUse(name=name, scale=scale) for name, scale in uses))
        return describe_asked(Recipe(model=part))

    assert asked() == "Smol"
    assert asked(("notes", 1.0)) == "Smol + notes"
    assert asked(("notes", 0.8), ("tone", 1.25)) == "Smol + notes 0.8 + tone 1.25"
    assert asked(("a", 1.0), ("b", 1.0), ("c", 1.0)) == "Smol + 3 adapters"


def test_a_change_for_the_worse_is_one_whichever_way_the_measure_goes() -> None:
    def scores(loss: float, accuracy: float) -> Scores:
        return Scores(loss=loss, perplexity=10.0, token_accuracy=accuracy, tokens=5)

    rows = {row.name: row.better for row in score_rows(ScoresPair(before=scores(1.0, 0.5), after=scores(2.0, 0.4)))}
    assert rows == {texts.TOKEN_ACCURACY: False, "Loss": False, "Perplexity": None}
    assert score_rows(ScoresPair()) == []


def test_the_first_problem_of_a_recipe() -> None:
    known = {"good": record("good"), "bad": record("bad", state="failed", verification=None, note="it says nothing")}
    uses = [AdapterUse(name="good"), AdapterUse(name="/somewhere/file.gguf")]
    assert find_problem(uses, known, "Smol") == ("", "")
    assert find_problem([*uses, AdapterUse(name="bad")], known, "Smol")[0] == "bad"
    assert "It says nothing." in find_problem([AdapterUse(name="bad")], known, "Smol")[1]
    assert find_problem([AdapterUse(name="gone")], known, "Smol")[0] == "gone"


def test_adapters_that_cannot_be_read_are_told_of_once(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront
) -> None:
    qtbot.waitUntil(lambda: bridge.connected is True)
    front.refuse(c.ListAdapters, UserError("Not now."))
    told: list[str] = []
    bridge.failed.connect(lambda error: told.append(str(error)))
    page = AdaptersPage(bridge, shell)
    qtbot.addWidget(page)
    qtbot.addWidget(page.header())
    page.show()
    qtbot.waitUntil(lambda: told == ["Not now."])
    front.announce("adapter")
    qtbot.waitUntil(lambda: len(front.asked(c.ListAdapters)) == 2 and not bridge.home.listing(c.ListAdapters()).reading)
    assert told == ["Not now."]
    assert page.current is None


def test_one_whose_check_was_not_finished_says_so(page: AdaptersPage, qtbot: QtBot, home: FakeHome) -> None:
    note = "Verification did not finish: resume the run to repeat it."
    home.adapters = {"left": record(name="left", state="checking", note=note)}
    show(page, qtbot, "left")
    assert page.details.state.text() == texts.STATE_NOT_CHECKED
    assert page.details.check_lines[0] == note
    row = AdapterRow(home.adapters["left"])  # as in the recipe of a chat
    qtbot.addWidget(row)
    assert (row.state.text(), row.state.toolTip()) == (texts.STATE_NOT_CHECKED, note)


def test_a_training_that_tells_how_far_it_is_leaves_the_page_as_it_is(
    page: AdaptersPage, qtbot: QtBot, front: FakeFront, home: FakeHome, bridge: Bridge
) -> None:
    show(page, qtbot, "my-notes")
    run = put_training(home, [])
    front.announce("run", run.id)
    runs = bridge.home.runs
    qtbot.waitUntil(lambda: runs.value is not None and run in runs.value.runs)
    model = page.list.view.model()
    asked, listed = len(front.asked(c.ListAdapters)), len(front.asked(c.ListRuns))
    home.runs[run.id] = msgspec.structs.replace(run, progress=0.5)
    with qtbot.assertNotEmitted(model.modelReset, wait=200):
        front.announce("run", run.id)
        qtbot.waitUntil(lambda: runs.value is not None and home.runs[run.id] in runs.value.runs)
        page.open_target(adapter="my-notes")  # the very same ones again
    assert len(front.asked(c.ListAdapters)) == asked
    assert len(front.asked(c.ListRuns)) == listed


def test_what_is_closed_follows_its_run_no_longer(
    bridge: Bridge, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    run = c.RunRecord(id="r1", kind="train", title="x", state="running", created=0.0)
    home.runs["r1"], home.run_events["r1"] = run, []
    dialog = QObject()
    RunFollower(bridge, run, dialog)

    def followed() -> list[Any]:
        return [open for open in front.open if isinstance(open.call, c.FollowRun)]

    qtbot.waitUntil(lambda: len(followed()) == 1)
    dialog.deleteLater()
    qtbot.waitUntil(lambda: followed() == [])


def test_a_file_that_names_no_base_is_used_with_the_model_that_is_chosen(bridge: Bridge, qtbot: QtBot) -> None:
    loose = record(name="loose", base="", origin="imported")
    recipe = with_adapter(Recipe(model=ModelPart(name=BASE)), loose)
    assert recipe.model == ModelPart(name=BASE, adapters=(AdapterUse(name="loose"),))
    dialog = MergeDialog(bridge, loose)
    qtbot.addWidget(dialog)
    assert dialog.name.text() == "loose merged"
