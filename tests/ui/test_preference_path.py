"""The path from preferences to a better model: its steps by what there is, and what its buttons do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_home import FakeHome
from tests.ui.judged_home import furnish_judgements
from ui.bridge import Bridge
from ui.features.feedback import path_texts as texts
from ui.features.feedback.page import FeedbackPage
from ui.features.feedback.path_steps import PathStep, steps_of
from workbench.records.judgement_reports import Learnable, MeanEstimate, ShareEstimate
from workbench.records.judgements import LabellingQueue
from workbench.records.judging import WinRate
from workbench.records.reward_lines import read_line
from workbench.records.training import (
    AdapterRecord,
    ObjectivePart,
    RewardReport,
    Scores,
    ScoresPair,
    TrainingConfig,
    VerificationReport,
)
from workbench.subjects.runs.calls import RunRecord
from workbench.techniques.registry import METHODS

REPORT = RewardReport(
    pairs=8, accuracy=0.75, low=0.41, high=0.93, length_accuracy=0.5, length_rule="shorter", gain=0.25, gain_low=0.0,
    gain_high=0.5, train_pairs=32, train_accuracy=0.9, temperature=1.0, calibration_error=0.1,
)  # fmt: skip
RATE = WinRate(
    first="base", second="polite", n=40, won=28, lost=10, tied=2, both_bad=0,
    rate=ShareEstimate(value=0.72, low=0.57, high=0.84, n=40), controlled=ShareEstimate(),
    characters_first=MeanEstimate(), characters_second=MeanEstimate(), second_shown_first=ShareEstimate(),
)  # fmt: skip


def learnable(pairs: int) -> Learnable:
    return Learnable(
        judgements=pairs, prompts=pairs, pairs=pairs, rated=0, good=0, left_out=(), objectives=(), warnings=()
    )


def trained(name: str, objective: str, created: float = 1.0, **more: Any) -> AdapterRecord:
    config = TrainingConfig(model="Smol", objective=ObjectivePart(name=objective))
    return AdapterRecord(name=name, kind="lora", config=config, created=created, **more)


def run(objective: str, **more: Any) -> RunRecord:
    given = {"state": "running", "progress": 0.4, "stage": "training"} | more
    return RunRecord(
        id="r", kind="train", title="polite", created=1.0, config={"objective": {"name": objective}}, **given
    )


TASTE = trained("my taste", "reward", reward=REPORT)
BEFORE, AFTER = (Scores(loss=0.0, metrics={"reward": reward}) for reward in (0.1, 0.6))
POLITE = trained("polite", "ppo", 2.0, scores=ScoresPair(before=BEFORE, after=AFTER))
TEST = LabellingQueue(id="q", name="polite, 30 Nov", created=3.0, purpose="verdict", judged=40)


def steps(pairs: int, *adapters: AdapterRecord, **more: Any) -> dict[str, PathStep]:
    runs, queues, rates = more.get("runs", ()), more.get("queues", ()), more.get("rates", {})
    return {step.name: step for step in steps_of(learnable(pairs), adapters, runs, queues, rates, METHODS)}


def states(found: dict[str, PathStep]) -> list[str]:
    return [step.state for step in found.values()]


def test_without_preferences_pairs_are_next_and_the_rest_says_what_it_needs() -> None:
    found = steps(0)
    assert states(found) == ["next", "locked", "locked", "locked"]
    assert found["reward"].needs == texts.MORE_PAIRS.format(pairs="10 more pairs")
    assert not found["policy"].actions
    assert found["pairs"].takes == "Comparing 40 pairs takes you about 8 min."
    assert steps(39)["pairs"].takes == "Comparing 1 more pair takes you about 12 s."


def test_a_reward_model_can_be_trained_before_there_are_forty_pairs() -> None:
    assert states(steps(12)) == ["next", "ready", "locked", "locked"]
    assert steps(12)["reward"].actions
    assert states(steps(12, TASTE, POLITE)) == ["ready", "done", "done", "next"]
    assert states(steps(40)) == ["done", "next", "locked", "locked"]


def test_a_reward_model_says_how_often_it_agrees_and_what_its_numbers_mean() -> None:
    found = steps(40, TASTE)
    assert states(found) == ["done", "done", "next", "locked"]
    told = found["reward"].told
    assert "75% of 8 held-out pairs (41% to 93%)" in told
    assert "not shown to be better than chance" in told
    assert "73%" in told
    actions = found["policy"].actions
    assert [action.target["objective"] for action in actions] == ["ppo", "grpo", "dr_grpo", "rloo"]
    reward = read_line(actions[0].target["reward"], METHODS)
    assert (reward.name, reward.options) == ("reward-model", {"adapter": "my taste"})


def test_a_reward_model_that_failed_its_verification_says_why() -> None:
    verdict = "The served scores differ by 31.2% of the spread of torch's; at most 15% is allowed."
    failed = trained(
        "odd", "reward", reward=REPORT, state="failed", verification=VerificationReport(passed=False, verdict=verdict)
    )
    step = steps(12, failed)["reward"]
    assert step.state == "ready"
    assert step.told == texts.FAILED.format(name="odd", why=verdict)
    assert [action.target for action in step.actions[1:]] == [{"adapter": "odd"}]


def test_the_whole_path_ends_with_the_win_rate_and_its_interval() -> None:
    found = steps(40, TASTE, POLITE, queues=(TEST,), rates={"q": RATE})
    assert states(found) == ["done"] * 4
    assert "0.10 to 0.60" in found["policy"].told
    assert "72% of 40 pairs (57% to 84%)" in found["test"].told


def test_a_test_that_waits_is_rated_next() -> None:
    waiting = msgspec.structs.replace(TEST, judged=0, waiting=12)
    found = steps(40, TASTE, POLITE, queues=(waiting,))
    assert found["test"].state == "next"
    assert [dict(action.target) for action in found["test"].actions] == [{"queue": "q"}]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, texts.RUNNING.format(title="polite", stage="training", share="40%")),
        ({"paused": True}, texts.PAUSED.format(title="polite")),
        ({"state": "queued"}, texts.QUEUED.format(title="polite")),
        ({"state": "cancelled", "resumable": True}, texts.STOPPED.format(title="polite")),
    ],
)
def test_a_training_that_goes_on_is_shown_in_its_step(more: dict[str, Any], told: str) -> None:
    found = steps(40, TASTE, runs=(run("grpo", **more),))
    assert (found["policy"].state, found["policy"].told) == ("working", told)
    assert [dict(action.target) for action in found["policy"].actions] == [{"run": "r"}]


def test_a_training_that_was_stopped_before_another_one_ended_is_left_alone() -> None:
    stopped = run("ppo", state="interrupted", resumable=True)  # begun before the adapter was made
    assert states(steps(40, TASTE, POLITE, runs=(stopped,))) == ["done", "done", "done", "next"]
    later = msgspec.structs.replace(stopped, created=9.0)
    assert steps(40, TASTE, POLITE, runs=(later,))["policy"].state == "working"


def test_a_training_of_another_kind_is_no_step() -> None:
    assert states(steps(40, TASTE, runs=(run("sft"),))) == ["done", "done", "next", "locked"]
    assert states(steps(40, TASTE, runs=(run("ppo", state="failed"),))) == ["done", "done", "next", "locked"]


def test_the_buttons_lead_along_the_path(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> None:
    furnish_judgements(home)
    page = FeedbackPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1100, 800)
    page.show()
    page.open_target("path")
    cards = page.path.cards
    qtbot.waitUntil(lambda: bool(cards["pairs"].buttons))
    cards["pairs"].buttons[0].click()
    assert shell.opened == [("feedback", {"section": "label"})]
    assert cards["test"].needs.text() == texts.POLICY_NEEDED
    assert not cards["test"].buttons
