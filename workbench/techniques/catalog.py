"""METHODS: every way to adapt a model that this program knows, as a table that is light to import.

A window or a terminal lists the methods from here and builds their forms from ``config``; only who runs one imports
its ``entry``. A test walks the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.calls import DocumentTask
from workbench.recipes import DecodingPart, PromptingPart, Recipe, RetrievalPart

Technique = Literal["prompting", "decoding", "retrieval", "agents", "finetuning", "preference"]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method. ``config`` is the value type that its form is made of; ``recipe`` the smallest that uses it.

    ``entry`` is ``package.module:function``; the function is a generator of events with one terminal event.
    ``source`` names the paper that it is from.
    """

    name: str
    technique: Technique
    summary: str
    source: str
    config: type[msgspec.Struct]
    recipe: Recipe
    entry: str


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
)
