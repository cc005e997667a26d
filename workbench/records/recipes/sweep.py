"""Several recipes of one: fields that take several values, such as a temperature of 0 and of 0.7."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.recipes.recipe import Recipe, with_value

MOST_SWEPT = 26
"""Recipes of one sweep: as many as an evaluation compares."""


def sweep(recipe: Recipe, fields: Sequence[str], methods: Methods[Any]) -> tuple[Recipe, ...]:
    """The recipe with each combination of the values that ``fields`` name, as ``part.field=value, value``; the recipe
    alone without any. They are named by what differs, after a name that is not the model's. Raises UserError for a
    field without a value, for a value that is none, and for more than ``MOST_SWEPT``."""
    axes = [_assignments(field) for field in fields]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MOST_SWEPT:
        raise UserError(f"These values make {count:,} recipes.", f"Leave at most {MOST_SWEPT}.")
    return tuple(_of(recipe, chosen, methods) for chosen in product(*axes)) if axes else (recipe,)


def _assignments(field: str) -> list[str]:
    target, sign, text = field.partition("=")
    values = list(dict.fromkeys(value.strip() for value in text.split(",") if value.strip()))
    if not sign or not values:
        raise UserError(f"{target.strip()} has no values.", "Write them with a comma between them, such as 0, 0.7.")
    return [f"{target.strip()}={value}" for value in values]


def _of(recipe: Recipe, assignments: Sequence[str], methods: Methods[Any]) -> Recipe:
    for assignment in assignments:
        recipe = with_value(recipe, assignment, methods)
    told = (assignment.partition(".")[2].replace("=", " ").replace("_", " ") for assignment in assignments)
    before = recipe.name if recipe.name != recipe.model.name else ""
    return msgspec.structs.replace(recipe, name=", ".join(filter(None, (before, *told))))
