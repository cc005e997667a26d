"""Tasks on one whole document: summarise it, extract a table from it, translate it.

A document that does not fit the model's context is worked through section by section. Summaries are summarised
again until they fit (Wu et al. 2021, "Recursively Summarizing Books with Human Feedback", arXiv:2109.10862);
extracted rows are checked against their section and merged; translations are joined with the paragraphs kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from workbench.api import events
from workbench.api.calls import AskResult, DocumentTask, DocumentText
from workbench.api.events import Event
from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.engine.inference_calls import Generated
from workbench.errors import UserError
from workbench.records.messages import Citation, Message, Passage
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext, Step
from workbench.techniques.retrieval.citations import CitationEditor, as_citation, citations_of
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS
from workbench.techniques.retrieval.sections import passages_at, split_sections
from workbench.techniques.retrieval.tables import markdown_table, merge_rows, read_rows
from workbench.techniques.streaming import Edited, Editor, Unchanged, answered, edit, ending

_SECTION_SHARE = {"summarise": 0.5, "extract": 0.45, "translate": 0.3}  # of the context; the rest is for the answer
_SMALL_MODEL_SECTION = 700  # tokens; a small model loses the thread of more
_FEWEST_TOKENS = 48

E = TypeVar("E", bound=Editor)

_Work = Generator[Event, None, tuple[Generated, Sequence[Passage], tuple[Citation, ...]]]
"""The steps of a task; returns what was made, the passages that its citations number, and the citations."""


def run(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Work through a document of ``context.retriever``.

    Streams Progress ("section 3 of 12"), TextDelta and Log(notice). Ends in Finished with an ``AskResult`` whose
    ``passages`` are the sections (the chunks, of a short document), or in Cancelled with what was done. Raises
    UserError when there is no such document, it holds no text, or the task lacks its columns or its language.
    """
    document = _document_for(task, context)
    sections = passages_at(document, _sections(task, document, context.model))
    worker = _Worker(recipe, context, len(sections))
    if task.task == "summarise":
        work = _summarise(sections, document, worker)
    elif task.task == "extract":
        work = _extract(sections, task.columns, worker)
    else:
        work = _translate(sections, document, task.language, worker)
    yield from worker.warn()
    generated, passages, citations = yield from work
    result = AskResult(
        answer=generated.text,
        sequences=answered(generated),
        citations=citations,
        passages=tuple(passages),
        notices=tuple(worker.notices),
    )
    yield ending(result, generated)


class _Worker:
    """Asks the model for one section after the other and keeps the account."""

    def __init__(self, recipe: Recipe, context: AnswerContext, sections: int) -> None:
        self._recipe = recipe
        self.context = context
        self._sections = sections
        self.notices: list[str] = []

    def warn(self) -> Iterator[Event]:
        """Say that a small model is likely to get things wrong."""
        if has_fewer_parameters(self.context.model, SMALL_MODEL_PARAMETERS):
            yield self.note("This model is small: check its work against the document.")

    def note(self, text: str) -> Event:
        self.notices.append(text)
        return events.Log(text=text, level="notice")

    def progress(self, stage: str, done: int, total: int = 0) -> Event:
        total = total or self._sections
        detail = f"section {min(done + 1, total)} of {total}"
        return events.Progress(stage=stage, done=done, total=total, unit="sections", detail=detail)

    def ask(
        self,
        instruction: str,
        text: str,
        *,
        title: str,
        within: Step | None = None,
        quiet: bool,
        max_tokens: int = 0,
    ) -> Generator[Event, None, Generated]:
        """The model's answer to an instruction about a text, as a step called ``title``, inside another one."""
        edited = yield from self.ask_edited(
            instruction, text, Unchanged, title, kind="section", within=within, quiet=quiet, max_tokens=max_tokens
        )
        return edited.generated

    @property
    def keeps_form(self) -> bool:
        """Whether the recipe asks for a form of the answer."""
        return self._recipe.decoding.format != "text"

    def ask_edited(
        self,
        instruction: str,
        text: str,
        editor: Callable[[], E],
        title: str,
        *,
        kind: str = "generation",
        within: Step | None = None,
        quiet: bool = False,
        max_tokens: int = 0,
    ) -> Generator[Event, None, Edited[E]]:
        """As ``ask``, the answer edited while it streams. One answer, however many the recipe makes of a question."""
        if self.context.cancelled():
            return Edited(Generated(text="", finish="cancelled"), (editor(),))
        system = self._recipe.prompting.system.strip()
        messages = [Message("system", system)] if system else []
        messages.append(Message("user", f"{instruction}\n\n{text}\n\n{instruction}"))
        decoding = msgspec.structs.replace(self._recipe.decoding, n=1)
        if max_tokens:
            decoding = msgspec.structs.replace(decoding, max_tokens=max_tokens)
        context = self.context if within is None else self.context.inside(within)
        step = context.step(kind, title, instruction, writes_answer=not quiet)
        stream = self.context.model.generate(messages, decoding)
        return (yield from edit(stream, editor, step, notices=self.notices, quiet=quiet))


