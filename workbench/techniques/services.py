"""What the program offers to every technique beside the model and the documents of an answer.

A new service is a field here, with the function that refuses it where it is not offered, and a line in
``Services.helpers`` of the home (``subjects/answering/resolver.py``). What only tools use is in ``tools/services.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from workbench.base.errors import UserError
from workbench.engine.inference_calls import LoraUse
from workbench.records.demonstrations import Demonstration
from workbench.records.messages import ImagePart, Passage
from workbench.records.recipes import Example
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.support import Support
from workbench.techniques.tools.services import PythonResult

Similarities = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]
"""The cosine of every one of some texts with every one of others."""


def compare(question: str, texts: Sequence[str], similarities: Similarities) -> Sequence[float]:
    """How like a question each text is: cosines, or where there is no embedding model the share of its words."""
    try:
        return similarities([question], texts)[0]
    except UserError:
        wanted = set(question.casefold().split())
        return [len(wanted & set(text.casefold().split())) / max(1, len(wanted)) for text in texts]


def _no_similarities(texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
    raise UserError("There is no embedding model to compare texts with.", "Import an embedding model first.")


def _no_matches(pattern: str, text: str) -> bool:
    raise UserError("Regular expressions are not available here.")


def _no_python(code: str, inputs: Mapping[str, Any]) -> PythonResult:
    raise UserError("Programs cannot be run here: there is no sandbox.", "Choose another check.")


def _no_reward_model(name: str) -> LoraUse:
    raise UserError(f"There is no reward model {name!r}.", "Train one first: the objective reward.")


def _no_examples(question_set: str) -> Sequence[Example]:
    raise UserError(f"There is no question set {question_set!r}.", "Import one first.")


def _no_picture(passage: Passage, number: int) -> AbstractContextManager[ImagePart]:
    raise UserError("Pages cannot be drawn here.", "Ask without the pictures of pages.")


@dataclass(frozen=True)
class Helpers:
    """``demonstrations`` are the programs that the person has saved, ``examples`` those of a question set by its name.
    ``matches(pattern, text)``: a regular expression matches a whole text. ``run_python(code, inputs)`` runs a program
    in the sandbox. ``reward_model(name)`` is one for this recipe's model. ``support(text)`` is how far the passages
    before the model support an answer, None without any. ``other_collections`` are those of the home that this answer
    does not search. ``page_picture(passage, number)`` is the picture of the page that a passage is on (0), or the one
    with this number within its document; it is there within the block. Without a home there are none: what is asked for
    is refused by a UserError."""

    similarities: Similarities = _no_similarities
    demonstrations: Callable[[], Sequence[Demonstration]] = tuple
    examples: Callable[[str], Sequence[Example]] = _no_examples
    matches: Callable[[str, str], bool] = _no_matches
    run_python: Callable[[str, Mapping[str, Any]], PythonResult] = _no_python
    reward_model: Callable[[str], LoraUse] = _no_reward_model
    support: Callable[[str], Support | None] = lambda text: None
    other_collections: Callable[[], Sequence[Retriever]] = tuple
    page_picture: Callable[[Passage, int], AbstractContextManager[ImagePart]] = _no_picture
