"""What is known of a reward model: its head, and how well it agrees with judgements that it was not trained on."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.stored import Stored

Pooling = Literal["mean", "last"]
"""Which states of an answer's tokens are scored: their mean, or the last one. The token that ends the answer is none of
them."""


class RewardHead(msgspec.Struct, frozen=True, kw_only=True):
    """A linear score of a state of the model's last layer after its norm: ``weight`` of shape (width,). The scores of
    answers of the base model have mean 0 and standard deviation 1."""

    weight: tuple[float, ...]
    bias: float = 0.0
    pooling: Pooling = "mean"


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs whose preferred answer had a predicted probability from ``low`` to ``high``: its mean, and the share in
    which the person preferred it too."""

    low: float
    high: float
    predicted: float
    observed: float
    pairs: int


class ScoreBin(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of answers whose scores lie from ``low`` to ``high``."""

    low: float
    high: float
    chosen: int
    rejected: int


class RewardReport(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement on ``pairs`` held-out pairs. ``accuracy`` is the share whose chosen answer scores higher (ties count
    half), with its Wilson interval of 95 %; ``length_accuracy`` that of taking the ``length_rule`` ("shorter" or
    "longer", which was right more often on the training pairs); ``gain`` the difference, with a paired bootstrap
    interval. ``temperature`` divides differences of scores before they become probabilities: fitted on the training
    pairs. ``calibration_error`` is the mean difference of predicted and observed shares over the bins, weighted by
    their pairs. ``held_out`` is False where the pairs are those of the training, since none were held out."""

    pairs: int
    accuracy: float
    low: float
    high: float
    length_accuracy: float
    length_rule: Literal["shorter", "longer"]
    gain: float
    gain_low: float
    gain_high: float
    train_pairs: int
    train_accuracy: float
    temperature: float
    calibration_error: float
    calibration: tuple[CalibrationBin, ...] = ()
    scores: tuple[ScoreBin, ...] = ()
    held_out: bool = True

    @property
    def beats_chance(self) -> bool:
        return self.low > 0.5

    @property
    def beats_length(self) -> bool:
        return self.gain_low > 0


class RewardModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a training of a reward model leaves beside its adapter."""

    head: RewardHead
    report: RewardReport


REWARD_MODEL = Stored("description of this reward model", RewardModelFile)
REWARD_FILE = "reward.json"
