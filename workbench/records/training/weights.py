"""Which weights of a model a training moves, and how what it makes of them is served."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from workbench.errors import UserError
from workbench.fields import about

WeightsMethod = Literal[
    "full", "layers", "biases", "norms", "lora", "rslora", "dora", "loha", "lokr", "vera", "miss", "oft", "ia3",
    "prompt", "p-tuning", "prefix",
]  # fmt: skip
ArtifactKind = Literal["lora", "merged", "soft-prompt", "prefix", "unknown"]
"""How the engine serves what was trained: a GGUF LoRA and a soft prompt are switched on over the base model, a prefix
is put into its memory, and a merged GGUF is a model of its own. Unknown is that of a card that cannot be read."""

ARTIFACTS: dict[WeightsMethod, ArtifactKind] = {
    "full": "merged", "layers": "merged", "biases": "merged", "norms": "merged",
    "lora": "lora", "rslora": "lora", "dora": "merged", "loha": "merged", "lokr": "merged", "vera": "lora",
    "miss": "lora", "oft": "merged", "ia3": "merged",
    "prompt": "soft-prompt", "p-tuning": "soft-prompt", "prefix": "prefix",
}  # fmt: skip

assert set(ARTIFACTS) == set(get_args(WeightsMethod))

RANKS: dict[WeightsMethod, int] = {
    "lora": 16, "rslora": 16, "dora": 16, "loha": 8, "lokr": 16, "vera": 256, "miss": 32
}  # fmt: skip
"""The methods that have a rank, and the one that each takes where nothing is said: what moves is then about as much as
LoRA's at 16 with LoHa and MiSS, an eighth of it at most with LoKr, a few hundredths with VeRA."""

ALPHAS: tuple[WeightsMethod, ...] = ("lora", "rslora", "dora", "loha", "lokr")
"""Of these, the ones whose change counts by alpha over the rank."""

KRONECKER_FACTOR = 8
"""LoKr's left matrix has so many rows and columns where the layer's widths can be divided by it."""

BaseForm = Literal["auto", "f32", "bf16", "packed", "4bit"]
MergedType = Literal["Q8_0", "F16", "F32", "same"]


class WeightsPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which weights move."""

    method: Annotated[
        WeightsMethod, about("Method"), "Which weights learn: small ones beside the model's, some of them, or all."
    ] = "lora"
    base: Annotated[
        BaseForm,
        about("Base weights", advanced=True),
        "How the weights that do not move are held: auto takes what this machine computes fastest "
        "and has memory for; packed keeps them as small as in the GGUF file.",
    ] = "auto"
    rank: Annotated[
        int,
        about("Rank", ge=0, le=512, group="low-rank"),
        "How much a low-rank change can say; more learns more and takes more memory. 0 takes what suits the method.",
    ] = 0
    alpha: Annotated[
        float,
        about("Alpha", ge=0, le=1024, group="alpha"),
        "How strongly a low-rank change counts, over its rank; 0 takes twice the rank.",
    ] = 0.0
    dropout: Annotated[
        float,
        about("Dropout", ge=0, le=0.9, group="low-rank", advanced=True),
        "The share of a low-rank change that is left out at random at each step, against learning by heart.",
    ] = 0.0
    targets: Annotated[
        Literal["all", "attention", "feed-forward"],
        about("Targets", group="targets", advanced=True),
        "Which linear layers get a low-rank change, or are rotated.",
    ] = "all"
    block_size: Annotated[
        int,
        about("Block size", ge=2, le=1024, group="rotations"),
        "How many numbers are rotated among each other, for oft; larger blocks learn more and take more memory.",
    ] = 32
    last_layers: Annotated[
        int,
        about("Layers", ge=1, le=512, group="selection"),
        "How many of the last layers move, for the method layers.",
    ] = 4
    layers: Annotated[
        str,
        about("Chosen layers", group="selection", advanced=True),
        "Which layers move instead of the last ones, counted from 0: 0-3, 28.",
    ] = ""
    virtual_tokens: Annotated[
        int,
        about("Virtual tokens", ge=1, le=1024, unit="tokens", group="soft prompts"),
        "How many learnt tokens stand before every text, for prompt, p-tuning and prefix.",
    ] = 20


def rank_of(weights: WeightsPart) -> int:
    """The rank of a low-rank change, as asked for or as it suits the method."""
    return weights.rank or RANKS.get(weights.method, 16)


def layers_of(weights: WeightsPart, count: int) -> tuple[int, ...]:
    """Which of a model's ``count`` layers the method layers moves, ascending from 0.

    Raises UserError for numbers that the model does not have and for what are no numbers.
    """
    if not weights.layers.strip():
        return tuple(range(count)[-weights.last_layers :])
    chosen: set[int] = set()
    for part in weights.layers.split(","):
        first, dash, last = (side.strip() for side in part.partition("-"))
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(first) > 6 or len(last) > 6:
            raise UserError(f"{part.strip()!r} are no layers.", "Write numbers and ranges, as in 0-3, 28.")
        low, high = int(first), int(last or first)
        if low > high or high >= count:
            raise UserError(f"The model has no layers {part.strip()}.", f"Its layers are 0 to {count - 1}.")
        chosen.update(range(low, high + 1))
    return tuple(sorted(chosen))
