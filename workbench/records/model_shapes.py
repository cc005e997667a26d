"""How a model is built, in words: a decoder, an encoder, both, or a mixture of experts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.base.catalogue import _
from workbench.records.capabilities import ENCODER_DECODER
from workbench.records.models import ModelDetails, ModelRecord

DECODER, ENCODER, BOTH = _("Decoder"), _("Encoder"), _("Encoder-decoder")
EXPERTS = _("Mixture of experts")
_SENTENCES = {
    DECODER: _("It reads from left to right and writes one token after the other, each from all before it."),
    ENCODER: _("It reads a whole text in both directions and gives a vector instead of writing."),
    BOTH: _(
        "Its encoder reads the whole question in both directions, and its decoder writes the answer while it looks "
        "at what was read."
    ),
}
_EXPERT_COUNT = ("expert_count", "num_local_experts", "num_experts", "n_routed_experts")
_EXPERTS_USED = ("expert_used_count", "num_experts_per_tok")


def shape_title(model: ModelRecord) -> str:
    """``Decoder``; "" of an endpoint, whose model is not known."""
    if model.format == "endpoint":
        return ""
    if model.kind == "embedder":
        return ENCODER
    return BOTH if model.architecture in ENCODER_DECODER else DECODER


def describe_shape(details: ModelDetails) -> str:
    """One or two sentences on how the model is built, with the experts that are used for each token; "" where that is
    not known."""
    title = shape_title(details.model)
    if not title:
        return ""
    said = f"{title}. {_SENTENCES[title]}"
    experts, used = (_number(details.metadata, names) for names in (_EXPERT_COUNT, _EXPERTS_USED))
    if experts < 2:
        return said
    if used:
        count = _("each layer has {experts:,} experts, of which a small router uses {used:,} for each token.")
    else:
        count = _("each layer has {experts:,} experts.")
    cost = _("All take memory, and only those that are used take time.")
    return f"{EXPERTS}: {count.format(experts=experts, used=used)} {cost} {said}"


def _number(metadata: Mapping[str, Any], names: tuple[str, ...]) -> int:
    """The value of the first of these names, which may stand behind that of the architecture; 0 for none."""
    for name in names:
        for key, value in metadata.items():
            if (key == name or key.endswith(f".{name}")) and isinstance(value, int) and not isinstance(value, bool):
                return value
    return 0
