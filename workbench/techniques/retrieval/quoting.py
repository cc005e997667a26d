"""Quoting: the sentences of the passages that answer a question, word for word, instead of the model's own words.

A small model points better than it retells: on XQuAD a gold answer stands in the shown sentences of about nine of ten
questions, where SmolLM2 135M in its own words is right in 30, 5 and 9 % (English, German, Chinese;
docs/benchmarks.md). The sentences are those that abstention compares with the question anyway, so a quoted answer
costs no generation. With ``quote_length`` "span" the model chooses the words of these sentences that answer: its
decoding is constrained to them (the answer format ``quote``). Extractive answers: Chen et al. 2017, "Reading
Wikipedia to Answer Open-Domain Questions" (arXiv:1704.00051); verified quotes: Menick et al. 2022 (arXiv:2203.11147).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.records.exam import ExamResult
from workbench.records.messages import Citation, Passage, Statement
from workbench.records.recipes import RetrievalPart
from workbench.records.recipes.parts import Mode
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.citations import as_citation
from workbench.techniques.retrieval.prompting import WANTS_MORE
from workbench.text.language import detect_language
from workbench.text.terms import Vocabulary

QUOTING_PARAMETERS = 1_000_000_000
"""``automatic`` quotes for a model with fewer, unless its exam says otherwise."""


class Quotes(msgspec.Struct, frozen=True, kw_only=True):
    """``text``: the quoted sentences, or spans of them, each with its citation; ``statements`` are their places in it.
    ``passages``: those shown and quoted, numbered from 1; ``sentences``: those that are quoted. ``separator`` comes
    before the model's own words. ``computed``: the text is not quoted but computed from the passages."""

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    sentences: tuple[Sentence, ...] = ()
    separator: str = "\n\n"
    computed: bool = False


def resolve_mode(
    part: RetrievalPart, question: str, model: ModelBackend, answers: int = 1, exam: ExamResult | None = None
) -> Mode:
    """The mode that ``automatic`` means: quoted where the model's ``exam`` in the question's language shows that it is
    better (``ExamRates.prefers_quotes``). Without an exam, or where that shows no difference, a model with few
    parameters quotes, reasons as well. Longer texts and several ``answers`` are in the model's own words."""
    if part.mode != "automatic":
        return part.mode
    if WANTS_MORE.match(question):
        return "own-words"
    return "quoted" if prefers_quotes(part, detect_language(question), model, answers, exam) else "own-words"


def prefers_quotes(
    part: RetrievalPart, language: str, model: ModelBackend, answers: int = 1, exam: ExamResult | None = None
) -> bool:
    """Whether texts in a language are quoted rather than told in the model's own words, as the recipe says, the
    model's ``exam`` or its size. Several ``answers`` are never quoted."""
    if part.mode != "automatic":
        return part.mode != "own-words"
    if answers > 1:
        return False
    rates = exam.rates(language) if exam is not None and exam.current else None
    quotes = rates.prefers_quotes if rates is not None else None
    return has_fewer_parameters(model, QUOTING_PARAMETERS) if quotes is None else quotes


def quote(sentences: Sequence[Sentence], shown: Sequence[Passage] = ()) -> Quotes | None:
    """Quote those of the sentences, the best first, that are to be shown; None when there are none.

    Headings are quoted only where there is nothing else. A passage that is among those ``shown`` keeps its number;
    others get the next ones.
    """
    stating = [s for s in sentences if s.states]
    chosen = [one for one in stating or sentences if one.shown]
    if not chosen:
        return None
    best = chosen[0]
    ordered = sorted(chosen, key=lambda s: (best.passage != s.passage, s.start))
    return _write([(sentence, 0, len(sentence.text)) for sentence in ordered], shown, best)


def quote_all(sentences: Sequence[Sentence], shown: Sequence[Passage]) -> Quotes | None:
    """Quote sentences in their order; None without any. Passages are numbered as by ``quote``."""
    if not sentences:
        return None
    return _write([(sentence, 0, len(sentence.text)) for sentence in sentences], shown, sentences[0])


