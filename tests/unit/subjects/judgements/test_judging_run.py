"""A judge in a run: measured, refused or accepted, and its verdicts in a queue. Judges are scripted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.rewards.fake_rewards import FakeRewardContext
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Scored
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter, LabellingQueue
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.judgements.calls import JudgePairs
from workbench.subjects.judgements.judging.runs import Judging, JudgingResult

QUEUE = LabellingQueue(id="q", name="tuned or not", created=0.0, purpose="verdict", columns=("base", "tuned"))


class ScriptedJudge(FakeRewardContext):
    """Answers for a recipe by a function of the answers shown first and second, its log-odds for the first."""

    def __init__(self, script: Callable[[str, str], float]) -> None:
        self.script = script
        self.asked = 0

    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        self.asked += 1
        text = conversation[-1].content
        first, _, rest = text.partition("Answer A:\n")[2].partition("\n\nAnswer B:\n")
        odds = self.script(first, rest.partition("\n\nWhich answer")[0])
        return [Scored(logprob=min(0.0, odds) - 0.1, tokens=1), Scored(logprob=min(0.0, -odds) - 0.1, tokens=1)]

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        raise NotImplementedError


class FakeRun:
    id = "run"

    def __init__(self) -> None:
        self.context = RequestContext()
        self.told: list[events.Event] = []

    def emit(self, event: events.Event) -> None:
        self.told.append(event)


class FakeStore:
    def __init__(self, judgements: Sequence[Judgement]) -> None:
        self.judgements = {one.id: one for one in judgements}
        self.titles: list[str] = []

    def each(self, which: JudgementFilter) -> Iterator[Judgement]:
        for one in list(self.judgements.values()):
            waits = "" in which.verdicts or one.verdict
            if (
                waits
                and (not which.queue or one.queue == which.queue)
                and (not which.judges or one.judge in which.judges)
            ):
                if which.verdicts and one.verdict not in which.verdicts:
                    continue
                yield one

    def judge_waiting(self, judgement: Judgement, title: str, action: int = 0) -> int:
        stored = self.judgements.get(judgement.id)
        if stored is None or stored.verdict:
            return 0
        self.judgements[judgement.id] = judgement
        self.titles.append(title)
        return 1


def pairs(count: int, *, queue: str = "", judged: bool = True) -> list[Judgement]:
    """Pairs of a short and a long answer in either order; the person prefers the short one."""
    numbers = random.Random(count)
    made = []
    for number in range(count):
        short, long = f"yes {number}", f"well, that depends on a number of things {number}"
        a, b = (short, long) if numbers.random() < 0.5 else (long, short)
        names = ("tuned", "base") if a == short else ("base", "tuned")
        verdict: Any = ("a" if a == short else "b") if judged else ""
        made.append(
            Judgement(
                id=f"{queue}{number}",
                prompt=(Message("user", f"Question {number}?"),),
                a=JudgedAnswer(text=a, name=names[0]),
                b=JudgedAnswer(text=b, name=names[1]),
                shown="ab" if number % 2 else "ba",
                verdict=verdict,
                queue=queue,
            )
        )
    return made


def carried_out(
    folder: Path, script: Callable[[str, str], float], store: FakeStore, **call: Any
) -> tuple[JudgingResult, FakeRun, ScriptedJudge]:
    judge, run = ScriptedJudge(script), FakeRun()
    asked = JudgePairs(recipe=Recipe(name="judge") if "rewards" not in call else None, **call)
    queue = QUEUE if asked.queue else None
    work = Judging(asked, queue, judge, run, folder, store, store)  # type: ignore[arg-type]
    return work.carry_out(), run, judge


def likes_short(first: str, second: str) -> float:
    return 2.0 if len(first) < len(second) else -2.0


def test_a_judge_that_agrees_judges_the_queue(tmp_path: Path) -> None:
    store = FakeStore([*pairs(40), *pairs(12, queue="q", judged=False)])
    result, run, _ = carried_out(tmp_path, likes_short, store, queue="q")
    assert result.report is not None
    assert result.report.accepted
    assert result.report.kappa.value == 1.0
    assert (result.judged, result.dropped) == (12, 0)
    assert result.win_rate is not None
    assert (result.win_rate.won, result.win_rate.n, result.win_rate.judges) == (12, 12, {"judge": 12})
    assert "tuned is better" in result.win_rate.verdict
    assert [one.kind for one in run.told if isinstance(one, events.Artifact)] == ["judge"]
    judged = store.judgements["q0"]
    assert (judged.judge, judged.judge_name) == ("model", "judge")
    assert judged.confidence is not None
    assert judged.confidence > 0.8


@pytest.mark.parametrize("place", [3.0, -3.0])
def test_a_judge_of_one_place_is_refused_within_twenty_pairs(place: float, tmp_path: Path) -> None:
    store = FakeStore([*pairs(60), *pairs(12, queue="q", judged=False)])
    with pytest.raises(UserError) as refused:
        carried_out(tmp_path, lambda first, second: place, store, queue="q")
    assert "times, whichever it is" in refused.value.message
    assert "kappa" in refused.value.hint
    assert not store.titles, "nothing was judged"


def test_a_judge_is_measured_without_judging(tmp_path: Path) -> None:
    store = FakeStore(pairs(60))
    result, run, judge = carried_out(tmp_path, lambda first, second: 1.0, store)
    assert result.report is not None
    assert not result.report.accepted
    assert judge.asked <= 2 * 20, "it is asked no more once that is seen"
    assert any(isinstance(one, events.Artifact) for one in run.told)


def test_a_random_judge_is_refused_with_its_kappa(tmp_path: Path) -> None:
    numbers = random.Random(3)
    store = FakeStore([*pairs(60), *pairs(4, queue="q", judged=False)])
    with pytest.raises(UserError, match="kappa"):
        carried_out(tmp_path, lambda first, second: numbers.gauss(0, 1), store, queue="q")


def test_a_stopped_run_asks_nothing_twice(tmp_path: Path) -> None:
    store = FakeStore(pairs(40))
    carried_out(tmp_path, likes_short, store)
    _, _, judge = carried_out(tmp_path, likes_short, store)
    assert judge.asked == 0


def test_pairs_on_which_the_orders_disagree_are_ties_of_a_verdict(tmp_path: Path) -> None:
    store = FakeStore([*pairs(40), *pairs(6, queue="q", judged=False)])
    store.judgements.pop("0")  # of the same texts

    def script(first: str, second: str) -> float:
        return 1.0 if first.endswith(" 0") else likes_short(first, second)

    result, _, _ = carried_out(tmp_path, script, store, queue="q")
    assert (result.judged, result.dropped) == (6, 1)
    assert store.judgements["q0"].verdict == "tie"


def test_verdicts_and_deletions_by_the_person_during_a_run_are_respected(tmp_path: Path) -> None:
    store = FakeStore([*pairs(40), *pairs(5, queue="q", judged=False)])
    calls = 0

    def script(first: str, second: str) -> float:
        nonlocal calls
        calls += 1
        if calls == 2 * 40 + 1:  # the waiting pairs are known to the judge by now
            store.judgements["q3"] = msgspec.structs.replace(store.judgements["q3"], verdict="bad")
            del store.judgements["q4"]
        return likes_short(first, second)

    result, _, _ = carried_out(tmp_path, script, store, queue="q")
    assert result.judged == 3
    assert (store.judgements["q3"].verdict, store.judgements["q3"].judge) == ("bad", "person")
    assert "q4" not in store.judgements


def test_rewards_judge_without_being_measured(tmp_path: Path) -> None:
    store = FakeStore(pairs(8, queue="q", judged=False))
    result, _, judge = carried_out(
        tmp_path, likes_short, store, queue="q", rewards=("length-range minimum=1 maximum=3",)
    )
    assert result.report is None
    assert judge.asked == 0
    assert result.win_rate is not None
    assert result.win_rate.won == 8
    assert store.judgements["q0"].judge == "rule"


def test_without_judged_pairs_there_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no pairs"):
        carried_out(tmp_path, likes_short, FakeStore([]))
