"""The recipe as a whole: read, written, changed and compared."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from workbench.errors import UserError
from workbench.fields import parse_value
from workbench.records.recipes.decoding import DecodingPart
from workbench.records.recipes.model import ModelPart
from workbench.records.recipes.prompting import PromptingPart
from workbench.records.recipes.retrieval import RetrievalPart

SCHEMA = 1


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
