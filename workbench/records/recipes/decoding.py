"""The decoding part of a recipe: each field with its range, its unit and what a form says of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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
    contrastive search. ``extra["group"]`` of a field says where a form shows it. Papers: ``techniques/decoding``.
    """

    strategy: Annotated[
        str,
        Meta(
            title="Strategy",
            description="How each token is chosen, by the name of a decoding strategy.",
            extra={"group": "strategy"},
        ),
    ] = DEFAULT_STRATEGY
    temperature: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            title="Temperature",
            description="0 always takes the most probable token; higher is more varied.",
            extra={"group": "filters"},
        ),
    ] = 0.0
    top_k: Annotated[
        int,
        Meta(
            ge=0,
            title="Top-k",
            description="Draw from the k most probable tokens; 0 from all.",
            extra={"group": "filters"},
        ),
    ] = 40
    top_p: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Top-p",
            description="Draw from the fewest tokens that hold this much probability.",
            extra={"group": "filters"},
        ),
    ] = 0.95
    min_p: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Min-p",
            description="Leave out tokens less probable than this share of the best one's probability.",
            extra={"group": "filters"},
        ),
    ] = 0.0
    typical_p: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Typical",
            description="Draw from the tokens that are about as surprising as expected; 1 is off.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 1.0
    dynamic_temperature: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            title="Dynamic temperature",
            description="The temperature moves by up to this much around its value: lower where the model is sure, "
            "higher where it is not; 0 is off.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 0.0
    dynamic_exponent: Annotated[
        float,
        Meta(
            gt=0,
            le=10,
            title="Dynamic exponent",
            description="How the dynamic temperature follows the uncertainty: 1 in proportion, above 1 later.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 1.0
    xtc_probability: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Exclude top choices",
            description="How often the most probable of several good tokens are left out, for less ordinary answers; "
            "0 is off.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 0.0
    xtc_threshold: Annotated[
        float,
        Meta(
            gt=0,
            le=0.5,
            title="Top-choice threshold",
            description="The probability from which on a token counts as a top choice.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 0.1
    mirostat: Annotated[
        Literal["off", "v1", "v2"],
        Meta(
            title="Mirostat",
            description="Keeps the surprise of the text at a target by adapting how many tokens are drawn from; "
            "takes the place of top-k, top-p, min-p and typical.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = "off"
    mirostat_tau: Annotated[
        float,
        Meta(
            gt=0,
            le=20,
            title="Mirostat target",
            description="The surprise that is aimed at: lower is more predictable.",
            extra={"group": "filters", "advanced": True, "unit": "bits"},
        ),
    ] = 5.0
    mirostat_eta: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Mirostat rate",
            description="How fast mirostat adapts.",
            extra={"group": "filters", "advanced": True},
        ),
    ] = 0.1
    repetition_penalty: Annotated[
        float,
        Meta(
            ge=1,
            le=2,
            title="Repetition penalty",
            description="Above 1 makes tokens already used less probable.",
            extra={"group": "repetition"},
        ),
    ] = 1.1
    presence_penalty: Annotated[
        float,
        Meta(
            ge=-2,
            le=2,
            title="Presence penalty",
            description="Taken off the score of every token that the answer has used already.",
            extra={"group": "repetition", "advanced": True},
        ),
    ] = 0.0
    frequency_penalty: Annotated[
        float,
        Meta(
            ge=-2,
            le=2,
            title="Frequency penalty",
            description="Taken off a token's score once for each time that the answer has used it.",
            extra={"group": "repetition", "advanced": True},
        ),
    ] = 0.0
    penalty_window: Annotated[
        int,
        Meta(
            ge=1,
            le=4096,
            title="Penalty window",
            description="How far back in the answer the penalties look.",
            extra={"group": "repetition", "advanced": True, "unit": "tokens"},
        ),
    ] = 256
    dry_multiplier: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            title="DRY",
            description="How strongly going on with a phrase that stood there before is punished; 0 is off.",
            extra={"group": "repetition", "advanced": True},
        ),
    ] = 0.0
    dry_base: Annotated[
        float,
        Meta(
            ge=1,
            le=4,
            title="DRY growth",
            description="The punishment grows by this factor with each further repeated token.",
            extra={"group": "repetition", "advanced": True},
        ),
    ] = 1.75
    dry_allowed_length: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="DRY allowed length",
            description="Phrases up to this length may be repeated.",
            extra={"group": "repetition", "advanced": True, "unit": "tokens"},
        ),
    ] = 2
    no_repeat_ngram_size: Annotated[
        int,
        Meta(
            ge=0,
            le=20,
            title="No repeated phrase of",
            description="No sequence of this many tokens may come twice in the answer; 0 is off.",
            extra={"group": "repetition", "advanced": True, "unit": "tokens"},
        ),
    ] = 0
    logit_bias: Annotated[
        tuple[str, ...],
        Meta(
            title="Token bias",
            description="text=number, or #id=number: added to the score of that token; -inf forbids it.",
            extra={"group": "repetition", "advanced": True},
        ),
    ] = ()
    order: Annotated[
        tuple[str, ...],
        Meta(
            title="Order of steps",
            description="The order in which sampling narrows the choice; a step that is left out is not applied.",
            extra={"group": "filters", "advanced": True, "separator": ","},
        ),
    ] = SAMPLING_ORDER
    n: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Answers",
            description="How many answers are made at once, to choose from.",
            extra={"group": "answers"},
        ),
    ] = 1
    ranked: Annotated[
        bool,
        Meta(
            title="Most probable first",
            description="Order several sampled answers by the mean log-probability of their tokens.",
            extra={"group": "answers"},
        ),
    ] = False
    num_beams: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Beams",
            description="How many answers beam search follows side by side.",
            extra={"group": "beams"},
        ),
    ] = 4
    length_penalty: Annotated[
        float,
        Meta(
            ge=-5,
            le=5,
            title="Length penalty",
            description="An answer's score is its log-probability over its length to this power: above 0 favours "
            "longer answers, below 0 shorter ones.",
            extra={"group": "beams"},
        ),
    ] = 1.0
    early_stopping: Annotated[
        Literal["no", "yes", "never"],
        Meta(
            title="Early stopping",
            description="yes: stop when as many answers as beams are complete; no: when a better one is unlikely; "
            "never: only when there cannot be a better one.",
            extra={"group": "beams"},
        ),
    ] = "no"
    keep_greedy: Annotated[
        bool,
        Meta(
            title="Never below greedy",
            description="Follows the greedy path beside the beams, which may lose it: the best answer's score is then "
            "never below greedy decoding's. It takes as long as one beam more.",
            extra={"group": "beams"},
        ),
    ] = False
    num_beam_groups: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Groups of beams",
            description="Beams are split into this many groups that are kept different from each other.",
            extra={"group": "beams", "advanced": True},
        ),
    ] = 1
    diversity_penalty: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            title="Diversity penalty",
            description="Taken off the score of a token that another group has chosen at the same place.",
            extra={"group": "beams", "advanced": True},
        ),
    ] = 0.0
    penalty_alpha: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Degeneration penalty",
            description="Contrastive search: how much being like what was said already counts against being probable.",
            extra={"group": "candidates"},
        ),
    ] = 0.6
    contrastive_k: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Candidates",
            description="Contrastive search: how many of the most probable tokens are weighed against each other.",
            extra={"group": "candidates"},
        ),
    ] = 4
    format: Annotated[
        Literal["text", "json", "json_schema", "regex", "choice", "gbnf"],
        Meta(
            title="Form of the answer",
            description="Makes the answer valid by construction: any JSON, JSON by a schema, a regular expression, one "
            "of some choices, or a grammar in GBNF.",
            extra={"group": "format"},
        ),
    ] = "text"
    grammar: Annotated[
        str,
        Meta(
            max_length=LONGEST_DESCRIPTION,
            title="Schema, expression, choices or grammar",
            description="What the form of the answer is described by; choices stand on a line each.",
            extra={"group": "format", "multiline": True},
        ),
    ] = ""
    speculation: Annotated[
        Literal["off", "ngram", "draft"],
        Meta(
            title="Speculation",
            description="Guesses several tokens ahead and checks them at once: from phrases in the prompt, or by a "
            "smaller model. The answer stays the same, it only comes faster where guesses are right.",
            extra={"group": "speed"},
        ),
    ] = "off"
    draft_model: Annotated[
        str,
        Meta(
            title="Draft model",
            description="A smaller model with the same vocabulary that guesses ahead.",
            extra={"group": "speed"},
        ),
    ] = ""
    draft_tokens: Annotated[
        int,
        Meta(
            ge=1,
            le=31,
            title="Draft tokens",
            description="The most tokens drafted at once.",
            extra={"group": "speed", "advanced": True, "unit": "tokens"},
        ),
    ] = 8
    seed: Annotated[
        int,
        Meta(
            ge=-1,
            le=LARGEST_SEED,
            title="Seed",
            description="The same seed draws the same answer; -1 takes a new one each time.",
            extra={"group": "answers"},
        ),
    ] = -1
    max_tokens: Annotated[
        int,
        Meta(
            ge=1,
            title="Longest answer",
            description="The answer ends here at the latest.",
            extra={"unit": "tokens", "group": "answers"},
        ),
    ] = 1024
    stop: Annotated[
        tuple[str, ...],
        Meta(
            title="Stop at",
            description="The answer ends where one of these texts begins.",
            extra={"group": "answers"},
        ),
    ] = ()
