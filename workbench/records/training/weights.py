"""The weights part of a training config: which weights are trained, and how the result is served."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import about

DEFAULT_METHOD = "lora"

ArtifactKind = Literal["lora", "merged", "soft-prompt", "prefix", "reward", "unknown"]
"""How the engine serves what was trained: a GGUF LoRA and a soft prompt are switched on over the base model, a prefix
is put into its memory, and a merged GGUF is a model of its own. A reward model is a LoRA with a score head, which
scores answers and writes none. Unknown is that of a card that cannot be read."""

BaseForm = Literal["auto", "f32", "bf16", "packed", "4bit"]
MergedType = Literal["Q8_0", "F16", "F32", "same"]


class WeightsPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which weights are trained. ``method`` names a weights method of the registry. ``block_size`` is OFT's, in
    configs of earlier versions."""

    method: Annotated[
        str,
        about("Method"),
        "The method decides which weights are trained: additional low-rank ones, some of the model's, or all.",
    ] = DEFAULT_METHOD
    base: Annotated[
        BaseForm,
        about("Base weights", advanced=True),
        "The frozen weights have this number format. Automatic chooses the fastest one that fits into memory.",
    ] = "auto"
    rank: Annotated[
        int,
        about("LoRA rank", ge=0, le=512, group="low-rank", auto="the method decides"),
        "The rank is the size of the low-rank matrices that are added to the model. Larger ones can learn more, and "
        "take more memory.",
    ] = 0
    alpha: Annotated[
        float,
        about("LoRA alpha", ge=0, le=1024, group="alpha", auto="alpha is twice the rank"),
        "Alpha sets how strongly the added matrices act on the answer: what they compute is multiplied by alpha and "
        "divided by the rank.",
    ] = 0.0
    dropout: Annotated[
        float,
        about("LoRA dropout", ge=0, le=0.9, group="low-rank", advanced=True),
        "This share of the low-rank change is dropped at random in each step, against overfitting.",
    ] = 0.0
    targets: Annotated[
        Literal["all", "attention", "feed-forward"],
        about("Target modules", group="targets", advanced=True),
        "The linear layers of this kind are adapted.",
    ] = "all"
    adapted_layers: Annotated[
        int,
        about("Adapted layers", ge=0, le=512, group="low-rank", advanced=True, auto="all are", blank="all"),
        "This number of the last layers is adapted. Fewer are faster, since nothing is learnt in the others.",
    ] = 0
    block_size: int = 32
    last_layers: Annotated[
        int,
        about("Number of layers", ge=1, le=512, group="selection"),
        "This number of the last layers is trained.",
    ] = 4
    layers: Annotated[
        str,
        about("Chosen layers", group="selection", advanced=True),
        "These layers, counted from 0, are trained instead of the last ones, as in 0-3, 28.",
    ] = ""
    virtual_tokens: Annotated[
        int,
        about("Virtual tokens", ge=1, le=1024, unit="tokens", group="soft prompts"),
        "This number of trained tokens stands before every text.",
    ] = 20


def layers_of(weights: WeightsPart, count: int) -> tuple[int, ...]:
    """Which of a model's ``count`` layers are trained, ascending from 0.

    Raises UserError for numbers that the model does not have and for what are no numbers.
    """
    if not weights.layers.strip():
        return tuple(range(count)[-weights.last_layers :])
    chosen: set[int] = set()
    for part in weights.layers.split(","):
        first, dash, last = (side.strip() for side in part.partition("-"))
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(first) > 6 or len(last) > 6:
            raise UserError(f"{part.strip()!r} is not a list of layers.", "Write numbers and ranges, as in 0-3, 28.")
        low, high = int(first), int(last or first)
        if low > high or high >= count:
            raise UserError(f"The model has no layers {part.strip()}.", f"Its layers are 0 to {count - 1}.")
        chosen.update(range(low, high + 1))
    return tuple(sorted(chosen))
