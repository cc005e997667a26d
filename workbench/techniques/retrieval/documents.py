"""Tasks on one whole document: summarise it, extract a table from it, translate it.

A model with few parameters summarises by quoting (``quoted_summary.py``): its own words on a section are wrong more
often than right. Else a document that does not fit the model's context is processed section by section. Summaries are
summarised again until they fit (Wu et al. 2021, "Recursively Summarizing Books with Human Feedback", arXiv:2109.10862);
extracted rows are checked against their section and merged; translations are joined, paragraph by paragraph.

A long document split into sections that fit a model's context: whole paragraphs where possible, else sentences.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.base.counting import counted
from workbench.base.errors import Cancelled, UserError
from workbench.engine.inference_calls import Generated
from workbench.records.answers import DocumentTask
from workbench.records.documents import DocumentText
from workbench.records.messages import UNFINISHED, Citation, Finish, Message, Passage
from workbench.records.recipes import Recipe, RetrievalPart, system_text
from workbench.techniques.context import AnswerContext, Step
from workbench.techniques.retrieval.citations import CitationEditor, as_citation, citations_of
from workbench.techniques.retrieval.outline import read_outline
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS
from workbench.techniques.retrieval.quoted_summary import quote_summary
from workbench.techniques.retrieval.quoting import Quotes, prefers_quotes
from workbench.techniques.retrieval.tables import TableLine, find_table_lines, markdown_table, merge_rows, read_rows
from workbench.techniques.streaming import WholeSentences, edit
from workbench.text.language import detect_language
from workbench.text.sentences import CLOSERS, split_sentences

_SUMMARY_SHARE, _TABLE_SHARE, _TRANSLATION_SHARE = 0.5, 0.45, 0.3
"""How much of the context a section may take; the rest is for the answer."""
_SECTION_SUMMARY = 0.1  # of the context, for the summary of a section
_SMALL_MODEL_SECTION = 700  # tokens; a small model loses the thread of more
_FEWEST_TOKENS = 48
_FEWEST_WORDS = 40  # beside a table whose rows were copied; fewer only introduce it

_Work = Generator[Event, None, tuple[Generated, Sequence[Passage], tuple[Citation, ...]]]
"""The steps of a task; returns the generation, the passages that its citations number, and the citations."""


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
        return (yield from _work_through(task, recipe, context, _SUMMARY_SHARE, _summarise, states=True))
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
    if not any(column.strip() for column in task.columns):
        raise UserError("There is no column to extract.", "Name at least one column of the table.")
    work = partial(_extract, columns=task.columns)
    return (yield from _work_through(task, recipe, context, _TABLE_SHARE, work, states=False))


def translate(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Worked]:
    """Translate a document into the task's ``language``. As ``_work_through``."""
    if not task.language.strip():
        raise UserError("There is no language to translate into.", "Name the language, for example German.")
    work = partial(_translate, language=task.language)
    return (yield from _work_through(task, recipe, context, _TRANSLATION_SHARE, work, states=False))


def _work_through(
    task: DocumentTask,
    recipe: Recipe,
    context: AnswerContext,
    share: float,
    work: Callable[..., _Work],
    *,
    states: bool,
) -> Generator[Event, None, Worked]:
    """Work through a document of ``context.retriever``, in sections that take a ``share`` of the context.

    Streams Progress ("section 3 of 12"), steps, TextDelta and Log(notice). The ``passages`` of what it returns are the
    sections; the generation is cancelled where it was stopped. Raises UserError when there is no such document, or it
    holds no text.
    """
    document = _document(task, context)
    model = context.model
    sections = _sections(document, share, model)
    if has_fewer_parameters(model, SMALL_MODEL_PARAMETERS):
        yield from context.note("This model is small: check its work against the document.")
    generated, passages, citations = yield from work(sections, document, _Worker(recipe, context, len(sections)))
    return Worked(generated, tuple(passages), citations, states)


def _document(task: DocumentTask, context: AnswerContext) -> DocumentText:
    if context.retriever is None:
        raise UserError("This task needs a collection.", "Choose the collection that holds the document.")
    document = context.retriever.document(task.document)
    if not document.text.strip():
        raise UserError(f"{document.document.path} holds no text.")
    return document


def _sections(document: DocumentText, share: float, model: ModelBackend) -> list[Passage]:
    return passages_at(document, split_sections(document.text, _limit(share, model), model.count_tokens))


def summary_passages(document: DocumentText, context: AnswerContext) -> tuple[Passage, ...]:
    """What the citations of a summary in the model's own words number."""
    return tuple(_cited(_sections(document, _SUMMARY_SHARE, context.model), document))


def translation_passages(document: DocumentText, context: AnswerContext) -> tuple[Passage, ...]:
    """The sections in which a document is translated."""
    return tuple(_sections(document, _TRANSLATION_SHARE, context.model))


def _cited(sections: Sequence[Passage], document: DocumentText) -> Sequence[Passage]:
    """What a summary cites: the sections, or the chunks of a document that is one section."""
    if len(sections) > 1 or len(document.chunks) < 2:
        return sections
    return passages_at(document, [(c.start, c.end) for c in document.chunks])


