"""``workbench preferences judge`` and ``verdict``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.events import Artifact, Failed
from workbench.records.judgement_reports import MeanEstimate, ShareEstimate
from workbench.records.judgements import LabellingQueue
from workbench.records.judging import JudgeReport, KappaEstimate, WinRate
from workbench.subjects.judgements.calls import GetWinRate, JudgePairs, ListQueues, MakeCandidates, QueueList
from workbench.subjects.prompts.calls import ListPrompts, PromptList
from workbench.subjects.runs.calls import FollowRun, RunRecord

Run = Callable[..., Ran]
RUN = RunRecord(id="r1", kind="judging", title="Judging", state="queued", created=0.0)
QUEUE = LabellingQueue(id="q1", name="worth it", created=0.0, purpose="verdict", columns=("before", "after"), waiting=0)
HALF = ShareEstimate(value=0.5, low=0.4, high=0.6, n=80)
REFUSED = JudgeReport(
    pairs=10, a_share=ShareEstimate(value=1.0, low=0.84, high=1.0, n=20), order_agreement=HALF, kept=0, mass=0.11,
    bias=2.29, spread=0.25, agreement=ShareEstimate(), kappa=KappaEstimate(), uncorrected=HALF, accepted=False,
    reasons=("It names the answer shown first 20 of 20 times, whichever it is.",),
)  # fmt: skip
WON = WinRate(
    first="before", second="after", n=64, won=50, lost=10, tied=4, both_bad=0,
    rate=ShareEstimate(value=0.81, low=0.7, high=0.89, n=64), controlled=HALF,
    characters_first=MeanEstimate(value=200, n=64), characters_second=MeanEstimate(value=150, n=64),
    second_shown_first=HALF, judges={"letter-share": 64}, waiting=0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(front: FakeFront) -> None:
    front.answer(ListQueues, QueueList(queues=(QUEUE,)))
    front.answer(ListPrompts, PromptList(prompts=()))
    front.answer(JudgePairs, RUN)
    front.answer(MakeCandidates, msgspec.structs.replace(RUN, id="r0", kind="candidates"))
    front.answer(FollowRun, {"judged": 3, "dropped": 1, "report": None, "win_rate": None})
    front.answer(GetWinRate, WON)


def test_a_judge_is_measured_and_its_figures_are_shown(run: Run, front: FakeFront, tmp_path: Path) -> None:
    principles = tmp_path / "principles.txt"
    principles.write_text("Be kind.")
    told = Artifact(kind="judge", id="r1", result=msgspec.to_builtins(REFUSED))
    front.end(FollowRun, told, Failed(message="This judge may not compare for you.", hint="x", reason="user"))
    judge = ("--judge", "SmolLM2 135M Instruct", "--constitution", str(principles), "--measured", "40")
    ran = run("preferences", "judge", "worth it", *judge)
    assert ran.status == 1
    assert "may not compare for you" in ran.err
    for words in ("100% (84% to 100%)", "+2.29 nats", "11% of the probability", "no. It names the answer shown first"):
        assert words in ran.out
    [asked] = front.asked(JudgePairs)
    assert (asked.queue, asked.constitution, asked.limit, asked.rewards) == ("worth it", "Be kind.", 40, ())
    assert asked.recipe.model.name == "SmolLM2 135M Instruct"


def test_rewards_judge_a_queue(run: Run, front: FakeFront) -> None:
    ran = run(
        "preferences", "judge", "worth it", "--reward", "letter-share letters=e", "--reward", "length-range weight=2"
    )
    assert ran.status == 0
    assert "3 pairs judged, 1 on which it contradicted itself." in ran.out
    assert front.asked(JudgePairs)[0].rewards == ("letter-share letters=e", "length-range weight=2")


def test_a_judge_has_to_be_named(run: Run) -> None:
    assert run("preferences", "judge", "worth it").status == 2


def test_the_win_rate_of_a_queue_is_shown(run: Run, front: FakeFront) -> None:
    ran = run("preferences", "blind-test", "worth it")
    assert "after is better: it won 81% of 64 prompts (70% to 89%)." in ran.out
    assert "before 200, after 150" in ran.out
    assert not front.asked(MakeCandidates)


def test_a_verdict_is_started_judged_and_told(run: Run, front: FakeFront) -> None:
    front.answer(ListQueues, QueueList(queues=()))
    recipes = ("--recipe", "SmolLM2 135M Instruct", "--recipe", "SmolLM2 135M Instruct")
    ran = run(
        "preferences", "blind-test", "new", *recipes, "--path", "capitals", "--limit", "8", "--reward", "letter-share"
    )
    assert ran.status == 0
    [made] = front.asked(MakeCandidates)
    assert (made.name, made.purpose, made.prompts, made.path, made.part, made.limit) == (
        "new", "verdict", "questions", "capitals", "held-out", 8,
    )  # fmt: skip
    assert [one.queue for one in front.asked(JudgePairs)] == ["new"]
    assert run("preferences", "blind-test", "other", "--recipe", "SmolLM2 135M Instruct").status == 2


def test_a_queue_that_is_there_is_not_started_again(run: Run) -> None:
    ran = run("preferences", "blind-test", "worth it", "--recipe", "a", "--recipe", "b")
    assert ran.status == 1
    assert "There is already a comparison" in ran.err


def test_the_former_names_of_commands_do_the_same_and_name_the_new_ones(run: Run) -> None:
    ran = run("prefs", "verdict", "worth it")
    assert ran.out == run("preferences", "blind-test", "worth it").out
    assert "`workbench preferences verdict` is called `workbench preferences blind-test` now." in ran.err
    assert "`workbench prefs` is called `workbench preferences` now." in run("prefs", "comparisons").err
    assert (
        "`workbench preferences queues` is called `workbench preferences comparisons` now."
        in run("prefs", "queues").err
    )
    assert "prefs" not in run("--help").out
