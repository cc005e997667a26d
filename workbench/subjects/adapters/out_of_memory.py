"""Explains that a training, merge or verification ran out of memory, and which settings need less."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.api import events
from workbench.api.protocol import RequestContext, error_of, failure_of
from workbench.base.errors import FaultElsewhere, WorkerDied
from workbench.records.training import TrainingConfig, TrainingPlan
from workbench.techniques.registry import METHODS
from workbench.training.methods.weights_method import method_of

_EXITS = (-getattr(signal, "SIGKILL", 9), 137)
FEW_TOKENS = 256


def explain(failed: events.Failed, config: TrainingConfig, plan: TrainingPlan | None) -> events.Failed:
    """The failure of a training, explained if memory ran out; else unchanged."""
    message = _want_of_memory(failed, "training")
    if not message:
        return failed
    if plan is not None:
        message += f" It was planned to take {_gb(plan.memory_bytes)} of {_gb(plan.memory_free_bytes)} that were free"
        largest = max(plan.memory, key=lambda part: part.bytes, default=None)
        message += f", the most for {largest.name} ({_gb(largest.bytes)})." if largest is not None else "."
    lower = "; ".join(what_to_lower(config)) or "use a smaller model"
    hint = f"Resume it when other programs are closed, or start one that takes less: {lower}."
    return _told(failed, message, hint)


def explain_work(failed: events.Failed, work: str, hint: str) -> events.Failed:
    """How ``work`` on what was trained failed ("merge"), with the hint where it was for want of memory; else as it
    is."""
    message = _want_of_memory(failed, work)
    return _told(failed, message, hint) if message else failed


@contextmanager
def explained_work(work: str, hint: str, context: RequestContext) -> Iterator[None]:
    """``explain_work`` for what is raised within. What was cancelled may have had its process ended: that is none."""
    try:
        yield
    except (WorkerDied, FaultElsewhere) as error:
        failed = failure_of(error)
        if isinstance(failed, events.Failed) and not context.cancelled:
            reason = explain_work(failed, work, hint)
            if reason is not failed:
                raise error_of(reason) from error
        raise


def _want_of_memory(failed: events.Failed, work: str) -> str:
    """The explanation if memory ran out, else "".

    A process that was killed without anybody of ours doing it is nearly always the system's doing, for its memory.
    """
    if failed.reason == "worker" and failed.exit_code in _EXITS:
        return f"The system ended the {work}, most likely because memory ran out."
    if failed.reason == "memory":
        return f"The {work} stopped because memory ran out."
    return ""


def _told(failed: events.Failed, message: str, hint: str) -> events.Failed:
    return events.Failed(message=message, hint=hint, exit_code=failed.exit_code, stderr_tail=failed.stderr_tail)


def what_to_lower(config: TrainingConfig) -> list[str]:
    """Settings that would take less, those that cost the least quality first."""
    weights, optimiser = config.weights, config.optimiser
    found = []
    if optimiser.gradient_checkpointing != "on":
        found.append("switch gradient checkpointing on")
    if optimiser.micro_batch_tokens == 0 or optimiser.micro_batch_tokens > FEW_TOKENS:
        now = f" (now {optimiser.micro_batch_tokens:,})" if optimiser.micro_batch_tokens else ""
        found.append(f"fewer micro-batch tokens{now}")
    if config.data.max_length > FEW_TOKENS:
        found.append(f"shorter examples (now up to {config.data.max_length:,} tokens)")
    method = method_of(weights, METHODS)
    if "packed" in method.base_forms(True) and weights.base not in ("packed", "4bit"):
        found.append("packed base weights")
    found += method.lower(optimiser, METHODS.of("weights")[0].title)
    return found


def _gb(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
