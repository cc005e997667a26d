"""The road of comparing: what differs between two documents, or between the columns of a table in one of them."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.base.counting import counted
from workbench.records.documents import DocumentText
from workbench.records.messages import Message
from workbench.records.outcomes import Reason
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.comparison import Difference, choose_differences, compare_units, year_of
from workbench.techniques.retrieval.document_choice import Candidate, choose_pair
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.outline import read_outline
from workbench.techniques.retrieval.quoted_summary import as_heading, shared_path
from workbench.techniques.retrieval.quoted_units import UnitQuotes
from workbench.techniques.retrieval.roads.whole import Found, doubts, find_documents, list_entries, name_of, quoted
from workbench.text.language import detect_language

MOST_DIFFERENCES, MOST_WORDS = 40, 600
MOST_ALONE, WORDS_ALONE = 12, 140


def run(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """Compare the two documents that a request means, the older one first; where it means one, list the entries of the
    section that it means. None where it means none."""
    assert context.retriever is not None
    found = yield from find_documents(conversation, context)
    pair = choose_pair(found.candidates)
    if pair is None:
        return (yield from list_entries(found, context)) if found.candidates else None
    documents = [(one, context.retriever.document(one.document.id)) for one in pair]
    (first, old), (second, new) = sorted(documents, key=lambda one: year_of(one[1]))
    step = context.step("sections", f"Compare {name_of(first.document)} and {name_of(second.document)}")
    yield step.started
    differences = compare_units(
        read_outline(old), read_outline(new), context.retriever.similarities, detect_language(new.text)
    )
    both = [one for one in differences if one.first is not None and one.second is not None]
    yield step.finished(f"{counted(len(both), 'difference')}, {len(differences) - len(both)} only in one of them")
    context.raise_if_cancelled()
    if not differences:
        return None
    quotes = UnitQuotes(context.retriever)
    names = name_of(first.document), name_of(second.document)
    if both:
        shown = choose_differences(both, MOST_DIFFERENCES, MOST_WORDS)
        more = f", {len(shown)} of them shown, other figures rather than other words" if len(shown) < len(both) else ""
        quotes.say(f"{names[0]} → {names[1]}: {counted(len(both), 'difference')}{more}\n")
        _write(quotes, shown, old, new)
    for name, alone in (
        (names[1], [one for one in differences if one.first is None]),
        (names[0], [one for one in differences if one.second is None]),
    ):
        if alone:
            shown = choose_differences(alone, MOST_ALONE, WORDS_ALONE)
            more = f" ({len(shown)} of {len(alone)})" if len(shown) < len(alone) else ""
            quotes.say(f"Only in {name}{more}:\n")
            _write(quotes, shown, old, new)
    return (yield from quoted(found, quotes.quotes(), _doubts(found, first, second)))


def _doubts(found: Found, *used: Candidate) -> tuple[Reason, ...]:
    return () if all(one.named > 0 for one in used) else doubts(found, *used)


def _write(quotes: UnitQuotes, differences: Sequence[Difference], old: DocumentText, new: DocumentText) -> None:
    path: tuple[str, ...] | None = None
    sides = [one.second or one.first for one in differences]
    above = shared_path([side[0].path for side in sides if side is not None])
    for one in differences:
        side = one.second or one.first
        assert side is not None
        if path is None and not side[0].path[above:]:
            quotes.say("\n")
        if side[0].path != path:
            path = side[0].path
            if path[above:]:
                quotes.say(f"\n**{as_heading(path[above:])}**\n\n")
        quotes.say("- ")
        if one.first is not None:
            quotes.quote(old, *one.first)
        if one.first is not None and one.second is not None:
            quotes.say(" → ")
        if one.second is not None:
            quotes.quote(new, *one.second)
        quotes.say("\n")
    quotes.say("\n")
