"""The search of the road of several places: for each part of a question, and the sentences that answer it.

A question with parts ("who signed the lease, and when does it end?") is searched part by part; what a later part leaves
to the one before ("his job") is filled in with the names of the sentence that answers that one, or where none leads
("how long does it take?") with what that one is about. A question of one part whose answer is reached over another
place ("where was the architect of the house born?") is searched as ``Lookup`` does. Each search is followed by a second
one for its best hits. Of each part the best sentence is taken that is not there yet, and where a part is doubted, the
best ones of the question as a whole. Where the question asks what two values come to, they are put together
(``value_pairs``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.records.outcomes import Reason
from workbench.techniques.embedding_calls import NamedIn, Retriever
from workbench.techniques.retrieval.abstention import Evidence, Sentence, compared_sentences, measure_evidence
from workbench.techniques.retrieval.answer_types import TOLD, asked_types, cue_words, value_places
from workbench.techniques.retrieval.doubt_texts import calculated_reason, part_reason, two_steps_reason, weak_reason
from workbench.techniques.retrieval.lookup import Lookup
from workbench.techniques.retrieval.names import find_names
from workbench.techniques.retrieval.query_rewriting import merged_by_rank
from workbench.techniques.retrieval.question_parts import combination, factor_of, leans_on_another, split_question
from workbench.techniques.retrieval.question_terms import identified_of, missing_identified, missing_names, names_of
from workbench.techniques.retrieval.second_search import search_further
from workbench.techniques.retrieval.sentence_choice import LONGEST_COMPLETED
from workbench.techniques.retrieval.sentence_features import HITS_SEARCHED, NUMERALS, compare, term_weights
from workbench.techniques.retrieval.value_pairs import Calculation, amounts_of, calculate, multiply
from workbench.text.language import detect_language, detect_question_language, function_words, split_words
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary

LANGUAGES = ("en", "de", "fr", "es")
CANDIDATES = HITS_SEARCHED
NAMED_PASSAGES = 12
"""Passages that mention names of the answer to a part, and are compared with the next part."""

LED_FROM = 3
"""So many sentences that may answer a part are tried as what leads to the answer of the next."""

_PERSON = re.compile(r"\b(?:he|she|his|hers?|him)\b", re.IGNORECASE)
"""Points to a person, who is seldom what the part before is about."""
_FIGURE_NEAR = 8  # characters
_ONE_VALUE = 16
"""What begins within so many characters after a value is a part of it: the year of a date."""
_SUBJECT_WORD = re.compile(r"\w[\w'’-]*")
_NAME_WORD = re.compile(r"[^\W\d_]{3,}")

WORDS_SHARE = 0.25
"""How much the share of a part's words that a passage has counts beside its cosine."""

CARRIED_NAMES = 8
"""Names of the answer to a part that the next part is searched with."""

BEFORE, AFTER = 1, 2
"""So many sentences before and after one count as beside it."""

MOST_SENTENCES, WHOLE_SENTENCES = 4, 2
"""So many are shown, and among them so many that answer the question as a whole, where a part is doubted."""

LEAST_RELATED = 0.15
"""Of the words of a part, by their rarity, that stand in a sentence and beside it: with less it is not quoted as the
closest, where the part is not answered."""


class Gathered(Struct, frozen=True, kw_only=True):
    """The ``sentences`` that together answer a question, in the order of its parts, and ``reasons`` to doubt them; with
    ``calculation`` what two values of them come to. ``queries`` were searched for; ``hits`` are those of all."""

    sentences: tuple[Sentence, ...]
    reasons: tuple[Reason, ...] = ()
    calculation: Calculation | None = None
    queries: tuple[str, ...] = ()
    hits: tuple[Passage, ...] = ()


def gather(
    question: str, retriever: Retriever, check: Callable[[], None] = lambda: None, *, steps: bool = True
) -> Gathered | None:
    """Search for the parts of a question. None where no part of it is answered, or only some are and none for certain.
    Without ``steps`` a question of one part is answered by a calculation or not at all. ``check`` is called before each
    search, and may raise."""

    def search(query: str, limit: int) -> SearchResult:
        check()
        first = retriever.search(query, limit)
        return SearchResult(hits=search_further(query, first.hits, retriever.search, limit), revision=first.revision)

    whole = search(question, CANDIDATES).hits
    if not whole:
        return None
    parts = split_question(question)
    if len(parts) > 1 and (found := _of_parts(question, parts, whole, search, retriever)) is not None:
        return found
    if (found := _calculated(question, whole, retriever)) is not None:
        return found
    return _of_steps(question, search, retriever) if steps and len(parts) == 1 else None


