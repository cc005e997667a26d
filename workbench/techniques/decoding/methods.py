"""Rows of decoding: the strategies that choose the tokens of a generation, and presets and settings of theirs."""

from __future__ import annotations

from typing import Any

from workbench.records.methods import Method, Methods, Trait
from workbench.records.recipes.decoding import DEFAULT_STRATEGY, DecodingPart


def _strategy(name: str, title: str, summary: str, source: str, entry: str, *traits: Trait, **more: Any) -> Method:
    return Method(
        name=name,
        kind="decoding",
        technique="decoding",
        title=title,
        summary=summary,
        source=source,
        config=DecodingPart,
        entry=f"workbench.techniques.decoding.{entry}",
        traits=traits,
        **more,
    )


def _preset(name: str, summary: str, **values: Any) -> Method:
    return Method(
        name=name,
        kind="preset",
        technique="decoding",
        title=name.capitalize(),
        summary=summary,
        source="",
        config=DecodingPart,
        values=values,
    )


def _setting(name: str, title: str, summary: str, source: str, **values: Any) -> Method:
    return Method(
        name=name,
        kind="setting",
        technique="decoding",
        title=title,
        summary=summary,
        source=source,
        config=DecodingPart,
        values=values,
    )


METHODS = (
    _strategy(
        DEFAULT_STRATEGY,
        "Sampling",
        "Each token is drawn by its probability, so that answers differ.",
        "Holtzman et al. 2019, The Curious Case of Neural Text Degeneration, arXiv:1904.09751",
        "generation:Generation",
        "draws",
        groups=("filters",),
    ),
    _strategy(
        "greedy",
        "Greedy search",
        "The most probable token is always taken, so that the answer stays the same.",
        "Holtzman et al. 2019, The Curious Case of Neural Text Degeneration, arXiv:1904.09751",
        "generation:Generation",
        "one answer",
    ),
    _strategy(
        "beam",
        "Beam search",
        "Several answers are written in parallel, and the most probable one is given.",
        "Graves 2012, Sequence Transduction with Recurrent Neural Networks, arXiv:1211.3711",
        "beam:BeamJob",
        "searches",
        groups=("beams",),
        cost="One sequence per beam is computed at every step.",
        needs=("searches",),
    ),
    _strategy(
        "contrastive",
        "Contrastive search",
        "Probable tokens are taken that repeat little of the text so far.",
        "Su et al. 2022, A Contrastive Framework for Neural Text Generation, arXiv:2202.06417",
        "contrastive:ContrastiveJob",
        "searches",
        "one answer",
        "free text",
        groups=("candidates",),
        cost="One sequence per candidate is computed at every step.",
        needs=("searches",),
    ),
    _preset(
        "precise",
        "The most probable token is taken each time, so that the same question gets the same answer.",
        temperature=0.0,
    ),
    _preset(
        "balanced",
        "Tokens are drawn from the probable ones, so that answers vary a little.",
        temperature=0.7,
        top_p=0.9,
        min_p=0.05,
    ),
    _preset(
        "creative",
        "Tokens are drawn more freely, and only the least probable ones are left out.",
        temperature=1.1,
        top_k=0,
        top_p=1.0,
        min_p=0.05,
    ),
    _setting(
        "min-p",
        "Min-p sampling",
        "The token is drawn from those that are not much less probable than the best one.",
        "Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling, arXiv:2407.01082",
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        min_p=0.1,
    ),
    _setting(
        "locally-typical",
        "Locally typical sampling",
        "The token is drawn from those that are about as surprising as expected.",
        "Meister et al. 2022, Locally Typical Sampling, arXiv:2202.00666",
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        typical_p=0.9,
    ),
    _setting(
        "dynamic-temperature",
        "Dynamic temperature",
        "The temperature rises where the model is unsure and falls where it is sure.",
        "Zhu et al. 2023, Hot or Cold? Adaptive Temperature Sampling, arXiv:2309.02772",
        temperature=0.8,
        dynamic_temperature=0.5,
    ),
    _setting(
        "mirostat-v2",
        "Mirostat",
        "The surprisal of the text is kept at a target value.",
        "Basu et al. 2020, Mirostat, arXiv:2007.14966",
        temperature=1.0,
        mirostat="v2",
    ),
    _setting(
        "no-repeated-phrase",
        "No repeated n-gram",
        "No sequence of n tokens occurs twice in an answer.",
        "Paulus et al. 2017, A Deep Reinforced Model for Abstractive Summarization, arXiv:1705.04304",
        no_repeat_ngram_size=3,
    ),
    _setting(
        "diverse-beam",
        "Diverse beam search",
        "Groups of beams are followed that are kept different from each other.",
        "Vijayakumar et al. 2016, Diverse Beam Search, arXiv:1610.02424",
        strategy="beam",
        num_beams=4,
        num_beam_groups=2,
        diversity_penalty=1.0,
        n=2,
    ),
    _setting(
        "constrained",
        "Constrained decoding",
        "Only tokens are allowed that keep the answer valid: JSON, a schema, a regular expression, choices or a "
        "grammar.",
        "Willard and Louf 2023, Efficient Guided Generation for Large Language Models, arXiv:2307.09702",
        format="choice",
        grammar="yes\nno",
    ),
)

_TABLE = Methods(METHODS)


def strategy_of(part: DecodingPart) -> Method:
    """The row of a decoding part's strategy. Raises UserError when there is none of that name."""
    return _TABLE.find(part.strategy, "decoding")
