"""Rows of fine-tuning: which weights are trained, and by which objective.

The modules behind them are in ``training/objectives`` and ``training/methods``, which learning from preferences shares.
The first method of each kind is the default; methods without a family are shown first.
"""

from __future__ import annotations

from workbench.records.methods import Method
from workbench.records.training import DEFAULT_METHOD, ArtifactKind, WeightsPart
from workbench.training.objectives import OBJECTIVES

_SERVED: dict[ArtifactKind, str] = {
    "lora": "The result is an adapter (a GGUF LoRA) that can be switched on and off and has an adjustable strength.",
    "merged": "The result is a separate GGUF model, in which the changes are merged into a copy of the base.",
    "soft-prompt": "The result is a soft prompt: trained embeddings that llama.cpp reads before every text.",
    "prefix": "The result is a prefix: trained keys and values that llama.cpp puts into its KV cache before every "
    "text.",
}
_LOW_RANK = ("low-rank", "alpha", "targets")
LIKE_LORA, TRANSFORMED = "Low-rank, beside every layer", "Scaled layers"
SELECTED, VIRTUAL = "Selected weights of the model", "Virtual tokens before every text"


def _weights(
    name: str,
    title: str,
    summary: str,
    source: str,
    artifact: ArtifactKind,
    cost: str,
    entry: str,
    groups: tuple[str, ...] = (),
    family: str = "",
    served: str = "",
) -> Method:
    return Method(
        name=name,
        kind="weights",
        technique="finetuning",
        title=title,
        summary=summary,
        source=source,
        config=WeightsPart,
        values={"method": name},
        entry=f"workbench.training.methods.{entry}",
        groups=groups,
        family=family,
        artifact=artifact,
        served=f"{_SERVED[artifact]} {served}".rstrip(),
        cost=cost,
    )


METHODS = (
    *OBJECTIVES,
    _weights(
        DEFAULT_METHOD,
        "LoRA",
        "Two small (low-rank) matrices are added to each linear layer and trained; the model's own weights stay as "
        "they are.",
        "Hu et al. 2021, LoRA, arXiv:2106.09685",
        "lora",
        "The cost is low, since 1 to 2 % of the weights are trained, at 16 bytes each.",
        "linear_layers:LoRA",
        _LOW_RANK,
    ),
    _weights(
        "layers",
        "Last layers",
        "The last layers are trained, and the others are frozen. It suits a style of answering.",
        "Lee et al. 2019, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, arXiv:1911.03090",
        "merged",
        "It takes 16 bytes per weight of these layers, and the activations of these layers only.",
        "selections:LastLayers",
        ("selection",),
    ),
    _weights(
        "full",
        "All weights",
        "All weights are trained, so that the model can learn the most, and forget the most.",
        "Howard and Ruder 2018, Universal Language Model Fine-tuning (ULMFiT), arXiv:1801.06146",
        "merged",
        "The cost is the highest: 16 bytes per weight with AdamW, or 8 with Adafactor.",
        "selections:AllWeights",
    ),
    _weights(
        "rslora",
        "rsLoRA",
        "This is LoRA scaled by the root of its rank. It suits ranks of 32 and more.",
        "Kalajdzievski 2023, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA, arXiv:2312.03732",
        "lora",
        "It costs as much as LoRA.",
        "linear_layers:RsLoRA",
        _LOW_RANK,
        LIKE_LORA,
    ),
    _weights(
        "dora",
        "DoRA",
        "This is LoRA with separately trained norms of the rows. It is closer to full fine-tuning, and slower.",
        "Liu et al. 2024, DoRA: Weight-Decomposed Low-Rank Adaptation, arXiv:2402.09353",
        "merged",
        "It costs more than LoRA, since the changed weights are computed for every micro-batch.",
        "linear_layers:DoRA",
        _LOW_RANK,
        LIKE_LORA,
    ),
    _weights(
        "ia3",
        "IA3",
        "Keys, values and the inner feed-forward layer are scaled by trained vectors. It suits small changes.",
        "Liu et al. 2022, Few-Shot Parameter-Efficient Fine-Tuning Is Better and Cheaper, arXiv:2205.05638",
        "merged",
        "The cost is very low, since less than 0.1 % of the weights are trained.",
        "linear_layers:IA3",
        (),
        TRANSFORMED,
    ),
    _weights(
        "biases",
        "Biases",
        "Only the biases are trained (BitFit). It suits small changes from few examples.",
        "Ben Zaken et al. 2021, BitFit, arXiv:2106.10199",
        "merged",
        "The cost is very low, since less than 0.1 % of the weights are trained.",
        "selections:BitFit",
        (),
        SELECTED,
    ),
    _weights(
        "norms",
        "Norms",
        "Only the weights of the norms are trained. It suits small changes from few examples.",
        "Zhao et al. 2023, Tuning LayerNorm in Attention, arXiv:2312.11420",
        "merged",
        "The cost is very low, since less than 0.1 % of the weights are trained.",
        "selections:Norms",
        (),
        SELECTED,
    ),
    _weights(
        "prompt",
        "Soft prompt",
        "Embeddings of virtual tokens before every text are trained (prompt tuning). It suits a task or a style, and "
        "not facts.",
        "Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning, arXiv:2104.08691",
        "soft-prompt",
        "The cost is very low, but the virtual tokens are computed with every example.",
        "virtual_tokens:PromptTuning",
        ("soft prompts",),
        VIRTUAL,
    ),
    _weights(
        "p-tuning",
        "P-tuning",
        "A small trained network generates the soft prompt, which makes the training more stable.",
        "Liu et al. 2021, GPT Understands, Too, arXiv:2103.10385",
        "soft-prompt",
        "The cost is low. The network is trained, and dropped afterwards.",
        "virtual_tokens:PTuning",
        ("soft prompts",),
        VIRTUAL,
    ),
    _weights(
        "prefix",
        "Prefix",
        "Keys and values of virtual tokens are trained in each layer, which is stronger than a soft prompt.",
        "Li and Liang 2021, Prefix-Tuning, arXiv:2101.00190",
        "prefix",
        "It costs next to nothing.",
        "virtual_tokens:PrefixTuning",
        ("soft prompts",),
        VIRTUAL,
    ),
)
