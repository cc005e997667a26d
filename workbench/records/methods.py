"""Methods as values: the row that describes each method, and the table that looks a row up by its name.

The rows stand next to the methods (``techniques/<technique>/methods.py``); ``techniques/registry.py`` collects them.
Everything else asks a row's attributes instead of comparing names: a window and a terminal receive the rows by
``ListMethods``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.copying import shared
from workbench.base.errors import UserError
from workbench.base.fields import Field, fields_of

Technique = Literal["prompting", "decoding", "retrieval", "agents", "finetuning", "preference", "evaluation"]

Kind = Literal[
    "technique",
    "decoding",
    "preset",
    "setting",
    "context",
    "task",
    "weights",
    "objective",
    "scorer",
    "optimiser",
    "agent",
    "tool",
    "reward",
]
"""The place that a method takes in a recipe or a training, one of each kind at a time.

``technique``: the prompting technique, which drives generations over the messages. ``decoding``: the strategy by which
a generation chooses its tokens; ``preset`` and ``setting``: values of the decoding part. ``context``: the retrieval of
passages for a question. ``task``: work on one whole document. ``weights`` and ``objective``: the weights that are
trained, and the loss. ``scorer``: what an evaluation sees in an answer. ``optimiser``: the search for a better recipe.
``agent``: the way in which a model works with tools; ``tool``: one of them. ``reward``: what an answer is worth, to a
training of a policy and to an evaluation.
"""

Trait = Literal[
    "draws", "searches", "one answer", "free text", "resumes", "without answer", "asks a model", "judges", "compares",
    "embeds", "demonstrations", "by instruction", "computes", "from documents alone", "compares texts", "text alone",
    "fewer is better", "shows images", "asks documents",
]  # fmt: skip
"""``draws``: tokens are chosen by chance, above temperature 0. ``searches``: several sequences are computed side by
side, so that no tokens are drafted and the sampling filters do not apply. ``one answer``: it has only one answer,
however many are asked for. ``free text``: it cannot keep to a format. ``shows images``: it hands the question's images
to the model. ``resumes``: it goes on from the steps of an earlier answer, also after a person has changed a thought
(``records/thoughts.py``).

``embeds``: it compares meanings by the embedding model. ``demonstrations``: it sees the person's task library.
``computes``: the result of the tool is a value, which the answer has to state. ``asks documents``: a tool that reads
the documents of the recipe, or an agent that has others ask them. ``from documents alone``: an agent that asks no
model, so it needs documents and the tool that searches them.

Of scorers: ``without answer``: it needs no generated answer; ``asks a model``; ``judges``: by a recipe of its own;
``compares``: with the first recipe's answer; ``by instruction``: a question counts by the number of its
instructions; ``fewer is better``: it counts a fault. Of scorers and rewards: ``compares texts``: by the rules of
``workbench.text.metrics``, so that newer rules make its scores anew. Of rewards: ``text alone``: it reads the
answer, and asks neither a model nor a process."""


class MethodInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The description of a method. ``fields`` describe its configuration: forms, flags and docs are built from them.

    ``source`` names the paper. ``needs`` are the capabilities that the backend must have. ``groups`` are the field
    groups of the configuration that only this method reads. ``values`` are the fields of its smallest configuration (of
    a preset: all that it sets). ``cost`` says in a sentence what it takes beyond one plain answer or the base weights.
    ``phrase`` words a task as a request, with {document} and its settings in braces. ``family`` is the heading under
    which methods are listed together, "" for those that come first. ``artifact`` is the kind of file that a training
    makes, and ``served`` how llama.cpp uses it. ``unit`` is that of a scorer's values; "" for a share of 1, where
    more is better.
    """

    name: str
    kind: Kind
    technique: Technique
    title: Shown
    summary: Shown
    source: str
    needs: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    groups: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    cost: Shown = ""
    phrase: str = ""
    icon: str = ""
    family: Shown = ""
    artifact: Shown = ""
    served: Shown = ""
    unit: Shown = ""
    fields: tuple[Field, ...] = ()


