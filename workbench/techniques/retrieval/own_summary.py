"""Summaries in a model's own words, section by section.

A section is read without running heads and page numbers. Of its summary the statements are kept
(``section_statements.py``), and these are summarised again until they fit (Wu et al. 2021, "Recursively Summarizing
Books with Human Feedback", arXiv:2109.10862). A small model makes nothing of summaries of summaries: there the
statements that the sections bear out are the summary.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.base.counting import counted
from workbench.base.errors import Cancelled
from workbench.engine.inference_calls import Generated
from workbench.records.documents import DocumentText
from workbench.records.messages import UNFINISHED, Finish, Passage
from workbench.techniques.retrieval.citations import CitationEditor, as_citation, citations_of
from workbench.techniques.retrieval.document_sections import limit_of, sections_of, split_sections, tokens_of
from workbench.techniques.retrieval.outline import Section, read_outline, without_furniture
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS
from workbench.techniques.retrieval.section_statements import Kept, find_lead, keep_statements
from workbench.techniques.retrieval.section_worker import SectionWorker, Work
from workbench.techniques.streaming import WholeSentences, edit
from workbench.text.sentences import CLOSERS, split_sentences

_SHARE = 0.5
"""How much of the context a section may take; the rest is for the answer."""
_SECTION_SUMMARY = 0.1  # of the context, for the summary of a section
_FEWEST_TOKENS = 48
_SMALL_MODEL_SUMMARY = 80
"""Tokens of two sentences: a small model comes to no end by itself."""
_STATEMENTS, _FEW_SECTIONS = 2, 24
"""Statements of a section in the summary of a small model; one where there are more sections."""
_QUOTED = 300
"""Characters that are quoted of a text without any sentence."""
_SUMMARISE_SECTION = "Summarise this section in two sentences."
_END = re.compile(r"[.!?…。！？]+$")
_GAP = re.compile(r"\n[ \t\f]*(?:\n[ \t\f]*)+")


def summarise_in_own_words(sections: Sequence[Passage], document: DocumentText, worker: SectionWorker) -> Work:
    decoding = worker.context.decoding
    small = has_fewer_parameters(worker.context.model, SMALL_MODEL_PARAMETERS)
    if small and decoding.format == "text" and decoding.n == 1:
        return (yield from _state_sections(sections, document, worker))
    first: list[str] = []
    cited = cited_passages(sections, document)
    texts = _texts(sections, document)
    if len(sections) == 1:
        text = texts[0]
        instruction = "Summarise this text in one short paragraph."
    else:
        try:
            text = yield from _summarise_sections(sections, texts, read_outline(document), worker, first)
        except Cancelled:  # the summaries so far are worth having
            return (yield from _summaries_so_far(first, sections, worker, ""))
        instruction = "These are summaries of a document's sections, in order. Summarise the document in one paragraph."
    yield worker.progress("summarising", "section 1 of 1" if len(sections) == 1 else "the whole document")
    verbatim = decoding.format != "text"

    def editor() -> WholeSentences[CitationEditor]:
        return WholeSentences(CitationEditor(cited, verbatim=verbatim), verbatim=verbatim)

    try:
        edited = yield from edit(worker.ask(instruction, text, "Summary", kind="generation"), editor)
    except Cancelled:
        return (yield from _summaries_so_far(first, sections, worker, ""))
    if edited.generated.finish == "cancelled" and len(sections) > 1:
        return (yield from _summaries_so_far(first, sections, worker, edited.generated.text))
    return edited.generated, cited, citations_of(edited.editors[0].inner, cited)


def summary_sections(document: DocumentText, model: ModelBackend) -> list[Passage]:
    return sections_of(document, _read_text(document), _SHARE, model)


def _read_text(document: DocumentText) -> str:
    """The document's text as a model summarises it, as long as it is."""
    text = without_furniture(document)
    return text if text.strip() else document.text


def cited_passages(sections: Sequence[Passage], document: DocumentText) -> Sequence[Passage]:
    """What a summary cites: the sections, or the chunks of a document that is one section."""
    if len(sections) > 1 or len(document.chunks) < 2:
        return sections
    return passages_at(document, [(c.start, c.end) for c in document.chunks])


def _texts(sections: Sequence[Passage], document: DocumentText) -> list[str]:
    """The sections as a model reads them: without page furniture, and without the gaps that it leaves."""
    text = _read_text(document)
    return [_GAP.sub("\n\n", text[section.start : section.end]).strip() for section in sections]


