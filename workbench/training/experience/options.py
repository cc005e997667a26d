"""The settings that all policy objectives share."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.base.fields import about


class PolicyOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How answers are sampled and rewarded, and how far the policy may go in a step and in all."""

    rewards: Annotated[
        tuple[str, ...],
        about("Rewards"),
        "Each line is a reward: its name, its settings and its weight, such as letter-share letters=e weight=0.5. The "
        "reward of an answer is their weighted sum.",
    ] = ()
    answers: Annotated[
        int, about("Answers per prompt", ge=1, le=64), "Each prompt of a step gets this number of sampled answers."
    ] = 4
    max_new_tokens: Annotated[
        int,
        about("Maximum new tokens", ge=1, le=4096, unit="tokens"),
        "A sampled answer has at most this number of tokens.",
    ] = 24
    unfinished: Annotated[
        Literal["score", "penalise", "mask"],
        about("Answers that reach the limit"),
        "Answers that reach the maximum length are scored as they are, given the reward -1, or left out of the update.",
    ] = "score"
    temperature: Annotated[
        float, about("Temperature", gt=0, le=5, advanced=True), "The answers are sampled at this temperature."
    ] = 1.0
    updates: Annotated[
        int,
        about("Updates per step", ge=1, le=16),
        "The answers of a step update the weights this many times.",
    ] = 2
    beta: Annotated[
        float,
        about("KL weight", ge=0, le=10),
        "The policy is drawn more strongly to the reference model at a higher weight, which is adapted to the target "
        "in every step.",
    ] = 0.05
    target_kl: Annotated[
        float,
        about("Target KL", ge=0, le=1000, unit="nats"),
        "The training aims at this divergence from the reference model per answer. At twice the target it stops, and "
        "takes the best weights below that. At 0, the weight is not adapted and the training does not stop.",
    ] = 4.0
    clip: Annotated[
        float,
        about("Clip range", gt=0, lt=1, advanced=True),
        "An update may change a token's probability by this share.",
    ] = 0.2
    largest_change: Annotated[
        float,
        about("Largest change", gt=0, le=10, advanced=True),
        "The remaining updates of a step are left out when half the mean square of the changes of the log- "
        "probabilities is larger.",
    ] = 0.05
    rollouts: Annotated[
        Literal["auto", "engine", "transformers"],
        about("Sampling answers", advanced=True),
        "The answers are sampled by the engine, by the model in training, or by the faster one, which is measured at "
        "the start.",
    ] = "auto"
    unpack: Annotated[
        Literal["auto", "on", "off"],
        about("Unpack for sampling", advanced=True),
        "The engine can sample with a copy of a quantised model in 16 bits, which is faster for several answers at "
        "once and takes two bytes of memory per weight. Automatic makes the copy where there is room.",
    ] = "auto"
    importance_cap: Annotated[
        float,
        about("Importance cap", ge=1, le=100, advanced=True),
        "A token that is less probable to the engine than to the model in training is weighted by at most this number.",
    ] = 2.0
