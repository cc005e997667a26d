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
        "One per line: a reward, its settings and its weight, such as: letter-share letters=e weight=0.5. "
        "The answer's reward is their weighted sum.",
    ] = ()
    answers: Annotated[
        int, about("Answers per prompt", ge=1, le=64), "How many answers are sampled to each prompt of a step."
    ] = 4
    max_new_tokens: Annotated[
        int, about("Maximum new tokens", ge=1, le=4096, unit="tokens"), "The maximum length of a sampled answer."
    ] = 24
    unfinished: Annotated[
        Literal["score", "penalise", "mask"],
        about("Unfinished answers"),
        "Answers that reach the maximum length: scored as they are, given the reward -1, or left out of the update.",
    ] = "score"
    temperature: Annotated[
        float, about("Temperature", gt=0, le=5, advanced=True), "The temperature of the sampled answers."
    ] = 1.0
    updates: Annotated[
        int,
        about("Updates per step", ge=1, le=16),
        "How often the weights are updated by the answers of a step.",
    ] = 2
    beta: Annotated[
        float,
        about("KL weight", ge=0, le=10),
        "How strongly the policy is drawn to the model before; adapted to the target in every step.",
    ] = 0.05
    target_kl: Annotated[
        float,
        about("Target KL", ge=0, le=1000, unit="nats"),
        "The divergence from the model before, per answer, that is aimed at. At twice that the training stops, and "
        "the best weights within are taken. 0: neither.",
    ] = 4.0
    clip: Annotated[
        float, about("Clip range", gt=0, lt=1, advanced=True), "How far an update may change a token's probability."
    ] = 0.2
    largest_change: Annotated[
        float,
        about("Largest change", gt=0, le=10, advanced=True),
        "The remaining updates of a step are left out when the mean of the halved squares of the changes of the "
        "log-probabilities is larger.",
    ] = 0.05
    rollouts: Annotated[
        Literal["auto", "engine", "transformers"],
        about("Rollouts", advanced=True),
        "What samples: the engine, the model in training, or the fastest, measured at the start.",
    ] = "auto"
    unpack: Annotated[
        Literal["auto", "on", "off"],
        about("Unpack for rollouts", advanced=True),
        "Whether the engine can sample by a copy of a quantised model in 16 bits, which is faster for several answers "
        "at once and takes two bytes of memory per weight. Automatic: where there is room.",
    ] = "auto"
    importance_cap: Annotated[
        float,
        about("Importance cap", ge=1, le=100, advanced=True),
        "The largest weight of a token that is less probable to the engine than to the model in training.",
    ] = 2.0
