"""The exam of a model: how often its answers from documents are right, measured once per model file.

Every rate is a count of the exam's own questions with its 95 % interval. The result decides whether *automatic* quotes,
corrects the confidence of answers in the model's own words, and is told below them (``records/trust.py``). How the exam
is held is ``subjects/evaluation/exam_run.py``. Beside the short texts there is an office: what became of its questions
is told by their kinds, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.training.scores import interval

EXAM_VERSION = 8
"""Of the questions, and of how their answers are made and graded. A result of another version is out of date: raise
this when questions change, and when quoting, verification or confidence do."""

FEWEST = 10
"""A rate of fewer answers than this is not told of a single answer."""


class Rate(msgspec.Struct, frozen=True):
    """``right`` of ``count``."""

    right: int = 0
    count: int = 0

    @property
    def share(self) -> float:
        """In [0, 1]; 0 of none."""
        return self.right / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share (Wilson 1927)."""
        return interval(self.share, self.count)

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.right + other.right, self.count + other.count)

    def __sub__(self, other: Rate) -> Rate:
        return Rate(self.right - other.right, self.count - other.count)


class ExamRates(msgspec.Struct, frozen=True, kw_only=True):
    """The rates of one language.

    ``own``, ``quoted``: right answers to the answerable questions that were answered, the same for both. ``answers``:
    right ones of all answers in the model's own words; one to an unanswerable question is wrong. ``unmarked``: of
    these, the ones that the program did not mark. ``abstained``: unanswerable questions that were declined.
    ``declined``: answerable ones that were.
    """

    own: Rate = Rate()
    quoted: Rate = Rate()
    answers: Rate = Rate()
    unmarked: Rate = Rate()
    abstained: Rate = Rate()
    declined: Rate = Rate()

    @property
    def marked(self) -> Rate:
        return self.answers - self.unmarked

    @property
    def poor(self) -> bool:
        """Whether fewer than half of the answers are right, in its own words and quoted."""
        return bool(self.own.count) and max(self.own.share, self.quoted.share) < 0.5

    @property
    def prefers_quotes(self) -> bool | None:
        """Whether quoting is measurably better than the model's own words: the lower bound of its interval is above the
        share of these. False when it is measurably worse, None when neither."""
        low, high = self.quoted.interval
        return True if low > self.own.share else False if high < self.own.share else None

    def of_answer(self, marked: bool) -> Rate:
        """How often answers in the model's own words are right that are marked as this one is; of all of them where too
        few were."""
        like = self.marked if marked else self.unmarked
        return like if like.count >= FEWEST else self.own

    def __add__(self, other: ExamRates) -> ExamRates:
        return ExamRates(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """The ends of ``asked`` questions: how many answers were right and wrong, each unmarked and marked; the others
    were declined."""

    asked: int = 0
    right_unmarked: int = 0
    right_marked: int = 0
    wrong_unmarked: int = 0
    wrong_marked: int = 0

    @property
    def right(self) -> int:
        return self.right_unmarked + self.right_marked

    @property
    def unmarked(self) -> int:
        return self.right_unmarked + self.wrong_unmarked

    @property
    def answered(self) -> int:
        return self.unmarked + self.right_marked + self.wrong_marked

    @property
    def declined(self) -> int:
        return self.asked - self.answered

    def __add__(self, other: Ends) -> Ends:
        return Ends(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class OfficeKind(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of one kind on the documents of an office: what became of them when they were answered by quotes,
    and, of some of them, in the model's own words."""

    kind: str
    quoted: Ends = Ends()
    own: Ends = Ends()

    @property
    def answerable(self) -> bool:
        return self.kind != UNANSWERABLE

    @property
    def rates(self) -> ExamRates:
        """The same rates as those of a language."""
        answered = Rate(self.own.right, self.own.answered)
        unmarked = Rate(self.own.right_unmarked, self.own.unmarked)
        declined = Rate(self.quoted.declined, self.quoted.asked)
        if not self.answerable:
            return ExamRates(answers=answered, unmarked=unmarked, abstained=declined)
        quoted = Rate(self.quoted.right, self.quoted.answered)
        return ExamRates(own=answered, quoted=quoted, answers=answered, unmarked=unmarked, declined=declined)


UNANSWERABLE = "unanswerable"


class ExamResult(msgspec.Struct, frozen=True, kw_only=True):
    """The exam of the model file with the checksum ``sha256``. ``confidence_shift`` is added to the log-odds of the
    confidence. ``ended`` is a time in seconds since the epoch, ``seconds`` the time that was spent. ``office`` has what
    became of the questions on an office's documents, by kind; () in a result of an earlier version."""

    version: int
    sha256: str
    ended: float
    seconds: float
    languages: dict[str, ExamRates]
    confidence_shift: float = 0.0
    office: tuple[OfficeKind, ...] = ()

    @property
    def rows(self) -> dict[str, ExamRates]:
        """The rates of each language, and of the office, by the row's title."""
        languages = {LANGUAGES.get(name, name): rates for name, rates in self.languages.items()}
        office = {OFFICE: total(kind.rates for kind in self.office)} if self.office else {}
        return languages | office

    @property
    def current(self) -> bool:
        return self.version == EXAM_VERSION

    def rates(self, language: str) -> ExamRates | None:
        """The rates in a language, those of all together where it is unknown (""). None in one that the exam lacks."""
        if language:
            return self.languages.get(language)
        return total(self.languages.values())


EXAM: Stored[ExamResult] = Stored("exam of this model", ExamResult)


class ExamConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The config of an exam's run."""

    model: str
    version: int = EXAM_VERSION


def total(rates: Iterable[ExamRates]) -> ExamRates:
    return sum(rates, ExamRates())


RATES: Sequence[tuple[str, Shown]] = (
    ("own", "Right in its own words"),
    ("quoted", "Right when quoting"),
    ("unmarked", "Right when not marked"),
    ("abstained", "Abstains when it should"),
    ("declined", "Declines wrongly"),
)
"""The rates that a person sees, by the fields of ``ExamRates``."""

OFFICE = "Office"
KINDS = {
    "fact": "facts",
    "table": "tables",
    "version": "versions",
    "language": "another language",
    "two": "two places",
    UNANSWERABLE: "questions without an answer",
}
"""The kinds of an office's questions, in words."""

OLD: Shown = "by an earlier version of the exam: without effect until it is repeated"
LANGUAGES = {"en": "English", "de": "German"}


def describe_rate(rates: ExamRates, name: str) -> tuple[Shown, Shown]:
    """A rate's share and its count with the 95 % interval: ``40 %`` and ``12 of 30, 25–57 %``. Of the answers that are
    not marked it is said how many these are."""
    rate: Rate = getattr(rates, name)
    of_all = f"{rate.count} of {rates.answers.count} not marked" if name == "unmarked" else ""
    if not rate.count:
        return "none", of_all
    low, high = rate.interval
    counts = f"{rate.right} of {rate.count}, {low * 100:.0f}–{high * 100:.0f} %"
    return f"{rate.share * 100:.0f} %", f"{counts}; {of_all}" if of_all else counts


def describe_mode(result: ExamResult) -> Shown:
    """The behaviour of *automatic* with the model, in a sentence."""
    said = {True: "quoting is measurably better", False: "quoting is measurably worse", None: ""}
    by = {
        why: [LANGUAGES.get(one, one) for one, r in result.languages.items() if r.prefers_quotes is why] for why in said
    }
    parts = [f"In {' and '.join(by[True])} answers are quoted: {said[True]}."] if by[True] else []
    if by[False]:
        parts.append(f"In {' and '.join(by[False])} answers are in its own words: {said[False]}.")
    if by[None]:
        parts.append(f"In {' and '.join(by[None])} the model's size decides: no measurable difference.")
    return " ".join(parts)


CORRECTED: Shown = (
    "The doubts about answers in its own words were fitted on a model of 135 million parameters; this exam corrects "
    "them for this model."
)


def describe_poor(result: ExamResult) -> Shown:
    """The languages in which most answers are wrong; "" for none."""
    poor = [LANGUAGES.get(one, one) for one, rates in result.languages.items() if rates.poor]
    return f"In {' and '.join(poor)} fewer than half of its answers are right, also when quoting." if poor else ""


def describe_office(result: ExamResult) -> tuple[Shown, ...]:
    """A sentence on the answers by quotes, and one on those in the model's own words: by kind, and what misleads; ()
    without an office."""
    if not result.office:
        return ()
    return (
        _describe_ends("Office, quoted", [(one.kind, one.quoted) for one in result.office]),
        _describe_ends("Office, in its own words", [(one.kind, one.own) for one in result.office]),
    )


def _describe_ends(words: str, kinds: Sequence[tuple[str, Ends]]) -> str:
    parts = []
    for kind, ends in kinds:
        right = "" if kind == UNANSWERABLE else f"{ends.right} of {ends.asked} right"
        marked, declined = ends.answered - ends.unmarked, ends.declined
        counts = [right, f"{marked} marked" if marked else "", f"{declined} declined" if declined else ""]
        parts.append(f"{KINDS.get(kind, kind)} {', '.join(filter(None, counts)) or 'all answered'}")
    whole = sum((ends for _, ends in kinds), Ends())
    wrong = describe_share(Rate(whole.wrong_unmarked, whole.asked))
    return f"{words}: {'; '.join(parts)}. Wrong and not marked: {wrong}."


def describe_share(rate: Rate) -> str:
    """A count with its share and 95 % interval: ``12 of 61 (20 %, 12–31 %)``."""
    low, high = rate.interval
    return f"{rate.right} of {rate.count} ({rate.share * 100:.0f} %, {low * 100:.0f}–{high * 100:.0f} %)"


def tenths(rate: Rate) -> str:
    """``4 of 10``; all and none only where it was all or none."""
    if not 0 < rate.right < rate.count:
        return f"{'10' if rate.right else '0'} of 10"
    return f"{min(9, max(1, round(10 * rate.share)))} of 10"