def _state_sections(sections: Sequence[Passage], document: DocumentText, worker: SectionWorker) -> Work:
    """The summary of a small model: of each section the statements that it bears out, as points; where it has none, the
    section's own first sentence as a quote."""
    cited = cited_passages(sections, document)
    outline = read_outline(document)
    most = _STATEMENTS if len(sections) <= _FEW_SECTIONS else 1
    finished = Generated(text="")
    points: list[Kept] = []
    written: list[str] = []
    turn = worker.context.step("sections", f"Summarise {counted(len(sections), 'section')}")
    yield turn.started
    for number, (section, text) in enumerate(zip(sections, _texts(sections, document), strict=True), start=1):
        part = f"section {number:,} of {len(sections):,}"
        yield worker.progress("summarising", part)
        try:
            finished = yield from worker.ask(
                _SUMMARISE_SECTION, text, part.capitalize(), within=turn, quiet=True, most=_SMALL_MODEL_SUMMARY
            )
        except Cancelled:
            finished = Generated(text="", finish="cancelled")
        if finished.finish == "cancelled":
            yield from worker.context.note(
                f"Stopped: these are {number - 1:,} of the document's {counted(len(sections), 'section')}."
            )
            break
        bearing = cited if len(sections) == 1 else [msgspec.structs.replace(section, text=text)]
        before = frozenset(one.text for one in points)
        kept = keep_statements(finished.text, bearing, borne=True, most=most, before=before)
        lead = find_lead(outline, section) if not kept else None
        if lead is not None:
            holder = next((one for one in bearing if one.start <= lead.start and lead.end <= one.end), bearing[0])
            kept = [Kept(f"“{lead.text}”", holder.n)]
        points += kept
        if not points and number == len(sections):  # a text without any sentence, such as a note of one word
            kept = points = [Kept(f"“{text[:_QUOTED].strip()}”", bearing[0].n)]
        for point in kept:
            written.append(_written(point, alone=len(sections) == 1, first=not written))
            yield events.TextDelta(text=written[-1])
    yield turn.finished(f"{len(points):,} statements")
    finish: Finish = "cancelled" if finished.finish == "cancelled" else "stop"
    used = {point.n for point in points}
    citations = tuple(as_citation(one, claimed=True) for one in cited if one.n in used)
    return msgspec.structs.replace(finished, text="".join(written), finish=finish, sequences=()), cited, citations


def _written(point: Kept, *, alone: bool, first: bool) -> str:
    """A statement with its citation: as a point of the summary, or in the one paragraph of a short text (``alone``)."""
    end = _END.search(point.text)
    place = end.start() if end is not None and not point.text.startswith("“") else len(point.text)
    said = f"{point.text[:place]} [{point.n}]{point.text[place:]}"
    if alone:
        return said if first else f" {said}"
    return f"- {said}\n"


def _summarise_sections(
    sections: Sequence[Passage],
    texts: Sequence[str],
    outline: Sequence[Section],
    worker: SectionWorker,
    first: list[str],
) -> Generator[Event, None, str]:
    """Summaries of the sections, and of those again until they fit; ``first`` collects the sections' own. Where one has
    no statement, its first sentence or point stands for it, "" without any. Raises errors.Cancelled."""
    parts = list(texts)
    worker.planned = _most_summaries(len(parts), worker.context.model)
    while len(parts) > 1:
        of_document = not first
        summaries = first if of_document else []
        what = "section" if of_document else "part of the summaries"
        turn = worker.context.step("sections", f"Summarise {counted(len(parts), 'section')}")
        yield turn.started
        for done, part in enumerate(parts, start=1):
            yield worker.progress("summarising", f"{what} {done:,} of {len(parts):,}")
            made = yield from worker.ask(
                _SUMMARISE_SECTION,
                part,
                f"Section {done:,} of {len(parts):,}",
                within=turn,
                quiet=True,
                most=_longest_summary(worker.context.model),
            )
            summaries.append(
                _stated(made.text, sections[done - 1], part, outline) if of_document else whole_sentences(made)
            )
        yield turn.finished(f"{len(summaries):,} summaries")
        joined = "\n\n".join(filter(None, summaries))
        limit = limit_of(_SHARE, worker.context.model)
        spans = split_sections(joined, limit, worker.context.model.count_tokens)
        if len(spans) >= len(parts):
            break  # it does not get shorter: summarise as much as fits
        parts = [joined[a:b] for a, b in spans]
    return "\n\n".join(parts)


def _stated(text: str, section: Passage, part: str, outline: Sequence[Section]) -> str:
    kept = keep_statements(text, [msgspec.structs.replace(section, text=part)], borne=False)
    lead = find_lead(outline, section) if not kept else None
    return lead.text if lead is not None else " ".join(one.text for one in kept)


def _most_summaries(sections: int, model: ModelBackend) -> int:
    """The most generations that a summary of so many sections takes, those of summaries and of the whole included."""
    limit = limit_of(_SHARE, model)
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
    return max(_FEWEST_TOKENS, min(tokens_of(model, _SECTION_SUMMARY), limit_of(_SHARE, model) // 4))


def whole_sentences(made: Generated) -> str:
    """What a section's summary says, to the end of its last whole sentence where it was cut off."""
    text = made.text.strip()
    if made.finish not in UNFINISHED:
        return text
    ends = [end for _, end in split_sentences(text) if text[:end].rstrip(CLOSERS).endswith((".", "!", "?", "…", "。"))]
    return text[: ends[-1]] if ends else text


def _summaries_so_far(
    summaries: Sequence[str], sections: Sequence[Passage], worker: SectionWorker, before: str
) -> Work:
    """The answer of a summary that was stopped: ``before`` has been streamed of it already."""
    done = [(summary, section) for summary, section in zip(summaries, sections, strict=False) if summary]
    if not done:
        return Generated(text=before, finish="cancelled"), sections, ()
    text = "\n\n".join(f"{summary} [{section.n}]" for summary, section in done)
    if before.strip():
        text = f"\n\n{text}"
    yield from worker.context.note(
        f"Stopped: these are the summaries of {len(summaries):,} of the document's {len(sections):,} sections."
    )
    yield events.TextDelta(text=text)
    citations = tuple(as_citation(section, claimed=True) for _, section in done)
    return Generated(text=before + text, finish="cancelled"), sections, citations
