"""Rows of retrieval: what finds passages for a question, and the tasks on one whole document."""

from __future__ import annotations

from workbench.api.calls import DocumentTask
from workbench.records.methods import Method
from workbench.records.recipes import RetrievalPart

METHODS = (
    Method(
        name="grounded",
        kind="context",
        technique="retrieval",
        title="Passages",
        summary="Answer from the passages of your documents that match the question, with citations.",
        source="Lewis et al. 2020, Retrieval-Augmented Generation, arXiv:2005.11401",
        config=RetrievalPart,
        entry="workbench.techniques.retrieval.grounded:run",
        cost="The passages are read before the question; searching takes well under a second.",
    ),
    Method(
        name="whole-document",
        kind="task",
        technique="retrieval",
        title="Whole document",
        summary="Summarise, tabulate or translate one document, section by section when it is long.",
        source="Wu et al. 2021, Recursively Summarizing Books with Human Feedback, arXiv:2109.10862",
        config=DocumentTask,
        entry="workbench.techniques.retrieval.documents:run",
        cost="One generation per section.",
    ),
)
