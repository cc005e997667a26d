"""A form says what its type says, and passes on only what the type takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from tests.ui.conftest import choose
from ui import texts as frame_texts
from ui.components.config_form import FieldRow, Form, describe_value
from ui.theme.theme import Theme
from workbench.base.fields import about, fields_of
from workbench.base.settings import DocumentSettings, EngineSettings, General, Settings
from workbench.records.recipes import DecodingPart


class Edits:
    def __init__(self, form: Form) -> None:
        self.seen: list[tuple[str, Any]] = []
        form.changed.connect(lambda name, value: self.seen.append((name, value)))


def shown(qtbot: QtBot, config: type[msgspec.Struct], values: msgspec.Struct | None = None) -> Form:
    form = Form(config)
    qtbot.addWidget(form)
    if values is not None:
        form.set_values(values)
    form.resize(800, 600)
    form.show()
    return form


def line(form: Form, name: str) -> QLineEdit:
    control = form.row(name).control
    assert isinstance(control, QLineEdit)
    return control


def typed(form: Form, name: str, text: str) -> None:
    control = line(form, name)
    control.setFocus()
    control.selectAll()
    QTest.keyClicks(control, text)


@pytest.mark.parametrize("config", [General, EngineSettings, DecodingPart])
def test_every_field_has_title_help_and_accessible_name(
    qtbot: QtBot, theme: Theme, config: type[msgspec.Struct]
) -> None:
    form = shown(qtbot, config)
    form.fold.click()
    texts = {label.text() for label in form.findChildren(QLabel)}
    for field in fields_of(config):
        row = form.row(field.name)
        assert field.title in texts
        assert field.shown_help in texts
        assert row.control.accessibleName() == field.title
        assert field.shown_help in row.control.accessibleDescription()
        if field.unit:
            assert field.unit in texts


def test_what_is_typed_is_sent_on_when_it_is_done(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings)
    edits = Edits(form)
    typed(form, "threads", "4")
    assert edits.seen == []
    QTest.keyClick(line(form, "threads"), Qt.Key.Key_Return)
    assert edits.seen == [("threads", 4)]
    assert form.row("threads").reset.isVisible()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("threads", "300", "Range: 1 to 256 threads."),
        ("threads", "four", "Range: 1 to 256 threads."),
        ("context_tokens", "-5", "Range: 1 to"),
    ],
)
def test_what_cannot_be_is_marked_explained_and_kept_back(
    qtbot: QtBot, theme: Theme, name: str, text: str, said: str
) -> None:
    form = shown(qtbot, EngineSettings)
    edits = Edits(form)
    typed(form, name, text)
    QTest.keyClick(line(form, name), Qt.Key.Key_Return)
    row = form.row(name)
    assert edits.seen == []
    assert row.error.text().startswith(said)
    assert row.error.isVisible()
    assert row.control.property("invalid") is True
    typed(form, name, "8")
    assert not row.error.isVisible()


def test_a_number_that_means_nothing_when_empty_has_to_be_there(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, DocumentSettings)
    edits = Edits(form)
    typed(form, "read_seconds", "")
    QTest.keyClick(line(form, "read_seconds"), Qt.Key.Key_Delete)
    QTest.keyClick(line(form, "read_seconds"), Qt.Key.Key_Return)
    row = form.row("read_seconds")
    assert isinstance(row, FieldRow)
    assert edits.seen == []
    assert row.error.text().startswith("Range: ")


def test_a_number_that_is_left_to_the_program_is_an_empty_field(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings, EngineSettings(threads=4))
    edits = Edits(form)
    row = form.row("threads")
    assert isinstance(row, FieldRow)
    assert "Left empty, each physical core has one." in row.control.accessibleDescription()
    typed(form, "threads", "")
    QTest.keyClick(line(form, "threads"), Qt.Key.Key_Delete)
    QTest.keyClick(line(form, "threads"), Qt.Key.Key_Return)
    assert edits.seen == [("threads", 0)]
    assert (line(form, "threads").text(), line(form, "threads").placeholderText()) == ("", "automatic")
    row.set_chosen(16)
    assert line(form, "threads").placeholderText() == "automatic: 16"
    assert not row.note.text()
    row.set_chosen(None)
    assert line(form, "threads").placeholderText() == "automatic"


def test_an_empty_field_says_in_a_word_what_it_stands_for(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings, EngineSettings(gpu_layers=0))
    edits = Edits(form)
    assert line(form, "gpu_layers").text() == "0"
    typed(form, "gpu_layers", "")
    QTest.keyClick(line(form, "gpu_layers"), Qt.Key.Key_Delete)
    QTest.keyClick(line(form, "gpu_layers"), Qt.Key.Key_Return)
    assert edits.seen == [("gpu_layers", -1)]
    assert (line(form, "gpu_layers").text(), line(form, "gpu_layers").placeholderText()) == ("", "all that fit")
    assert "Left empty, as many are as fit" in form.row("gpu_layers").control.accessibleDescription()


def test_large_numbers_may_have_their_commas(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings, EngineSettings(context_tokens=16384))
    edits = Edits(form)
    assert line(form, "context_tokens").text() == "16,384"
    typed(form, "context_tokens", "32,768")
    QTest.keyClick(line(form, "context_tokens"), Qt.Key.Key_Return)
    assert edits.seen == [("context_tokens", 32768)]


def test_a_choice_and_a_switch_are_sent_at_once(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, General)
    edits = Edits(form)
    combo = form.row("theme").control
    assert isinstance(combo, QComboBox)
    choose(combo, "Dark")
    assert edits.seen == [("theme", "dark")]
    engine = shown(qtbot, EngineSettings)
    edits = Edits(engine)
    box = engine.row("deterministic").control
    assert isinstance(box, QCheckBox)
    box.click()
    assert edits.seen == [("deterministic", True)]


def test_showing_values_sends_nothing(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, General)
    edits = Edits(form)
    form.set_values(General(theme="dark", text_size=18))
    assert edits.seen == []
    assert line(form, "text_size").text() == "18"


def test_reset_goes_back_to_the_default_and_is_sent(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, General, General(text_size=20))
    edits = Edits(form)
    reset = form.row("text_size").reset
    assert reset.accessibleName() == frame_texts.RESET.format(title="Text size", value="15 px")
    reset.click()
    assert edits.seen == [("text_size", Settings().general.text_size)]
    assert line(form, "text_size").text() == "15"
    assert not reset.isVisible()


def test_a_half_typed_value_survives_a_change_from_elsewhere(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, General)
    form.activateWindow()
    typed(form, "text_size", "1")
    qtbot.waitUntil(line(form, "text_size").hasFocus)
    form.set_values(General(theme="dark"))
    assert line(form, "text_size").text() == "1"


def test_advanced_fields_are_folded_until_asked_for(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings)
    assert not form.row("kv_type").isVisible()
    assert form.row("threads").isVisible()
    form.focus_field("kv_type")
    assert form.row("kv_type").isVisible()
    assert not shown(qtbot, General).fold.isVisible()


def test_a_list_is_a_line_each(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, DecodingPart, DecodingPart(stop=("###",)))
    edits = Edits(form)
    control = form.row("stop").control
    assert isinstance(control, QPlainTextEdit)
    form.activateWindow()
    control.setFocus()
    qtbot.waitUntil(control.hasFocus)
    control.setPlainText("###\nEND\n")
    line(form, "seed").setFocus()
    assert edits.seen == [("stop", ("###", "END"))]


def test_a_text_is_set_back_to_the_default_in_sight_too(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, DecodingPart, DecodingPart(stop=("###",)))
    edits = Edits(form)
    row = form.row("stop")
    assert isinstance(row.control, QPlainTextEdit)
    form.activateWindow()
    row.control.setFocus()
    qtbot.waitUntil(row.control.hasFocus)
    row.reset.click()
    assert row.control.toPlainText() == ""
    line(form, "seed").setFocus()
    assert edits.seen == [("stop", ())]


def test_a_text_that_is_longer_than_its_field_shows_its_beginning(qtbot: QtBot, theme: Theme) -> None:
    class Config(msgspec.Struct, frozen=True, kw_only=True):
        first_words: Annotated[str, "First words."] = "Let us think step by step, and write down every step of it."

    form = shown(qtbot, Config, Config())
    assert line(form, "first_words").cursorPosition() == 0


def test_an_error_from_the_core_stands_beside_its_field(qtbot: QtBot, theme: Theme) -> None:
    form = shown(qtbot, EngineSettings)
    form.set_error("threads", "This machine has 2.")
    assert form.row("threads").error.isVisible()
    form.set_values(EngineSettings())
    assert not form.row("threads").error.isVisible()


def test_values_in_words() -> None:
    class Config(msgspec.Struct, frozen=True, kw_only=True):
        size: Annotated[int, about(unit="MB"), "Size."] = 10_240
        on: Annotated[bool, "On."] = True
        names: Annotated[tuple[str, ...], "Names."] = ()

    size, on, names = fields_of(Config)
    assert describe_value(size, size.default) == "10,240 MB"
    assert describe_value(on, True) == "on"
    assert describe_value(names, ("a", "b")) == "a, b"
    assert describe_value(names, ()) == "nothing"


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    form: Annotated[Literal["text", "choice"], about("Form"), "How."] = "text"
    choices: Annotated[str, about("Choices", when="form=choice"), "Which."] = ""
    order: Annotated[str, about("Order", when="choices"), "In which order."] = ""


def test_a_field_is_shown_where_it_has_a_meaning(qtbot: QtBot) -> None:
    form = shown(qtbot, Extracted, Extracted())
    assert [name for name, row in form.rows.items() if row.isVisible()] == ["form"]
    form.set_values(Extracted(form="choice"))
    assert [name for name, row in form.rows.items() if row.isVisible()] == ["form", "choices"]
    form.set_values(Extracted(form="choice", choices="a, b"))
    assert all(row.isVisible() for row in form.rows.values())
    form.set_values({"form": "text", "choices": "a, b"})  # what was written is kept, and not shown
    assert [name for name, row in form.rows.items() if row.isVisible()] == ["form"]
