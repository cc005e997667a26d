"""The road of whole documents: summaries, lists and translations of the documents that a request means.

A model with few parameters quotes (``quoting.py``): its own words on a section are wrong more often than right. A
larger one works through the document (``documents.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from workbench.api import events
from workbench.api.events import Event
from workbench.base.counting import counted
from workbench.engine.inference_calls import Generated
from workbench.records.answers import DocumentTask
from workbench.records.documents import Document, DocumentText
from workbench.records.messages import Message, Passage
from workbench.records.outcomes import Reason
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.document_choice import (
    LEAST_NAMED,
    LEAST_SCORE,
    Candidate,
    means_everything,
    rank_documents,
)
from workbench.techniques.retrieval.documents import (
    Worked,
    in_own_words,
    summarise,
    summary_passages,
    translate,
    translation_passages,
)
from workbench.techniques.retrieval.extracts import Match, choose_for_list, choose_for_summary, days_in, match_sections
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.outline import Section, Unit, read_outline
from workbench.techniques.retrieval.quoted_summary import as_heading, quote_summary
from workbench.techniques.retrieval.quoted_units import UnitQuotes
from workbench.techniques.retrieval.quoting import Quotes
from workbench.techniques.retrieval.request_reading import read_request, subject_terms
from workbench.text.language import detect_language
from workbench.text.terms import Vocabulary

HITS = 30
_TRANSLATED_INTO = "English"  # where the request names no language
_LISTED_FROM = 5  # documents in which a list is looked for
_OVERVIEW_DOCUMENTS, _OVERVIEW_WORDS = 40, 30
_BEGINNING = 2.0  # an overview says what a document is about, which it does at its beginning
_NEAR = 0.6  # of the best document's score
_LEAST_SECTION = 0.55
_SURE_LEAD = 0.5
_SHARE_NAMED = 0.5


@dataclass(frozen=True)
class Found:
    """The documents that a request may mean, the likeliest first; ``question`` is the request, completed where it is a
    follow-up."""

    question: str
    candidates: Sequence[Candidate]

    @property
    def sure(self) -> bool:
        """Whether the first one is named, or there is no other."""
        if len(self.candidates) < 2:
            return True
        first, second = self.candidates[:2]
        return first.named >= LEAST_NAMED and first.score - second.score >= _SURE_LEAD


def run(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """Answer a request for whole documents. None where no document is meant, or nothing in it."""
    assert context.retriever is not None
    found = yield from find_documents(conversation, context)
    if not found.candidates:
        return None
    asked, language = read_request(found.question)
    if means_everything(found.question) and len(found.candidates) > 1:
        return (yield from _overview(found, context))
    best = found.candidates[0]
    if best.score < LEAST_SCORE and len(found.candidates) > 1:
        return None
    if asked == "translation":
        return (yield from _translated(best, language, found, recipe, context))
    if asked == "list":
        grounding = yield from list_entries(found, context)
        if grounding is not None or not found.sure:
            return grounding
    return (yield from _summarised(best, found, recipe, context))


def find_documents(conversation: Sequence[Message], context: AnswerContext) -> Generator[Event, None, Found]:
    """The documents that the last message means."""
    assert context.retriever is not None
    question = conversation[-1].content.strip()
    step = context.step("search", "Find the documents", question)
    yield step.started
    hits = context.retriever.search(question, HITS).hits
    candidates = rank_documents(question, context.retriever.documents(), hits)
    likely = [one for one in candidates if one.score > 0][:3] or candidates[:3]
    yield step.finished("\n".join(f"{name_of(one.document)} {one.score:.1f}" for one in likely))
    context.raise_if_cancelled()
    return Found(question, candidates)


def name_of(document: Document) -> str:
    """The name of a document's file."""
    return PurePath(document.path).name


def doubts(found: Found, *used: Candidate) -> tuple[Reason, ...]:
    """Why another document may be meant."""
    if found.sure and found.candidates[0] in used:
        return ()
    names = " and ".join(name_of(one.document) for one in used)
    return (Reason(kind="weak", text=f"The request names no document: it was taken to mean {names}."),)


def quoted(found: Found, quotes: Quotes, reasons: tuple[Reason, ...] = ()) -> Generator[Event, None, Grounding]:
    """The grounding of an answer that is only quotes."""
    yield events.Retrieved(query=found.question, passages=quotes.passages)
    return Grounding(found.question, quotes.passages, found.question, quotes=quotes, own_words=False, reasons=reasons)


