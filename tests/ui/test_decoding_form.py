"""The decoding settings: presets, strategies, sliders, the order of steps, and the curve that follows them."""

from __future__ import annotations

import math

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from tests.ui.conftest import choose
from tests.ui.fake_home import SMOL
from ui import texts as frame_texts
from ui.components.basics import Text
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.decoding_form import FORMATS, DecodingForm, describe_decoding
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.slide_row import SlideRow
from ui.theme.theme import Theme
from workbench import methods as registry
from workbench.base.fields import fields_of
from workbench.methods import METHODS
from workbench.records.messages import Alternative
from workbench.records.recipes import (
    SAMPLING_ORDER,
    DecodingPart,
    ModelPart,
    Recipe,
    active_fields,
    preset_of,
    with_preset,
)
from workbench.techniques.decoding.methods import strategy_of

PROBABILITIES = (0.40, 0.25, 0.15, 0.10, 0.06, 0.04)
TOKENS = tuple(
    Alternative(token=number, text=f" t{number}", logprob=math.log(p)) for number, p in enumerate(PROBABILITIES)
)


@pytest.fixture
def form(qtbot: QtBot, theme: Theme) -> DecodingForm:
    form = DecodingForm()
    form.set_methods(METHODS)
    qtbot.addWidget(form)
    form.resize(300, 1600)
    form.show()
    return form


def sent(form: DecodingForm) -> list[DecodingPart]:
    seen: list[DecodingPart] = []
    form.changed.connect(seen.append)
    return seen


def slide(form: DecodingForm, name: str) -> SlideRow:
    row = form.row(name)
    assert isinstance(row, SlideRow)
    return row


def visible(form: DecodingForm) -> set[str]:
    return {name for name, row in form.rows.items() if row.isVisible()}


@pytest.mark.parametrize("name", [row.name for row in METHODS.of("preset")])
def test_a_click_on_a_preset_takes_its_values(form: DecodingForm, name: str) -> None:
    form.set_part(DecodingPart(strategy="beam", n=2))
    seen = sent(form)
    form.presets.buttons[name].click()
    assert seen == [with_preset(DecodingPart(n=2), METHODS.find(name, "preset"))]
    assert seen[0].n == (1 if name == "precise" else 2)
    assert form.strategy_help.isHidden() == (name != "precise")
    assert form.presets.value == name
    assert [b for b, button in form.presets.buttons.items() if button.isChecked()] == [name]


def test_another_value_makes_it_custom_and_back(form: DecodingForm) -> None:
    form.presets.buttons["balanced"].click()
    row = slide(form, "min_p")
    row.slider.setFocus()
    QTest.keyClick(row.slider, Qt.Key.Key_Right)
    assert form.presets.value == "custom"
    QTest.keyClick(row.slider, Qt.Key.Key_Left)
    assert form.presets.value == "balanced"


def test_a_press_on_a_slider_takes_the_value_there(form: DecodingForm) -> None:
    seen = sent(form)
    slider = slide(form, "temperature").slider
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, slider.height() // 2))
    assert seen[-1].temperature == pytest.approx(1.0, abs=0.051)
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, slider.height() // 2))
    assert seen[-1].temperature == 2.0


def test_a_form_that_contrastive_search_cannot_keep_to_can_be_taken_back(form: DecodingForm) -> None:
    form.set_part(DecodingPart(strategy="contrastive", format="json"))
    assert form.format.isVisible()
    assert form.problem.isVisible()
    assert "Contrastive search does not support answer formats" in form.problem.text()
    choose(form.format, FORMATS["text"])
    assert form.part.format == "text"
    assert not form.problem.isVisible()
    assert "format" not in visible(form)


def test_only_the_fields_that_count_are_shown(form: DecodingForm) -> None:
    form.strategy.buttons["beam"].click()
    assert {"num_beams", "length_penalty", "repetition_penalty", "n"} <= visible(form)
    assert not visible(form) & {"temperature", "top_k", "seed", "speculation", "contrastive_k"}
    assert not form.distribution.isVisible()
    form.strategy.buttons["contrastive"].click()
    assert {"penalty_alpha", "contrastive_k", "max_tokens"} <= visible(form)
    assert "repetition_penalty" in visible(form)
    assert not visible(form) & {"num_beams", "format", "n"}
    form.strategy.buttons["sampling"].click()
    assert {"temperature", "top_k", "top_p", "min_p", "speculation"} <= visible(form)
    assert not visible(form) & {"num_beams", "draft_model", "typical_p"}


