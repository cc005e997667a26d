"""Read a document of the recipe, a part at a time."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from workbench.base.errors import UserError
from workbench.records.documents import Document
from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.tools.passages import output_of
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.search_documents import HEADING, NO_DOCUMENTS
from workbench.techniques.tools.services import ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput, tool_from

MOST_NAMED = 20


def make(services: ToolServices) -> Tool:
    retriever = services.retriever
    if retriever is None:
        raise ToolUnavailable(NO_DOCUMENTS)

    def read_document(
        document: Annotated[str, "its title or file name, as a search gives it"],
        start: Annotated[int, "the first character to read, from 0"] = 0,
    ) -> ToolOutput:
        """Read a part of one of the person's documents."""
        collection, found = document_named(document, retriever)
        text = retriever.document(found.id).text
        begin = max(0, start)
        part = text[begin : begin + LONGEST_OUTPUT - HEADING]
        if not part:
            raise UserError(f"{found.title} has {len(text):,} characters; there is nothing from {begin:,} on.")
        passage = Passage(
            collection=collection,
            document=found.id,
            document_hash=found.hash,
            path=found.path,
            title=found.title,
            start=begin,
            end=begin + len(part),
            text=part,
        )
        return output_of([passage])

    return tool_from(read_document, seconds=60.0)


def document_named(name: str, retriever: Retriever) -> tuple[str, Document]:
    """The document of that title, file name, path or id, with the id of its collection; also of a part of a title that
    only one has. Raises UserError that names those there are."""
    documents = [pair for pair in retriever.documents() if pair[1].state != "failed"]
    wanted = name.strip().casefold()
    for same in (_is_its_id, _is_its_name, _is_part_of_its_name):
        found = [pair for pair in documents if wanted and same(wanted, pair[1])]
        if len(found) == 1:
            return found[0]
        if found:
            documents = found
            break
    names = ", ".join(one_line(one.title, 60) for _, one in documents[:MOST_NAMED])
    raise UserError(f"No single document is named {one_line(name, 60)!r}.", f"There are: {names or 'none'}.")


def _is_its_id(wanted: str, document: Document) -> bool:
    return wanted in (document.id.casefold(), document.path.casefold())


def _is_its_name(wanted: str, document: Document) -> bool:
    return wanted in _names(document)


def _is_part_of_its_name(wanted: str, document: Document) -> bool:
    return any(wanted in name for name in _names(document))


def _names(document: Document) -> tuple[str, str]:
    return document.title.casefold(), PurePath(document.path).name.casefold()
