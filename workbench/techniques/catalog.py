"""METHODS: every way to adapt a model that this program knows, as a table that is light to import.

A window or a terminal lists the methods from here and builds their forms from ``config``; only who runs one imports
its ``entry``. A test walks the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.api.calls import DocumentTask
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.training import DataPart, TrainingConfig, WeightsMethod, WeightsPart

Technique = Literal["prompting", "decoding", "retrieval", "agents", "finetuning", "preference"]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method. ``config`` is the value type that its form is made of.

    One that answers has a ``recipe``, the smallest that uses it; its ``entry``, ``package.module:function``, is a
    generator of events with one terminal event. One that trains has a ``training``; its entry is the training worker's.
    ``source`` names the paper that it is from. ``served`` and ``memory`` say in a sentence how llama.cpp is given what
    was trained, and what memory the method takes besides the base weights.
    """

    name: str
    technique: Technique
    summary: str
    source: str
    config: type[msgspec.Struct]
    entry: str
    recipe: Recipe | None = None
    training: TrainingConfig | None = None
    served: str = ""
    memory: str = ""


_SWITCHED = "A GGUF LoRA, which is switched on and off over the model and takes any strength."
_MERGED = "A GGUF model of its own: what changed is put into a copy of the base."
_SOFT = "A soft prompt: learnt embeddings that llama.cpp reads before every text."
_PREFIX = "A prefix: learnt keys and values that are put into the memory of llama.cpp before every text."


def _training(
    name: WeightsMethod, summary: str, source: str, served: str, memory: str, weights: WeightsPart | None = None
) -> Method:
    return Method(
        name=name,
        technique="finetuning",
        summary=summary,
        source=source,
        config=WeightsPart,
        training=TrainingConfig(weights=weights or WeightsPart(method=name)),
        entry=_WORKER,
        served=served,
        memory=memory,
    )


_WORKER = "workbench.training.run:train"