def asks_for_several(question: str) -> bool:
    """Whether a question has several parts, or asks what two values come to."""
    return bool(combination(question)) or factor_of(question) is not None or len(split_question(question)) > 1


def _of_parts(
    question: str,
    parts: Sequence[str],
    whole: Sequence[Passage],
    search: Callable[[str, int], SearchResult],
    retriever: Retriever,
) -> Gathered | None:
    chosen: list[Sentence] = []
    spare: list[Sentence] = []
    certain = False  # of one part at least
    reasons: list[Reason] = []
    queries: list[str] = []
    hits: list[Passage] = []
    before: Evidence | None = None
    asked = ""
    language = detect_question_language(question, LANGUAGES)
    for part in parts:
        found = search(part, CANDIDATES).hits
        leans = before is not None and leans_on_another(part)
        if before is not None and not leans:
            found = merged_by_rank([found, whole], CANDIDATES)
        # "and how early?" is of what the part before is about
        bare = bool(asked) and not leans and _asks_value_alone(part, asked)
        evidence = measure_evidence(f"{asked}: {part}" if bare else part, found, retriever)
        led = None
        names: tuple[str, ...] = ()
        if before is not None and chosen and leans:
            led = _led(part, found, [one for one in _stating(before) if one not in chosen[:-1]], retriever)
            if led is None:
                about = "" if _PERSON.search(part) else _subject(asked, chosen[-1])
                if about:
                    found = merged_by_rank([search(f"{about} {part}", CANDIDATES).hits, found, whole], CANDIDATES)
                    evidence = measure_evidence(f"{about}: {part}", found, retriever)
        if led is not None:
            chosen[-1], names, evidence = led.earlier, led.names, led.evidence
            found = led.hits
        queries.append(" ".join((part, *names)))
        hits += found
        stating = [led.sentence] if led is not None else []
        stating += [one for one in _stating(evidence) if one not in stating]
        before = evidence
        related = led is not None or (bool(stating) and stating[0].kin_around >= LEAST_RELATED)
        if not stating or not (evidence.suffices or related):
            reasons.append(part_reason(part, language, unsure=False))
            asked = part
            continue
        if not evidence.suffices:
            reasons.append(part_reason(part, language, unsure=True))
        certain = certain or evidence.outcome == "found"
        reasons += evidence.reasons
        earlier, asked = asked, part
        if _tells_both(earlier, part, stating[0], chosen):
            continue
        if leans and led is None:
            reasons.append(two_steps_reason(language))
        new = [one for one in stating if not any(_overlap(one, other) for other in chosen)]
        # one that has nothing of what the part asks for is no answer to it
        new = [one for one in new if one == stating[0] or one.kin_around >= LEAST_RELATED]
        if not new or new[0] != stating[0]:
            # the best sentence is already the answer to another part
            reasons.append(weak_reason(detect_language(question)))
        if new and chosen:
            chosen[-1] = _with_name(chosen[-1], names, new[0])
        chosen += new[:1]
        spare += [one for one in new[1:2] if one.shown or evidence.outcome != "found"]
    if not chosen or not (certain or len(chosen) == len(parts)):
        return None
    if reasons:
        # the question as a whole may find what one of its parts does not
        spare[:0] = _stating(measure_evidence(question, whole, retriever))[:WHOLE_SENTENCES]
    for one in spare:
        if len(chosen) < MOST_SENTENCES and not any(_overlap(one, other) for other in chosen):
            chosen.append(one)
    return Gathered(sentences=tuple(chosen), reasons=_once(reasons), queries=tuple(queries), hits=tuple(hits))


def _subject(part: str, answer: Sentence) -> str:
    """What a part of a question is about: its words that its answer has as well, or the headings above that, but for
    those that name the kind of value ("costs"); "" where it is nothing that the answer tells."""
    vocabulary = Vocabulary.of([answer.passage.text])
    told = set(vocabulary.stems(f"{answer.text} {answer.passage.title} {answer.passage.context}"))
    words = [word for word in _SUBJECT_WORD.findall(part) if set(vocabulary.content_terms(word)) & told]
    return " ".join(word for word in words if not asked_types(word))


def _asks_value_alone(part: str, earlier: str) -> bool:
    """Whether a part of a question asks for a value and says nothing of what it is of: "how early", "für wie lange"."""
    vocabulary = Vocabulary(detect_question_language(f"{earlier} {part}", LANGUAGES))
    kinds = asked_types(part)
    cues = frozenset().union(*(cue_words(part, kind) for kind in kinds))
    said = (word for word in split_words(part) if word not in cues and not vocabulary.is_function_word(word))
    return bool(kinds) and not any(said)