def test_what_has_no_effect_is_said_and_can_be_taken_back(form: DecodingForm) -> None:
    form.set_part(DecodingPart(n=3))
    assert form.notes.isVisible()
    assert "gives one answer, not 3" in form.notes.text()
    form.set_part(DecodingPart(n=3, temperature=0.7, speculation="ngram"))
    assert form.notes.text() == "No draft tokens for several answers: they are computed in parallel."
    form.strategy.buttons["beam"].click()
    assert form.notes.text().splitlines() == [
        "No draft tokens in beam search: its beams are computed in parallel.",
        "No effect in beam search: Temperature 0.7.",
    ]
    assert "speculation" in visible(form)
    form.set_part(DecodingPart(strategy="beam"))
    assert not form.notes.isVisible()


def test_more_unfolds_the_advanced_fields(form: DecodingForm) -> None:
    form.fold.click()
    advanced = {f.name for f in fields_of(DecodingPart) if f.advanced}
    assert visible(form) & advanced == active_fields(DecodingPart(), strategy_of(DecodingPart())) & advanced
    assert form.order.isVisible()


def test_each_shown_field_has_its_sentence_in_sight(form: DecodingForm) -> None:
    form.fold.click()
    for strategy in [row.name for row in METHODS.of("decoding")]:
        form.strategy.buttons[strategy].click()
        for field in fields_of(DecodingPart):
            row = form.row(field.name) if field.name in visible(form) else None
            if row is not None and field.name != "grammar":
                said = [text.text() for text in row.findChildren(Text) if text.isVisible()]
                assert any(words.startswith(field.help) for words in said), field.name


def test_thinking_is_asked_where_the_models_template_has_a_switch_or_it_is_set(qtbot: QtBot, theme: Theme) -> None:
    panel, thinker = RecipePanel(), msgspec.structs.replace(SMOL, name="Thinker", thinking=True)
    qtbot.addWidget(panel)
    panel.set_choices((SMOL, thinker), ())
    row = panel.prompt_form.thinking
    seen: list[Recipe] = []
    panel.changed.connect(seen.append)
    panel.set_recipe(Recipe(model=ModelPart(name=SMOL.name)))
    assert row.isHidden()
    panel.set_recipe(Recipe(model=ModelPart(name="Thinker")))
    assert not row.isHidden()
    row.changed.emit("thinking", "off")
    assert [recipe.prompting.thinking for recipe in seen] == ["off"]
    panel.set_recipe(msgspec.structs.replace(seen[0], model=ModelPart(name=SMOL.name)))
    assert not row.isHidden()


def test_nothing_is_cut_off_in_the_narrowest_panel(qtbot: QtBot, theme: Theme) -> None:
    panel = RecipePanel()
    panel.set_methods(registry.describe())
    qtbot.addWidget(panel)
    panel.resize(300, 900)
    panel.decoding.open()
    panel.decoding_form.fold.setChecked(True)
    panel.show()
    area = panel.findChild(QScrollArea)
    assert area is not None
    for strategy in [row.name for row in METHODS.of("decoding")]:
        panel.decoding_form.strategy.buttons[strategy].click()
        assert area.widget().minimumSizeHint().width() <= area.viewport().width()


def test_a_typed_number_moves_the_slider_and_a_wrong_one_is_kept_back(form: DecodingForm) -> None:
    seen = sent(form)
    row = slide(form, "temperature")
    row.control.setFocus()
    row.control.selectAll()
    QTest.keyClicks(row.control, "9")
    QTest.keyClick(row.control, Qt.Key.Key_Return)
    assert seen == []
    assert row.error.isVisible()
    assert row.error.text() == "Range: 0 to 5."
    row.control.selectAll()
    QTest.keyClicks(row.control, "1.5")
    QTest.keyClick(row.control, Qt.Key.Key_Return)
    assert [part.temperature for part in seen] == [1.5]
    assert row.slider.value() == 30
    row.reset.click()
    assert seen[-1].temperature == 0


def test_the_wheel_does_not_move_a_slider_that_is_not_in_use(form: DecodingForm) -> None:
    seen = sent(form)
    row = slide(form, "top_k")
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(row.slider, event)
    assert seen == []


def test_steps_can_be_moved_and_switched_off(form: DecodingForm) -> None:
    form.fold.click()
    seen = sent(form)
    form.order.rows["temperature"].up.click()
    assert seen[-1].order == (*SAMPLING_ORDER[:-2], "temperature", "xtc")
    form.order.rows["dry"].box.click()
    assert "dry" not in seen[-1].order
    assert not form.order.rows["penalties"].up.isEnabled()
    assert form.order.rows["penalties"].up.toolTip() == recipe_texts.IS_FIRST.format(title="Penalties")
    form.order.rows["dry"].box.click()
    assert seen[-1].order[:2] == ("penalties", "dry")  # at its old place


