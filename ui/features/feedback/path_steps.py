"""The path from preferences to a better model, as four steps: what is done, what is next, what it needs, how long it
takes."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ui.components.wording import describe_count, describe_seconds
from ui.features.feedback import path_texts as texts
from workbench.base.catalogue import translated
from workbench.records.judgement_reports import Learnable
from workbench.records.judgements import LabellingQueue
from workbench.records.judging import WinRate
from workbench.records.methods import MethodInfo, Methods
from workbench.records.reward_lines import RewardLine, write_line
from workbench.records.training import AdapterRecord
from workbench.records.training.measured import examples_scored
from workbench.records.training.reward_texts import describe_agreement, describe_worth
from workbench.subjects.runs.calls import RunRecord

StepName = Literal["pairs", "reward", "policy", "test"]
StepState = Literal["done", "next", "working", "ready", "locked"]
"""``ready``: it can be done, and an earlier step is next."""
LEAST_PAIRS, GOOD_PAIRS = 10, 40
"""Fewer pairs give no reward model; with so many an effect can be seen."""
SECONDS_PER_PAIR = 12
_GOES_ON = ("queued", "running")


@dataclass(frozen=True)
class PathAction:
    """A button of a step. ``make``: the set of preferences is made first, which the page ``page`` is opened with."""

    title: str
    page: str
    target: Mapping[str, Any] = field(default_factory=dict)
    make: bool = False


@dataclass(frozen=True)
class PathStep:
    """``told`` says what is done, or what goes on; ``needs`` what is needed, and ``takes`` how long it takes."""

    name: StepName
    state: StepState
    told: str = ""
    needs: str = ""
    takes: str = ""
    actions: tuple[PathAction, ...] = ()


def steps_of(
    learnable: Learnable,
    adapters: Sequence[AdapterRecord],
    runs: Sequence[RunRecord],
    queues: Sequence[LabellingQueue],
    rates: Mapping[str, WinRate],
    methods: Methods[Any],
) -> tuple[PathStep, ...]:
    """The four steps. ``rates`` are the results of blind tests, by the ids of their queues. ``methods`` has the
    objectives that learn from rewards."""
    objectives = {row.name: row for row in methods.of("objective") if "rewards" in _names(row)}
    usable = [one for one in adapters if one.usable]
    rewards = [one for one in usable if one.reward is not None]
    policies = [one for one in usable if one.config is not None and one.config.objective.name in objectives]
    reward, policy = _latest(rewards), _latest(policies)
    tests = [(queue, one) for queue in queues if (one := _tested(queue, policies)) is not None]
    steps = [
        _pairs(learnable, queues, reward),
        _reward(learnable, reward, runs, _latest([one for one in adapters if one.reward and one.state == "failed"])),
        _policy(reward, policies, runs, objectives, methods),
    ]
    steps.append(_test(policy, tests, rates))
    return _with_one_next(steps)


def _with_one_next(steps: Iterable[PathStep]) -> tuple[PathStep, ...]:
    """Of the steps that can be done the first is next, and those after it are ready."""
    found: list[PathStep] = []
    for step in steps:
        later = step.state == "next" and any(one.state == "next" for one in found)
        found.append(replace(step, state="ready") if later else step)
    return tuple(found)


def _pairs(found: Learnable, queues: Iterable[LabellingQueue], reward: AdapterRecord | None) -> PathStep:
    waiting = sum(queue.waiting for queue in queues if queue.purpose == "label")
    told = texts.PAIRS_RATED.format(pairs=describe_count(found.pairs, "pair")) if found.pairs else ""
    missing = max(0, GOOD_PAIRS - found.pairs)
    more = texts.PAIRS_WAIT.format(pairs=describe_count(waiting, "pair")) if waiting else ""
    needs = texts.PAIRS_NEEDED.format(least=LEAST_PAIRS, good=GOOD_PAIRS)
    takes = _time_of(missing, bool(found.pairs)) if missing else ""
    action = PathAction(texts.RATE, "feedback", {"section": "label"})
    state: StepState = "done" if not missing else "next" if reward is None else "ready"
    return PathStep(
        "pairs", state, " ".join(filter(None, (told, more))), needs if missing else "", takes,
        (action,),
    )  # fmt: skip


def _reward(
    found: Learnable, reward: AdapterRecord | None, runs: Sequence[RunRecord], failed: AdapterRecord | None
) -> PathStep:
    begun = _going_on(runs, ("reward",), reward)
    action = PathAction(texts.TRAIN_REWARD, "train", {"objective": "reward"}, make=True)
    if begun is not None:
        return _working("reward", begun)
    if found.pairs < LEAST_PAIRS and reward is None:
        lacking = LEAST_PAIRS - found.pairs
        return PathStep("reward", "locked", needs=texts.MORE_PAIRS.format(pairs=describe_count(lacking, "more pair")))
    if reward is None:
        told = texts.FAILED.format(name=failed.name, why=_why_failed(failed)) if failed is not None else ""
        shown = (PathAction(texts.SHOW_ADAPTER, "adapters", {"adapter": failed.name}),) if failed is not None else ()
        return PathStep("reward", "next", told, takes=texts.PLAN_SAYS, actions=(action, *shown))
    return PathStep(
        "reward", "done", describe_reward(reward), takes=_took(reward),
        actions=(PathAction(texts.SHOW_ADAPTER, "adapters", {"adapter": reward.name}), action),
    )  # fmt: skip


def _policy(
    reward: AdapterRecord | None,
    policies: Sequence[AdapterRecord],
    runs: Sequence[RunRecord],
    objectives: Mapping[str, MethodInfo],
    methods: Methods[Any],
) -> PathStep:
    begun = _going_on(runs, objectives, _latest(policies))
    if begun is not None:
        return _working("policy", begun)
    actions: tuple[PathAction, ...] = ()
    by_model = next((row for row in methods.of("reward") if "adapter" in _names(row)), None)
    if reward is not None and by_model is not None:
        line = write_line(RewardLine(name=by_model.name, options={"adapter": reward.name}))
        titles = {name: texts.TRAIN_POLICY.format(title=row.title) for name, row in objectives.items()}
        actions = tuple(
            PathAction(title, "train", {"objective": name, "reward": line}, make=True) for name, title in titles.items()
        )
    if not policies:
        if reward is None:
            return PathStep("policy", "locked", needs=texts.REWARD_NEEDED)
        return PathStep("policy", "next", takes=texts.PLAN_SAYS, actions=actions)
    told = " ".join(describe_policy(one, methods) for one in _latest_of_each(policies))
    return PathStep("policy", "done", told, takes=_took(policies[-1]), actions=actions)


def _test(
    policy: AdapterRecord | None,
    tests: Sequence[tuple[LabellingQueue, AdapterRecord]],
    rates: Mapping[str, WinRate],
) -> PathStep:
    if policy is None:
        return PathStep("test", "locked", needs=texts.POLICY_NEEDED)
    begin = PathAction(texts.BEGIN_TEST, "blind-tests", {"adapter": policy.name})
    if not tests:
        takes = _time_of(GOOD_PAIRS, False)
        return PathStep("test", "next", needs=texts.TEST_NEEDS, takes=takes, actions=(begin,))
    told = []
    for queue, adapter in tests[:2]:
        rate = rates.get(queue.id)
        if rate is not None and rate.n:
            share = rate.rate
            told.append(
                texts.RATE_OF.format(name=adapter.name, share=share.value, low=share.low, high=share.high, n=share.n)
            )
    waiting = sum(queue.waiting for queue, _ in tests)
    if waiting:
        told.append(texts.TEST_WAITS.format(pairs=describe_count(waiting, "pair")))
    rate_them = PathAction(texts.RATE, "feedback", {"queue": next((q.id for q, _ in tests if q.waiting), "")})
    actions = (rate_them,) if waiting else (PathAction(texts.SHOW_TESTS, "blind-tests"), begin)
    state: StepState = "next" if waiting or not told else "done"
    return PathStep("test", state, " ".join(told), actions=actions)


# -- parts ---------------------------------------------------------------------------------------------


def _time_of(pairs: int, more: bool) -> str:
    """How long a person compares so many pairs, or so many ``more``."""
    counted = describe_count(pairs, "more pair") if more else describe_count(pairs, "pair")
    time = describe_seconds(pairs * SECONDS_PER_PAIR)
    return texts.TAKES.format(pairs=counted, time=time)


def _why_failed(adapter: AdapterRecord) -> str:
    return adapter.verification.verdict if adapter.verification is not None else adapter.note


def describe_reward(reward: AdapterRecord) -> str:
    """How often it agrees, and what its numbers mean."""
    report = reward.reward
    assert report is not None
    sure = 1 / (1 + math.exp(-1 / max(report.temperature, 1e-6)))
    said = (
        translated(describe_agreement(report)),
        translated(describe_worth(report)),
        texts.MEANING.format(share=sure),
    )
    return " ".join((texts.NAMED.format(name=reward.name), *said))


def describe_policy(policy: AdapterRecord, methods: Methods[Any]) -> str:
    scores = (policy.scores.before, policy.scores.after)
    before, after = (one.metrics.get("reward") if one is not None else None for one in scores)
    title = methods.row(policy.config.objective.name, "objective").title if policy.config is not None else ""
    if before is None or after is None:
        return texts.POLICY_MADE.format(title=title, name=policy.name)
    examples = translated(examples_scored(policy.scores.measured))
    return texts.POLICY_REWARD.format(title=title, name=policy.name, before=before, after=after, examples=examples)


def _going_on(runs: Sequence[RunRecord], objectives: Container[str], made: AdapterRecord | None) -> RunRecord | None:
    """A training of these that computes or is paused, the latest first; or one that has stopped and can be resumed,
    unless ``made`` was trained since it began."""
    since = made.created if made is not None else 0.0
    for run in runs:
        name = (run.config.get("objective") or {}).get("name", "") if isinstance(run.config, dict) else ""
        stopped = run.resumable and run.state != "finished" and run.created > since
        if name in objectives and (run.state in _GOES_ON or stopped):
            return run
    return None


def _working(name: StepName, run: RunRecord) -> PathStep:
    if run.state == "queued":
        told = texts.QUEUED.format(title=run.title)
    elif run.paused:
        told = texts.PAUSED.format(title=run.title)
    elif run.state == "running":
        share = f"{run.progress:.0%}" if run.progress is not None else texts.UNKNOWN_SHARE
        told = texts.RUNNING.format(title=run.title, stage=run.stage, share=share)
    else:
        told = texts.STOPPED.format(title=run.title)
    left = texts.LEFT.format(time=describe_seconds(run.seconds_left)) if run.seconds_left and not run.paused else ""
    return PathStep(name, "working", told, takes=left, actions=(PathAction(texts.SHOW_RUN, "train", {"run": run.id}),))


def _names(row: MethodInfo) -> set[str]:
    """The names of a method's settings."""
    return {setting.name for setting in row.fields}


def _took(adapter: AdapterRecord) -> str:
    return texts.TOOK.format(time=describe_seconds(adapter.seconds)) if adapter.seconds else ""


def _latest(adapters: Sequence[AdapterRecord]) -> AdapterRecord | None:
    return max(adapters, key=lambda one: one.created, default=None)


def _latest_of_each(policies: Sequence[AdapterRecord]) -> list[AdapterRecord]:
    found: dict[str, AdapterRecord] = {}
    for one in sorted(policies, key=lambda each: each.created):
        if one.config is not None:
            found[one.config.objective.name] = one
    return list(found.values())


def _tested(queue: LabellingQueue, policies: Sequence[AdapterRecord]) -> AdapterRecord | None:
    """The policy that a blind test is about: one of its columns, or its name, names it."""
    if queue.purpose != "verdict":
        return None
    named = "\n".join((*queue.columns, queue.name))
    return next((one for one in policies if one.name in named), None)
