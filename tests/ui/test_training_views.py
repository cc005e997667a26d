"""What a run is shown with: sample answers in the place that there is, charts without made-up numbers."""

from __future__ import annotations

import math

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.toy_objective import Toy
from tests.ui.fake_training import plan
from ui.components.basics import Text
from ui.components.curves import CurveChart, Series
from ui.components.plot import Line, Plot, running_mean, thinned
from ui.features.training import texts
from ui.features.training.data_report import ExampleView, describe_sides
from ui.features.training.run_texts import final_score
from ui.features.training.run_view import TrainRun, legend_text
from ui.features.training.sample_answers import SampleAnswers
from ui.features.training.scores import TrainingScores, score_rows
from ui.features.training.state import TrainingState
from ui.features.training.texts import where_it_is
from ui.theme.theme import Theme
from workbench.api import events
from workbench.records.training import (
    PLAN,
    DataPart,
    DataReport,
    Measured,
    ObjectivePart,
    Preview,
    PreviewPiece,
    SampleAnswer,
    Scores,
    ScoresPair,
    SideReport,
    TrainingConfig,
)
from workbench.records.training.outcomes import learnt_words
from workbench.subjects.runs.calls import RunRecord
from workbench.training.objectives.dpo import Dpo


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
    assert chart.plot.ticks(upright=True) == []
    chart.show_series([Series("training", "accent", [1], [2.0])])
    assert chart.plot.ticks(upright=True)


def test_axes_have_round_numbers_with_room_for_their_words(qtbot: QtBot, theme: Theme) -> None:
    plot = Plot(from_zero=True)
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.draw_lines([Line([1, 2000], [0.5, 3.0], "#000000", 2, Qt.PenStyle.SolidLine, False)])
    assert [words for _, words in plot.ticks(upright=True)] == ["0", "1", "2", "3"]
    assert [words for _, words in plot.ticks(upright=False)] == ["0", "1,000", "2,000"]


def test_what_is_no_number_is_left_out_of_a_curve(qtbot: QtBot, theme: Theme) -> None:
    plot = Plot(from_zero=False)
    qtbot.addWidget(plot)
    plot.draw_lines([Line([1, 2, 3], [1.0, math.nan, 2.0], "#000000", 2, Qt.PenStyle.SolidLine, True)])
    assert all(math.isfinite(value) for value, _ in plot.ticks(upright=True))
    plot.grab()
    plot.draw_lines([Line([1], [math.inf], "#000000", 2, Qt.PenStyle.SolidLine, True)])
    assert plot.ticks(upright=True) == []


def test_many_points_are_drawn_as_the_lowest_and_highest_of_each_piece() -> None:
    values = [float(step % 100) for step in range(10_000)]
    steps, kept = thinned(range(10_000), values, pieces=50)
    assert len(kept) <= 102
    assert (steps[0], steps[-1], min(kept), max(kept)) == (0, 9_999, 0.0, 99.0)
    assert all(values[int(step)] == value for step, value in zip(steps, kept, strict=True))
    assert thinned([1, 2], [3.0, 4.0]) == ([1, 2], [3.0, 4.0])


def test_a_running_mean_keeps_a_straight_line_and_the_ends() -> None:
    assert running_mean([float(step) for step in range(200)]) == pytest.approx(list(range(200)))
    assert running_mean([0.0, 3.0, 0.0]) == [0.0, 1.0, 0.0]


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


def test_a_training_on_pairs_leads_with_the_pairs_and_shows_no_share_before_it() -> None:
    before = Scores(loss=0.6931, exact_match=0.0, answers=5, metrics={"pair_accuracy": 0.0, "margin": 0.0})
    after = Scores(loss=0.5, tokens=5, exact_match=0.0, answers=5, metrics={"pair_accuracy": 0.8, "margin": 0.4})
    scores = ScoresPair(before=before, after=after, measured=Measured(on="held out", examples=5))
    words = learnt_words(scores)
    assert words.startswith("In 4 of 5 pairs (held-out examples) the preferred answer is ahead; half is chance.")
    assert words.endswith("fell from 0.693 to 0.500.")
    assert ("Pair accuracy, evaluation", "–", "80%") in score_rows(Dpo.metrics, scores)


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


def test_the_legend_of_a_chart_does_not_repeat_its_title() -> None:
    assert legend_text("Length, evaluation", "Answer length") == "Evaluation"
    assert legend_text("Reward: Letters", "Reward") == "Letters"
    assert legend_text("Repetitive, evaluation", "Variety") == "Repetitive, evaluation"
    assert legend_text("Learning rate", "Learning rate") == "Learning rate"


def test_a_policy_is_told_by_its_reward_and_not_by_a_loss() -> None:
    before = Scores(loss=0.2, answers=8, exact_match=0.0, metrics={"reward": -0.2, "kl": 0.0})
    after = Scores(loss=-0.61, answers=8, exact_match=0.0, metrics={"reward": 0.61, "kl": 2.17})
    said = learnt_words(ScoresPair(before=before, after=after))
    assert "rose from -0.20 to 0.61" in said
    assert "2.2 nats" in said
    ended = RunRecord(id="1", kind="train", title="", state="finished", created=0.0)
    policy = {"metrics": {"after_loss": -0.61, "after_reward": 0.61}}
    assert final_score(msgspec.structs.replace(ended, result=policy)) == "reward 0.61"
    assert final_score(msgspec.structs.replace(ended, result={"metrics": {"after_loss": 0.31}})) == "loss 0.31"
    assert final_score(ended) == ""


def test_prompts_are_counted_as_prompts() -> None:
    prompts = DataReport(
        path="p", shape="prompt", train=SideReport(examples=20, tokens=700, trained_tokens=20, median=35)
    )
    assert describe_sides(prompts).startswith("20 prompts for training")
    assert "learns" not in describe_sides(prompts)
    examples = DataReport(
        path="p", shape="prompt", train=SideReport(examples=20, tokens=700, trained_tokens=200, median=35)
    )
    assert "the model learns to write 200 of these 700 tokens" in describe_sides(examples)


def test_the_answers_of_a_pair_have_tints_of_their_own(qtbot: QtBot, theme: Theme) -> None:
    pieces = (PreviewPiece("How high?\n", False), PreviewPiece("Forty metres.", True))
    view = ExampleView()
    qtbot.addWidget(view)
    colours = []
    for more in ((), (PreviewPiece("Very.", True, True),)):
        shown = Preview(source="line 1", pieces=(*pieces, *more), tokens=9, whole_tokens=9, trained_tokens=4)
        view.restart([shown], 1)
        colours.append({_tint(view, text) for text in ("metres", "Very") if text in view.text.toPlainText()})
    assert len(colours[0]) == 1
    assert len(colours[1]) == 2
    assert texts.REJECTED_ANSWER in view.text.toPlainText()


def _tint(view: ExampleView, text: str) -> str:
    return view.text.document().find(text).charFormat().background().color().name()


@pytest.mark.parametrize(("objective", "shown"), [("", True), ("sft", True), ("domain", False), ("ppo", False)])
def test_no_charts_of_another_kind_are_shown_until_the_plan_is_known(objective: str, shown: bool) -> None:
    story = TrainingState(objective)
    assert bool(story.charts) is bool(story.metrics) is shown
