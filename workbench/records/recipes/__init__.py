"""Recipe: a frozen value that says completely how an answer is made.

A recipe is a TOML file (``schema = 1``) that a person can read, edit, share and save. Parts that are absent
are ``None``. Every stored answer keeps its recipe *resolved*: defaults filled in, hashes, seed, engine build and
collection revision, so that it can be made again or the difference named.
"""

from __future__ import annotations

from workbench.records.recipes.composition import RequestKind, decoding_of, notes_on_composition, notes_on_recipe
from workbench.records.recipes.decoding import (
    DEFAULT_STRATEGY,
    LARGEST_SEED,
    LONGEST_DESCRIPTION,
    SAMPLING_ORDER,
    DecodingPart,
)
from workbench.records.recipes.effects import (
    active_fields,
    answers_of,
    draws,
    ignored_fields,
    normalized,
    notes_on,
    notes_on_drafts,
    preset_of,
    problem_of,
    with_preset,
)
from workbench.records.recipes.model import AdapterUse, ModelPart
from workbench.records.recipes.prompting import DEFAULT_TECHNIQUE, PromptingPart
from workbench.records.recipes.recipe import (
    OPTIONS,
    PARTS,
    RECIPE,
    Recipe,
    load_recipe,
    save_recipe,
    with_value,
)
from workbench.records.recipes.retrieval import RetrievalPart

__all__ = [
    "DEFAULT_STRATEGY",
    "DEFAULT_TECHNIQUE",
    "LARGEST_SEED",
    "LONGEST_DESCRIPTION",
    "OPTIONS",
    "PARTS",
    "RECIPE",
    "SAMPLING_ORDER",
    "AdapterUse",
    "DecodingPart",
    "ModelPart",
    "PromptingPart",
    "Recipe",
    "RequestKind",
    "RetrievalPart",
    "active_fields",
    "answers_of",
    "decoding_of",
    "draws",
    "ignored_fields",
    "load_recipe",
    "normalized",
    "notes_on",
    "notes_on_composition",
    "notes_on_drafts",
    "notes_on_recipe",
    "preset_of",
    "problem_of",
    "save_recipe",
    "with_preset",
    "with_value",
]
