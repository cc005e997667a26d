"""The columns of the features of sentences, by name: see ``sentence_features``."""

from __future__ import annotations

from workbench.techniques.retrieval.answer_types import TYPES

NAMES: tuple[str, ...] = (
    "own", "around", "kin_own", "kin_around", "passage", "above", "everywhere", "rarest_own", "rarest_around",
    "figures", "new_figures", "asked", "met", "missed", *(f"met_{kind}" for kind in TYPES),
    *(f"missed_{kind}" for kind in TYPES), "attribute_met", "attribute_missed", "counted_met", "counted_missed",
    "heaviest_missing", "terms_missing", "length", "short", "row", "item", "entry", "unended", "lead", "anaphora",
    "first", "rank", "score", "first_hit", "new", "new_count", "pairs", "figure_near", "recognised", "unspaced",
    "foreign", "alike", "passage_alike", "own_behind", "around_behind", "everywhere_behind", "alike_behind",
    "passage_behind", "other", "other_alike", "other_passage", "other_behind", "other_own", "other_rank",
    "foreign_alike",
    "foreign_passage", "foreign_own", "unspaced_own", "unspaced_around", "unspaced_alike", "older", "newer",
    "title", "first_term", "first_term_own", "last_term", "last_term_own", "value_near", "untold", "names",
    "names_here", "names_document", "figures_here", "document", "document_missing", "document_hits", "both_sides",
    "superseded",
    "position", "row_missing", "german", "thing_missing",
)  # fmt: skip
"""The columns of ``Comparison.features``."""

COLUMN = {name: number for number, name in enumerate(NAMES)}