def _tells_both(earlier: str, part: str, sentence: Sentence, chosen: Sequence[Sentence]) -> bool:
    """Whether a sentence that answers the ``earlier`` part tells in figures the value that a part asks for as well."""
    kinds = [kind for kind in asked_types(part) if kind in TOLD]
    places = sorted(value_places(sentence.text, kinds, f"{earlier} {part}"))
    figures = [place for place in places if _has_number(sentence.text[place : place + _FIGURE_NEAR])]
    values = sum(
        place - before > _ONE_VALUE for before, place in zip([-_ONE_VALUE - 1, *figures], figures, strict=False)
    )
    alike = set(kinds) & set(asked_types(earlier))
    return bool(chosen) and _overlap(chosen[-1], sentence) and values > (1 if alike else 0)


def _has_number(text: str) -> bool:
    return any(word[0].isdigit() or word in NUMERALS for word in split_words(text))


class _Led(Struct, frozen=True):
    """A sentence that answers a part, with that which answers the part before, whose ``names`` lead to it."""

    earlier: Sentence
    sentence: Sentence
    names: tuple[str, ...]
    evidence: Evidence
    hits: tuple[Passage, ...]


def _led(part: str, found: Sequence[Passage], earlier: Sequence[Sentence], retriever: Retriever) -> _Led | None:
    """Of the best sentences that answer the part before, and those that answer a part and mention a name of it, the two
    that are the most probable together."""
    best: _Led | None = None
    most = 0.0
    for one in earlier[:LED_FROM]:
        leading = _named(one, part, retriever)
        if not leading.names or one.share <= most:
            continue
        together = merged_by_rank([found, *([leading.passages] if leading.passages else [])], CANDIDATES)
        evidence = measure_evidence(part, together, retriever)
        naming = (other for other in _stating(evidence) if _mentions(other.text, leading.names))
        sentence = next((other for other in naming if not _overlap(other, one)), None)
        if sentence is not None and one.share * sentence.share > most:
            most = one.share * sentence.share
            best = _Led(one, sentence, leading.names, evidence, together)
    return best


def _mentions(text: str, names: Sequence[str]) -> bool:
    """Whether a text mentions one of the names, or a word of one: a person is often called by one name alone."""
    words = {word.casefold() for name in names for word in _NAME_WORD.findall(name) if word[0].isupper()}
    return bool(words & {word.casefold() for word in _NAME_WORD.findall(text)})


def _window(sentence: Sentence) -> list[tuple[int, int]]:
    """The places of the sentence, of the one before it and of those after it, in their passage's text."""
    spans = split_sentences(sentence.passage.text)
    own = [n for n, span in enumerate(spans) if sentence.start <= span[0] < sentence.end] or [0]
    return spans[max(0, own[0] - BEFORE) : own[-1] + 1 + AFTER]


def _named(sentence: Sentence, part: str, retriever: Retriever) -> NamedIn:
    """The names that lead from a sentence to the answer of a part, and the passages that mention them: those that the
    collection knows in the sentence, or beside it, else those that its own passage shows."""
    asked = part.casefold()
    own = sentence.passage.document, sentence.passage.start
    around = "\n".join(sentence.passage.text[start:end] for start, end in _window(sentence))
    for text in (sentence.text, around):
        known = retriever.names_in(text, NAMED_PASSAGES)
        names = [name for name in known.names if name.casefold() not in asked][:CARRIED_NAMES]
        if names:
            passages = [one for one in known.passages if (one.document, one.start) != own]
            return NamedIn(names=tuple(names), passages=_by_likeness(part, passages, retriever))
    return NamedIn(names=tuple(_names_around(sentence, part)))


def _by_likeness(text: str, passages: Sequence[Passage], retriever: Retriever) -> tuple[Passage, ...]:
    """The passages, with their cosines: those first that are alike to a text and have many of its words."""
    if not passages:
        return ()
    (alike,) = retriever.similarities([text], [one.text for one in passages])
    vocabulary = Vocabulary.of(one.text for one in passages)
    asked = set(vocabulary.content_terms(text))
    scored = [
        msgspec.structs.replace(
            one,
            score=cosine + WORDS_SHARE * len(asked.intersection(vocabulary.stems(one.text))) / max(1, len(asked)),
            similarity=cosine,
        )
        for one, cosine in zip(passages, alike, strict=True)
    ]
    return tuple(sorted(scored, key=lambda one: -one.score))


