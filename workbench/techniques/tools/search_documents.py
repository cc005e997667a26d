"""Search in the documents of the recipe: passages, numbered so that the answer can cite them."""

from __future__ import annotations

from typing import Annotated, Protocol

import msgspec

from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.techniques.tools.passages import output_of
from workbench.techniques.tools.services import ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput, tool_from

PASSAGES = 3
HEADING = 200
"""Characters for the number and the title of a passage."""
NO_DOCUMENTS = "the recipe has no documents."


class Searcher(Protocol):
    """What a search asks of a recipe's documents."""

    def search(self, query: str, limit: int) -> SearchResult: ...


def find(searcher: Searcher, query: str, limit: int, longest: int) -> list[Passage]:
    """The best passages, each at most so many characters long."""
    return [shortened(hit, longest) for hit in searcher.search(query, limit).hits]


def shortened(passage: Passage, longest: int) -> Passage:
    """The beginning of a passage; ``end`` is where it ends."""
    if len(passage.text) <= longest:
        return passage
    return msgspec.structs.replace(passage, text=passage.text[:longest], end=passage.start + longest)


def make(services: ToolServices) -> Tool:
    retriever = services.retriever
    if retriever is None:
        raise ToolUnavailable(NO_DOCUMENTS)

    def search_documents(query: Annotated[str, "words or a question"]) -> ToolOutput:
        """Search the person's documents; gives numbered passages."""
        return output_of(find(retriever, query, PASSAGES, LONGEST_OUTPUT // PASSAGES - HEADING))

    return tool_from(search_documents, seconds=60.0)