def test_a_step_can_be_dragged(form: DecodingForm, qtbot: QtBot) -> None:
    form.fold.click()
    qtbot.waitUntil(lambda: form.order.rows["top_k"].y() > form.order.rows["dry"].y() > 0)
    seen = sent(form)
    row = form.order.rows["top_k"]
    target = row.mapFrom(form.order, form.order.rows["penalties"].geometry().center())
    middle = QPoint(row.width() // 2, row.height() // 2)
    QTest.mousePress(row, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove, QPointF(middle.x(), target.y()), row.mapToGlobal(QPointF(middle.x(), target.y())),
        Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(row, move)
    assert seen[-1].order[:3] == ("top_k", "penalties", "dry")


def test_the_curve_follows_a_slider_at_once(form: DecodingForm) -> None:
    form.set_part(DecodingPart(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0))
    form.distribution.show_tokens(TOKENS, 1, " t1")
    chart = form.distribution.chart
    assert chart.narrowed.probabilities == pytest.approx(PROBABILITIES)
    row = slide(form, "top_k")
    row.slider.setFocus()
    for _ in range(2):
        QTest.keyClick(row.slider, Qt.Key.Key_Right)
    assert chart.narrowed.probabilities == pytest.approx((0.40 / 0.65, 0.25 / 0.65, 0, 0, 0, 0))
    assert form.distribution.words.text() == recipe_texts.SAMPLED_FROM.format(
        upper="2", value=" tokens are", visible="·t0", share="62%"
    )


def test_left_out_tokens_are_drawn_in_grey_and_the_rest_in_the_accent(form: DecodingForm, theme: Theme) -> None:
    form.set_part(DecodingPart(temperature=1.0, top_k=2, top_p=1.0))
    form.distribution.show_tokens(TOKENS, 1, " t1")
    chart = form.distribution.chart
    chart.resize(300, chart.height())
    picture = chart.grab().toImage()

    def colour(number: int) -> QColor:
        area = chart.bar_area(number)
        return picture.pixelColor(round(area.center().x()), round(area.bottom()) - 4)

    assert colour(0) == theme.colour("accent")
    assert colour(1) == theme.colour("accent")
    assert colour(3) == theme.colour("border")


def test_the_arrow_keys_tell_of_single_tokens(form: DecodingForm) -> None:
    form.set_part(DecodingPart(temperature=1.0, top_k=1, top_p=1.0))
    form.distribution.show_tokens(TOKENS, 0, " t0")
    chart = form.distribution.chart
    chart.setFocus()
    for _ in range(2):
        QTest.keyClick(chart, Qt.Key.Key_Right)
    assert form.distribution.words.text() == f"“·t1”: 25% by the model, {recipe_texts.LEFT_OUT}"


def test_without_a_distribution_there_are_words_and_no_bars(form: DecodingForm) -> None:
    form.distribution.show_note("Not yet.", "Show")
    assert not form.distribution.chart.tokens
    assert form.distribution.note.isVisible()
    assert form.distribution.button.isVisible()


def test_a_distribution_that_comes_moves_no_slider(form: DecodingForm) -> None:
    form.resize(288, 1_200)
    form.distribution.show_note("The last answer has no distribution.", "Show")
    QApplication.processEvents()
    before = form.rows["temperature"].mapTo(form, QPoint(0, 0)).y()
    form.distribution.show_tokens(TOKENS, 0, " t0")
    QApplication.processEvents()
    assert form.distribution.words.isVisible()
    assert form.rows["temperature"].mapTo(form, QPoint(0, 0)).y() == before


@pytest.mark.parametrize(
    ("part", "phrase"),
    [
        (DecodingPart(), "Precise"),
        (DecodingPart(strategy="greedy", repetition_penalty=1.5), "Greedy search"),
        (DecodingPart(strategy="beam"), "Beam search, 4 beams"),
        (DecodingPart(strategy="contrastive"), "Contrastive search"),
        (
            with_preset(DecodingPart(n=3, format="json_schema", grammar="{}"), METHODS.find("creative", "preset")),
            "Creative, 3 answers, JSON by schema",
        ),
        (DecodingPart(temperature=0.8), "Custom, temperature 0.8"),
        (DecodingPart(n=3), "Precise"),
    ],
)
def test_the_state_in_a_phrase(part: DecodingPart, phrase: str) -> None:
    assert describe_decoding(part, METHODS) == phrase


def test_the_draft_model_is_chosen_from_the_catalogue(form: DecodingForm) -> None:
    seen = sent(form)
    form.set_models(["Smol", "Tiny"])
    form.set_part(DecodingPart(speculation="draft", draft_model="gone"))
    box = form.draft_model
    assert box.isVisible()
    assert [box.itemText(i) for i in range(box.count())] == [
        recipe_texts.CHOOSE,
        "Smol",
        "Tiny",
        frame_texts.NOT_HERE.format(value="gone"),
    ]
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert seen[-1].draft_model == "Tiny"
    assert preset_of(seen[-1], METHODS) is METHODS.find("precise", "preset")