def quote_spans(pieces: Sequence[tuple[Sentence, int, int]], shown: Sequence[Passage] = ()) -> Quotes:
    """Quote parts of sentences in their order: each sentence with start and end in its text; at least one."""
    return _write(pieces, shown, pieces[0][0])


def text_to_quote_from(quotes: Quotes) -> str:
    """The quoted sentences as the description of the answer format ``quote``."""
    return "\n\n".join(sentence.text for sentence in quotes.sentences)


def narrow(quotes: Quotes, spans: str, question: str) -> Quotes:
    """The quotes cut to spans of their sentences, one per line, as the format ``quote`` generates them.

    A span that adds no word to the question is no answer; the quotes stay as they were when there is no other. Each
    span is found by its place: it is exact by construction.
    """
    vocabulary = Vocabulary.of(sentence.text for sentence in quotes.sentences)
    asked = set(vocabulary.stems(question))
    pieces: list[tuple[Sentence, int, int]] = []
    for span in dict.fromkeys(line.strip().strip(",;:，；：").strip() for line in spans.split("\n")):
        sentence = next((s for s in quotes.sentences if span and span in s.text), None)
        if sentence is None or asked.issuperset(vocabulary.content_terms(span)):
            continue
        start = sentence.text.index(span)
        if not any(of is sentence and start < b and a < start + len(span) for of, a, b in pieces):
            pieces.append((sentence, start, start + len(span)))
    return _write(pieces, quotes.passages, pieces[0][0]) if pieces else quotes


def _write(pieces: Sequence[tuple[Sentence, int, int]], shown: Sequence[Passage], best: Sentence) -> Quotes:
    """Quote parts of sentences, each with the number of its passage; ``start`` and ``end`` are places in the text of
    its sentence. The citation of a passage points to the ``best`` sentence where that is in it."""
    passages = list(shown)
    text, statements = "", []
    citations: dict[int, Citation] = {}
    for sentence, begin, end in pieces:
        place = (sentence.passage.document, sentence.passage.start)
        number = next((p.n for p in passages if (p.document, p.start) == place), 0)
        if not number:
            number = max((p.n for p in passages), default=0) + 1
            passages.append(msgspec.structs.replace(sentence.passage, n=number))
        passage = next(p for p in passages if p.n == number)
        start, whole = passage.start + sentence.start, end - begin == len(sentence.text)
        text += "\n\n" if text else ""
        statement = Statement(
            start=len(text) + 1,
            end=len(text) + 1 + end - begin,
            verdict="supported",
            value=1.0,
            n=number,
            sentence_start=start,
            sentence_end=start + len(sentence.text),
            span_start=0 if whole else start + begin,
            span_end=0 if whole else start + end,
        )
        statements.append(statement)
        text += f"“{sentence.text[begin:end]}” [{number}]"
        citations[number] = _pointing(citations.get(number) or as_citation(passage, claimed=False), statement)
        if sentence == best:
            citations[number] = _pointing(citations[number], statement, first=True)
    return Quotes(
        text=text,
        statements=tuple(statements),
        citations=tuple(citations[n] for n in sorted(citations)),
        passages=tuple(passages),
        sentences=tuple(dict.fromkeys(sentence for sentence, _, _ in pieces)),
    )


def _pointing(citation: Citation, statement: Statement, *, first: bool = False) -> Citation:
    """The citation with the sentence of a statement: as its own where it has none, or with ``first``, else as a further
    one."""
    place, own = (statement.sentence_start, statement.sentence_end), (citation.sentence_start, citation.sentence_end)
    more = tuple(one for one in citation.more_sentences if one != place)
    if citation.sentence_end and not first:
        return msgspec.structs.replace(citation, more_sentences=(*more, *((place,) if place != own else ())))
    if citation.sentence_end and own != place:
        more = (*more, own)
    return msgspec.structs.replace(
        citation,
        sentence_start=place[0],
        sentence_end=place[1],
        span_start=statement.span_start,
        span_end=statement.span_end,
        more_sentences=more,
    )
