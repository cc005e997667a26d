"""Read one value out of a text of strangers, in quarantine: the text reaches a model call of its own, which can give
nothing but a number, a date, or one of the choices that it was given.

The dual LLM pattern (Willison 2023) and CaMeL's quarantined model (Debenedetti et al. 2025, arXiv:2503.18813): since no
text comes out, the agent's context is not tainted. The value may still be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.tools.read_document import document_named
from workbench.techniques.tools.results import NOT_SAID, one_line
from workbench.techniques.tools.services import ToolServices, ToolUnavailable, ValueForm
from workbench.techniques.tools.tool import Tool, tool_from
from workbench.techniques.tools.workspace import Workspace

LONGEST_TEXT = 6_000
"""Characters of a text that are read; of a longer document the passages nearest to the question are."""
MOST_CHOICES, LONGEST_CHOICE = 20, 80
NOWHERE = "the recipe has neither documents nor a workspace folder."
_FORMS = {
    "number": ValueForm(format="regex", grammar=rf"-?[0-9]{{1,12}}(\.[0-9]{{1,6}})?|{NOT_SAID}"),
    "date": ValueForm(format="regex", grammar=rf"[12][0-9]{{3}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|{NOT_SAID}"),
    "yes or no": ValueForm(format="choice", grammar=f"yes\nno\n{NOT_SAID}"),
}


def make(services: ToolServices) -> Tool:
    if services.retriever is None and services.folder is None:
        raise ToolUnavailable(NOWHERE)

    def read_value(
        source: Annotated[str, "the title of a document, or a file of the workspace"],
        question: Annotated[str, "what to find out from it"],
        kind: Annotated[Literal["number", "date", "yes or no", "choice"], "what the value is"],
        context: RequestContext,
        choices: Annotated[tuple[str, ...], "for kind choice: the possible values"] = (),
    ) -> str:
        """Find out one value from a document or file: a number, a date, yes or no, or one of the choices."""
        form = _FORMS[kind] if kind != "choice" else _choice(choices)
        return services.read_value(_text_of(source, question, services), question, form, context)

    return msgspec.structs.replace(tool_from(read_value, output="trusted", seconds=60.0), private=True)


def _choice(choices: Sequence[str]) -> ValueForm:
    lines = list(dict.fromkeys(filter(None, (one_line(one, LONGEST_CHOICE) for one in choices))))
    if not 2 <= len(lines) <= MOST_CHOICES:
        raise UserError(f"Give 2 to {MOST_CHOICES} choices.")
    return ValueForm(format="choice", grammar="\n".join((*lines, NOT_SAID)))


def _text_of(source: str, question: str, services: ToolServices) -> str:
    """The text of a file of the workspace, else of a document. Raises UserError, which names no text of either."""
    if services.folder is not None:
        try:
            return Workspace(services.folder).read(source)[:LONGEST_TEXT]
        except UserError:
            if services.retriever is None:
                raise
    assert services.retriever is not None
    return _of_document(source, question, services.retriever)


def _of_document(name: str, question: str, retriever: Retriever) -> str:
    try:
        _, found = document_named(name, retriever)
    except UserError as error:  # it names titles, which are text of strangers
        raise UserError("There is no such document.", "Name it as the person does.") from error
    text = retriever.document(found.id).text
    if len(text) <= LONGEST_TEXT:
        return text
    hits = [hit.text for hit in retriever.search(question, 10).hits if hit.document == found.id]
    return "\n\n".join(hits)[:LONGEST_TEXT] or text[:LONGEST_TEXT]
