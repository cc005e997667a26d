"""Recipe: a frozen value that says completely how an answer is made.

A recipe is a TOML file (``schema = 1``) that a person can read, edit, share and save. Parts that are absent
are ``None``. Every stored answer keeps its recipe *resolved*: defaults filled in, hashes, seed, engine build and
collection revision, so that it can be made again or the difference named.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta

from workbench.errors import UserError
from workbench.fields import fields_of, parse_value

SCHEMA = 1

SAMPLING_ORDER = (
    "penalties", "dry", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature",
)  # fmt: skip
"""The steps of sampling in their usual order: llama.cpp's."""


class AdapterUse(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA adapter that is put on the model: the name of one in the home's ``adapters`` folder, or the path of a
    GGUF LoRA file. ``scale`` 0 is the base model. ``sha256`` is filled in when the recipe is resolved."""

    name: str
    scale: Annotated[float, Meta(ge=-10, le=10)] = 1.0
    sha256: str = ""


class ModelPart(msgspec.Struct, frozen=True, kw_only=True):
    """Which model answers. ``sha256`` and ``engine`` are filled in when the recipe is resolved."""

    name: Annotated[str, Meta(title="Model", description="Name of a model in the catalogue.")] = ""
    context_tokens: Annotated[
        int,
        Meta(
            ge=0,
            title="Context",
            description="Context length; 0 takes the setting.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    adapters: tuple[AdapterUse, ...] = ()
    sha256: str = ""
    engine: str = ""


class PromptingPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is told before the conversation."""

    system: Annotated[
        str, Meta(title="Instructions", description="What the model is told before every conversation.")
    ] = ""


class DecodingPart(msgspec.Struct, frozen=True, kw_only=True):
    """How the answer is chosen among all that the model could say. Which fields count depends on ``strategy``.

    Sampling applies the steps of ``order`` and draws. Beam search and contrastive search have the parameters of
    transformers' ``generate`` with its meaning of them. A constraint (``format``) holds for every strategy but
    contrastive search. ``extra["group"]`` of a field says where a form shows it. Papers: ``techniques/decoding``.
    """

    strategy: Annotated[
        Literal["sampling", "greedy", "beam", "contrastive"],
        Meta(
            title="Strategy",
            description="Sampling draws each token by its probability, greedy always takes the most probable one, "
            "beam search follows several answers and keeps the most probable, contrastive search avoids repeating.",
            extra={"group": "strategy"},
        ),
    ] = "sampling"
    temperature: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            title="Temperature",
            description="0 always takes the most probable token; higher is more varied.",
            extra={"group": "sampling"},
        ),
    ] = 0.0
    top_k: Annotated[
        int,
        Meta(
            ge=0,
            title="Top-k",
            description="Draw from the k most probable tokens; 0 from all.",
            extra={"group": "sampling"},
        ),
    ] = 40
    top_p: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Top-p",
            description="Draw from the fewest tokens that hold this much probability.",
            extra={"group": "sampling"},
        ),
    ] = 0.95
    min_p: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Min-p",
            description="Leave out tokens less probable than this share of the best one's probability.",
            extra={"group": "sampling"},
        ),
    ] = 0.0
    typical_p: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Typical",
            description="Draw from the tokens that are about as surprising as expected; 1 is off.",
            extra={"group": "sampling", "advanced": True},
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
            extra={"group": "sampling", "advanced": True},
        ),
    ] = 0.0
    dynamic_exponent: Annotated[
        float,
        Meta(
            gt=0,
            le=10,
            title="Dynamic exponent",
            description="How the dynamic temperature follows the uncertainty: 1 in proportion, above 1 later.",
            extra={"group": "sampling", "advanced": True},
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
            extra={"group": "sampling", "advanced": True},
        ),
    ] = 0.0
    xtc_threshold: Annotated[
        float,
        Meta(
            gt=0,
            le=0.5,
            title="Top-choice threshold",
            description="The probability from which on a token counts as a top choice.",
            extra={"group": "sampling", "advanced": True},
        ),
    ] = 0.1
    mirostat: Annotated[
        Literal["off", "v1", "v2"],
        Meta(
            title="Mirostat",
            description="Keeps the surprise of the text at a target by adapting how many tokens are drawn from; "
            "takes the place of top-k, top-p, min-p and typical.",
            extra={"group": "sampling", "advanced": True},
        ),
    ] = "off"
    mirostat_tau: Annotated[
        float,
        Meta(
            gt=0,
            le=20,
            title="Mirostat target",
            description="The surprise that is aimed at: lower is more predictable.",
            extra={"group": "sampling", "advanced": True, "unit": "bits"},
        ),
    ] = 5.0
    mirostat_eta: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Mirostat rate",
            description="How fast mirostat adapts.",
            extra={"group": "sampling", "advanced": True},
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
            extra={"group": "sampling", "advanced": True, "separator": ","},
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
            extra={"group": "beam"},
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
            extra={"group": "beam"},
        ),
    ] = 1.0
    early_stopping: Annotated[
        Literal["no", "yes", "never"],
        Meta(
            title="Early stopping",
            description="yes: stop when as many answers as beams are complete; no: when a better one is unlikely; "
            "never: only when there cannot be a better one.",
            extra={"group": "beam"},
        ),
    ] = "no"
    num_beam_groups: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Groups of beams",
            description="Beams are split into this many groups that are kept different from each other.",
            extra={"group": "beam", "advanced": True},
        ),
    ] = 1
    diversity_penalty: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            title="Diversity penalty",
            description="Taken off the score of a token that another group has chosen at the same place.",
            extra={"group": "beam", "advanced": True},
        ),
    ] = 0.0
    penalty_alpha: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Degeneration penalty",
            description="Contrastive search: how much being like what was said already counts against being probable.",
            extra={"group": "contrastive"},
        ),
    ] = 0.6
    contrastive_k: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Candidates",
            description="Contrastive search: how many of the most probable tokens are weighed against each other.",
            extra={"group": "contrastive"},
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
            max_length=65_536,
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
            title="Guesses at once",
            description="How many tokens are guessed ahead at most.",
            extra={"group": "speed", "advanced": True, "unit": "tokens"},
        ),
    ] = 8
    seed: Annotated[
        int,
        Meta(
            ge=-1,
            le=4_294_967_294,
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


PRESETS: dict[str, dict[str, Any]] = {
    "precise": {"temperature": 0.0},
    "balanced": {"temperature": 0.7, "top_p": 0.9, "min_p": 0.05},
    "creative": {"temperature": 1.1, "top_k": 0, "top_p": 1.0, "min_p": 0.05},
}
"""Ways to choose tokens that go by a name; what they don't say of sampling and repetition is at its default."""

_PRESET_GROUPS = ("strategy", "sampling", "repetition")


def with_preset(part: DecodingPart, name: str) -> DecodingPart:
    """The part with a preset in the place of all that it said of sampling and repetition. Raises KeyError."""
    default = DecodingPart()
    groups = {f.name: f.group for f in fields_of(DecodingPart)}
    values = {f: getattr(default, f) for f, group in groups.items() if group in _PRESET_GROUPS}
    return msgspec.structs.replace(part, **values | PRESETS[name])


def preset_of(part: DecodingPart) -> str | None:
    """The name of the preset that the part has; greedy search is what ``precise`` comes to. None for none."""
    if part.strategy == "greedy":
        part = msgspec.structs.replace(part, strategy="sampling", temperature=0.0)
    return next((name for name in PRESETS if with_preset(part, name) == part), None)


class RetrievalPart(msgspec.Struct, frozen=True, kw_only=True):
    """Which documents the answer may lean on, and how much of them is shown to the model."""

    collection: Annotated[
        str, Meta(title="Documents", description="Name of the collection that questions are answered from.")
    ] = ""
    passages: Annotated[
        int,
        Meta(
            ge=0,
            le=50,
            title="Passages",
            description="How many passages the model is shown; 0 lets the model's size decide "
            "(more context hurts a small model).",
        ),
    ] = 0
    token_budget: Annotated[
        int,
        Meta(
            ge=0,
            title="Room for passages",
            description="How much of the context passages may take; 0 takes half of it.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    decline: Annotated[
        bool,
        Meta(
            title="Say when it is not there",
            description="Answer that the documents do not hold it rather than guess.",
        ),
    ] = True
    revision: int = 0


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is made. Absent parts are None."""

    schema: int = SCHEMA
    name: str = ""
    model: ModelPart = ModelPart()
    prompting: PromptingPart = PromptingPart()
    decoding: DecodingPart = DecodingPart()
    retrieval: RetrievalPart | None = None


PARTS: dict[str, type[msgspec.Struct]] = {
    "model": ModelPart,
    "prompting": PromptingPart,
    "decoding": DecodingPart,
    "retrieval": RetrievalPart,
}


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file. Raises UserError that names the file and the field."""
    try:
        return recipe_from(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise UserError(f"There is no recipe file {path}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} is not a recipe: {error}.") from error
    except UserError as error:
        raise UserError(f"{path} is not a valid recipe: {error.message}", error.hint) from error


def recipe_from(data: dict[str, Any]) -> Recipe:
    """A recipe from its plain data. Raises UserError for an unknown schema, part, field or value."""
    schema = data.get("schema")
    if schema != SCHEMA:
        raise UserError(f"The recipe has schema {schema!r}; this program reads schema {SCHEMA}.")
    for part, value in data.items():
        if part in ("schema", "name"):
            continue
        if part not in PARTS:
            raise UserError(f"Unknown part {part!r}.", f"Known parts: {', '.join(PARTS)}.")
        known = PARTS[part].__struct_fields__
        for field in value if isinstance(value, dict) else ():
            if field not in known:
                raise UserError(f"Unknown field {part}.{field}.", f"Known fields: {', '.join(known)}.")
    try:
        return msgspec.convert(data, Recipe)
    except msgspec.ValidationError as error:
        raise UserError(f"{error}.") from error


def save_recipe(path: Path, recipe: Recipe) -> None:
    """Write the recipe as TOML, whole or not at all. Fields at their default are left out."""
    data: dict[str, Any] = {"schema": recipe.schema}
    if recipe.name:
        data["name"] = recipe.name
    for part, config in PARTS.items():
        value = getattr(recipe, part)
        if value is None:
            continue
        default = config()
        kept = {
            f: msgspec.to_builtins(getattr(value, f))
            for f in config.__struct_fields__
            if getattr(value, f) != getattr(default, f)
        }
        if kept or getattr(Recipe(), part) is None:
            data[part] = kept
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(tomli_w.dumps(data).encode())
    os.replace(beside, path)


def with_value(recipe: Recipe, assignment: str) -> Recipe:
    """The recipe with one ``part.field=value`` changed, as ``--set`` takes it. Raises UserError."""
    target, sign, text = assignment.partition("=")
    part, dot, field = target.strip().partition(".")
    if not sign or not dot:
        raise UserError(f"{assignment!r} is not of the form part.field=value.")
    if part not in PARTS:
        raise UserError(f"There is no recipe part {part!r}.", f"Parts: {', '.join(PARTS)}.")
    now = getattr(recipe, part) or PARTS[part]()
    value = parse_value(PARTS[part], field, text)
    return msgspec.structs.replace(recipe, **{part: msgspec.structs.replace(now, **{field: value})})


def differences(a: Recipe, b: Recipe) -> list[tuple[str, Any, Any]]:
    """``(part.field, value in a, value in b)`` wherever the two recipes differ."""
    found: list[tuple[str, Any, Any]] = []
    for part, config in PARTS.items():
        left, right = getattr(a, part), getattr(b, part)
        for field in config.__struct_fields__:
            one = getattr(left, field) if left is not None else None
            other = getattr(right, field) if right is not None else None
            if one != other:
                found.append((f"{part}.{field}", one, other))
    return found
