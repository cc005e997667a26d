"""The exam's passages and questions (``resources/exam``), and the grading of the answers to them.

The documents and questions are our own. An answer is right when one of the accepted answers stands in it, word for word
after normalisation (``workbench.normalisation``), as "contains gold" of open-book question answering: two short
sentences that hold the answer are right, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from workbench.metrics import contains_answer
from workbench.records.exam import EXAM_VERSION, ExamRates, ExamResult, Rate
from workbench.techniques.retrieval.confidence import UNSURE, fit_shift, shifted

FOLDER = Path(__file__).resolve().parents[3] / "resources" / "exam"

_UNKNOWN = re.compile(
    r"\b(not|n't|never|no)\b[^.]{0,40}\b(state|specif|mention|provid|contain|say|said|given|information|answer|know|found)"
    r"|\b(nicht|keine?)\b[^.]{0,40}\b(angegeben|genannt|erwähnt|enthalten|hervor|angabe|information|bekannt|beantwort)",
    re.IGNORECASE,
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` is ``language/document/number``. Without ``answers`` the documents do not answer it, whether the subject
    is theirs or (``elsewhere``) not."""

    id: str
    question: str
    answers: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        return self.id.split("/")[0]

    @property
    def document(self) -> str:
        return self.id.rpartition("/")[0]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a question. ``declined``: the program abstained, or, where there is no answer, the model said so.
    ``confidence`` is that of the answer in the model's own words, uncorrected; ``contradicts``: it is marked whatever
    the confidence."""

    question: str
    answerable: bool
    declined: bool
    own: bool = False
    quoted: bool = False
    confidence: float | None = None
    contradicts: bool = False

    @property
    def language(self) -> str:
        return self.question.split("/")[0]

    def is_marked(self, shift: float) -> bool:
        return self.contradicts or (self.confidence is not None and shifted(self.confidence, shift) < UNSURE)


class _Questions(msgspec.Struct, frozen=True):
    questions: tuple[Question, ...]


def load_questions() -> tuple[Question, ...]:
    return msgspec.json.decode((FOLDER / "questions.json").read_bytes(), type=_Questions).questions


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the accepted answers stands in a text."""
    return any(contains_answer(text, answer) for answer in answers)


def says_unknown(text: str) -> bool:
    """Whether an answer says that the passages do not hold it."""
    return _UNKNOWN.search(text) is not None


def summarise(outcomes: Sequence[Outcome], sha256: str, ended: float, seconds: float) -> ExamResult:
    """The result of an exam. What is marked is decided with a correction fitted on the other documents' questions, so
    that no question corrects its own confidence."""
    marked: dict[str, bool] = {}
    for document in dict.fromkeys(one.question.rpartition("/")[0] for one in outcomes):
        mine = [one for one in outcomes if one.question.rpartition("/")[0] == document]
        shift = fit_shift(_graded(one for one in outcomes if one not in mine))
        marked |= {one.question: one.is_marked(shift) for one in mine}
    languages = dict.fromkeys(one.language for one in outcomes)
    return ExamResult(
        version=EXAM_VERSION,
        sha256=sha256,
        ended=ended,
        seconds=seconds,
        languages={
            language: _rates([one for one in outcomes if one.language == language], marked) for language in languages
        },
        confidence_shift=round(fit_shift(_graded(outcomes)), 4),
    )


def _rates(outcomes: Sequence[Outcome], marked: dict[str, bool]) -> ExamRates:
    answered = [one for one in outcomes if not one.declined]
    known = [one for one in answered if one.answerable]
    unmarked = [one for one in answered if not marked[one.question]]
    unanswerable = [one for one in outcomes if not one.answerable]
    answerable = [one for one in outcomes if one.answerable]
    return ExamRates(
        own=Rate(sum(one.own for one in known), len(known)),
        quoted=Rate(sum(one.quoted for one in known), len(known)),
        answers=Rate(sum(one.own for one in answered), len(answered)),
        unmarked=Rate(sum(one.own for one in unmarked), len(unmarked)),
        abstained=Rate(sum(one.declined for one in unanswerable), len(unanswerable)),
        declined=Rate(sum(one.declined for one in answerable), len(answerable)),
    )


def _graded(outcomes: Iterable[Outcome]) -> list[tuple[float, bool]]:
    return [(one.confidence, one.own) for one in outcomes if one.confidence is not None and not one.declined]
