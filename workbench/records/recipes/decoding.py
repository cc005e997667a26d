"""The decoding part of a recipe: each field with its range, its unit and what a form says of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.fields import about

DEFAULT_STRATEGY = "sampling"

LARGEST_SEED = 4_294_967_294

LONGEST_DESCRIPTION = 65_536
"""Characters that describe the form of an answer, at most."""

SAMPLING_ORDER = (
    "penalties", "dry", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature",
)  # fmt: skip
"""The steps of sampling in their usual order: llama.cpp's."""


class DecodingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the answer is chosen among all that the model could say. Which fields count depends on ``strategy``.

    Sampling applies the steps of ``order`` and draws. Beam search and contrastive search have the parameters of
    transformers' ``generate`` with its meaning of them. A constraint (``format``) holds for every strategy but
    contrastive search. The group of a field says where a form shows it. Papers: ``techniques/decoding``.
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
        "Draw from the fewest tokens that hold this much probability.",
    ] = 0.95
    min_p: Annotated[
        float,
        about("Min-p", ge=0, le=1, group="filters"),
        "Leave out tokens less probable than this share of the best one's probability.",
    ] = 0.0
    typical_p: Annotated[
        float,
        about("Typical", gt=0, le=1, group="filters", advanced=True),
        "Draw from the tokens that are about as surprising as expected; 1 is off.",
    ] = 1.0
    dynamic_temperature: Annotated[
        float,
        about("Dynamic temperature", ge=0, le=5, group="filters", advanced=True),
        "The temperature moves by up to this much around its value: lower where the model is sure, "
        "higher where it is not; 0 is off.",
    ] = 0.0
    dynamic_exponent: Annotated[
        float,
        about("Dynamic exponent", gt=0, le=10, group="filters", advanced=True),
        "How the dynamic temperature follows the uncertainty: 1 in proportion, above 1 later.",
    ] = 1.0
    xtc_probability: Annotated[
        float,
        about("Exclude top choices", ge=0, le=1, group="filters", advanced=True),
        "How often the most probable of several good tokens are left out, for less ordinary answers; 0 is off.",
    ] = 0.0
    xtc_threshold: Annotated[
        float,
        about("Top-choice threshold", gt=0, le=0.5, group="filters", advanced=True),
        "The probability from which on a token counts as a top choice.",
    ] = 0.1
    mirostat: Annotated[
        Literal["off", "v1", "v2"],
        about("Mirostat", group="filters", advanced=True),
        "Keeps the surprise of the text at a target by adapting how many tokens are drawn from; "
        "takes the place of top-k, top-p, min-p and typical.",
    ] = "off"
    mirostat_tau: Annotated[
        float,
        about("Mirostat target", gt=0, le=20, unit="bits", group="filters", advanced=True),
        "The surprise that is aimed at: lower is more predictable.",
    ] = 5.0
    mirostat_eta: Annotated[
        float, about("Mirostat rate", gt=0, le=1, group="filters", advanced=True), "How fast mirostat adapts."
    ] = 0.1
    repetition_penalty: Annotated[
        float,
        about("Repetition penalty", ge=1, le=2, group="repetition"),
        "Above 1 makes tokens already used less probable.",
    ] = 1.1
    presence_penalty: Annotated[
        float,
        about("Presence penalty", ge=-2, le=2, group="repetition", advanced=True),
        "Taken off the score of every token that the answer has used already.",
    ] = 0.0
    frequency_penalty: Annotated[
        float,
        about("Frequency penalty", ge=-2, le=2, group="repetition", advanced=True),
        "Taken off a token's score once for each time that the answer has used it.",
    ] = 0.0
    penalty_window: Annotated[
        int,
        about("Penalty window", ge=1, le=4096, unit="tokens", group="repetition", advanced=True),
        "How far back in the answer the penalties look.",
    ] = 256
    dry_multiplier: Annotated[
        float,
        about("DRY", ge=0, le=5, group="repetition", advanced=True),
        "How strongly going on with a phrase that stood there before is punished; 0 is off.",
    ] = 0.0
    dry_base: Annotated[
        float,
        about("DRY growth", ge=1, le=4, group="repetition", advanced=True),
        "The punishment grows by this factor with each further repeated token.",
    ] = 1.75
    dry_allowed_length: Annotated[
        int,
        about("DRY allowed length", ge=1, le=100, unit="tokens", group="repetition", advanced=True),
        "Phrases up to this length may be repeated.",
    ] = 2
    no_repeat_ngram_size: Annotated[
        int,
        about("No repeated phrase of", ge=0, le=20, unit="tokens", group="repetition", advanced=True),
        "No sequence of this many tokens may come twice in the answer; 0 is off.",
    ] = 0
    logit_bias: Annotated[
        tuple[str, ...],
        about("Token bias", group="repetition", advanced=True),
        "text=number, or #id=number: added to the score of that token; -inf forbids it.",
    ] = ()
    order: Annotated[
        tuple[str, ...],
        about("Order of steps", group="filters", advanced=True, separator=","),
        "The order in which sampling narrows the choice; a step that is left out is not applied.",
    ] = SAMPLING_ORDER
    n: Annotated[
        int, about("Answers", ge=1, le=16, group="answers"), "How many answers are made at once, to choose from."
    ] = 1
    ranked: Annotated[
        bool,
        about("Most probable first", group="answers"),
        "Order several sampled answers by the mean log-probability of their tokens.",
    ] = False
    num_beams: Annotated[
        int, about("Beams", ge=1, le=16, group="beams"), "How many answers beam search follows side by side."
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
        "yes: stop when as many answers as beams are complete; no: when a better one is unlikely; "
        "never: only when there cannot be a better one.",
    ] = "no"
    keep_greedy: Annotated[
        bool,
        about("Never below greedy", group="beams"),
        "Follows the greedy path beside the beams, which may lose it: the best answer's score is then "
        "never below greedy decoding's. It takes as long as one beam more.",
    ] = False
    num_beam_groups: Annotated[
        int,
        about("Groups of beams", ge=1, le=16, group="beams", advanced=True),
        "Beams are split into this many groups that are kept different from each other.",
    ] = 1
    diversity_penalty: Annotated[
        float,
        about("Diversity penalty", ge=0, le=10, group="beams", advanced=True),
        "Taken off the score of a token that another group has chosen at the same place.",
    ] = 0.0
    penalty_alpha: Annotated[
        float,
        about("Degeneration penalty", ge=0, le=1, group="candidates"),
        "Contrastive search: how much being like what was said already counts against being probable.",
    ] = 0.6
    contrastive_k: Annotated[
        int,
        about("Candidates", ge=1, le=16, group="candidates"),
        "Contrastive search: how many of the most probable tokens are weighed against each other.",
    ] = 4
    format: Annotated[
        Literal["text", "json", "json_schema", "regex", "choice", "gbnf"],
        about("Form of the answer", group="format"),
        "Makes the answer valid by construction: any JSON, JSON by a schema, a regular expression, one "
        "of some choices, or a grammar in GBNF.",
    ] = "text"
    grammar: Annotated[
        str,
        about("Schema, expression, choices or grammar", max_length=LONGEST_DESCRIPTION, group="format", multiline=True),
        "What the form of the answer is described by; choices stand on a line each.",
    ] = ""
    speculation: Annotated[
        Literal["off", "ngram", "draft"],
        about("Speculation", group="speed"),
        "Guesses several tokens ahead and checks them at once: from phrases in the prompt, or by a "
        "smaller model. The answer stays the same, it only comes faster where guesses are right.",
    ] = "off"
    draft_model: Annotated[
        str, about("Draft model", group="speed"), "A smaller model with the same vocabulary that guesses ahead."
    ] = ""
    draft_tokens: Annotated[
        int,
        about("Draft tokens", ge=1, le=31, unit="tokens", group="speed", advanced=True),
        "The most tokens drafted at once.",
    ] = 8
    seed: Annotated[
        int,
        about("Seed", ge=-1, le=LARGEST_SEED, group="answers"),
        "The same seed draws the same answer; -1 takes a new one each time.",
    ] = -1
    max_tokens: Annotated[
        int, about("Longest answer", ge=1, unit="tokens", group="answers"), "The answer ends here at the latest."
    ] = 1024
    stop: Annotated[
        tuple[str, ...], about("Stop at", group="answers"), "The answer ends where one of these texts begins."
    ] = ()
