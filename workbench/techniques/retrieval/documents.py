"""Tasks on one whole document: summarise it, extract a table from it, translate it.

A model with few parameters summarises by quoting (``quoted_summary.py``): its own words on a section are wrong more
often than right. Else a document that does not fit the model's context is processed section by section: summaries are
made of the sections' own (``own_summary.py``), extracted rows are checked against their section and merged, and
translations are joined, paragraph by paragraph.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import has_fewer_parameters
from workbench.base.counting import counted
from workbench.base.errors import Cancelled, UserError
from workbench.engine.inference_calls import Generated
from workbench.records.answers import DocumentTask
from workbench.records.documents import DocumentText
from workbench.records.messages import UNFINISHED, Citation, Finish, Passage
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.citations import as_citation
from workbench.techniques.retrieval.document_sections import sections_of, tokens_of
from workbench.techniques.retrieval.outline import read_outline
from workbench.techniques.retrieval.own_summary import cited_passages, summarise_in_own_words, summary_sections
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS
from workbench.techniques.retrieval.quoted_summary import quote_summary
from workbench.techniques.retrieval.quoting import Quotes, prefers_quotes
from workbench.techniques.retrieval.section_worker import SectionWorker, Work
from workbench.techniques.retrieval.tables import TableLine, find_table_lines, markdown_table, merge_rows, read_rows
from workbench.text.language import detect_language

_TABLE_SHARE, _TRANSLATION_SHARE = 0.45, 0.3
"""How much of the context a section may take; the rest is for the answer."""
_FEWEST_WORDS = 40  # beside a table whose rows were copied; fewer only introduce it

_CHECK_ITS_WORK = "This model is small: check its work against the document."
_OFTEN_WRONG = (
    "This model is small, and its own words are often wrong: only statements that the document bears out are kept. "
    "The default quotes the document."
)


@dataclass(frozen=True)
class Worked:
    """What a task has made of a document: the ``passages`` are what its ``citations`` number. ``states``: its sentences
    are statements about the document in the model's own words, which have to be verified. The cells of a table were
    compared with the document one by one, and a translation says everything in another language."""

    generated: Generated
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...]
    states: bool
    quotes: Quotes | None = None


def summarise(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Worked]:
    """Summarise a document, by quoting or in the model's own words. As ``_work_through``; of a short document the
    ``passages`` are its chunks, of quotes they are what is quoted."""
    document = _document(task, context)
    sections = read_outline(document)
    if in_own_words(recipe, document, context) or not sections:
        passages = summary_sections(document, context.model)
        return (yield from _work_through(document, passages, recipe, context, summarise_in_own_words, states=True))
    done = yield from quote_summary(document, sections, context)
    if done.quotes is None:
        raise Cancelled
    finish: Finish = "cancelled" if done.stopped else "stop"
    generated = Generated(text=done.quotes.text, finish=finish)
    yield events.TextDelta(text=generated.text)
    return Worked(generated, done.quotes.passages, done.quotes.citations, states=True, quotes=done.quotes)


def in_own_words(recipe: Recipe, document: DocumentText, context: AnswerContext) -> bool:
    """Whether a model summarises this document in its own words, as the recipe says, its exam or its size."""
    if context.decoding.format != "text":
        return True
    part = recipe.retrieval or RetrievalPart()
    language = detect_language(document.text)
    return not prefers_quotes(part, language, context.model, context.decoding.n, context.exam)


def extract(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Worked]:
    """Extract a table with the task's ``columns``. As ``_work_through``."""
    document = _document(task, context)
    if not any(column.strip() for column in task.columns):
        raise UserError("There is no column to extract.", "Name at least one column of the table.")
    work = partial(_extract, columns=task.columns)
    sections = sections_of(document, document.text, _TABLE_SHARE, context.model)
    return (yield from _work_through(document, sections, recipe, context, work, states=False))


def translate(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Worked]:
    """Translate a document into the task's ``language``. As ``_work_through``."""
    document = _document(task, context)
    if not task.language.strip():
        raise UserError("There is no language to translate into.", "Name the language, for example German.")
    work = partial(_translate, language=task.language)
    sections = translation_passages(document, context)
    return (yield from _work_through(document, sections, recipe, context, work, states=False))


def _work_through(
    document: DocumentText,
    sections: Sequence[Passage],
    recipe: Recipe,
    context: AnswerContext,
    work: Callable[..., Work],
    *,
    states: bool,
) -> Generator[Event, None, Worked]:
    """Work through the ``sections`` of a document.

    Streams Progress ("section 3 of 12"), steps, TextDelta and Log(notice). The ``passages`` of what it returns are the
    sections; the generation is cancelled where it was stopped. Raises UserError when there is no such document, or it
    holds no text.
    """
    if has_fewer_parameters(context.model, SMALL_MODEL_PARAMETERS):
        yield from context.note(_OFTEN_WRONG if states else _CHECK_ITS_WORK)
    generated, passages, citations = yield from work(sections, document, SectionWorker(recipe, context, len(sections)))
    return Worked(generated, tuple(passages), citations, states)