class _Worker:
    """Asks the model for one section after the other. ``planned`` generations are to be made at most; how long they
    take is estimated from those that were made now."""

    def __init__(self, recipe: Recipe, context: AnswerContext, sections: int) -> None:
        self._system = system_text(recipe.prompting)
        self.context = context
        self.planned = sections
        self._done = self._made = self._total = 0
        self._seconds = 0.0

    def progress(self, stage: str, part: str) -> Event:
        """How far the task is; ``part`` tells what is worked on, such as ``section 3 of 12``."""
        self._total = self._total or self.planned  # it never changes, so that the share never falls
        done = min(self._done, self._total - 1)
        left = self._seconds / self._made * (self._total - done) if self._made else None
        return events.Progress(
            stage=stage, done=done, total=self._total, unit="sections", detail=part, seconds_left=left
        )

    def skip(self) -> None:
        """Count a section that needs no generation."""
        self._done += 1

    def ask(
        self,
        instruction: str,
        text: str,
        title: str,
        *,
        kind: str = "section",
        within: Step | None = None,
        quiet: bool = False,
        most: int = 0,
    ) -> Generator[Event, None, Generated]:
        """The model's answer to an instruction about a text, as a step called ``title``, inside another one; it takes
        at most ``most`` tokens (0: as the recipe says). A section that an earlier attempt has finished is not made
        again."""
        context = self.context if within is None else self.context.inside(within)
        saved = self.context.saved
        key = hashlib.sha256("\0".join((self._system, instruction, text)).encode()).hexdigest()
        before = saved.find(key) if saved is not None and kind == "section" else None
        if before is not None:
            self._done += 1
            return (yield from context.reuse(before, title=title, kind=kind, input=instruction, quiet=quiet))
        began = time.monotonic()
        messages = [Message("system", self._system)] if self._system else []
        messages.append(Message("user", f"{instruction}\n\n{text}\n\n{instruction}"))
        decoding = self.context.decoding
        if most:
            decoding = msgspec.structs.replace(decoding, max_tokens=most)
        made = yield from _without_progress(
            context.generate(messages, title=title, kind=kind, input=instruction, quiet=quiet, decoding=decoding)
        )
        if made.finish != "cancelled":
            self._done, self._made = self._done + 1, self._made + 1
            self._seconds += time.monotonic() - began
            if saved is not None and kind == "section":
                saved.add(key, made)
        return made


def _without_progress(generation: Generator[Event, None, Generated]) -> Generator[Event, None, Generated]:
    """A generation without its own progress: that of the task counts sections."""
    while True:
        try:
            event = next(generation)
        except StopIteration as end:
            made: Generated = end.value
            return made
        if not isinstance(event, events.Progress):
            yield event


def _summarise(sections: Sequence[Passage], document: DocumentText, worker: _Worker) -> _Work:
    first: list[str] = []
    cited = _cited(sections, document)
    if len(sections) == 1:
        text = sections[0].text
        instruction = "Summarise this text in one short paragraph."
    else:
        try:
            text = yield from _summarise_sections(sections, worker, first)
        except Cancelled:  # the summaries so far are worth having
            return (yield from _summaries_so_far(first, sections, worker, ""))
        instruction = "These are summaries of a document's sections, in order. Summarise the document in one paragraph."
    yield worker.progress("summarising", "section 1 of 1" if len(sections) == 1 else "the whole document")
    verbatim = worker.context.decoding.format != "text"

    def editor() -> WholeSentences[CitationEditor]:
        return WholeSentences(CitationEditor(cited, verbatim=verbatim), verbatim=verbatim)

    try:
        edited = yield from edit(worker.ask(instruction, text, "Summary", kind="generation"), editor)
    except Cancelled:
        return (yield from _summaries_so_far(first, sections, worker, ""))
    if edited.generated.finish == "cancelled" and len(sections) > 1:
        return (yield from _summaries_so_far(first, sections, worker, edited.generated.text))
    return edited.generated, cited, citations_of(edited.editors[0].inner, cited)


def _summarise_sections(sections: Sequence[Passage], worker: _Worker, first: list[str]) -> Generator[Event, None, str]:
    """Summaries of the sections, and of those again until they fit; ``first`` collects the sections' own. Raises
    errors.Cancelled."""
    parts = [s.text for s in sections]
    worker.planned = _most_summaries(len(parts), worker.context.model)
    while len(parts) > 1:
        summaries = [] if first else first
        what = "part of the summaries" if first else "section"
        turn = worker.context.step("sections", f"Summarise {counted(len(parts), 'section')}")
        yield turn.started
        for done, part in enumerate(parts, start=1):
            yield worker.progress("summarising", f"{what} {done:,} of {len(parts):,}")
            made = yield from worker.ask(
                "Summarise this section in two sentences.",
                part,
                f"Section {done:,} of {len(parts):,}",
                within=turn,
                quiet=True,
                most=_longest_summary(worker.context.model),
            )
            summaries.append(whole_sentences(made))
        yield turn.finished(f"{len(summaries):,} summaries")
        joined = "\n\n".join(summaries)
        limit = _limit(_SUMMARY_SHARE, worker.context.model)
        spans = split_sections(joined, limit, worker.context.model.count_tokens)
        if len(spans) >= len(parts):
            break  # it does not get shorter: summarise as much as fits
        parts = [joined[a:b] for a, b in spans]
    return "\n\n".join(parts)


