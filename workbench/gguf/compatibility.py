"""Whether llama.cpp can be given what a method trains, asked before the training. No weights are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import UserError

if TYPE_CHECKING:
    from workbench.records.training import WeightsMethod

_MERGED = ("full", "layers", "biases", "norms", "dora", "loha", "lokr", "oft", "ia3")
_PLAIN_LAYERS = ("loha", "lokr", "miss", "oft")  # peft 0.21: not transformers' Conv1D
_PACKED_APART = ("granitemoe", "gpt-oss")
_WINDOWED = ("gemma2", "gemma3")
"""A prefix on them was compared with torch."""

_RECURRENT = ("lfm2",)
_OWN_BIASES = ("bloom", "gpt2", "gptneox", "starcoder", "starcoder2", "phi2", "qwen2", "qwen2moe", "gpt-oss")


def check_servable(
    method: WeightsMethod, architecture: str, *, sliding_window: int = 0, tokens: int = 1, is_gguf: bool = True
) -> None:
    """Raises UserError with the reason when the engine could not be given what ``method`` makes of such a model.

    ``architecture`` is llama.cpp's name ("llama", "gemma3"); ``sliding_window`` is how many tokens some layers look
    back, 0 when all do without end; ``tokens`` how many a prefix has; ``is_gguf`` that the model that is trained is the
    GGUF file that answers.
    """
    from workbench.gguf.architectures import FAMILIES, new_biases

    if architecture not in FAMILIES:
        raise UserError(
            f"For models of the architecture {architecture or 'unknown'} the order of llama.cpp's weights is not "
            "known here.",
            f"Known are {', '.join(sorted(FAMILIES))}.",
        )
    if method in _MERGED and not is_gguf:
        raise UserError(
            "What this method changes is merged into a GGUF file, and the model is a folder of safetensors.",
            "Choose the same model as a GGUF file, or train a LoRA.",
        )
    if method in _PLAIN_LAYERS and architecture == "gpt2":
        raise UserError(
            f"The layers of {architecture} are of a kind (Conv1D) that PEFT does not adapt by this method.",
            "Train a LoRA instead.",
        )
    if method == "prefix" and sliding_window and architecture not in _WINDOWED:
        raise UserError(
            f"Some layers of this model look back {sliding_window:,} tokens only, and how llama.cpp keeps those of the "
            f"architecture {architecture} is not known here: a prefix cannot be put among them.",
            "Train prompt tuning or P-tuning instead.",
        )
    if method == "prefix" and 0 < sliding_window < tokens:
        raise UserError(
            f"Some layers of this model look back {sliding_window:,} tokens only, and the prefix has {tokens:,}.",
            f"Set at most {sliding_window:,} tokens.",
        )
    if method == "prefix" and architecture in _RECURRENT:
        raise UserError(
            f"Some layers of this model ({architecture}) keep no keys and values, which a prefix consists of.",
            "Train prompt tuning or P-tuning instead.",
        )
    if method == "biases" and not new_biases(architecture) and architecture not in _OWN_BIASES:
        raise UserError(
            f"Models of the architecture {architecture} have no biases, and llama.cpp has no place for new ones.",
            "Train the norms instead.",
        )
    if method in ("full", "layers") and architecture in _PACKED_APART:
        raise UserError(
            f"The experts of {architecture} are packed in llama.cpp in their own way.",
            "Train a LoRA of the attention instead.",
        )
