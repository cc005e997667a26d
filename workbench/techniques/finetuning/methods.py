"""Rows of fine-tuning: which weights are trained, and by which objective."""

from __future__ import annotations

from workbench.records.methods import Method
from workbench.records.training import ARTIFACTS, WeightsMethod, WeightsPart
from workbench.training.objectives import OBJECTIVES

_SWITCHED = "A GGUF LoRA, which is switched on and off over the model and takes any strength."
_MERGED = "A GGUF model of its own: what changed is put into a copy of the base."
_SOFT = "A soft prompt: learnt embeddings that llama.cpp reads before every text."
_PREFIX = "A prefix: learnt keys and values that are put into the memory of llama.cpp before every text."
_WORKER = "workbench.training.run:train"


def _weights(name: WeightsMethod, title: str, summary: str, source: str, served: str, cost: str) -> Method:
    return Method(
        name=name,
        kind="weights",
        technique="finetuning",
        title=title,
        summary=summary,
        source=source,
        config=WeightsPart,
        values={"method": name},
        entry=_WORKER,
        artifact=ARTIFACTS[name],
        served=served,
        cost=cost,
    )


METHODS = (
    *OBJECTIVES,
    _weights(
        "lora",
        "LoRA",
        "Two thin matrices beside each linear layer learn; the model itself stays as it is.",
        "Hu et al. 2021, LoRA, arXiv:2106.09685",
        _SWITCHED,
        "Little: one or two weights in a hundred move, at 16 bytes each.",
    ),
    _weights(
        "rslora",
        "rsLoRA",
        "LoRA whose strength falls with the root of the rank only: for ranks of 32 and more.",
        "Kalajdzievski 2023, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA, arXiv:2312.03732",
        _SWITCHED,
        "As LoRA.",
    ),
    _weights(
        "dora",
        "DoRA",
        "LoRA that learns the length of each row apart from its direction; closer to moving all weights.",
        "Liu et al. 2024, DoRA: Weight-Decomposed Low-Rank Adaptation, arXiv:2402.09353",
        _MERGED,
        "More than LoRA: the changed weights are built for every pass.",
    ),
    _weights(
        "loha",
        "LoHa",
        "The change of each linear layer is two thin products, multiplied entry by entry.",
        "Hyeon-Woo et al. 2021, FedPara: Low-Rank Hadamard Product for Federated Learning, arXiv:2108.06098",
        _MERGED,
        "More than LoRA: the change of every layer is built whole for every pass.",
    ),
    _weights(
        "lokr",
        "LoKr",
        "The change of each linear layer is a small matrix, repeated at the strengths that a smaller one says.",
        "Yeh et al. 2023, Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation, "
        "arXiv:2309.14859",
        _MERGED,
        "As LoHa, though far less moves.",
    ),
    _weights(
        "vera",
        "VeRA",
        "Two random matrices that all layers share stay as they are; how strongly their numbers count is learnt.",
        "Kopiczko et al. 2023, VeRA: Vector-based Random Matrix Adaptation, arXiv:2310.11454",
        f"{_SWITCHED} Its rank is high, so that the file is large, though little of it was learnt.",
        "Few weights move; at its high rank the activations take more than LoRA's.",
    ),
    _weights(
        "miss",
        "MiSS",
        "One thin matrix beside each linear layer, used for all parts of what it reads.",
        "Kang and Yin 2024, MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure, "
        "arXiv:2409.15371",
        _SWITCHED,
        "As LoRA.",
    ),
    _weights(
        "oft",
        "OFT",
        "What each linear layer reads is rotated, block by block; lengths and angles stay as they are.",
        "Qiu et al. 2023, Controlling Text-to-Image Diffusion by Orthogonal Finetuning, arXiv:2306.07280",
        _MERGED,
        "About as LoRA.",
    ),
    _weights(
        "ia3",
        "IA3",
        "Keys, values and the inner layer are scaled, each number by a learnt one.",
        "Liu et al. 2022, Few-Shot Parameter-Efficient Fine-Tuning Is Better and Cheaper, arXiv:2205.05638",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _weights(
        "full",
        "All weights",
        "All weights learn: the most can be learnt, and the most forgotten.",
        "Howard and Ruder 2018, Universal Language Model Fine-tuning (ULMFiT), arXiv:1801.06146",
        _MERGED,
        "The most: 16 bytes a weight with AdamW, 8 with adafactor.",
    ),
    _weights(
        "layers",
        "Last layers",
        "The last layers learn, those before them stay.",
        "Lee et al. 2019, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, arXiv:1911.03090",
        _MERGED,
        "16 bytes for each weight of these layers; activations of theirs only.",
    ),
    _weights(
        "biases",
        "Biases",
        "Only the biases learn: small changes from few examples.",
        "Ben Zaken et al. 2021, BitFit, arXiv:2106.10199",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _weights(
        "norms",
        "Norms",
        "Only the weights of the norms learn.",
        "Zhao et al. 2023, Tuning LayerNorm in Attention, arXiv:2312.11420",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _weights(
        "prompt",
        "Soft prompt",
        "Some learnt tokens stand before every text; the model stays as it is.",
        "Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning, arXiv:2104.08691",
        _SOFT,
        "Next to nothing, but the learnt tokens are computed with every example.",
    ),
    _weights(
        "p-tuning",
        "P-tuning",
        "Learnt tokens before every text, made by a small network that learns with them.",
        "Liu et al. 2021, GPT Understands, Too, arXiv:2103.10385",
        _SOFT,
        "Little: the small network moves, and is not needed afterwards.",
    ),
    _weights(
        "prefix",
        "Prefix",
        "Learnt keys and values stand before every text, in each layer.",
        "Li and Liang 2021, Prefix-Tuning, arXiv:2101.00190",
        _PREFIX,
        "Next to nothing.",
    ),
)
