"""The terminal output of a training, a merge or the building of a set while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.api.events import Artifact, Event, Metric
from workbench.cli.output import TextOutput, byte_size, count_size, duration, one_line
from workbench.records.training import (
    LANGUAGE_MODEL_METRICS,
    PLAN,
    MetricSpec,
    SampleAnswer,
    ScoresPair,
    VerificationReport,
    score_of,
    scored,
    spell,
)
from workbench.records.training.measured import explain_measured
from workbench.records.training.outcomes import learnt_words, loses_half, lost_words, outcome_warning
from workbench.records.training.reward_texts import describe_reward
from workbench.records.training.rewards import RewardReport
from workbench.records.training.verdicts import describe_forgetting, verdict_words, why

WARNING = "WARNING: "
LINES = 20
"""About so many lines of the loss are written in all; each evaluation has one besides."""


class RunLines:
    """A ``EventMessage`` that keeps a step's numbers until all of them are there."""

    def __init__(self) -> None:
        self._steps = 0
        self._metrics = _shown(LANGUAGE_MODEL_METRICS)
        self._step = -1
        self._numbers: dict[str, float] = {}
        self._written = -1
        self._sampled = -1

    def __call__(self, event: Event, output: TextOutput) -> None:
        if isinstance(event, Metric):
            if event.step != self._step:
                self._flush(output)
                self._step = event.step
            self._numbers[event.name] = event.value
            return
        self._flush(output)
        if isinstance(event, Artifact):
            self._artifact(event, output)

    def _artifact(self, event: Artifact, output: TextOutput) -> None:
        if event.kind == "plan":
            plan = PLAN.get(event.result)
            self._steps, self._metrics = plan.steps, _shown(plan.metrics)
            show_plan(event.result, output)
            output.line()
        elif event.kind == "sample":
            self._sample(msgspec.convert(event.result, SampleAnswer), output)
        elif event.kind == "adapter" and event.result.get("state") == "checking":
            output.line(f"{event.result['name']} can be used; its file is being compared with the trained model.")
        elif event.kind == "verification":
            show_verification(event.result, output)
        elif event.kind == "pair":
            question, answer, reason = (
                one_line(str(event.result.get(key, ""))) for key in ("question", "answer", "reason")
            )
            output.line(f"{question}  {answer}" + (f"  (left out: {reason})" if reason else ""))

    def _sample(self, sample: SampleAnswer, output: TextOutput) -> None:
        """The first of each evaluation."""
        if sample.step == self._sampled:
            return
        self._sampled = sample.step
        right = "as expected" if sample.exact else f"expected: {one_line(sample.expected)}"
        output.line(f"  {one_line(sample.question)}  {one_line(sample.answer)}  ({right})")

    def _flush(self, output: TextOutput) -> None:
        numbers, self._numbers = self._numbers, {}
        measured = {name: value for name, value in numbers.items() if name in self._metrics}
        evaluated = any(self._metrics[name].score or name.startswith("general_") for name in measured)
        due = self._written < 0 or self._step >= self._written + max(1, self._steps // LINES)
        if not measured or not (evaluated or due):
            return
        if not evaluated:
            self._written = self._step
        place = f"{self._step}/{self._steps}" if self._steps else str(self._step)
        output.line(
            "  ".join(
                [
                    f"step {place}",
                    *(f"{m.label} {spell(m, measured[m.name])}" for m in self._metrics.values() if m.name in measured),
                ]
            )
        )


def _shown(metrics: Sequence[MetricSpec]) -> dict[str, MetricSpec]:
    return {metric.name: metric for metric in metrics if metric.label}


def show_verification(plain: dict[str, Any], output: TextOutput) -> None:
    """Whether the exported file is what was trained, and a line for each comparison."""
    verification = msgspec.convert(plain, VerificationReport)
    output.line(verdict_words(verification))
    for one in verification.agreements:
        output.line(f"  {why(one)}")
    for note in verification.notes if verification.agreements else ():
        output.line(f"  {note}")


def show_scores(
    result: dict[str, Any], output: TextOutput, metrics: Sequence[MetricSpec] = LANGUAGE_MODEL_METRICS
) -> None:
    """What was learnt and what was lost, then before and after on the evaluation examples and on the general set;
    nothing where nothing was measured. ``result`` has ``scores`` and ``forgetting``; of a reward model also how well it
    agrees."""
    scores, forgetting = (msgspec.convert(result[part], ScoresPair) for part in ("scores", "forgetting"))
    for words in (learnt_words(scores), lost_words(forgetting)):
        if words:
            output.line(words)
    if words := outcome_warning(scores, forgetting, result["kind"]):
        output.line(f"{WARNING}{words}")
    rows = []
    for label, part in (("evaluation", "scores"), ("general", "forgetting")):
        pair = msgspec.convert(result[part], ScoresPair)
        own = {name for one in (pair.before, pair.after) if one is not None for name in one.metrics}
        declared = {metric.score for metric in metrics}
        more = [MetricSpec(name=name, title=name.replace("_", " ").capitalize(), score=name) for name in sorted(own)]
        for metric in (*scored(metrics), *(one for one in more if one.name not in declared)):
            sides = [score_of(one, metric.score) for one in (pair.before, pair.after)]
            if any(value is not None for value in sides):
                title = "Loss" if metric.score == "loss" else metric.title
                rows.append((label, title, *("" if value is None else spell(metric, value) for value in sides)))
    if rows:
        output.table(("", "", "BEFORE", "AFTER"), rows, numbers=("BEFORE", "AFTER"))
        output.line(explain_measured(scores.measured))
    if result.get("reward") is not None:
        for line in describe_reward(msgspec.convert(result["reward"], RewardReport)):
            output.line(line)
    if (words := describe_forgetting(forgetting)) and not loses_half(forgetting):
        output.line(words)


def show_plan(plan: dict[str, Any], output: TextOutput) -> None:
    config = plan["config"]
    optimiser = config["optimiser"]
    share = plan["trainable"] / plan["parameters"] if plan["parameters"] else 0
    parts = ", ".join(f"{part['name']} {byte_size(part['bytes'])}" for part in plan["memory"])
    output.pairs(
        [
            ("model", config["model"]),
            ("data", config["data"]["path"]),
            ("method", f"{config['weights']['method']}: {plan['summary']}"),
            ("from", plan["source"]),
            ("trainable", f"{count_size(plan['trainable'])} of {count_size(plan['parameters'])} weights ({share:.2%})"),
            ("result", plan["served"]),
            ("steps", f"{plan['steps']:,}, batch size {optimiser['batch_size']}, {plan['tokens']:,} tokens in all"),
            ("learning rate", f"{optimiser['learning_rate']:g}, {optimiser['schedule']}, by {optimiser['optimiser']}"),
            ("memory", f"{byte_size(plan['memory_bytes'])} of {byte_size(plan['memory_free_bytes'])} free"),
            ("", parts),
            ("disk", f"up to {byte_size(plan['disk_bytes'])} of {byte_size(plan['disk_free_bytes'])} free"),
            ("time", f"about {duration(plan['seconds'])}" if plan["seconds"] is not None else "not known yet"),
        ]
    )
    for note in plan["notes"]:
        output.line(f"  {note}")