class Method(MethodInfo, frozen=True, kw_only=True):
    """A method that can be run: ``config`` is its configuration type and ``entry`` its ``package.module:function``.
    ``edit_check`` names the same way a function of options, earlier steps and a person's StepEdit, which raises
    UserError for an edit that is not possible."""

    config: type[msgspec.Struct]
    entry: str = ""
    edit_check: str = ""

    def load(self) -> Any:
        """The function that carries the method out; imports its module."""
        return _loaded(self.entry)

    def load_edit_check(self) -> Any:
        """The function that checks an edit; None for a method without one."""
        return _loaded(self.edit_check) if self.edit_check else None

    def decode(self, options: dict[str, Any]) -> msgspec.Struct:
        """The configuration that plain ``options`` mean. Raises UserError that names the field."""
        known = self.config.__struct_fields__
        for name in options:
            if name not in known:
                raise UserError(
                    f"{self.title} has no setting {name!r}.", f"Its settings: {', '.join(known) or 'none'}."
                )
        try:
            return msgspec.convert(options, self.config)
        except msgspec.ValidationError as error:
            raise UserError(f"A setting of {self.title} is not valid: {error}.") from error

    def describe(self) -> MethodInfo:
        """The row without what only the process that runs it needs."""
        return MethodInfo(**shared(self, MethodInfo))

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "fields", fields_of(self.config))


def _loaded(entry: str) -> Any:
    module, _, function = entry.partition(":")
    return getattr(import_module(module), function)


M = TypeVar("M", bound=MethodInfo)

WITHDRAWN: dict[Kind, dict[str, str]] = {
    "weights": {"miss": "MiSS", "vera": "VeRA", "loha": "LoHa", "lokr": "LoKr", "oft": "OFT"}
}
"""Methods of earlier versions by their titles. What is stored with one is shown with its title."""


def _withdrawn(name: str, kind: Kind) -> str:
    return f"{WITHDRAWN[kind][name]} cannot be trained by this version: choose LoRA for a new training."


class Methods(Generic[M]):
    """A table of methods, in their order. Names are unique in it: raises ValueError for a name that comes twice."""

    def __init__(self, rows: Iterable[M] = ()) -> None:
        self._rows = tuple(rows)
        self._by_name = {row.name: row for row in self._rows}
        if len(self._by_name) < len(self._rows):
            names = [row.name for row in self._rows]
            raise ValueError(f"methods of one name: {sorted({name for name in names if names.count(name) > 1})}")

    def __iter__(self) -> Iterator[M]:
        return iter(self._rows)

    def of(self, kind: Kind) -> tuple[M, ...]:
        """The methods of a kind, in their order; the first one is the default."""
        return tuple(row for row in self._rows if row.kind == kind)

    def get(self, name: str, kind: Kind) -> M | None:
        """The row of that name and kind; None when there is none."""
        row = self._by_name.get(name)
        return row if row is not None and row.kind == kind else None

    def row(self, name: str, kind: Kind) -> MethodInfo:
        """The row of that name and kind; of a name that is not known, a row that says so. A table without rows is one
        that has not arrived yet."""
        title, summary = name, ""
        if name in WITHDRAWN.get(kind, {}):
            title, summary = f"{WITHDRAWN[kind][name]} (no longer trained)", _withdrawn(name, kind)
        elif self._rows:
            title, summary = f"{name} (not known)", "This method is not known here."
        return self.get(name, kind) or MethodInfo(
            name=name, kind=kind, technique="prompting", title=title, summary=summary, source=""
        )

    def find(self, name: str, kind: Kind) -> M:
        """The row of that name and kind. Raises UserError that lists the names of that kind."""
        row = self.get(name, kind)
        if row is None and name in WITHDRAWN.get(kind, {}):
            raise UserError(_withdrawn(name, kind), "What was trained with it before can still be used.")
        if row is None:
            names = ", ".join(row.name for row in self.of(kind))
            raise UserError(f"There is no {KIND_TITLES[kind].lower()} {name!r}.", f"Known: {names or 'none'}.")
        return row


KIND_TITLES: dict[Kind, str] = {
    "technique": "Prompting technique",
    "decoding": "Decoding strategy",
    "preset": "Decoding preset",
    "setting": "Decoding setting",
    "context": "Retrieval method",
    "task": "Document task",
    "weights": "Weights method",
    "objective": "Training objective",
    "scorer": "Scorer",
    "optimiser": "Prompt optimiser",
    "agent": "Agent",
    "tool": "Tool",
    "reward": "Reward",
}
"""Kinds by their titles, in the order in which docs and help list them."""
