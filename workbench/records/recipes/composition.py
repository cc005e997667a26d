"""How the parts of a recipe compose, written down once: which part shapes what, and what has no effect where.

Retrieval gives context: the messages hold the passages before a technique sees them. The prompting technique drives one
or many generations over these messages. Decoding shapes each generation. Citations are checked at the end, whichever
the technique. Settings without effect are named in a sentence, before and beside the answer.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.fields import fields_of
from workbench.records.methods import Methods
from workbench.records.recipes.decoding import DEFAULT_STRATEGY, DecodingPart
from workbench.records.recipes.effects import draws, notes_on, with_preset
from workbench.records.recipes.parts import Mode
from workbench.records.recipes.recipe import PARTS, Recipe

RequestKind = Literal["question", "task", "continuation"]
"""A question of a conversation; a task on one whole document; an earlier answer continued from one of its tokens."""

APPLIES = "applies"
KEPT = "kept"
"""The recipe of the earlier answer is used, so that nothing that was set is lost."""
_UNUSED = "No effect on a document task: {title} {value}."

COMPOSITION: dict[str, dict[RequestKind, str]] = {
    "model": {"question": APPLIES, "task": APPLIES, "continuation": KEPT},
    "prompting.instructions": {"question": APPLIES, "task": APPLIES, "continuation": KEPT},
    "prompting.context": {"question": APPLIES, "task": APPLIES, "continuation": KEPT},
    "prompting.input": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "prompting.output": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "prompting.examples": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "prompting.thinking": {"question": APPLIES, "task": APPLIES, "continuation": KEPT},
    "prompting.technique": {
        "question": APPLIES,
        "task": "The technique {value} has no effect on a document task: each section is one generation.",
        "continuation": "The technique {value} is not run again: the answer continues from the chosen token.",
    },
    "decoding": {"question": APPLIES, "task": APPLIES, "continuation": APPLIES},
    "decoding.n": {
        "question": APPLIES,  # unless the technique has one answer
        "task": "A document task has one answer, not {value}.",
        "continuation": APPLIES,
    },
    "agent": {
        "question": APPLIES,
        "task": "The agent has no effect on a document task: each section is one generation.",
        "continuation": KEPT,
    },
    "retrieval.collection": {"question": APPLIES, "task": APPLIES, "continuation": KEPT},
    "retrieval.passages": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.token_budget": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.decline": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.quote_length": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.road": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.rerank": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
    "retrieval.pictures": {"question": APPLIES, "task": _UNUSED, "continuation": KEPT},
}
"""The effect of each setting in each kind of request: it applies, it is kept from the earlier answer, or it has no
effect; then the cell is the sentence that says so where it was set."""


_UNUSED_BY_AGENT = "No effect with an agent: {title} {value}."

WITH_AGENT: dict[str, str] = {
    "prompting.examples": _UNUSED_BY_AGENT,
    "prompting.technique": "The technique {value} has no effect with an agent, which has a method of its own.",
    "decoding.n": "An agent has one answer, not {value}.",
    "retrieval.passages": _UNUSED_BY_AGENT,
    "retrieval.token_budget": _UNUSED_BY_AGENT,
    "retrieval.decline": _UNUSED_BY_AGENT,
    "retrieval.mode": _UNUSED_BY_AGENT,
    "retrieval.quote_length": _UNUSED_BY_AGENT,
    "retrieval.road": _UNUSED_BY_AGENT,
    "retrieval.pictures": _UNUSED_BY_AGENT,
}
"""The effect of settings when a question is answered by an agent: it searches the documents by its tools, and answers
in its own words. What is not here applies as it does without one."""

_HOTTER, _HOTTEST = 0.3, 1.5
"""By how much the temperature of a varied answer rises, and up to where."""


def decoding_of(recipe: Recipe, methods: Methods[Any], request: RequestKind) -> DecodingPart:
    """The decoding that shapes each generation: of one answer, where the request or the technique has only one."""
    one = COMPOSITION["decoding.n"][request] != APPLIES or _one_answer(recipe, methods, request)
    return msgspec.structs.replace(recipe.decoding, n=1) if one else recipe.decoding


def notes_on_composition(recipe: Recipe, methods: Methods[Any], request: RequestKind = "question") -> tuple[Shown, ...]:
    """Sentences about what was set and has no effect beside the other parts, without those about decoding alone."""
    notes = []
    by_agent = request == "question" and recipe.agent is not None
    cells = WITH_AGENT if by_agent else {setting: cell[request] for setting, cell in COMPOSITION.items()}
    for setting, cell in cells.items():
        part, _, name = setting.partition(".")
        held = getattr(recipe, part)
        if cell in (APPLIES, KEPT) or held is None:
            continue
        if not name:
            notes.append(cell)
            continue
        value, field = getattr(held, name), next(one for one in fields_of(PARTS[part]) if one.name == name)
        if value != field.default:
            shown = methods.row(value, "technique").title if setting == "prompting.technique" else _shown(value)
            notes.append(cell.format(title=field.title, value=shown))
    if recipe.decoding.n > 1 and not by_agent and _one_answer(recipe, methods, request):
        title = methods.row(recipe.prompting.technique, "technique").title
        notes.append(f"The technique {title} has one answer, not {recipe.decoding.n}.")
    return tuple(notes)


def notes_on_recipe(recipe: Recipe, methods: Methods[Any], request: RequestKind = "question") -> tuple[str, ...]:
    """All sentences about what was set in a recipe and has no effect in this kind of request."""
    strategy = methods.row(recipe.decoding.strategy, "decoding")
    shaping = decoding_of(recipe, methods, request)
    return (*notes_on_composition(recipe, methods, request), *notes_on(shaping, strategy))


def varied(recipe: Recipe, methods: Methods[Any]) -> Recipe:
    """The recipe with which the same question is likely to get another answer: tokens are drawn, more freely than
    before, with another seed; the model answers in its own words, since the best sentence to quote stays the same."""
    part, retrieval = recipe.decoding, recipe.retrieval
    if draws(part, methods.row(part.strategy, "decoding")):
        part = msgspec.structs.replace(
            part, temperature=round(max(part.temperature, min(_HOTTEST, part.temperature + _HOTTER)), 2)
        )
    else:
        part = with_preset(part, next(preset for preset in methods.of("preset") if preset.values["temperature"]))
        part = msgspec.structs.replace(part, strategy=DEFAULT_STRATEGY)
    if retrieval is not None and retrieval.mode != "quoted-first":
        mode: Mode = "quoted-first" if retrieval.mode == "quoted" else "own-words"
        retrieval = msgspec.structs.replace(retrieval, mode=mode)
    return msgspec.structs.replace(recipe, decoding=msgspec.structs.replace(part, seed=-1), retrieval=retrieval)


def _one_answer(recipe: Recipe, methods: Methods[Any], request: RequestKind) -> bool:
    technique = methods.row(recipe.prompting.technique, "technique")
    return request == "question" and (recipe.agent is not None or "one answer" in technique.traits)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
