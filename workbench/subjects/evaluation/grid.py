"""The identity of a cell of an evaluation, so that the same answer is never generated twice."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from workbench.records.demonstrations import Demonstration
from workbench.records.evaluation import QuestionRow, ScorerUse
from workbench.records.methods import Method, Trait
from workbench.records.recipes import LARGEST_SEED, RECIPE, Example, Recipe
from workbench.subjects.evaluation.scorers.rewards import compares_texts
from workbench.text.metrics import COMPARISON

EMBEDS: Trait = "embeds"


_CHOICES_SINCE = {"rerank": True, "pictures": "scans"}
"""Fields of the search that came later, with the values by which earlier answers were made: those stay known."""


def digest_of(
    resolved: Recipe,
    sha256: str,
    engine: str,
    embedder: str = "",
    examples: Sequence[Example] = (),
    demonstrations: Sequence[Demonstration] = (),
) -> str:
    """The same for recipes that answer the same: ``resolved`` with the checksum of its model's files, the engine's
    build, the checksum of the embedding model where it takes part, and the examples and demonstrations that it chooses
    from; whatever its name, seed and sources in the library."""
    model = msgspec.structs.replace(resolved.model, sha256=sha256, engine=engine)
    decoding = msgspec.structs.replace(resolved.decoding, seed=-1)
    plain = RECIPE.plain(msgspec.structs.replace(resolved, name="", model=model, decoding=decoding))
    del plain["prompting"]["sources"]
    if plain["retrieval"]:
        for name, usual in _CHOICES_SINCE.items():
            if plain["retrieval"][name] == usual:
                del plain["retrieval"][name]
    shown = [one.id for one in demonstrations]
    return _digest([plain, embedder, msgspec.to_builtins(examples), *([shown] if shown else ())])


def seed_of(recipe: Recipe, question: QuestionRow, seed: int) -> int:
    """The seed of an answer: the recipe's own, else one drawn from the evaluation's for the question."""
    if recipe.decoding.seed >= 0:
        return recipe.decoding.seed
    return int(_digest([seed, question.key]), 16) % (LARGEST_SEED + 1)


def cell_of(digest: str, question: QuestionRow, seed: int) -> str:
    return _digest([digest, question.key, seed])


def uses_embedder(resolved: Recipe, technique: Method) -> bool:
    """Whether the embedding model takes part in an answer: it searches, or chooses or orders examples by meaning."""
    part = resolved.prompting
    by_meaning = part.example_choice in ("similar", "diverse") or part.example_order != "as-listed"
    chooses = bool(part.examples) and by_meaning
    return resolved.retrieval is not None or chooses or EMBEDS in technique.traits


def key_of(
    use: ScorerUse, method: Method, judge: str, first: str, embedder: str = "", asked: Sequence[str] = ()
) -> str:
    """The key of a scorer: its settings with their defaults, the digest of its ``judge``, that of the ``first`` recipe
    where it compares with that, the version of the rules where it compares texts, the checksum of the embedding model
    where it asks that, and the checksums of the reward models and recipes that its rewards have ``asked``."""
    said = [use.name, msgspec.to_builtins(method.decode(use.options)), judge, first]
    said += [COMPARISON] if compares_texts(method, method.decode(use.options)) else []
    return _digest([*said, *([embedder] if embedder else []), *([list(asked)] if asked else [])])


def _digest(value: Any) -> str:
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()
