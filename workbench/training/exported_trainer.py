"""How an exported folder trains an objective whose loss is not a language model's: by which of TRL's trainers, with
which settings, and the examples in the form that it takes.

Examples stay tokens, so that TRL trains on the same ones. What TRL computes in another way is named in ``notes``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from workbench.errors import UserError
from workbench.training.sequences import JUDGED_BAD, TokenSequence

Form = Literal["pairs", "judged", "prompts"]


class ExportedTrainer(msgspec.Struct, frozen=True, kw_only=True):
    """``trainer`` is the name of a class of TRL, ``arguments`` those of its configuration beside what every training
    sets. ``form`` is that of the examples. ``whole_step``: its loss has a statistic of all examples of a step, which
    therefore are one micro-batch. ``scores``: a score head is trained in place of the language model's.

    ``answers`` are sampled to each prompt of a step, by which the weights are updated ``updates`` times; each of
    ``rewards`` is a function of ``rewards.values``, its options and its weight; ``penalises``: an answer that does not
    end gets -1. ``notes`` say what differs from the training in this program."""

    trainer: str
    form: Form
    arguments: dict[str, Any] = {}
    whole_step: bool = False
    scores: bool = False
    answers: int = 1
    updates: int = 1
    rewards: tuple[dict[str, Any], ...] = ()
    penalises: bool = False
    notes: tuple[str, ...] = ()


def not_in_trl(title: str) -> UserError:
    """The reason why an objective is not exported."""
    return UserError(
        f"TRL 1.16 has no trainer for {title} among those whose interface is stable.",
        "Train it here, or export a training of an objective that TRL has: docs/preferences.md lists them.",
    )


def with_arguments(exported: ExportedTrainer, trainer: str, **arguments: Any) -> ExportedTrainer:
    """Of another class of TRL, with further arguments."""
    return msgspec.structs.replace(exported, trainer=trainer, arguments={**exported.arguments, **arguments})


def _pair(row: TokenSequence) -> dict[str, Any]:
    prompt, [second] = row.trained.index(True), row.starts
    return {
        "prompt_ids": row.tokens[:prompt],
        "chosen_ids": row.tokens[prompt:second],
        "rejected_ids": row.tokens[second:],
    }


def _judged(row: TokenSequence) -> dict[str, Any]:
    prompt = row.trained.index(True)
    return {
        "prompt_ids": row.tokens[:prompt],
        "completion_ids": row.tokens[prompt:],
        "label": row.mark != JUDGED_BAD,
    }


def _prompt(row: TokenSequence) -> dict[str, Any]:
    return {"prompt_ids": row.tokens}


FORMS: dict[Form, Callable[[TokenSequence], dict[str, Any]]] = {"pairs": _pair, "judged": _judged, "prompts": _prompt}
"""A row of TRL's data made of a training sequence."""
