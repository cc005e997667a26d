"""Verification of an answer: its statements, its confidence, and the sentences that its citations point to.

Joins what ``statements.py`` says of each statement and what ``confidence.py`` says of the answer in one value.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import PurePath

import msgspec

from workbench.records.exam import FEWEST, ExamResult
from workbench.records.messages import Citation, Passage, Statement, Verification
from workbench.records.trust import is_marked
from workbench.techniques.retrieval.confidence import UNSURE, Spelled, estimate, shifted
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.prompting import wants_more
from workbench.techniques.retrieval.quoting import Quotes, quote
from workbench.techniques.retrieval.statements import StatementVerifier
from workbench.text.language import detect_language
from workbench.text.sentences import split_sentences

_OTHER_LANGUAGE = "The answer is in another language than the passages, so its statements were not checked."
_OTHER_LANGUAGE_VALUES = (
    "The answer is in another language than the passages: only its numbers, dates and times were compared with them."
)

_MARK, _SIGNS = re.compile(r"\[\d+\]"), re.compile(r"\W+")
_PLACES = ("sentence_start", "sentence_end", "span_start", "span_end")


def verify_answer(
    text: str,
    grounding: Grounding,
    mean_logprob: float | None,
    exam: ExamResult | None = None,
    spelled: Spelled = (),
) -> Verification | None:
    """Verify an answer in the model's own words against the passages that it was shown. None for an empty text, and
    for one in a format (JSON and the like), which has no sentences. The model's ``exam`` corrects the confidence;
    ``spelled`` are the answer's tokens."""
    if grounding.verbatim or not text.strip():
        return None
    verified = _verified(text, verifier_of(grounding))
    confidence = estimate(grounding.question, text, grounding.sentences, mean_logprob, spelled)
    if verified.problem or confidence is None:
        return verified
    if exam is not None and exam.current:
        confidence = shifted(confidence, exam.confidence_shift)
    unsure = confidence < UNSURE and not _is_word_for_word(text, grounding.passages)
    return msgspec.structs.replace(verified, confidence=round(confidence, 4), unsure=unsure)


def _is_word_for_word(text: str, passages: Sequence[Passage]) -> bool:
    """Whether an answer is made of whole sentences of the passages: such a one is as good as a quoted answer."""
    held = {_plain(p.text[start:end]) for p in passages for start, end in split_sentences(p.text)}
    said = {_plain(text[start:end]) for start, end in split_sentences(text)} - {""}
    return bool(said) and said <= held


def _plain(sentence: str) -> str:
    return " ".join(_SIGNS.sub(" ", _MARK.sub("", sentence)).casefold().split())


def with_rates(verification: Verification | None, question: str, exam: ExamResult | None) -> Verification | None:
    """The verification with how often such answers of the model are right, where its exam knows the question's
    language."""
    rates = exam.rates(detect_language(question)) if exam is not None and exam.current else None
    if verification is None or rates is None:
        return verification
    marked = is_marked(verification)
    only_quoted = verification.quoted and all(s.end <= verification.quoted for s in verification.statements)
    own = rates.own if only_quoted else rates.of_answer(marked)
    own_rate, quoted_rate = (rate if rate.count >= FEWEST else None for rate in (own, rates.quoted))
    return msgspec.structs.replace(verification, own_rate=own_rate, quoted_rate=quoted_rate)


class _LastVerifier(threading.local):
    """The verifier of the last grounding of a thread: an answer is verified while it is written, and at its end."""

    def __init__(self) -> None:
        self.grounding: Grounding | None = None
        self.verifier: StatementVerifier | None = None


_last = _LastVerifier()


def verifier_of(grounding: Grounding) -> StatementVerifier:
    """Verifies the statements of an answer: against the passages, and the sentences that would be quoted where the
    question asks for one thing, in the language of the passages. The same one for the same grounding in one thread."""
    if _last.verifier is None or _last.grounding is not grounding:
        _last.verifier, _last.grounding = _made_verifier(grounding), grounding
    return _last.verifier


def _made_verifier(grounding: Grounding) -> StatementVerifier:
    one_thing = not wants_more(grounding.question)
    quotes = quote(grounding.sentences) if one_thing else None
    answering = [sentence.text for sentence in quotes.sentences] if quotes is not None else []
    return StatementVerifier(grounding.passages, grounding.question, answering)


def verify_statements(text: str, passages: Sequence[Passage], question: str) -> Verification:
    """Verify the statements of a text by its words alone, without an estimate of its confidence."""
    return _verified(text, StatementVerifier(passages, question))


def _verified(text: str, verifier: StatementVerifier) -> Verification:
    if not verifier.can_judge(text):
        statements = verifier.verify_values(text)
        problem = _OTHER_LANGUAGE_VALUES if statements else _OTHER_LANGUAGE
        return Verification(statements=statements, unsure=True, problem=problem)
    return Verification(statements=verifier.verify(text))


def with_quotes(quotes: Quotes, own: Verification | None) -> Verification:
    """The verification of an answer that begins with quotes: those are supported by construction."""
    shift = len(quotes.text) + len(quotes.separator)
    rest = own or Verification()
    moved = (msgspec.structs.replace(s, start=s.start + shift, end=s.end + shift) for s in rest.statements)
    statements = (*quotes.statements, *moved)
    return msgspec.structs.replace(rest, statements=statements, quoted=len(quotes.text), computed=quotes.computed)


def with_sources(verified: Verification | None, passages: Sequence[Passage]) -> Verification | None:
    """The verification, which says so where what is quoted was recognised in a picture, or where the file of a sentence
    that bears the answer is no longer as it was read."""
    if verified is None:
        return None
    named = {passage.n: passage for passage in passages}
    bearing = [(one, named[one.n]) for one in verified.statements if one.n in named]
    recognised = any(passage.recognised for one, passage in bearing if one.end <= verified.quoted)
    changed = tuple(dict.fromkeys(PurePath(passage.path).name for _, passage in bearing if passage.changed))
    return msgspec.structs.replace(verified, recognised=recognised, changed=changed)


def point_to_sentences(citations: Sequence[Citation], statements: Sequence[Statement]) -> tuple[Citation, ...]:
    """The citations, each with the sentence that bears the first and best statement of the answer in its passage."""
    best: dict[int, Statement] = {}
    for statement in statements:
        known = best.get(statement.n)
        if (
            statement.n
            and statement.verdict in ("supported", "partly")
            and (known is None or statement.value > known.value)
        ):
            best[statement.n] = statement
    return tuple(
        msgspec.structs.replace(citation, **{name: getattr(best[citation.n], name) for name in _PLACES})
        if citation.n in best and not citation.sentence_end
        else citation
        for citation in citations
    )
