"""The decoding part of a recipe: each field with its range, its unit and its help."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.base.fields import about

DEFAULT_STRATEGY = "sampling"

LARGEST_SEED = 4_294_967_294

LONGEST_DESCRIPTION = 65_536
"""Maximum characters of an answer format's description."""

SAMPLING_ORDER = (
    "penalties", "dry", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature",
)  # fmt: skip
"""The filters of sampling in their usual order: llama.cpp's."""


class DecodingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The decoding part of a recipe. Which fields have an effect depends on ``strategy``.

    Sampling applies the filters of ``order`` and draws. Beam search and contrastive search have the parameters of
    transformers' ``generate`` with the same meaning. A constraint (``format``) applies to every strategy except
    contrastive search. A field's group says where a form shows it. Papers: ``techniques/decoding``.
    """

    strategy: Annotated[str, about("Strategy", group="strategy"), "The strategy decides how each token is chosen."] = (
        DEFAULT_STRATEGY
    )
    temperature: Annotated[
        float,
        about("Temperature", ge=0, le=5, group="filters"),
        "At 0 the most probable token is always taken; a higher temperature makes the text more varied.",
    ] = 0.0
    top_k: Annotated[
        int, about("Top-k", ge=0, group="filters"), "The token is drawn from the k most probable ones; at 0, from all."
    ] = 40
    top_p: Annotated[
        float,
        about("Top-p", gt=0, le=1, group="filters"),
        "The token is drawn from the most probable ones, as many as together have this probability.",
    ] = 0.95
    min_p: Annotated[
        float,
        about("Min-p", ge=0, le=1, group="filters"),
        "Tokens less probable than this share of the most probable one are excluded.",
    ] = 0.0
    typical_p: Annotated[
        float,
        about("Typical-p", gt=0, le=1, group="filters", advanced=True),
        "The token is drawn from those whose surprisal is near the expected one. At 1, the filter is off.",
    ] = 1.0
    dynamic_temperature: Annotated[
        float,
        about("Dynamic temperature", ge=0, le=5, group="filters", advanced=True),
        (
            "The temperature is lower by up to this range where the model is sure, and higher where it is not. At 0, "
            "it stays fixed."
        ),
    ] = 0.0
    dynamic_exponent: Annotated[
        float,
        about("Dynamic exponent", when="dynamic_temperature", gt=0, le=10, group="filters", advanced=True),
        "At 1 the dynamic temperature rises in proportion to the uncertainty; above 1 it rises later.",
    ] = 1.0
    xtc_probability: Annotated[
        float,
        about("Exclude top choices", ge=0, le=1, group="filters", advanced=True),
        (
            "With this probability, all but the least of several probable tokens are excluded, for less ordinary "
            "answers. At 0, the filter is off."
        ),
    ] = 0.0
    xtc_threshold: Annotated[
        float,
        about("Top-choice threshold", when="xtc_probability", gt=0, le=0.5, group="filters", advanced=True),
        "A token counts as a top choice from this probability on.",
    ] = 0.1
    mirostat: Annotated[
        Literal["off", "v1", "v2"],
        about("Mirostat", group="filters", advanced=True),
        (
            "Mirostat keeps the surprisal of the text at a target by adapting the number of candidates. It replaces "
            "top-k, top-p, min-p and typical."
        ),
    ] = "off"
    mirostat_tau: Annotated[
        float,
        about("Mirostat target", when="mirostat=v1|v2", gt=0, le=20, unit="bits", group="filters", advanced=True),
        "Mirostat aims at this surprisal; a lower one makes the text more predictable.",
    ] = 5.0
    mirostat_eta: Annotated[
        float,
        about("Mirostat rate", when="mirostat=v1|v2", gt=0, le=1, group="filters", advanced=True),
        "Mirostat adapts faster at a higher rate.",
    ] = 0.1
    repetition_penalty: Annotated[
        float,
        about("Repetition penalty", ge=1, le=2, group="repetition"),
        "A value above 1 makes tokens that were used already less probable. At 1, there is no penalty.",
    ] = 1.0
    presence_penalty: Annotated[
        float,
        about("Presence penalty", ge=-2, le=2, group="repetition", advanced=True),
        "The score of every token that the answer has used already is lowered by this number.",
    ] = 0.0
    frequency_penalty: Annotated[
        float,
        about("Frequency penalty", ge=-2, le=2, group="repetition", advanced=True),
        "The score of a token is lowered by this number once for each use in the answer.",
    ] = 0.0
    penalty_window: Annotated[
        int,
        about("Penalty window", ge=1, le=4096, unit="tokens", group="repetition", advanced=True),
        "The penalties apply to this number of last tokens of the answer.",
    ] = 256
    dry_multiplier: Annotated[
        float,
        about("Repeated phrases (DRY)", ge=0, le=5, group="repetition", advanced=True),
        "A token that would continue a phrase as before becomes less probable by this factor. At 0, there is no "
        "penalty.",
    ] = 0.0
    dry_base: Annotated[
        float,
        about("DRY base", when="dry_multiplier", ge=1, le=4, group="repetition", advanced=True),
        "The penalty on repeated phrases grows by this factor with each repeated token.",
    ] = 1.75
    dry_allowed_length: Annotated[
        int,
        about(
            "DRY allowed length", when="dry_multiplier", ge=1, le=100, unit="tokens", group="repetition", advanced=True
        ),
        "Phrases up to this length may be repeated without a penalty.",
    ] = 2
    no_repeat_ngram_size: Annotated[
        int,
        about(
            "No-repeat n-gram size",
            ge=0,
            le=20,
            unit="tokens",
            group="repetition",
            advanced=True,
            auto="any sequence may",
            blank="off",
        ),
        "No sequence of this number of tokens occurs twice in the answer.",
    ] = 0
    logit_bias: Annotated[
        tuple[str, ...],
        about("Token bias", group="repetition", advanced=True),
        "Each entry is text=number, or #id=number. The number is added to the score of that token; -inf bans it.",
    ] = ()
    order: Annotated[
        tuple[str, ...],
        about("Sampler order", group="filters", advanced=True, separator=","),
        "The sampling filters are applied in this order. A filter that is left out is not applied.",
    ] = SAMPLING_ORDER
    n: Annotated[
        int,
        about("Number of answers", ge=1, le=16, group="answers"),
        "Each question gets this number of answers to choose from.",
    ] = 1
    ranked: Annotated[
        bool,
        about("Sort by probability", group="answers"),
        "Several sampled answers are ordered by the mean log-probability of their tokens.",
    ] = False
    num_beams: Annotated[
        int, about("Beams", ge=1, le=16, group="beams"), "Beam search follows this number of sequences in parallel."
    ] = 4
    length_penalty: Annotated[
        float,
        about("Length penalty", ge=-5, le=5, group="beams"),
        "An answer's score is its log-probability over its length to this power: above 0 favours "
        "longer answers, below 0 shorter ones.",
    ] = 1.0
    early_stopping: Annotated[
        Literal["no", "yes", "never"],
        about("Early stopping", group="beams"),
        (
            "With yes, the search stops when as many answers as beams are complete; with no, when a better one is "
            "unlikely; with never, only when a better one is impossible."
        ),
    ] = "no"
    keep_greedy: Annotated[
        bool,
        about("Keep the greedy path", group="beams"),
        (
            "The greedy path is followed beside the beams, which may prune it. The best answer's score is then never "
            "below that of greedy decoding. The search takes as long as with one beam more."
        ),
    ] = False
    num_beam_groups: Annotated[
        int,
        about("Beam groups", ge=1, le=16, group="beams", advanced=True),
        "Beams are split into this many groups that are kept different from each other.",
    ] = 1
    diversity_penalty: Annotated[
        float,
        about("Diversity penalty", ge=0, le=10, group="beams", advanced=True),
        "The score of a token that another group of beams has chosen at the same place is lowered by this number.",
    ] = 0.0
    penalty_alpha: Annotated[
        float,
        about("Degeneration penalty", ge=0, le=1, group="candidates"),
        "Contrastive search weighs the similarity to the text so far by this number against the probability.",
    ] = 0.6
    contrastive_k: Annotated[
        int,
        about("Candidates", ge=1, le=16, group="candidates"),
        "Contrastive search compares this number of the most probable tokens.",
    ] = 4
    format: Annotated[
        Literal["text", "json", "json_schema", "regex", "choice", "gbnf", "quote"],
        about("Answer format", group="format"),
        (
            "The answer is kept to this form: any JSON, JSON by a schema, a regular expression, one of several "
            "choices, a GBNF grammar, or quotes from a text, word for word."
        ),
    ] = "text"
    grammar: Annotated[
        str,
        about(
            "Schema, expression, choices, grammar or text",
            max_length=LONGEST_DESCRIPTION,
            group="format",
            multiline=True,
        ),
        "This describes the answer format. Each choice stands on its own line. No quote crosses an empty line of a "
        "text.",
    ] = ""
    speculation: Annotated[
        Literal["off", "ngram", "draft"],
        about("Speculative decoding", group="speed"),
        (
            "Several tokens are drafted and verified in one computation. The drafts come from phrases in the prompt "
            "or from a smaller model. The answer stays the same and comes faster where drafts are right."
        ),
    ] = "off"
    draft_model: Annotated[
        str,
        about("Draft model", when="speculation=draft", group="speed"),
        "A smaller model with the same vocabulary drafts the tokens.",
    ] = ""
    draft_tokens: Annotated[
        int,
        about("Draft tokens", when="speculation=ngram|draft", ge=1, le=31, unit="tokens", group="speed", advanced=True),
        "A draft has at most this number of tokens.",
    ] = 8
    seed: Annotated[
        int,
        about(
            "Seed",
            ge=-1,
            le=LARGEST_SEED,
            group="answers",
            auto="a new seed is drawn each time",
            empty=-1,
            blank="new each time",
        ),
        "The same seed draws the same answer again.",
    ] = -1
    max_tokens: Annotated[
        int,
        about("Maximum tokens", ge=1, unit="tokens", group="answers"),
        "The answer has at most this number of tokens.",
    ] = 1024
    stop: Annotated[
        tuple[str, ...], about("Stop at", group="answers"), "The answer ends before the first of these texts."
    ] = ()
