"""The recipe as a whole: read, written and changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from workbench.base.errors import UserError
from workbench.base.fields import find_field, parse_text, parse_value
from workbench.base.stored import Stored, Upgrade, read_toml
from workbench.records.methods import Methods
from workbench.records.recipes.agent import AgentPart
from workbench.records.recipes.decoding import DecodingPart
from workbench.records.recipes.parts import ModelPart, PromptingPart, RetrievalPart

_PENALTY_OF_3 = 1.1
"""The repetition penalty that recipes of format 3 had where none was written."""


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Format 1 called the instructions ``system``."""
    prompting = dict(plain.get("prompting") or {})
    if "system" in prompting:
        prompting["instructions"] = prompting.pop("system")
    return {**plain, "prompting": prompting}


def _from_2(plain: dict[str, Any]) -> dict[str, Any]:
    """Format 2 had no agents."""
    return plain


def _from_3(plain: dict[str, Any]) -> dict[str, Any]:
    """Today there is no repetition penalty where none is written. A number that is written stays: answers keep their
    recipe whole, so they can be made again."""
    return plain


def _from_4(plain: dict[str, Any]) -> dict[str, Any]:
    """Format 4 had no roads: every question went the way of one place."""
    return plain


def _chat_from_3(plain: dict[str, Any]) -> dict[str, Any]:
    """The recipe of a chat is written whole, so a penalty of 1.1 there is the default that nobody asked for."""
    decoding = dict(plain.get("decoding") or {})
    if decoding.get("repetition_penalty") == _PENALTY_OF_3:
        del decoding["repetition_penalty"]
    return {**plain, "decoding": decoding}


UPGRADES: dict[int, Upgrade] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
SCHEMA = len(UPGRADES) + 1


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A complete description of how an answer is made. Absent parts are None."""

    schema: int = SCHEMA
    name: str = ""
    model: ModelPart = ModelPart()
    prompting: PromptingPart = PromptingPart()
    decoding: DecodingPart = DecodingPart()
    retrieval: RetrievalPart | None = None
    agent: AgentPart | None = None


RECIPE = Stored("recipe", Recipe, upgrades=UPGRADES, key="schema")
CHAT_RECIPE = Stored("recipe", Recipe, upgrades={**UPGRADES, 3: _chat_from_3}, key="schema")
"""The recipe that a chat asks its next question with. Those of its answers are ``RECIPE``."""

PARTS: dict[str, type[msgspec.Struct]] = {
    "model": ModelPart,
    "prompting": PromptingPart,
    "decoding": DecodingPart,
    "retrieval": RetrievalPart,
    "agent": AgentPart,
}
OPTIONS = "technique"
"""The name by which ``with_value`` changes the settings of the prompting technique."""


def without_attachments(recipe: Recipe) -> Recipe:
    """The recipe without the files attached to a chat, which serve that chat alone."""
    part = recipe.retrieval
    if part is None or not part.attachments:
        return recipe
    kept = msgspec.structs.replace(part, attachments="") if part.collection else None
    return msgspec.structs.replace(recipe, retrieval=kept)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file. Raises UserError that names the file and the field."""
    return read_toml(path, RECIPE)


def save_recipe(path: Path, recipe: Recipe, note: str = "") -> None:
    """Write the recipe as TOML, whole or not at all, below a ``note`` as a comment. Fields at their default are left
    out. Raises OSError."""
    data: dict[str, Any] = {"schema": recipe.schema}
    if recipe.name:
        data["name"] = recipe.name
    for part, config in PARTS.items():
        value, default = getattr(recipe, part), config()
        if value is None:
            continue
        names = [name for name in config.__struct_fields__ if getattr(value, name) != getattr(default, name)]
        if names or getattr(Recipe(), part) is None:
            data[part] = {name: msgspec.to_builtins(getattr(value, name)) for name in names}
    beside = path.with_name(path.name + ".new")
    comment = "".join(f"# {line}\n" for line in note.splitlines())
    beside.write_bytes((comment + tomli_w.dumps(data)).encode())
    os.replace(beside, path)


def with_value(recipe: Recipe, assignment: str, methods: Methods[Any]) -> Recipe:
    """The recipe with one ``part.field=value`` changed, as ``--set`` takes it. The part ``technique`` stands for the
    settings of the recipe's prompting technique, which is looked up in ``methods``. Raises UserError."""
    target, sign, text = assignment.partition("=")
    part, dot, field = target.strip().partition(".")
    if not sign or not dot:
        raise UserError(f"{assignment!r} is not of the form part.field=value.")
    if part == OPTIONS:
        technique = methods.find(recipe.prompting.technique, "technique")
        value = parse_text(find_field(technique.fields, field), text)
        prompting = msgspec.structs.replace(recipe.prompting, options={**recipe.prompting.options, field: value})
        return msgspec.structs.replace(recipe, prompting=prompting)
    if part not in PARTS:
        raise UserError(f"There is no recipe part {part!r}.", f"Parts: {', '.join((*PARTS, OPTIONS))}.")
    now = getattr(recipe, part) or PARTS[part]()
    value = parse_value(PARTS[part], field, text)
    return msgspec.structs.replace(recipe, **{part: msgspec.structs.replace(now, **{field: value})})