def _document(task: DocumentTask, context: AnswerContext) -> DocumentText:
    if context.retriever is None:
        raise UserError("This task needs a collection.", "Choose the collection that holds the document.")
    document = context.retriever.document(task.document)
    if not document.text.strip():
        raise UserError(f"{document.document.path} holds no text.")
    return document


def summary_passages(document: DocumentText, context: AnswerContext) -> tuple[Passage, ...]:
    """What the citations of a summary in the model's own words number."""
    return tuple(cited_passages(summary_sections(document, context.model), document))


def translation_passages(document: DocumentText, context: AnswerContext) -> tuple[Passage, ...]:
    """The sections in which a document is translated."""
    return tuple(sections_of(document, document.text, _TRANSLATION_SHARE, context.model))


def _extract(
    sections: Sequence[Passage], document: DocumentText, worker: SectionWorker, columns: Sequence[str]
) -> Work:
    header = " | ".join(columns)
    instruction = (
        f"List every entry of this text as a Markdown table with exactly these columns: | {header} |. "
        "One row for each entry. Leave a cell empty when the text does not say. Write nothing else."
    )
    rows = []
    finished: Generated = Generated(text="")
    lines = find_table_lines(document.text, columns)
    starts = [section.start for section in sections]
    copied = [(line.row, sections[bisect_right(starts, line.start) - 1].n) for line in lines if line.row is not None]
    if copied:
        yield from worker.context.note(
            f"{counted(len(copied), 'row was', 'rows were')} copied from tables of the document."
        )
    for done, section in enumerate(sections):
        yield worker.progress("extracting", f"section {done + 1:,} of {len(sections):,}")
        rest = _without(section, lines)
        if len(rest) < len(section.text) and len(rest.split()) < _FEWEST_WORDS:
            worker.skip()  # a table and little else
            continue
        title = f"Section {done + 1:,} of {len(sections):,}"
        try:
            finished = yield from worker.ask(
                instruction, rest, title, quiet=True, most=tokens_of(worker.context.model, 0.4)
            )
        except Cancelled:  # the rows so far are worth having
            finished = Generated(text="", finish="cancelled")
            break
        rows += [(row, section.n) for row in read_rows(finished.text, columns, rest)]
    merged = merge_rows(rows, copied)
    if not merged and finished.finish != "cancelled":
        yield from worker.context.note("The model found no row for these columns that stands in the document.")
    table = markdown_table(columns, merged)
    yield events.TextDelta(text=table)
    used = {n for _, origins in merged for n in origins}
    citations = tuple(as_citation(s, claimed=False) for s in sections if s.n in used)
    return msgspec.structs.replace(finished, text=table, sequences=()), sections, citations


def _without(section: Passage, lines: Sequence[TableLine]) -> str:
    """The text of a section without these lines of the document."""
    pieces: list[str] = []
    taken = section.start
    for line in lines:
        if line.end > taken and line.start < section.end:
            pieces.append(section.text[taken - section.start : max(taken, line.start) - section.start])
            taken = max(taken, line.end)
    return "".join([*pieces, section.text[max(0, taken - section.start) :]])


def _translate(sections: Sequence[Passage], document: DocumentText, worker: SectionWorker, language: str) -> Work:
    instruction = f"Translate this text into {language}. Keep its paragraphs. Write only the translation."
    whole: list[str] = []
    finished = Generated(text="")
    before = 0
    for done, section in enumerate(sections):
        if worker.context.cancelled():
            finished = Generated(text="", finish="cancelled")
            break
        yield worker.progress("translating", f"section {done + 1:,} of {len(sections):,}")
        gap = document.text[before : section.start]
        before = section.end
        between = ("\n\n" if "\n" in gap else " ") if whole else ""
        if between:
            whole.append(between)
            yield events.TextDelta(text=between)
        title = f"Section {done + 1:,} of {len(sections):,}"
        finished = yield from worker.ask(instruction, section.text, title, most=tokens_of(worker.context.model, 0.55))
        whole.append(finished.text)
        if finished.finish == "cancelled":
            break
        if finished.finish in UNFINISHED:
            yield from worker.context.note(f"The translation of section {section.n} was cut short.")
    return msgspec.structs.replace(finished, text="".join(whole), sequences=()), sections, ()
