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

    strategy: Annotated[
        str, about("Strategy", group="strategy"), "How each token is chosen, by the name of a decoding strategy."
    ] = DEFAULT_STRATEGY
    temperature: Annotated[
        float,
        about("Temperature", ge=0, le=5, group="filters"),
        "0 always takes the most probable token; higher is more varied.",
    ] = 0.0
    top_k: Annotated[
        int, about("Top-k", ge=0, group="filters"), "Draw from the k most probable tokens; 0 from all."
    ] = 40
    top_p: Annotated[
        float,
        about("Top-p", gt=0, le=1, group="filters"),
        "Draw from the fewest tokens that together have this probability.",
    ] = 0.95
    min_p: Annotated[
        float,
        about("Min-p", ge=0, le=1, group="filters"),
        "Exclude tokens less probable than this share of the most probable one.",
    ] = 0.0
    typical_p: Annotated[
        float,
        about("Typical", gt=0, le=1, group="filters", advanced=True),
        "Draw from the tokens whose surprisal is near the expected one; 1 is off.",
    ] = 1.0
    dynamic_temperature: Annotated[
        float,
        about("Dynamic temperature", ge=0, le=5, group="filters", advanced=True),
        ("Range of the temperature around its value: lower where the model is sure, higher where it is not; 0 is off."),
    ] = 0.0
    dynamic_exponent: Annotated[
        float,
        about("Dynamic exponent", gt=0, le=10, group="filters", advanced=True),
        "How the dynamic temperature follows the uncertainty: 1 in proportion, above 1 later.",
    ] = 1.0
    xtc_probability: Annotated[
        float,
        about("Exclude top choices", ge=0, le=1, group="filters", advanced=True),
        (
            "Probability that all but the least of several probable tokens are excluded, for less "
            "ordinary answers; 0 is off."
        ),
    ] = 0.0
    xtc_threshold: Annotated[
        float,
        about("Top-choice threshold", gt=0, le=0.5, group="filters", advanced=True),
        "Minimum probability of a top choice.",
    ] = 0.1
    mirostat: Annotated[
        Literal["off", "v1", "v2"],
        about("Mirostat", group="filters", advanced=True),
        (
            "Keeps the surprisal of the text at a target by adapting the number of candidates; "
            "replaces top-k, top-p, min-p and typical."
        ),
    ] = "off"
    mirostat_tau: Annotated[
        float,
        about("Mirostat target", gt=0, le=20, unit="bits", group="filters", advanced=True),
        "Target surprisal: lower is more predictable.",
    ] = 5.0
    mirostat_eta: Annotated[
        float, about("Mirostat rate", gt=0, le=1, group="filters", advanced=True), "How fast mirostat adapts."
    ] = 0.1
    repetition_penalty: Annotated[
        float,
        about("Repetition penalty", ge=1, le=2, group="repetition"),
        "Above 1 makes tokens already used less probable; 1 is off.",
    ] = 1.0
    presence_penalty: Annotated[
        float,
        about("Presence penalty", ge=-2, le=2, group="repetition", advanced=True),
        "Subtracted from the score of every token that the answer has used already.",
    ] = 0.0
    frequency_penalty: Annotated[
        float,
        about("Frequency penalty", ge=-2, le=2, group="repetition", advanced=True),
        "Subtracted from a token's score once per use in the answer.",
    ] = 0.0
    penalty_window: Annotated[
        int,
        about("Penalty window", ge=1, le=4096, unit="tokens", group="repetition", advanced=True),
        "Number of last tokens of the answer to which the penalties apply.",
    ] = 256
    dry_multiplier: Annotated[
        float,
        about("DRY", ge=0, le=5, group="repetition", advanced=True),
        "Penalty for continuing a phrase as it continued before; 0 is off.",
    ] = 0.0
    dry_base: Annotated[
        float,
        about("DRY base", ge=1, le=4, group="repetition", advanced=True),
        "The penalty grows by this factor per repeated token.",
    ] = 1.75
    dry_allowed_length: Annotated[
        int,
        about("DRY allowed length", ge=1, le=100, unit="tokens", group="repetition", advanced=True),
        "Phrases up to this length may be repeated.",
    ] = 2
    no_repeat_ngram_size: Annotated[
        int,
        about("No-repeat n-gram size", ge=0, le=20, unit="tokens", group="repetition", advanced=True),
        "No sequence of this many tokens occurs twice in the answer; 0 is off.",
    ] = 0
    logit_bias: Annotated[
        tuple[str, ...],
        about("Token bias", group="repetition", advanced=True),
        "text=number, or #id=number: added to the score of that token; -inf bans it.",
    ] = ()
    order: Annotated[
        tuple[str, ...],
        about("Sampler order", group="filters", advanced=True, separator=","),
        "Order of the sampling filters; a filter that is left out is not applied.",
    ] = SAMPLING_ORDER
    n: Annotated[
        int, about("Answers", ge=1, le=16, group="answers"), "Number of answers per question, to choose from."
    ] = 1
    ranked: Annotated[
        bool,
        about("Sort by probability", group="answers"),
        "Order several sampled answers by the mean log-probability of their tokens.",
    ] = False
    num_beams: Annotated[
        int, about("Beams", ge=1, le=16, group="beams"), "Number of sequences that beam search follows in parallel."
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
            "yes: stop when as many answers as beams are complete; no: when a better one is unlikely; "
            "never: only when a better one is impossible."
        ),
    ] = "no"
    keep_greedy: Annotated[
        bool,
        about("Keep the greedy path", group="beams"),
        (
            "Follows the greedy path beside the beams, which may prune it: the best answer's score is "
            "then never below greedy decoding's. It takes as long as one beam more."
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
        "Subtracted from the score of a token that another group has chosen at the same position.",
    ] = 0.0
    penalty_alpha: Annotated[
        float,
        about("Degeneration penalty", ge=0, le=1, group="candidates"),
        "Contrastive search: weight of the similarity to the text so far against the probability.",
    ] = 0.6
    contrastive_k: Annotated[
        int,
        about("Candidates", ge=1, le=16, group="candidates"),
        "Contrastive search: number of the most probable tokens that are compared.",
    ] = 4
    format: Annotated[
        Literal["text", "json", "json_schema", "regex", "choice", "gbnf", "quote"],
        about("Answer format", group="format"),
        (
            "Makes the answer valid by construction: any JSON, JSON by a schema, a regular expression, "
            "one of several choices, a GBNF grammar, or quotes from a text, word for word."
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
        "Description of the answer format; one choice per line; no quote crosses an empty line of a text.",
    ] = ""
    speculation: Annotated[
        Literal["off", "ngram", "draft"],
        about("Speculation", group="speed"),
        (
            "Drafts several tokens and verifies them in one computation: from phrases in the prompt, "
            "or by a smaller model. The answer stays the same and comes faster where drafts are right."
        ),
    ] = "off"
    draft_model: Annotated[
        str, about("Draft model", group="speed"), "A smaller model with the same vocabulary that drafts tokens."
    ] = ""
    draft_tokens: Annotated[
        int,
        about("Draft tokens", ge=1, le=31, unit="tokens", group="speed", advanced=True),
        "Maximum number of tokens per draft.",
    ] = 8
    seed: Annotated[
        int,
        about("Seed", ge=-1, le=LARGEST_SEED, group="answers"),
        "The same seed draws the same answer; -1 draws a new seed each time.",
    ] = -1
    max_tokens: Annotated[
        int, about("Maximum tokens", ge=1, unit="tokens", group="answers"), "Maximum length of the answer."
    ] = 1024
    stop: Annotated[
        tuple[str, ...], about("Stop at", group="answers"), "The answer ends before the first of these texts."
    ] = ()