def _summarised(
    best: Candidate, found: Found, recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """A summary of a document, or of the section that the request names."""
    assert context.retriever is not None
    document = _read(best, context.retriever)
    sections = read_outline(document)
    if not sections:
        return None
    part = _named_part(found.question, best, document, sections, context.retriever)
    if not part and in_own_words(recipe, document, context):
        task = DocumentTask(document=best.document.id, task=summarise.__name__)
        grounding = _by_model(summarise(task, recipe, context), summary_passages(document, context), found, best)
        yield events.Retrieved(query=found.question, passages=grounding.passages)
        return dataclasses.replace(grounding, verbatim=context.decoding.format != "text")
    done = yield from quote_summary(document, part or sections, context)
    if done.quotes is None:
        context.raise_if_cancelled()
        return None
    grounding = yield from quoted(found, done.quotes, doubts(found, best))
    return dataclasses.replace(grounding, write=_stopped) if done.stopped else grounding


def _stopped() -> Generator[Event, None, Generated]:
    yield from ()
    return Generated(text="", finish="cancelled")


def _translated(
    best: Candidate, language: str, found: Found, recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    assert context.retriever is not None
    document = _read(best, context.retriever)
    task = DocumentTask(document=best.document.id, task=translate.__name__, language=language or _TRANSLATED_INTO)
    grounding = _by_model(translate(task, recipe, context), translation_passages(document, context), found, best)
    yield events.Retrieved(query=found.question, passages=grounding.passages)
    return dataclasses.replace(grounding, verbatim=True)


def _by_model(
    work: Generator[Event, None, Worked], passages: tuple[Passage, ...], found: Found, best: Candidate
) -> Grounding:
    """The grounding of a task that the model writes, section by section."""

    def write() -> Generator[Event, None, Generated]:
        worked = yield from work
        return worked.generated

    return Grounding(found.question, passages, "", reasons=doubts(found, best), write=write)


def _read(candidate: Candidate, retriever: Retriever) -> DocumentText:
    return retriever.document(candidate.document.id)


def _named_part(
    request: str, best: Candidate, document: DocumentText, sections: Sequence[Section], retriever: Retriever
) -> list[Section]:
    """The sections of a document that a request for a summary names by their heading; [] where it means all."""
    vocabulary = Vocabulary(detect_language(document.text))
    terms = subject_terms(request, vocabulary, best.words)
    if not terms or len(sections) < 2:
        return []
    matches = match_sections(request, terms, best.words, sections, retriever.similarities, vocabulary)
    match = max(matches, key=lambda one: one.score)
    if match.share < 1:
        return []
    path = match.section.path
    return [section for section in sections if section.path[: len(path)] == path]


def list_entries(found: Found, context: AnswerContext) -> Generator[Event, None, Grounding | None]:
    """The entries that a request for a list means, from the best section of the likeliest documents."""
    assert context.retriever is not None
    first = found.candidates[0]
    near = [one for one in found.candidates[:_LISTED_FROM] if one.score >= _NEAR * first.score]
    best: tuple[float, Candidate, DocumentText, Match, Vocabulary, list[str]] | None = None
    for candidate in near:
        document = _read(candidate, context.retriever)
        sections = read_outline(document)
        if not sections:
            continue
        vocabulary = Vocabulary(detect_language(document.text))
        terms = subject_terms(found.question, vocabulary, candidate.words)
        matches = match_sections(
            found.question, terms, candidate.words, sections, context.retriever.similarities, vocabulary
        )
        match = max(matches, key=lambda one: one.score)
        score = match.score + candidate.score / max(LEAST_SCORE, first.score)
        if best is None or score > best[0]:
            best = score, candidate, document, match, vocabulary, terms
        context.raise_if_cancelled()
    if best is None:
        return None
    _, candidate, document, match, vocabulary, terms = best
    if match.score < _LEAST_SECTION and not days_in(found.question):
        return None
    units = choose_for_list(found.question, terms, match.section, context.retriever.similarities, vocabulary)
    quotes = UnitQuotes(context.retriever)
    where = f" under *{as_heading(match.section.path)}*" if match.section.path else ""
    quotes.say(f"{counted(len(units), 'entry', 'entries')} in {name_of(candidate.document)}{where}:\n\n")
    _write_points(quotes, document, match.section, units)
    named = candidate.named > 0 and match.share >= _SHARE_NAMED  # by its name and by a heading of it
    return (yield from quoted(found, quotes.quotes(), () if named else doubts(found, candidate)))


def _write_points(quotes: UnitQuotes, document: DocumentText, section: Section, units: Sequence[Unit]) -> None:
    for unit in units:
        quotes.say("- ")
        quotes.quote(document, section, unit)
        quotes.say("\n")


def _overview(found: Found, context: AnswerContext) -> Generator[Event, None, Grounding | None]:
    """What each document of the collection is about, in its own sentences."""
    assert context.retriever is not None
    quotes = UnitQuotes(context.retriever)
    every = sorted((one.document for one in found.candidates), key=lambda one: one.path)
    for number, one in enumerate(every[:_OVERVIEW_DOCUMENTS]):
        if context.cancelled():
            break
        yield events.Progress(
            stage="reading", done=number, total=min(len(every), _OVERVIEW_DOCUMENTS), unit="documents", detail=one.title
        )
        document = context.retriever.document(one.id)
        sections = read_outline(document)[:3]
        if not sections:
            continue
        likeness = [[0.0] * len(section.units) for section in sections]
        language = detect_language(document.text)
        extracts = choose_for_summary(sections, likeness, _OVERVIEW_WORDS, language, first=_BEGINNING, figures=0.5)
        quotes.say(f"**{name_of(one)}**\n\n")
        for extract in extracts:
            _write_points(quotes, document, extract.section, extract.units)
        quotes.say("\n")
    if not quotes:
        context.raise_if_cancelled()
        return None
    if len(every) > _OVERVIEW_DOCUMENTS:
        yield from context.note(f"These are {_OVERVIEW_DOCUMENTS} of the collection's {len(every):,} documents.")
    return (yield from quoted(found, quotes.quotes()))
