"""The choices of fields as a person reads them, in place of the values that are stored."""

from __future__ import annotations

from workbench.base.catalogue import _, localised
from workbench.base.fields import choice_title
from workbench.records.recipes import DEFAULT_AGENT
from workbench.records.roads import ROADS

_NAMES = {
    "adamw": _("AdamW"),
    "auto": _("Automatic"),
    "json": _("JSON"),
    DEFAULT_AGENT: _("ReAct"),
    "sgd": _("SGD"),
    "trl": _("TRL"),
    "workbench": _("This program"),
    "4bit": _("4 bits"),
    "packed": _("As in the GGUF file"),
    "bf16": _("16 bits (bf16)"),
    "f32": _("32 bits (f32)"),
    "f16": _("16 bits (f16)"),
    "q8_0": _("8 bits (q8_0)"),
    "feed-forward": _("Feed-forward layers"),
    "attention": _("Attention layers"),
    "nearest-last": _("Most similar last"),
    "nearest-first": _("Most similar first"),
    "as-listed": _("As in the question set"),
    "ngram": _("From phrases of the prompt"),
    "draft": _("By a smaller model"),
    "breadth-first": _("Level by level"),
    "depth-first": _("Most promising first"),
    "verdicts": _("Ratings by the model"),
    "votes": _("Votes of the model"),
    "checker": _("Exact check"),
    "engine": _("By the engine"),
    "transformers": _("By the model in training"),
    "citations": _("Support in the passages"),
    "own-words": _("In the model's own words"),
    "quoted": _("Quote the documents"),
    "quoted-first": _("Quote first, then in own words"),
    "sentence": _("Whole sentences"),
    "span": _("The shortest words that answer"),
}
"""Choices that are written in a way of their own."""

_OF_FIELD: dict[str, dict[str, str]] = {
    "road": {road: words.title for road, words in localised(ROADS).items()},
    "pictures": {"scans": _("Scans and photos"), "pages": _("All PDF pages"), "off": _("None")},
    "split_mode": {"layer": _("By layers"), "row": _("By rows of each layer"), "none": _("Not split")},
    "unfinished": {"score": _("Score as they are"), "penalise": _("Count as −1"), "mask": _("Leave out")},
}
"""The same by the name of their field."""


def name_choice(field: str, choice: str) -> str:
    """The title of a choice whose field has that name: ``AdamW``, ``Most similar last``, ``v2``."""
    return _OF_FIELD.get(field, {}).get(choice) or _NAMES.get(choice) or _(choice_title(choice))
