"""A training in words: its state, its config, where it is, how it ended."""

from __future__ import annotations

import time
from pathlib import PurePath
from typing import Any

import msgspec

from ui.components.basics import Tone
from ui.components.wording import describe_bytes, describe_seconds, how_far
from ui.features.training.state import TrainingState
from workbench.api import events
from workbench.api.calls import RunRecord
from workbench.records.methods import Methods
from workbench.records.training import TrainingConfig

STATES: dict[str, tuple[str, Tone]] = {
    "queued": ("waiting", "plain"),
    "running": ("running", "accent"),
    "paused": ("paused", "attention"),
    "finished": ("finished", "success"),
    "failed": ("failed", "danger"),
    "cancelled": ("stopped", "attention"),
    "interrupted": ("interrupted", "attention"),
}


def describe_time(at: float) -> str:
    """``24 Nov, 22:10``"""
    return time.strftime("%d %b, %H:%M", time.localtime(at))


def config_of(run: RunRecord) -> TrainingConfig | None:
    """A training's config; None where it cannot be read."""
    return None if run.unreadable else msgspec.convert(run.config, TrainingConfig)


def describe_config(run: RunRecord, methods: Methods[Any]) -> str:
    """``SmolLM2-135M-Instruct · LoRA, rank 16 · facts.jsonl · 24 Nov, 22:10``"""
    config = config_of(run)
    when = describe_time(run.created)
    took = f"took {describe_seconds(run.ended - run.created)}" if run.ended is not None else ""
    if config is None:
        return " · ".join(part for part in (when, took, run.unreadable) if part)
    row = methods.row(config.weights.method, "weights")
    method = f"{row.title}, rank {config.weights.rank}" if "low-rank" in row.groups else row.title
    return " · ".join(part for part in (config.model, method, PurePath(config.data.path).name, when, took) if part)


def where_it_is(story: TrainingState) -> tuple[str, float | None, str, float | None]:
    """What is being done, the share of the steps that are done, the same in numbers, and the seconds left."""
    now, step = story.progress, story.step
    if now is None:
        return "", None, "", None
    words = " · ".join(part for part in (now.stage.capitalize(), now.detail) if part)
    if step is not None and (now is step or step.done < step.total):  # an evaluation is a pause between two steps
        numbers = f"step {step.done:,.0f} of {step.total:,.0f}"
        return words, step.done / step.total, numbers, step.seconds_left if now is step else None
    share, numbers = how_far(now)
    return words, share, numbers if now.unit not in ("bytes", "") else "", now.seconds_left


def numbers_now(story: TrainingState) -> str:
    """``loss 0.42 · 410 tokens/s · 1.4 GB memory``"""
    loss, held = story.curve("loss").last, story.curve("evaluation_loss").last
    speed, memory = story.curve("tokens_per_second").last, story.curve("memory_bytes").last
    parts = (
        f"loss {loss:.3f}" if loss is not None else "",
        f"{'' if loss is not None else 'loss '}on held-out examples {held:.3f}" if held is not None else "",
        f"{speed:,.0f} tokens/s" if speed is not None else "",
        f"{describe_bytes(int(memory))} of memory" if memory is not None else "",
    )
    return " · ".join(part for part in parts if part)


def outcome_words(run: RunRecord, story: TrainingState) -> tuple[str, str]:
    """How a run ended and what to do now, with the kind of message; nothing while it goes on or went well."""
    terminal = story.ended
    if run.unreadable:
        return run.unreadable, "attention"
    if run.state in ("queued", "running", "finished"):
        return "", "info"
    if run.state == "failed":
        reason = f"{terminal.message} {terminal.hint}" if isinstance(terminal, events.Failed) else run.message
        if isinstance(terminal, events.Failed) and terminal.reason in ("memory", "bug"):
            reason = terminal.message.splitlines()[0] if terminal.message else "Something went wrong in the program."
        kept = " It can be resumed from its last checkpoint." if run.resumable else ""
        if run.resumable and story.checkpoint_step is None:
            kept = " It had no checkpoint yet: Resume begins it anew."
        return f"{reason.strip() or 'It failed.'}{kept}", "danger"
    if not run.resumable:
        return "It was stopped before its first checkpoint: begin anew with Copy as new.", "attention"
    if story.checkpoint_step is None:
        return "It ended before its first checkpoint: Resume begins it anew.", "attention"
    at = f" at step {story.checkpoint_step:,}"
    if run.state == "interrupted":
        why = run.message or "The program ended in the middle."
        words = f"{why} Its last checkpoint{at} is kept: Resume goes on from there."
        return words, "attention"
    return f"Stopped. Its checkpoint{at} is kept: Resume goes on from there.", "attention"


def final_loss(run: RunRecord) -> float | None:
    """A finished run's loss on held-out examples, or on those that it learnt from."""
    metrics = run.result.get("metrics", {}) if isinstance(run.result, dict) else {}
    for name in ("after_loss", "evaluation_loss", "loss"):
        value = metrics.get(name) if isinstance(metrics, dict) else None
        if isinstance(value, int | float):
            return float(value)
    return None


def state_of(run: RunRecord) -> tuple[str, Tone]:
    """The word for a run's state and its tone."""
    return STATES["paused" if run.paused and run.state == "running" else run.state]


def list_lines(run: RunRecord, methods: Methods[Any]) -> str:
    """What a list says below a run's name, in two lines: ``finished · 24 Nov, 22:10`` and ``SmolLM2 · LoRA · loss
    0.31``."""
    config = config_of(run)
    state = state_of(run)[0]
    when = describe_time(run.created)
    if run.state == "running" and run.progress is not None and not run.paused:
        state, when = f"{run.stage} {run.progress:.0%}".strip(), ""  # a share is that of the stage
    loss = final_loss(run)
    how = (
        methods.row(config.weights.method, "weights").title if config is not None else "",
        f"loss {loss:.2f}" if loss is not None else "",
        config.model if config is not None else run.unreadable,
    )
    said = " · ".join(part for part in (state, when) if part)
    return f"{said}\n{' · '.join(part for part in how if part)}"
