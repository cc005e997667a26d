"""What suits a model, a method and a set of examples, where a config leaves it open. Pure: numbers in, a config out.

The rules are those of the papers named beside them, and of docs/finetuning.md's measurements on small models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from workbench.records.training import BaseForm, OptimiserPart, TrainingConfig, WeightsMethod, WeightsPart, rank_of
from workbench.training.batching import count_steps

Device = Literal["cpu", "cuda"]

FEWEST_STEPS_BETWEEN = 5
"""Evaluations: oftener, and a short run would spend more time on them than on learning."""
FEWEST_STEPS_AN_EPOCH = 8
LARGEST_BATCH = 32
PASS_TOKENS = {"cpu": 1024, "cuda": 8192}
"""More tokens at once are no faster on a processor, and take memory."""
SHORTEST_PASS = 128
WINDOWS = (128, 2048)
"""Tokens: the shortest and the longest window of raw text that is chosen without being asked."""
ALLOWED_SHARE = 0.9
"""Of the free memory, a training may plan to take this."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a recommendation rests on.

    ``examples`` to ``longest``: the training side, lengths in whole tokens; ``ninetieth``: nine of ten are no longer.
    ``base_bytes``: what the weights that do not move take, in each form that is possible here. ``fixed_bytes``: what
    else does not depend on how many tokens are computed at once; ``token_bytes`` and ``checkpointed_token_bytes``:
    what each of those takes. ``fast_bf16``: the device computes faster with 16-bit numbers than with 32-bit ones.
    """

    parameters: int
    layers: int
    width: int
    vocabulary: int
    context_tokens: int
    architecture: str
    examples: int
    tokens: int
    median: int
    ninetieth: int
    longest: int
    cores: int
    memory_free_bytes: int
    device: Device = "cpu"
    fast_bf16: bool = False
    base_bytes: Mapping[BaseForm, int] = {}
    fixed_bytes: int = 0
    token_bytes: int = 0
    checkpointed_token_bytes: int = 0


def recommend(config: TrainingConfig, facts: Facts) -> TrainingConfig:
    """The config with every 0 and "auto" filled in. What it says already is kept, but for what the model cannot do:
    more layers than it has, longer examples than its context."""
    weights = _weights(config.weights, facts)
    longest = longest_tokens(config, facts)
    data = msgspec.structs.replace(config.data, longest_tokens=longest)
    examples = examples_of(config, facts, longest)
    optimiser, form = _optimiser(config, weights, facts, examples, longest)
    every = config.evaluation.every or max(FEWEST_STEPS_BETWEEN, round(optimiser.steps / 10))
    return msgspec.structs.replace(
        config,
        data=data,
        weights=msgspec.structs.replace(weights, base=form),
        optimiser=optimiser,
        evaluation=msgspec.structs.replace(config.evaluation, every=min(every, optimiser.steps)),
    )


def learning_rate(method: WeightsMethod, parameters: int, rank: int = 16) -> float:
    """For AdamW, from the method and the model's size, to two digits.

    All weights: 2e-5 at 7 billion (Alpaca; Touvron et al. 2023, arXiv:2307.09288), higher for smaller models
    (Kaplan et al. 2020, arXiv:2001.08361); how much so is chosen that LoRA gets 1e-3 at 135 million, which learnt
    invented facts in half the epochs that 5e-4 needed (docs/finetuning.md). LoRA wants ten times that (Schulman et
    al. 2025, LoRA Without Regret; 2e-4 at 7 billion in Dettmers et al. 2023, arXiv:2305.14314). rsLoRA divides by
    the root of the rank only, so that the same step counts that much more (Kalajdzievski 2023, arXiv:2312.03732).
    LoHa, LoKr, MiSS and OFT: tried at 135 million, where 20 steps learnt what LoRA learns in them or more; VeRA: as
    tried there; 4e-3 at 7 billion in Kopiczko et al. 2023, arXiv:2310.11454. Biases: Ben Zaken et al. 2021,
    arXiv:2106.10199; norms: Zhao et al. 2023, arXiv:2312.11420; IA3: 3e-3 at 3 to 11 billion (Liu et al. 2022,
    arXiv:2205.05638); a soft prompt wants the largest, 0.3 in Lester et al. 2021, arXiv:2104.08691, with Adafactor, a
    tenth of it with AdamW; P-tuning moves the layers that make its prompt (Liu et al. 2021, arXiv:2103.10385).
    """
    full = 2e-5 * (7e9 / max(parameters, 1e6)) ** 0.4
    rates: dict[WeightsMethod, float] = {
        "full": full,
        "layers": 2 * full,
        "norms": 40 * full,
        "biases": 40 * full,
        "lora": 10 * full,
        "dora": 10 * full,
        "rslora": 10 * full / math.sqrt(rank),
        "loha": 100 * full,
        "lokr": 100 * full,
        "vera": 300 * full,
        "miss": 3 * full,
        "oft": 2 * full,
        "ia3": 100 * full,
        "prompt": 3e-2,
        "p-tuning": 1e-3,
        "prefix": 1e-2,
    }
    return float(f"{rates[method]:.1e}")


def batch_size(examples: int) -> int:
    """A power of two: at least ``FEWEST_STEPS_AN_EPOCH`` steps an epoch where there are examples for them, and at most
    ``LARGEST_BATCH`` examples a step, beyond which small sets only take longer (Keskar et al. 2016, arXiv:1609.04836).
    """
    fitting = max(1, examples // FEWEST_STEPS_AN_EPOCH)
    return min(LARGEST_BATCH, 1 << (fitting.bit_length() - 1))


def longest_tokens(config: TrainingConfig, facts: Facts) -> int:
    """Where examples are cut, or how long a window of raw text is; never beyond the model's context.

    Examples are kept whole up to twice the length that nine of ten do not exceed: one giant must not decide what
    memory the others take.
    """
    room = facts.context_tokens or 131072
    if config.weights.method in ("prompt", "p-tuning", "prefix"):
        room = max(SHORTEST_PASS // 2, room - config.weights.virtual_tokens)
    if config.data.longest_tokens:
        return min(config.data.longest_tokens, room)
    if config.objective == "domain":
        shortest, longest = WINDOWS
        wished = 1 << round(math.log2(max(shortest, facts.tokens / 64)))
        return min(longest if facts.device == "cuda" else longest // 4, wished, room)
    return max(8, min(facts.longest, max(2 * facts.ninetieth, 64), room))


def examples_of(config: TrainingConfig, facts: Facts, longest: int) -> int:
    """How many things a step is made of: examples, or windows of raw text."""
    if config.objective == "domain":
        return max(1, math.ceil(facts.tokens / longest))
    return max(1, facts.examples)


def fitting_form(facts: Facts, room: float) -> BaseForm:
    """The form in which the device computes fastest, of those whose weights take at most ``room`` bytes; where none
    does, the smallest. A packed base costs time, so it is for where memory is short."""
    order: tuple[BaseForm, ...] = ("bf16", "f32", "4bit", "packed")
    if not facts.fast_bf16:
        order = ("f32", "packed", "bf16", "4bit")
    for form in order:
        if form in facts.base_bytes and facts.base_bytes[form] <= room:
            return form
    return min(facts.base_bytes, key=lambda form: facts.base_bytes[form], default="f32")


def _weights(weights: WeightsPart, facts: Facts) -> WeightsPart:
    changes: dict[str, object] = {"last_layers": min(weights.last_layers, max(1, facts.layers))}
    changes["rank"] = rank_of(weights)
    if not weights.alpha:
        changes["alpha"] = 2.0 * rank_of(weights)
    return msgspec.structs.replace(weights, **changes)


def _optimiser(
    config: TrainingConfig, weights: WeightsPart, facts: Facts, examples: int, longest: int
) -> tuple[OptimiserPart, BaseForm]:
    asked = config.optimiser
    batch = asked.batch or batch_size(examples)
    steps = count_steps(examples, batch, asked.epochs, asked.steps)
    rate = asked.learning_rate or learning_rate(weights.method, facts.parameters, weights.rank)
    room = ALLOWED_SHARE * facts.memory_free_bytes / config.processes - facts.fixed_bytes
    typical = facts.median if config.objective == "sft" else longest
    wished = asked.tokens_per_pass or _pass_tokens(facts, typical, longest, math.ceil(batch / config.processes))
    least = asked.tokens_per_pass or max(longest, SHORTEST_PASS)
    form = weights.base
    if form == "auto":
        form = fitting_form(facts, room - least * facts.checkpointed_token_bytes)
    room -= facts.base_bytes.get(form, 0)
    checkpointing = asked.checkpointing
    if checkpointing == "auto":
        checkpointing = "off" if least * facts.token_bytes <= room else "on"
    each = facts.token_bytes if checkpointing == "off" else facts.checkpointed_token_bytes
    tokens = wished if not each else min(wished, max(least, int(room / 2 / each)))
    optimiser = msgspec.structs.replace(
        asked,
        batch=batch,
        steps=steps,
        learning_rate=rate,
        tokens_per_pass=asked.tokens_per_pass or tokens,
        checkpointing=checkpointing,
    )
    return optimiser, form


def _pass_tokens(facts: Facts, typical: int, longest: int, batch: int) -> int:
    """All of a batch where it is small, else as many as the device likes; the longest example must fit."""
    return max(longest, min(PASS_TOKENS[facts.device], max(SHORTEST_PASS, typical * batch)))
