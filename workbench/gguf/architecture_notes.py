"""What is special about a model's architecture, in a sentence: mixtures of experts, encoders, recurrent states."""

from __future__ import annotations

from workbench.records.capabilities import ENCODER_DECODER
from workbench.records.fit import describe_experts
from workbench.records.models import ModelDetails

_ENCODERS = frozenset({"t5encoder"})


def describe_kind(details: ModelDetails, active: int = 0) -> str:
    """ "" for an ordinary model of attention layers. ``active`` parameters are used by a token, 0: not counted."""
    prefix = details.model.architecture
    notes = []

    def number(key: str) -> int:
        value = details.metadata.get(f"{prefix}.{key}", 0)
        if isinstance(value, list):
            value = max((one for one in value if isinstance(one, int)), default=0)
        return value if isinstance(value, int) and value > 0 else 0

    if prefix in ENCODER_DECODER:
        notes.append("Encoder-decoder: an encoder reads the question, a decoder writes the answer")
    elif prefix in _ENCODERS or details.model.kind == "embedder":
        notes.append("Encoder: it turns text into vectors and writes none")
    if number("expert_count"):
        parameters = details.model.parameters
        notes.append(describe_experts(number("expert_count"), number("expert_used_count"), active, parameters))
    if number("attention.key_length_mla"):
        notes.append("Multi-head latent attention: its cache is several times smaller")
    if number("ssm.inner_size"):
        alone = not number("attention.head_count")
        notes.append(
            "Recurrent: its memory does not grow with the context"
            if alone
            else "Hybrid: some of its layers are recurrent, whose memory does not grow with the context"
        )
    return f"{'. '.join(notes)}." if notes else ""
