"""A run in a line: how it was set up, its numbers now, its lines in the list."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from ui.components.wording import describe_bytes, describe_speed
from ui.features.training.state import TrainingState
from ui.features.training.texts import BY_TRL, config_of, describe_time, state_of
from workbench.base.catalogue import _
from workbench.records.methods import Methods
from workbench.records.training import TrainingConfig
from workbench.records.training.config import DEFAULT_OBJECTIVE
from workbench.subjects.runs.calls import RunRecord

_MEASURES = {"loss": _("loss"), "reward": _("reward")}


def describe_config(run: RunRecord, methods: Methods[Any]) -> str:
    """``SmolLM2-135M-Instruct · LoRA, rank 16 · facts.jsonl · 24 Nov, 22:10``"""
    config = config_of(run)
    when = describe_time(run.created)
    ended = (
        _("ended {time}").format(time=describe_time(run.ended)) if run.ended is not None else ""
    )  # it may have waited, or been stopped
    if config is None:
        return " · ".join(part for part in (when, ended, run.unreadable) if part)
    row = methods.row(config.weights.method, "weights")
    method = (
        _("{title}, rank {rank}").format(title=row.title, rank=config.weights.rank)
        if config.weights.rank and "low-rank" in row.groups
        else row.title
    )
    objective = _objective(config, methods)
    data = PurePath(config.data.path).name
    by = BY_TRL if config.trainer == "trl" else ""
    return " · ".join(part for part in (config.model, objective, method, by, data, when, ended) if part)


def numbers_now(story: TrainingState) -> str:
    """``loss 0.42 · 410 tokens/s · 1.4 GB memory``; of a policy ``reward 0.61 · in evaluation
    0.55 · KL 1.2 nats · …``"""
    of_reward = any(one.name == "reward" for one in story.metrics)
    name = "reward" if of_reward else "loss"
    value, held = story.curve(name).last, story.curve(f"evaluation_{name}").last
    speed, memory = story.curve("tokens_per_second").last, story.curve("memory_bytes").last
    kl = story.curve("kl").last if of_reward else None
    shown = _MEASURES[name]
    parts = (
        f"{shown} {value:.3f}" if value is not None else "",
        ("" if value is not None else f"{shown} ") + _("in evaluation {value:.3f}").format(value=held)
        if held is not None
        else "",
        _("KL {value:.1f} nats per answer").format(value=kl) if kl is not None else "",
        _("{speed} tokens/s").format(speed=describe_speed(speed)) if speed is not None else "",
        _("{size} of memory").format(size=describe_bytes(int(memory))) if memory is not None else "",
    )
    return " · ".join(part for part in parts if part)


def final_score(run: RunRecord) -> str:
    """``loss 0.31`` or ``reward 0.82``: of a finished run, on the evaluation examples."""
    metrics = run.result.get("metrics", {}) if isinstance(run.result, dict) else {}
    for name in ("after_reward", "after_loss", "evaluation_loss", "loss"):
        value = metrics.get(name) if isinstance(metrics, dict) else None
        if isinstance(value, int | float):
            return f"{_MEASURES[name.rpartition('_')[2]]} {value:.2f}"
    return ""


def list_lines(run: RunRecord, methods: Methods[Any]) -> str:
    """The two lines below a run's name in the list: ``finished · 24 Nov, 22:10`` and ``SmolLM2 · LoRA · loss
    0.31``."""
    config = config_of(run)
    state = state_of(run)[0]
    when = describe_time(run.created)
    if run.state == "running" and run.progress is not None and not run.paused:
        state, when = f"{run.stage} {run.progress:.0%}".strip(), ""  # a share is that of the stage
    how = (
        _what_trains(config, methods) if config is not None else "",
        final_score(run),
        config.model if config is not None else run.unreadable,
    )
    said = " · ".join(part for part in (state, when) if part)
    return f"{said}\n{' · '.join(part for part in how if part)}"


def _objective(config: TrainingConfig, methods: Methods[Any]) -> str:
    """The title of the objective, "" for the usual one."""
    name = config.objective.name
    return "" if name == DEFAULT_OBJECTIVE else methods.row(name, "objective").title


def _what_trains(config: TrainingConfig, methods: Methods[Any]) -> str:
    return _objective(config, methods) or methods.row(config.weights.method, "weights").title
