"""The search of the road of several places: for each part of a question, and the sentences that answer it.

A question with parts ("who signed the lease, and when does it end?") is searched part by part; what a later part leaves
to the one before ("his job") is filled in with the names of the sentence that answers that one. A question of one part
whose answer is reached over another place ("where was the architect of the house born?") is searched as ``Lookup``
does. Each search is followed by a second one for its best hits. Of each part the best sentence is taken that is not
there yet. Where the question asks what two values come to, they are put together (``value_pairs``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.records.outcomes import Reason
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.abstention import Evidence, Sentence, measure_evidence
from workbench.techniques.retrieval.doubt import WEAK
from workbench.techniques.retrieval.lookup import Lookup
from workbench.techniques.retrieval.names import find_names
from workbench.techniques.retrieval.query_rewriting import is_follow_up, merged_by_rank
from workbench.techniques.retrieval.question_parts import combination, split_question
from workbench.techniques.retrieval.second_search import search_further
from workbench.techniques.retrieval.sentence_features import term_weights
from workbench.techniques.retrieval.value_pairs import Calculation, amounts_of, calculate
from workbench.text.language import detect_language
from workbench.text.terms import Vocabulary

CANDIDATES = 10
CARRIED_NAMES = 8
"""Names of the answer to a part that the next part is searched with."""

MOST_SENTENCES = 3

_EXAMINED = 5

NOT_CERTAIN = Reason(
    kind="weak", text="The result is calculated from two values of the documents: check that they are the right ones."
)
TWO_STEPS = Reason(kind="weak", text="The answer is put together from two places: check that they belong together.")


class Gathered(Struct, frozen=True, kw_only=True):
    """The ``sentences`` that together answer a question, in the order of its parts, and ``reasons`` to doubt them; with
    ``calculation`` what two values of them come to. ``queries`` were searched for; ``hits`` are those of all."""

    sentences: tuple[Sentence, ...]
    reasons: tuple[Reason, ...] = ()
    calculation: Calculation | None = None
    queries: tuple[str, ...] = ()
    hits: tuple[Passage, ...] = ()


def gather(question: str, retriever: Retriever, check: Callable[[], None] = lambda: None) -> Gathered | None:
    """Search for the parts of a question. None where no part of it is answered, or only some are and none for certain.
    ``check`` is called before each search, and may raise."""

    def search(query: str, limit: int) -> SearchResult:
        check()
        first = retriever.search(query, limit)
        return SearchResult(hits=search_further(query, first.hits, retriever.search, limit), revision=first.revision)

    whole = search(question, CANDIDATES).hits
    if not whole:
        return None
    if combination(question) and (found := _calculated(question, whole, retriever)) is not None:
        return found
    parts = split_question(question)
    return _of_parts(parts, whole, search, retriever) if len(parts) > 1 else _of_steps(question, search, retriever)


def _of_parts(
    parts: Sequence[str], whole: Sequence[Passage], search: Callable[[str, int], SearchResult], retriever: Retriever
) -> Gathered | None:
    chosen: list[Sentence] = []
    spare: list[Sentence] = []
    certain = False  # of one part at least
    reasons: list[Reason] = []
    queries: list[str] = []
    hits: list[Passage] = []
    for part in parts:
        query = " ".join((part, *(_names_of(chosen[-1], part) if chosen else ())))
        queries.append(query)
        found = search(query, CANDIDATES).hits
        together = merged_by_rank([found, whole], CANDIDATES)
        hits += together
        evidence = measure_evidence(part, together, retriever)
        if (
            not evidence.suffices and query != part and is_follow_up(part)
        ):  # "what is her office": only the name tells what it is about
            evidence = measure_evidence(query, together, retriever)
        if not evidence.suffices:
            reasons.append(Reason(kind="partial", text=f"Nothing here answers this part of the question: “{part}”."))
            continue
        certain = certain or evidence.outcome == "found"
        reasons += evidence.reasons
        known = {_place(one) for one in chosen}
        new = [one for one in _stating(evidence) if _place(one) not in known]
        if not new or _place(new[0]) != _place(_stating(evidence)[0]):
            reasons.append(WEAK)  # the best sentence is already the answer to another part
        chosen += new[:1]
        spare += [one for one in new[1:2] if one.shown]
    if not chosen or not (certain or len(chosen) == len(parts)):
        return None
    known = {_place(one) for one in chosen}
    chosen += [one for one in spare if _place(one) not in known][: max(0, MOST_SENTENCES - len(chosen))]
    return Gathered(
        sentences=tuple(chosen[:MOST_SENTENCES]), reasons=_once(reasons), queries=tuple(queries), hits=tuple(hits)
    )


def _names_of(sentence: Sentence, part: str) -> list[str]:
    """The names in a sentence, as its whole passage shows them, that a part of the question lacks."""
    text, asked = sentence.passage.text, part.casefold()
    spans = find_names(text, detect_language(text))
    end = sentence.start + len(sentence.text)
    named = [span.shown for span in spans if span.sure and sentence.start <= span.start < end]
    return [name for name in dict.fromkeys(named) if name.casefold() not in asked][:CARRIED_NAMES]


def _of_steps(question: str, search: Callable[[str, int], SearchResult], retriever: Retriever) -> Gathered | None:
    """A question of one part, whose answer may be reached over another place."""
    lookup = Lookup(question, retriever)
    queries: list[str] = []
    hits: list[Passage] = []
    for _ in range(2):
        query = lookup.next_query()
        if not query:
            break
        queries.append(query)
        found = search(query, CANDIDATES).hits
        hits += found
        lookup.add(query, found)
    if not lookup.suffices:
        return None
    reasons = lookup.reasons or (
        (TWO_STEPS,) if len(queries) > 1 and len({s.passage.document for s in lookup.sentences}) > 1 else ()
    )
    return Gathered(
        sentences=lookup.sentences[:MOST_SENTENCES], reasons=reasons, queries=tuple(queries), hits=tuple(hits)
    )


def _calculated(question: str, hits: Sequence[Passage], retriever: Retriever) -> Gathered | None:
    sentences = [
        one
        for begin in range(0, len(hits), _EXAMINED)
        for one in _stating(measure_evidence(question, hits[begin : begin + _EXAMINED], retriever))
    ]
    vocabulary = Vocabulary.of(one.text for one in sentences)
    weights = term_weights(question, vocabulary, retriever.count_terms(question))
    found = calculate(combination(question), question, weights, amounts_of(sentences, vocabulary))
    if found is None:
        return None
    told = tuple(dict.fromkeys(amount.sentence for amount in found.amounts))
    return Gathered(sentences=told, reasons=(NOT_CERTAIN,), calculation=found, queries=(question,), hits=tuple(hits))


def _stating(evidence: Evidence) -> Sequence[Sentence]:
    return [one for one in evidence.sentences if one.states] or evidence.sentences


def _place(sentence: Sentence) -> tuple[str, int, int]:
    return sentence.passage.document, sentence.passage.start, sentence.start


def _once(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