def _summarise(sections: Sequence[Passage], document: DocumentText, worker: _Worker) -> _Work:
    if len(sections) == 1:
        chunks = passages_at(document, [(c.start, c.end) for c in document.chunks])
        text = sections[0].text
        cited: Sequence[Passage] = chunks if len(chunks) > 1 else sections
        instruction = "Summarise this text in one short paragraph."
    else:
        cited = sections
        parts = [s.text for s in sections]
        while len(parts) > 1:
            summaries: list[str] = []
            turn = worker.context.step("sections", f"Summarise {len(parts):,} sections")
            yield turn.started
            for done, part in enumerate(parts):
                yield worker.progress("summarising", done, len(parts))
                made = yield from worker.ask(
                    "Summarise this section in two sentences.",
                    part,
                    title=f"Section {done + 1:,} of {len(parts):,}",
                    within=turn,
                    quiet=True,
                    max_tokens=_share(worker, 0.1),
                )
                if made.finish == "cancelled":
                    return Generated(text="", finish="cancelled"), cited, ()
                summaries.append(made.text.strip())
            yield turn.finished(f"{len(summaries):,} summaries")
            joined = "\n\n".join(summaries)
            limit = _limit("summarise", worker.context.model)
            spans = split_sections(joined, limit, worker.context.model.count_tokens)
            if len(spans) >= len(parts):
                break  # it does not get shorter: summarise what there is, as far as it fits
            parts = [joined[a:b] for a, b in spans]
        text = "\n\n".join(parts)
        instruction = "These are summaries of a document's sections, in order. Summarise the document in one paragraph."
    yield worker.progress("summarising", len(sections) - 1)
    editor = partial(CitationEditor, cited, verbatim=worker.keeps_form)
    edited = yield from worker.ask_edited(instruction, text, editor, "Summary")
    return edited.generated, cited, citations_of(edited.editors[0], cited)


def _extract(sections: Sequence[Passage], columns: Sequence[str], worker: _Worker) -> _Work:
    header = " | ".join(columns)
    instruction = (
        f"List every entry of this text as a Markdown table with exactly these columns: | {header} |. "
        "One row for each entry. Leave a cell empty when the text does not say. Write nothing else."
    )
    rows = []
    finished: Generated = Generated(text="")
    for done, section in enumerate(sections):
        yield worker.progress("extracting", done)
        finished = yield from worker.ask(
            instruction,
            section.text,
            title=f"Section {done + 1:,} of {len(sections):,}",
            quiet=True,
            max_tokens=_share(worker, 0.4),
        )
        rows += [(row, section.n) for row in read_rows(finished.text, columns, section.text)]
        if finished.finish == "cancelled":
            break
    merged = merge_rows(rows)
    if not merged and finished.finish != "cancelled":
        yield worker.note("The model found no row for these columns that stands in the document.")
    table = markdown_table(columns, merged)
    yield events.TextDelta(text=table)
    used = {n for _, origins in merged for n in origins}
    citations = tuple(as_citation(s, claimed=False) for s in sections if s.n in used)
    return msgspec.structs.replace(finished, text=table, sequences=()), sections, citations


def _translate(sections: Sequence[Passage], document: DocumentText, language: str, worker: _Worker) -> _Work:
    instruction = f"Translate this text into {language}. Keep its paragraphs. Write only the translation."
    whole: list[str] = []
    finished = Generated(text="")
    before = 0
    for done, section in enumerate(sections):
        if worker.context.cancelled():
            finished = Generated(text="", finish="cancelled")
            break
        yield worker.progress("translating", done)
        gap = document.text[before : section.start]
        before = section.end
        between = ("\n\n" if "\n" in gap else " ") if whole else ""
        if between:
            whole.append(between)
            yield events.TextDelta(text=between)
        finished = yield from worker.ask(
            instruction,
            section.text,
            title=f"Section {done + 1:,} of {len(sections):,}",
            quiet=False,
            max_tokens=_share(worker, 0.55),
        )
        whole.append(finished.text)
        if finished.finish == "cancelled":
            break
        if finished.finish == "length":
            yield worker.note(f"The translation of section {section.n} was cut short.")
    return msgspec.structs.replace(finished, text="".join(whole), sequences=()), sections, ()


def _document_for(task: DocumentTask, context: AnswerContext) -> DocumentText:
    if context.retriever is None:
        raise UserError("This task needs a collection.", "Choose the collection that holds the document.")
    if task.task == "extract" and not any(c.strip() for c in task.columns):
        raise UserError("There is no column to extract.", "Name at least one column of the table.")
    if task.task == "translate" and not task.language.strip():
        raise UserError("There is no language to translate into.", "Name the language, for example German.")
    document = context.retriever.document(task.document)
    if not document.text.strip():
        raise UserError(f"{document.document.path} holds no text.")
    return document


def _sections(task: DocumentTask, document: DocumentText, model: ModelBackend) -> list[tuple[int, int]]:
    return split_sections(document.text, _limit(task.task, model), model.count_tokens)


def _limit(task: str, model: ModelBackend) -> int:
    limit = int(model.context_tokens * _SECTION_SHARE[task])
    if has_fewer_parameters(model, SMALL_MODEL_PARAMETERS):
        limit = min(limit, _SMALL_MODEL_SECTION)
    return max(_FEWEST_TOKENS, limit)


def _share(worker: _Worker, share: float) -> int:
    return max(_FEWEST_TOKENS, int(worker.context.model.context_tokens * share))