def _most_summaries(sections: int, model: ModelBackend) -> int:
    """The most generations that a summary of so many sections takes, those of summaries and of the whole included."""
    limit = _limit(_SUMMARY_SHARE, model)
    longest = _longest_summary(model)
    total, parts = 1, sections
    while parts > 1:
        total += parts
        fewer = math.ceil(parts / max(1, limit // longest))
        if fewer >= parts:
            break
        parts = fewer
    return total


def _longest_summary(model: ModelBackend) -> int:
    """The most tokens of a section's summary: a small model, whose sections are short, does not come to an end else."""
    return max(_FEWEST_TOKENS, min(_tokens(model, _SECTION_SUMMARY), _limit(_SUMMARY_SHARE, model) // 4))


def _tokens(model: ModelBackend, share: float) -> int:
    return max(_FEWEST_TOKENS, int(model.context_tokens * share))


def whole_sentences(made: Generated) -> str:
    """What a section's summary says, to the end of its last whole sentence where it was cut off."""
    text = made.text.strip()
    if made.finish not in UNFINISHED:
        return text
    ends = [end for _, end in split_sentences(text) if text[:end].rstrip(CLOSERS).endswith((".", "!", "?", "…", "。"))]
    return text[: ends[-1]] if ends else text


def _summaries_so_far(summaries: Sequence[str], sections: Sequence[Passage], worker: _Worker, before: str) -> _Work:
    """The answer of a summary that was stopped: ``before`` has been streamed of it already."""
    done = sections[: len(summaries)]
    if not done:
        return Generated(text=before, finish="cancelled"), sections, ()
    text = "\n\n".join(f"{summary} [{section.n}]" for summary, section in zip(summaries, done, strict=True))
    if before.strip():
        text = f"\n\n{text}"
    yield from worker.context.note(
        f"Stopped: these are the summaries of {len(done):,} of the document's {len(sections):,} sections."
    )
    yield events.TextDelta(text=text)
    citations = tuple(as_citation(section, claimed=True) for section in done)
    return Generated(text=before + text, finish="cancelled"), sections, citations


def _extract(sections: Sequence[Passage], document: DocumentText, worker: _Worker, columns: Sequence[str]) -> _Work:
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
                instruction, rest, title, quiet=True, most=_tokens(worker.context.model, 0.4)
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


def _translate(sections: Sequence[Passage], document: DocumentText, worker: _Worker, language: str) -> _Work:
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
        finished = yield from worker.ask(instruction, section.text, title, most=_tokens(worker.context.model, 0.55))
        whole.append(finished.text)
        if finished.finish == "cancelled":
            break
        if finished.finish in UNFINISHED:
            yield from worker.context.note(f"The translation of section {section.n} was cut short.")
    return msgspec.structs.replace(finished, text="".join(whole), sequences=()), sections, ()


def _limit(share: float, model: ModelBackend) -> int:
    limit = int(model.context_tokens * share)
    if has_fewer_parameters(model, SMALL_MODEL_PARAMETERS):
        limit = min(limit, _SMALL_MODEL_SECTION)
    return max(_FEWEST_TOKENS, limit)


_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*", re.UNICODE)


def split_sections(text: str, limit: int, count_tokens: Callable[[Sequence[str]], list[int]]) -> list[tuple[int, int]]:
    """``(start, end)`` of sections of at most ``limit`` tokens that together cover all but white space."""
    parts = [m.span() for m in _PARAGRAPH.finditer(text)]
    sections: list[tuple[int, int]] = []
    filled = 0
    for start, end, tokens in _sized(text, parts, limit, count_tokens):
        if sections and filled + tokens <= limit:
            sections[-1] = (sections[-1][0], end)
            filled += tokens
        else:
            sections.append((start, end))
            filled = tokens
    return sections


def _sized(
    text: str, parts: Sequence[tuple[int, int]], limit: int, count_tokens: Callable[[Sequence[str]], list[int]]
) -> Iterator[tuple[int, int, int]]:
    """``(start, end, tokens)`` of the parts, with those that are too long split further."""
    for (start, end), tokens in zip(parts, count_tokens([text[a:b] for a, b in parts]), strict=True):
        if tokens <= limit:
            yield start, end, tokens
            continue
        smaller = [(start + a, start + b) for a, b in split_sentences(text[start:end])]
        if len(smaller) < 2:
            middle = start + (end - start) // 2
            if middle == start:
                yield start, end, tokens  # one character: it cannot be split further
                continue
            smaller = [(start, middle), (middle, end)]
        yield from _sized(text, smaller, limit, count_tokens)
