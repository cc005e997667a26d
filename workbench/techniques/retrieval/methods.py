"""Rows of retrieval: what finds passages for a question, and the tasks on one whole document."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from workbench.base.fields import about
from workbench.records.methods import Method
from workbench.records.recipes import RetrievalPart


class Summarise(msgspec.Struct, frozen=True, kw_only=True):
    """A summary has no settings."""


class Extract(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a table."""

    columns: Annotated[tuple[str, ...], about("Columns", separator=","), "The table has these columns."] = ()


class Translate(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a translation."""

    language: Annotated[str, about("Language"), "The text is translated into this language."] = ""


def _task(
    name: str,
    title: str,
    summary: str,
    source: str,
    phrase: str,
    icon: str,
    config: type[msgspec.Struct],
    **values: Any,
) -> Method:
    return Method(
        name=name,
        kind="task",
        technique="retrieval",
        title=title,
        summary=summary,
        source=source,
        config=config,
        values=values,
        entry=f"workbench.techniques.retrieval.documents:{name}",
        cost="It takes one generation for each section of the document.",
        phrase=phrase,
        icon=icon,
    )


METHODS = (
    Method(
        name="grounded",
        kind="context",
        technique="retrieval",
        title="Passages",
        summary="The answer comes from the passages of your documents that match the question, and cites them.",
        source="Lewis et al. 2020, Retrieval-Augmented Generation, arXiv:2005.11401",
        config=RetrievalPart,
        entry="workbench.techniques.retrieval.grounded:run",
        cost="The passages are read before the question; searching takes well under a second.",
    ),
    _task(
        "summarise",
        "Summarise",
        "One document is summarised. A small model quotes its main sentences, and a larger one works section by "
        "section.",
        "Wu et al. 2021, Recursively Summarizing Books with Human Feedback, arXiv:2109.10862",
        "Summarise {document}",
        "summary",
        Summarise,
    ),
    _task(
        "extract",
        "Extract a table",
        "The entries of one document are listed as a table, and every row is checked against the text.",
        "Arora et al. 2023, Language Models Enable Simple Systems for Generating Structured Views, arXiv:2304.09433",
        "Extract {columns} from {document}",
        "table",
        Extract,
        columns=("name", "date", "amount"),
    ),
    _task(
        "translate",
        "Translate",
        "One document is translated, section by section. Its paragraphs are kept.",
        "Wang et al. 2023, Document-Level Machine Translation with Large Language Models, arXiv:2304.02210",
        "Translate {document} into {language}",
        "translate",
        Translate,
        language="English",
    ),
)
