"""The identity of a cell of an evaluation, so that the same answer is never generated twice."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from workbench.records.evaluation import QuestionRow, ScorerUse
from workbench.records.methods import Method
from workbench.records.recipes import LARGEST_SEED, RECIPE, Example, Recipe


def digest_of(resolved: Recipe, sha256: str, examples: Sequence[Example] = ()) -> str:
    """The same for recipes that answer the same: ``resolved`` with the checksum of its model's files and the examples
    that it chooses from, whatever its name, seed and sources in the library."""
    model = msgspec.structs.replace(resolved.model, sha256=sha256, engine="")
    decoding = msgspec.structs.replace(resolved.decoding, seed=-1)
    plain = RECIPE.plain(msgspec.structs.replace(resolved, name="", model=model, decoding=decoding))
    del plain["prompting"]["sources"]
    return _digest([plain, msgspec.to_builtins(examples)] if examples else plain)


def seed_of(recipe: Recipe, question: QuestionRow, seed: int) -> int:
    """The seed of an answer: the recipe's own, else one drawn from the evaluation's for the question."""
    if recipe.decoding.seed >= 0:
        return recipe.decoding.seed
    return int(_digest([seed, question.key]), 16) % (LARGEST_SEED + 1)


def cell_of(digest: str, question: QuestionRow, seed: int) -> str:
    return _digest([digest, question.key, seed])


def key_of(use: ScorerUse, method: Method, judge: str, first: str) -> str:
    """The key of a scorer: its settings with their defaults, the digest of its ``judge``, and of the ``first`` recipe
    where it compares with that."""
    return _digest([use.name, msgspec.to_builtins(method.decode(use.options)), judge, first])


def _digest(value: Any) -> str:
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()
