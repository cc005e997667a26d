"""Recipe: a frozen value that says completely how an answer is made.

A recipe is a TOML file (``schema = 1``) that a person can read, edit, share and save. Parts that are absent
are ``None``. Every stored answer keeps its recipe *resolved*: defaults filled in, hashes, seed, engine build and
collection revision, so that it can be made again or the difference named.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tomli_w
from msgspec import Meta

from workbench.errors import UserError
from workbench.fields import parse_value

SCHEMA = 1


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
    sha256: str = ""
    engine: str = ""


class PromptingPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is told before the conversation."""

    system: Annotated[
        str, Meta(title="Instructions", description="What the model is told before every conversation.")
    ] = ""


class DecodingPart(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen. The chain is: repetition penalty, top-k, top-p, min-p, temperature, draw.

    Sources: top-k Fan et al. 2018 (arXiv:1805.04833); top-p Holtzman et al. 2019 (arXiv:1904.09751);
    min-p Nguyen et al. 2024 (arXiv:2407.01082); repetition penalty Keskar et al. 2019 (arXiv:1909.05858).
    """

    temperature: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            title="Temperature",
            description="0 always takes the most probable token; higher is more varied.",
        ),
    ] = 0.0
    top_k: Annotated[
        int, Meta(ge=0, title="Top-k", description="Draw from the k most probable tokens; 0 from all.")
    ] = 40
    top_p: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            title="Top-p",
            description="Draw from the fewest tokens that hold this much probability.",
        ),
    ] = 0.95
    min_p: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Min-p",
            description="Leave out tokens less probable than this share of the best one's probability.",
        ),
    ] = 0.0
    repetition_penalty: Annotated[
        float,
        Meta(
            ge=1,
            le=2,
            title="Repetition penalty",
            description="Above 1 makes tokens already used less probable.",
        ),
    ] = 1.1
    seed: Annotated[
        int,
        Meta(
            ge=-1,
            le=4_294_967_294,
            title="Seed",
            description="The same seed draws the same answer; -1 takes a new one each time.",
        ),
    ] = -1
    max_tokens: Annotated[
        int,
        Meta(
            ge=1,
            title="Longest answer",
            description="The answer ends here at the latest.",
            extra={"unit": "tokens"},
        ),
    ] = 1024
    stop: Annotated[
        tuple[str, ...], Meta(title="Stop at", description="The answer ends where one of these texts begins.")
    ] = ()


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
            f: list(v) if isinstance(v := getattr(value, f), tuple) else v
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