def _names_around(sentence: Sentence, part: str) -> list[str]:
    """The names in a sentence, as its whole passage shows them, that a part of the question lacks; where it has none,
    those beside it."""
    text, asked = sentence.passage.text, part.casefold()
    near = _window(sentence)
    spans = [span for span in find_names(text, detect_language(text)) if span.sure]
    for begin, end in ((sentence.start, sentence.end), (near[0][0], near[-1][1])):
        names = dict.fromkeys(span.shown for span in spans if begin <= span.start < end)
        if lacking := [name for name in names if name.casefold() not in asked]:
            return lacking[:CARRIED_NAMES]
    return []


def _with_name(sentence: Sentence, names: Sequence[str], following: Sentence) -> Sentence:
    """The sentence, with those up to the one beside it that has the name by which the answer to the next part was
    found."""
    text = following.text.casefold()
    joining = [name.casefold() for name in names if name.casefold() in text]
    if not joining or any(name in sentence.text.casefold() for name in joining):
        return sentence
    whole = sentence.passage.text
    for start, end in sorted(_window(sentence), key=lambda span: abs(span[0] - sentence.start)):
        if any(name in whole[start:end].casefold() for name in joining):
            begin, last = min(start, sentence.start), max(end, sentence.end)
            longer = msgspec.structs.replace(sentence, start=begin, end=last, text=whole[begin:last])
            return longer if last - begin <= LONGEST_COMPLETED and not _overlap(longer, following) else sentence
    return sentence


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
        if lookup.sentences:
            known = retriever.names_in(lookup.sentences[0].text, NAMED_PASSAGES)
            if led := _by_likeness(question, known.passages, retriever):
                found = merged_by_rank([found, led], CANDIDATES)
        hits += found
        lookup.add(query, found)
    if not lookup.suffices:
        return None
    # less than half of the answers are right to which a second search has added a sentence, of another document or not
    joined = len(queries) > 1 and len(lookup.sentences) > 1
    said = two_steps_reason(detect_question_language(question, LANGUAGES))
    reasons = lookup.reasons or ((said,) if joined else ())
    return Gathered(
        sentences=lookup.sentences[:MOST_SENTENCES], reasons=reasons, queries=tuple(queries), hits=tuple(hits)
    )


def _calculated(question: str, hits: Sequence[Passage], retriever: Retriever) -> Gathered | None:
    kind, factor = combination(question), factor_of(question)
    if not kind and factor is None:
        return None
    sentences = compared_sentences(compare(question, hits, retriever))
    vocabulary = Vocabulary.of(one.text for one in sentences)
    weights = _telling(question, term_weights(question, vocabulary, retriever.count_terms(question)), vocabulary)
    amounts = amounts_of(sentences, vocabulary, dates=kind == "days")
    language = detect_question_language(question, LANGUAGES)
    found = calculate(kind, question, weights, amounts, language) if kind else None
    if found is None and factor is not None:
        found = multiply(factor, weights, amounts, vocabulary, language)
    if found is None:
        return None
    told = tuple(dict.fromkeys(amount.sentence for amount in found.amounts))
    sure = kind in ("difference", "sum") and found.is_sure and not _lacks_named(question, told)
    reasons = () if sure else (calculated_reason(language),)
    return Gathered(sentences=told, reasons=reasons, calculation=found, queries=(question,), hits=tuple(hits))


def _lacks_named(question: str, told: Sequence[Sentence]) -> bool:
    """Whether the question names what none of the sentences' passages has: "Brandl", "room 7"."""
    language = detect_question_language(question, LANGUAGES)
    texts = [f"{one.passage.text}\n{one.passage.title}\n{one.passage.context}" for one in told]
    named, identified = names_of(question, language), identified_of(question, language)
    return bool(missing_names(named, texts) or missing_identified(identified, texts))


def _telling(question: str, weights: Mapping[str, float], vocabulary: Vocabulary) -> Mapping[str, float]:
    """The weights of a question's terms without those of function words of its own language, which is not always that
    of the documents."""
    language = detect_question_language(question, LANGUAGES)
    passed = {stem for word in function_words().get(language, ()) for stem in vocabulary.stems(word)}
    return {term: weight for term, weight in weights.items() if term not in passed} or weights


def _stating(evidence: Evidence) -> Sequence[Sentence]:
    return [one for one in evidence.sentences if one.states] or evidence.sentences


def _overlap(one: Sentence, other: Sentence) -> bool:
    begin, start = one.passage.start + one.start, other.passage.start + other.start
    same = one.passage.document == other.passage.document
    return same and begin < start + len(other.text) and start < begin + len(one.text)


def _once(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
