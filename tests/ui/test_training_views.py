"""What a run is shown with: sample answers in the place that there is, charts without made-up numbers."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from ui.components.basics import Text
from ui.components.curves import CurveChart, Series
from ui.features.training.sample_answers import SampleAnswers
from ui.theme.theme import Theme
from workbench.records.training import SampleAnswer


def place(samples: SampleAnswers, words: str) -> tuple[int, int]:
    shown = [text for text in samples.findChildren(Text) if text.text() == words and text.isVisible()]
    assert shown
    label = shown[0]
    spot = label.mapTo(samples, label.rect().topLeft())
    return spot.x(), spot.y()


def test_answers_stand_below_their_question_where_columns_would_be_narrow(qtbot: QtBot, theme: Theme) -> None:
    samples = SampleAnswers()
    qtbot.addWidget(samples)
    samples.resize(1000, 300)
    samples.show()
    answer = SampleAnswer(step=0, question="How long?", expected="36 months", answer="It depends.")
    samples.show_questions([("How long?", "36 months", {0: answer, 5: answer})], ended=True)
    qtbot.waitUntil(lambda: place(samples, "Expected")[0] > place(samples, "How long?")[0])
    samples.resize(380, 300)
    qtbot.waitUntil(lambda: place(samples, "Expected")[1] > place(samples, "How long?")[1])
    assert place(samples, "Expected")[0] == place(samples, "How long?")[0]
    samples.resize(1000, 300)
    qtbot.waitUntil(lambda: place(samples, "Expected")[0] > place(samples, "How long?")[0])


def test_a_chart_of_nothing_has_no_numbers_at_its_axes(qtbot: QtBot, theme: Theme) -> None:
    chart = CurveChart("Loss")
    qtbot.addWidget(chart)
    axis = chart.plot.getPlotItem().getAxis("left")
    assert not axis.style["showValues"]
    chart.show_series([Series("training", "accent", [1], [2.0])])
    assert axis.style["showValues"]
