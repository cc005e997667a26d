"""What a run is shown with: sample answers in the place that there is, charts without made-up numbers."""

from __future__ import annotations

import msgspec
from pytestqt.qtbot import QtBot

from tests.toy_objective import Toy
from tests.ui.fake_training import plan
from ui.components.basics import Text
from ui.components.curves import CurveChart, Series
from ui.features.training.run_view import TrainRun
from ui.features.training.sample_answers import SampleAnswers
from ui.features.training.scores import TrainingScores, score_rows
from ui.features.training.state import TrainingState
from ui.features.training.texts import where_it_is
from ui.theme.theme import Theme
from workbench.api import events
from workbench.api.calls import RunRecord
from workbench.records.training import (
    PLAN,
    DataPart,
    ObjectivePart,
    SampleAnswer,
    Scores,
    ScoresPair,
    TrainingConfig,
)


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


def test_a_run_is_drawn_as_its_objective_declares(qtbot: QtBot, theme: Theme) -> None:
    config = TrainingConfig(objective=ObjectivePart(name="toy"), data=DataPart(path="facts"))
    planned = msgspec.structs.replace(plan(config), metrics=Toy.metrics, charts=Toy.charts)
    story = TrainingState()
    story.tell(
        [
            events.Artifact(kind="plan", id="r", result=PLAN.plain(planned)),
            events.Metric(name="wrong", value=0.75, step=1),
            events.Metric(name="evaluation_wrong", value=0.5, step=1),
        ]
    )
    scores = [Scores(loss=2.0, metrics={"wrong": share}) for share in (0.9, 0.25)]
    story.scores = ScoresPair(before=scores[0], after=scores[1])
    view = TrainRun()
    qtbot.addWidget(view)
    usual = list(view.charts)
    view.show_run(RunRecord(id="r", kind="train", title="toy", state="running", created=1.0), story)
    assert list(view.charts) == [*usual, "wrong"]
    drawn = view.charts["wrong"].series
    assert [(series.name, list(series.values)) for series in drawn] == [
        ("Wrong tokens", [0.75]),
        ("Wrong held-out tokens", [0.5]),
    ]
    assert ("Wrong held-out tokens", "90%", "25%") in score_rows(story.metrics, story.scores)


def test_a_training_that_cost_general_abilities_shows_a_warning(qtbot: QtBot, theme: Theme) -> None:
    view = TrainingScores()
    qtbot.addWidget(view)
    before, after = Scores(loss=3.466), Scores(loss=4.06)
    view.show_scores((), ScoresPair(before=before, after=before), ScoresPair(before=before, after=after), None, None)
    assert not view.warning.isHidden()
    assert view.warning.text.startswith("Warning: the model lost general abilities: perplexity")
    view.show_scores((), ScoresPair(before=before, after=before), ScoresPair(before=before, after=before), None, None)
    assert view.warning.isHidden()


def test_one_share_goes_through_all_stages() -> None:
    story = TrainingState()
    shares = []
    for stage, done, total, overall in (
        ("scoring before", 30, 36, 0.2),
        ("training", 1, 40, 0.25),
        ("evaluating", 1, 4, 0.25),
        ("scoring after", 3, 36, 0.8),
    ):
        told = events.Progress(stage=stage, done=done, total=total, unit="steps", overall=overall, seconds_left=60.0)
        story.tell([told])
        words, share, _, left = where_it_is(story)
        assert (words, left) == (stage.capitalize(), 60.0)
        shares.append(share)
    assert shares == [0.2, 0.25, 0.25, 0.8]
