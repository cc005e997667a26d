"""An answer that begins like an earlier one and goes on differently: with another token at one of its places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from workbench.api import events
from workbench.api.calls import AskResult
from workbench.api.events import Event
from workbench.records.messages import Passage
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.citations import CitationEditor, citations_of, cited
from workbench.techniques.streaming import Unchanged, answered, edit, ending


class Prefix(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the earlier answer: the ``prompt`` that the model was shown and the ``answer``'s first tokens, as
    ids, and the ``passages`` that ``query`` had found for ``question``."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    question: str
    query: str = ""
    passages: tuple[Passage, ...] = ()


def run(begun: Prefix, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Go on with an answer; nothing is searched anew. Its text begins with what ``begun.answer`` says.

    Streams Retrieved where there were passages, then Thought, TextDelta, BeamStep and Log(notice). Ends in Finished
    with an ``AskResult``, or in Cancelled with the answer so far.
    """
    notices: list[str] = []
    step = context.step("generation", "Continue the answer", writes_answer=True)
    stream = context.model.continue_from(begun.prompt, begun.answer, recipe.decoding)
    if begun.passages:
        yield events.Retrieved(query=begun.query, passages=begun.passages)
        verbatim = recipe.decoding.format != "text"
        editor = partial(CitationEditor, begun.passages, begun.question, verbatim=verbatim)
        grounded = yield from edit(stream, editor, step, notices=notices)
        generated = grounded.generated
        sequences = cited(generated, grounded.editors)
        citations = citations_of(grounded.editors[0], begun.passages)
    else:
        generated = (yield from edit(stream, Unchanged, step, notices=notices)).generated
        sequences, citations = answered(generated), ()
    result = AskResult(
        answer=generated.text,
        sequences=sequences,
        citations=citations,
        query=begun.query,
        passages=begun.passages,
        notices=tuple(notices),
    )
    yield ending(result, generated)
