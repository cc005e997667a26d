"""The limits of the chosen model in a recipe: greyed in the panel, with the reason as a note.

The reasons are those for which the core refuses a question (``records/capabilities.py``). A greyed choice that the
recipe has already, because the model was changed, stays until the person takes another; its reason is then a warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.recipe import texts
from ui.components.recipe.decoding_form import FORMATS
from ui.components.recipe.limit_note import LimitNote
from workbench.base.catalogue import translated
from workbench.records.capabilities import (
    Capabilities,
    capabilities_of,
    capabilities_of_file,
    describe_missing,
    needs_of_decoding,
    needs_of_documents,
    needs_of_methods,
    needs_of_model,
)
from workbench.records.methods import Kind, Methods
from workbench.records.models import ModelRecord
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe

if TYPE_CHECKING:
    from ui.components.recipe.recipe_panel import RecipePanel


class ModelLimits:
    """The lacks of a model, by the names of capabilities."""

    def __init__(self, model: ModelRecord | None, recipe: Recipe) -> None:
        self._name = model.name if model is not None else ""
        self._has: Capabilities | None = None
        if model is not None and model.endpoint is not None:
            known = Capabilities(context_known=recipe.model.context_tokens > 0)
            self._has = capabilities_of(model.endpoint) | known
        elif model is not None:
            self._has = capabilities_of_file(model.architecture)

    def lacking(self, needs: Capabilities) -> tuple[str, ...]:
        return self._has.missing(needs) if self._has is not None else ()

    def of_methods(self, methods: Methods[Any], kind: Kind) -> dict[str, tuple[str, ...]]:
        """By the names of the methods of a kind."""
        return {row.name: self.lacking(needs_of_methods(row)) for row in methods.of(kind)}

    def of_formats(self, methods: Methods[Any]) -> dict[str, tuple[str, ...]]:
        """By the names of the formats of an answer."""
        row = methods.row(DecodingPart().strategy, "decoding")
        parts = {name: msgspec.structs.replace(DecodingPart(), format=name) for name in FORMATS}
        return {name: self.lacking(needs_of_decoding(part, row)) for name, part in parts.items()}

    def explain(self, lacking: Iterable[str]) -> str:
        """Each thing that is lacking once, in a sentence; the first one names the model."""
        has, names = self._has, list(dict.fromkeys(lacking))
        if has is None:
            return ""
        return " ".join(
            translated(describe_missing(name, has, "" if place else self._name)) for place, name in enumerate(names)
        )

    def grey(self, box: ChoiceBox | ChoiceRow, note: LimitNote, lacking: dict[str, tuple[str, ...]], used: str) -> None:
        """Grey choices and say why; of the one that is ``used``, which a question will be refused for, first of all."""
        box.grey({name: self.explain(lacks) for name, lacks in lacking.items()})
        in_use = lacking.get(used, ())
        note.show_reason(self.explain(in_use or chain.from_iterable(lacking.values())), bool(in_use))


def show_limits(panel: RecipePanel, model: ModelRecord | None) -> None:
    """Grey what the model cannot do in each part of the recipe that the panel shows."""
    recipe, methods = panel.recipe, panel.methods
    part, agent = recipe.decoding, recipe.agent
    limits = ModelLimits(model, recipe)
    decoding, prompting, agents = panel.decoding_form, panel.prompt_form, panel.agent_form
    limits.grey(decoding.strategy, decoding.limits, limits.of_methods(methods, "decoding"), part.strategy)
    limits.grey(decoding.format, decoding.format_limits, limits.of_formats(methods), part.format)
    several = limits.lacking(Capabilities(max_sequences=2))
    decoding.form.grey({"n": limits.explain(several) if part.n == 1 else ""})
    technique = recipe.prompting.technique if agent is None else ""  # beside an agent it has no effect
    limits.grey(prompting.technique, prompting.limits, limits.of_methods(methods, "technique"), technique)
    ways = limits.of_methods(methods, "agent")
    limits.grey(agents.method, agents.limits_note, ways, agent.method if agent is not None else "")
    no_agent = agent is None and bool(ways) and all(ways.values())
    agents.switch.setEnabled(not no_agent)
    panel.agent.grey(texts.NOT_WITH_MODEL if no_agent else "")
    adapters = limits.explain(limits.lacking(needs_of_model(ModelPart(adapters=(AdapterUse(name="any"),)))))
    panel.adapter_form.grey(adapters)
    panel.adapters.grey(texts.NOT_WITH_MODEL if adapters and not recipe.model.adapters else "")
    documents = limits.explain(limits.lacking(needs_of_documents(recipe.retrieval, agent)))
    panel.retrieval_limits.show_reason(documents, True)