METHODS = (
    Method(
        name="instructions",
        technique="prompting",
        summary="Tell the model in words how it should answer.",
        source="Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155",
        config=PromptingPart,
        recipe=Recipe(prompting=PromptingPart(system="Answer in one short sentence.")),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="greedy",
        technique="decoding",
        summary="Always take the most probable token: the same question gets the same answer.",
        source="Keskar et al. 2019, CTRL (repetition penalty), arXiv:1909.05858",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=0.0)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="sampling",
        technique="decoding",
        summary="Draw from the most probable tokens: answers vary.",
        source="Holtzman et al. 2019, The Curious Case of Neural Text Degeneration, arXiv:1904.09751",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=0.7)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="min-p",
        technique="decoding",
        summary="Draw from the tokens that are not much less probable than the best one.",
        source="Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling, arXiv:2407.01082",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=1.0, top_k=0, top_p=1.0, min_p=0.1)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="typical",
        technique="decoding",
        summary="Draw from the tokens that are about as surprising as expected.",
        source="Meister et al. 2022, Locally Typical Sampling, arXiv:2202.00666",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=1.0, top_k=0, top_p=1.0, typical_p=0.9)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="dynamic-temperature",
        technique="decoding",
        summary="Draw boldly where the model is unsure, carefully where it is sure.",
        source="Zhu et al. 2023, Hot or Cold? Adaptive Temperature Sampling, arXiv:2309.02772",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=0.8, dynamic_temperature=0.5)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="mirostat",
        technique="decoding",
        summary="Keep the surprise of the text at a target while it is drawn.",
        source="Basu et al. 2020, Mirostat, arXiv:2007.14966",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(temperature=1.0, mirostat="v2")),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="no-repeated-phrase",
        technique="decoding",
        summary="No sequence of some tokens comes twice in an answer.",
        source="Paulus et al. 2017, A Deep Reinforced Model for Abstractive Summarization, arXiv:1705.04304",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(no_repeat_ngram_size=3)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="beam",
        technique="decoding",
        summary="Follow several answers side by side and keep the most probable.",
        source="Graves 2012, Sequence Transduction with Recurrent Neural Networks, arXiv:1211.3711",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(strategy="beam", num_beams=4, repetition_penalty=1.0)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="diverse-beam",
        technique="decoding",
        summary="Follow groups of answers that are kept different from each other.",
        source="Vijayakumar et al. 2016, Diverse Beam Search, arXiv:1610.02424",
        config=DecodingPart,
        recipe=Recipe(
            decoding=DecodingPart(
                strategy="beam", num_beams=4, num_beam_groups=2, diversity_penalty=1.0, n=2, repetition_penalty=1.0
            )
        ),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="contrastive",
        technique="decoding",
        summary="Weigh how probable a token is against how much it is like what was said already.",
        source="Su et al. 2022, A Contrastive Framework for Neural Text Generation, arXiv:2202.06417",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(strategy="contrastive", repetition_penalty=1.0)),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="constrained",
        technique="decoding",
        summary="Answers that are valid by construction: JSON, a schema, an expression, choices, a grammar.",
        source="Willard and Louf 2023, Efficient Guided Generation for Large Language Models, arXiv:2307.09702",
        config=DecodingPart,
        recipe=Recipe(decoding=DecodingPart(format="choice", grammar="yes\nno")),
        entry="workbench.techniques.prompting.plain:run",
    ),
    Method(
        name="passages",
        technique="retrieval",
        summary="Answer from the passages of your documents that fit the question, with citations.",
        source="Lewis et al. 2020, Retrieval-Augmented Generation, arXiv:2005.11401",
        config=RetrievalPart,
        recipe=Recipe(retrieval=RetrievalPart(collection="documents")),
        entry="workbench.techniques.retrieval.grounded:run",
    ),
    Method(
        name="whole-document",
        technique="retrieval",
        summary="Summarise, tabulate or translate one document, section by section when it is long.",
        source="Wu et al. 2021, Recursively Summarizing Books with Human Feedback, arXiv:2109.10862",
        config=DocumentTask,
        recipe=Recipe(retrieval=RetrievalPart(collection="documents")),
        entry="workbench.techniques.retrieval.documents:run",
    ),
    Method(
        name="sft",
        technique="finetuning",
        summary="Learn to answer as the examples do: a manner, a form, facts, a task.",
        source="Wei et al. 2021, Finetuned Language Models Are Zero-Shot Learners, arXiv:2109.01652",
        config=DataPart,
        training=TrainingConfig(objective="sft"),
        entry=_WORKER,
        served="As its weights method says.",
        memory="As its weights method says; short examples take less.",
    ),
    Method(
        name="domain",
        technique="finetuning",
        summary="Read raw text on, as in pre-training: the words and the manner of a field.",
        source="Gururangan et al. 2020, Don't Stop Pretraining, arXiv:2004.10964",
        config=DataPart,
        training=TrainingConfig(objective="domain"),
        entry=_WORKER,
        served="As its weights method says.",
        memory="As its weights method says; the length of the windows counts.",
    ),
    _training(
        "lora",
        "Two thin matrices beside each linear layer learn; the model itself stays as it is.",
        "Hu et al. 2021, LoRA, arXiv:2106.09685",
        _SWITCHED,
        "Little: one or two weights in a hundred move, at 16 bytes each.",
    ),
    _training(
        "rslora",
        "LoRA whose strength falls with the root of the rank only: for ranks of 32 and more.",
        "Kalajdzievski 2023, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA, arXiv:2312.03732",
        _SWITCHED,
        "As LoRA.",
    ),
    _training(
        "dora",
        "LoRA that learns the length of each row apart from its direction; closer to moving all weights.",
        "Liu et al. 2024, DoRA: Weight-Decomposed Low-Rank Adaptation, arXiv:2402.09353",
        _MERGED,
        "More than LoRA: the changed weights are built for every pass.",
    ),
    _training(
        "loha",
        "The change of each linear layer is two thin products, multiplied entry by entry.",
        "Hyeon-Woo et al. 2021, FedPara: Low-Rank Hadamard Product for Federated Learning, arXiv:2108.06098",
        _MERGED,
        "More than LoRA: the change of every layer is built whole for every pass.",
    ),
    _training(
        "lokr",
        "The change of each linear layer is a small matrix, repeated at the strengths that a smaller one says.",
        "Yeh et al. 2023, Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation, "
        "arXiv:2309.14859",
        _MERGED,
        "As LoHa, though far less moves.",
    ),
    _training(
        "vera",
        "Two random matrices that all layers share stay as they are; how strongly their numbers count is learnt.",
        "Kopiczko et al. 2023, VeRA: Vector-based Random Matrix Adaptation, arXiv:2310.11454",
        f"{_SWITCHED} Its rank is high, so that the file is large, though little of it was learnt.",
        "Few weights move; at its high rank the activations take more than LoRA's.",
    ),
    _training(
        "miss",
        "One thin matrix beside each linear layer, used for all parts of what it reads.",
        "Kang and Yin 2024, MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure, "
        "arXiv:2409.15371",
        _SWITCHED,
        "As LoRA.",
    ),
    _training(
        "oft",
        "What each linear layer reads is rotated, block by block; lengths and angles stay as they are.",
        "Qiu et al. 2023, Controlling Text-to-Image Diffusion by Orthogonal Finetuning, arXiv:2306.07280",
        _MERGED,
        "About as LoRA.",
    ),
    _training(
        "ia3",
        "Keys, values and the inner layer are scaled, each number by a learnt one.",
        "Liu et al. 2022, Few-Shot Parameter-Efficient Fine-Tuning Is Better and Cheaper, arXiv:2205.05638",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _training(
        "full",
        "All weights learn: the most can be learnt, and the most forgotten.",
        "Howard and Ruder 2018, Universal Language Model Fine-tuning (ULMFiT), arXiv:1801.06146",
        _MERGED,
        "The most: 16 bytes a weight with AdamW, 8 with adafactor.",
    ),
    _training(
        "layers",
        "The last layers learn, those before them stay.",
        "Lee et al. 2019, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning, arXiv:1911.03090",
        _MERGED,
        "16 bytes for each weight of these layers; activations of theirs only.",
    ),
    _training(
        "biases",
        "Only the biases learn: small changes from few examples.",
        "Ben Zaken et al. 2021, BitFit, arXiv:2106.10199",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _training(
        "norms",
        "Only the weights of the norms learn.",
        "Zhao et al. 2023, Tuning LayerNorm in Attention, arXiv:2312.11420",
        _MERGED,
        "Next to nothing: less than a weight in a thousand moves.",
    ),
    _training(
        "prompt",
        "Some learnt tokens stand before every text; the model stays as it is.",
        "Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning, arXiv:2104.08691",
        _SOFT,
        "Next to nothing, but the learnt tokens are computed with every example.",
    ),
    _training(
        "p-tuning",
        "Learnt tokens before every text, made by a small network that learns with them.",
        "Liu et al. 2021, GPT Understands, Too, arXiv:2103.10385",
        _SOFT,
        "Little: the small network moves, and is not needed afterwards.",
    ),
    _training(
        "prefix",
        "Learnt keys and values stand before every text, in each layer.",
        "Li and Liang 2021, Prefix-Tuning, arXiv:2101.00190",
        _PREFIX,
        "Next to nothing.",
    ),
)


def method_of(name: str) -> Method:
    """The row of that name. Raises KeyError."""
    return {method.name: method for method in METHODS}[name]
