"""The exam's passages and questions (``resources/exam``), and the grading of the answers to them.

The documents and questions are our own: short texts, ten in a language, and the documents of an office, in two. An
answer on a text is right when one of the accepted answers stands in it, word for word
after normalisation (``workbench.text.normalisation``), as "contains gold" of open-book question answering: two short
sentences that hold the answer are right, too. One on the office is right by what its question accepts
(``subjects/evaluation/accepted.py``).

Starts exams: when a person asks for one, and of models that have none once the machine is idle.

Idle means that nothing has changed in the home, no answer and no run has been open for the time of the setting, and
that other programs leave the processor mostly free. A stopped or failed exam is not started again by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
import psutil

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.paths import RESOURCES
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.records.evaluation import QuestionRow
from workbench.records.exam import (
    EXAM_VERSION,
    UNANSWERABLE,
    Ends,
    ExamConfig,
    ExamRates,
    ExamResult,
    OfficeKind,
    Rate,
)
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.subjects.chats.answers import Answers
from workbench.subjects.evaluation.accepted import is_right
from workbench.subjects.evaluation.calls import ExamineModel
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue, chat_model, is_missing
from workbench.subjects.runs.calls import ListRuns, RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.techniques.retrieval.confidence import UNSURE, fit_shift, shifted
from workbench.text.metrics import contains_answer

FOLDER = RESOURCES / "exam"
OFFICE_FOLDER = "office"


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
    def collection(self) -> str:
        """The folder of the documents that are searched for it."""
        return self.language

    @property
    def kind(self) -> str:
        return ""

    @property
    def asks_own(self) -> bool:
        """Whether an answer in the model's own words is asked for as well."""
        return True

    @property
    def answerable(self) -> bool:
        return bool(self.answers)

    def is_right(self, text: str) -> bool:
        return holds(text, self.answers)

    @property
    def document(self) -> str:
        return self.id.rpartition("/")[0]


class OfficeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question on the documents of the office. ``id`` is ``office/kind/number``; ``sources`` are the files that hold
    the answer. The gold is as in ``QuestionRow``."""

    id: str
    kind: str
    language: str
    question: str
    answers: tuple[str, ...] = ()
    need: tuple[tuple[str, ...], ...] = ()
    reject: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def collection(self) -> str:
        return OFFICE_FOLDER

    @property
    def asks_own(self) -> bool:
        """Every second one, since an answer in its own words takes a large model a minute."""
        return int(self.id.rpartition("/")[2]) % 2 == 1

    @property
    def answerable(self) -> bool:
        return self.kind != UNANSWERABLE

    def is_right(self, text: str) -> bool:
        asked = (Message("user", self.question),)
        return is_right(
            QuestionRow(messages=asked, expected=self.answers, need=self.need, answerable=self.answerable), text
        )


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a question. ``declined``: the program abstained, or, where there is no answer, the model said so.
    ``confidence`` is that of the answer in the model's own words, uncorrected; ``contradicts``: it is marked whatever
    the confidence. ``kind`` is that of a question of the office, "" of others; ``quoted_marked``: the program warned of
    the quotes; ``own_asked``: the model's own words were to be asked for; ``own_declined``: the program showed quotes,
    and the model said that it does not know."""

    question: str
    answerable: bool
    declined: bool
    own: bool = False
    quoted: bool = False
    confidence: float | None = None
    contradicts: bool = False
    kind: str = ""
    quoted_marked: bool = False
    own_asked: bool = True
    own_declined: bool = False

    @property
    def language(self) -> str:
        return self.question.split("/")[0]

    def is_marked(self, shift: float) -> bool:
        return self.contradicts or (self.confidence is not None and shifted(self.confidence, shift) < UNSURE)


class _Questions(msgspec.Struct, frozen=True):
    questions: tuple[Question, ...]


def load_questions() -> tuple[Question | OfficeQuestion, ...]:
    """Those on the texts, then those on the office."""
    texts = msgspec.json.decode((FOLDER / "questions.json").read_bytes(), type=_Questions).questions
    lines = (FOLDER / "office.jsonl").read_bytes().splitlines()
    return (*texts, *(msgspec.json.decode(line, type=OfficeQuestion) for line in lines))


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the accepted answers stands in a text."""
    return any(contains_answer(text, answer) for answer in answers)


def summarise(outcomes: Sequence[Outcome], sha256: str, ended: float, seconds: float) -> ExamResult:
    """The result of an exam. What is marked is decided with a correction fitted on the other documents' questions, so
    that no question corrects its own confidence."""
    office = [one for one in outcomes if one.kind]
    outcomes = [one for one in outcomes if not one.kind]
    marked: dict[str, bool] = {}
    for document in dict.fromkeys(one.question.rpartition("/")[0] for one in outcomes):
        mine = [one for one in outcomes if one.question.rpartition("/")[0] == document]
        shift = fit_shift(_graded(one for one in outcomes if one not in mine))
        marked |= {one.question: one.is_marked(shift) for one in mine}
    languages = dict.fromkeys(one.language for one in outcomes)
    whole = fit_shift(_graded(outcomes))
    return ExamResult(
        version=EXAM_VERSION,
        sha256=sha256,
        ended=ended,
        seconds=seconds,
        languages={
            language: _rates([one for one in outcomes if one.language == language], marked) for language in languages
        },
        confidence_shift=round(whole, 4),
        office=tuple(
            _kind(kind, [one for one in office if one.kind == kind], whole)
            for kind in dict.fromkeys(one.kind for one in office)
        ),
    )


def _kind(kind: str, outcomes: Sequence[Outcome], shift: float) -> OfficeKind:
    """The office's questions of a kind. The correction of the confidence comes from the texts, which are others."""
    quoted = [(one.quoted, one.quoted_marked) for one in outcomes if not one.declined]
    asked = [one for one in outcomes if one.own_asked]
    own = [(one.own, one.is_marked(shift)) for one in asked if not (one.declined or one.own_declined)]
    return OfficeKind(kind=kind, quoted=_ends(quoted, len(outcomes)), own=_ends(own, len(asked)))


def _ends(answers: Sequence[tuple[bool, bool]], asked: int) -> Ends:
    """``answers`` are pairs: whether one is right, and whether it is marked."""
    return Ends(
        asked=asked,
        right_unmarked=answers.count((True, False)),
        right_marked=answers.count((True, True)),
        wrong_unmarked=answers.count((False, False)),
        wrong_marked=answers.count((False, True)),
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


POLL_S = 10.0
BUSY_PERCENT = 50.0
"""Use of the processor by all programs above which the machine is not idle."""

_log = logging.getLogger(__name__)


def machine_is_free() -> bool:
    """Whether the processor was mostly free since the last call, and the machine is not on battery."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except OSError:  # psutil 7.2: /sys is not there in many containers
        battery = None
    return psutil.cpu_percent() < BUSY_PERCENT and (battery is None or battery.power_plugged is not False)


class Examiner:
    """``is_free`` tells whether other programs leave the machine alone, ``clock`` is in monotonic seconds."""

    def __init__(
        self,
        catalogue: ModelCatalogue,
        checksums: Checksums,
        runs: Runs,
        answers: Answers,
        changes: ChangeNotifier,
        preferences: Preferences,
        is_free: Callable[[], bool] = machine_is_free,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._checksums = checksums
        self._runs = runs
        self._answers = answers
        self._changes = changes
        self._preferences = preferences
        self._is_free = is_free
        self._clock = clock
        self._busy_at = clock()
        self._resumed: set[str] = set()  # once each: a model may kill its worker every time

    def handlers(self) -> Handlers:
        return {ExamineModel: unary(lambda call: self.begin(call.name))}

    def begin(self, name: str) -> RunRecord:
        """The open exam of a model, else its stopped one, resumed, else a new one. Raises UserError for a model that
        cannot answer."""
        model = chat_model(name, self._catalogue)
        latest = self._latest(model)
        if latest is not None and latest.state in ("queued", "running"):
            return latest
        if latest is not None and latest.resumable:
            return self._runs.resume(latest.id)
        return self._runs.add("exam", f"Exam of {model.name}", ExamConfig(model=model.name))

    def watch(self, context: RequestContext) -> None:
        """Until the core leaves: start one exam at a time when the machine is idle."""
        while not context.wait_cancelled(POLL_S):
            try:
                if self.is_idle():
                    self.start_next(context)
            except UserError as error:
                _log.info("No exam was started: %s", error)

    def is_idle(self) -> bool:
        settings = self._preferences.current.models
        free = self._is_free()  # asked each time: it measures since the last call
        if self._answers.busy or self._runs.list_open() or not free:
            self._busy_at = self._clock()
        idle_s = self._clock() - max(self._busy_at, self._changes.latest)
        return settings.exam_after_import and idle_s >= settings.exam_idle_minutes * 60

    def start_next(self, context: RequestContext) -> RunRecord | None:
        """Start the exam of the first model that lacks one."""
        for model in self._catalogue.list_models():
            if model.kind != "chat" or model.format != "gguf" or is_missing(model) or not self._is_due(model):
                continue
            self._checksums.compute(model.files, context)
            if self._has_exam(self._catalogue.get(model.name)):  # the file's time changed, its content did not
                self._changes.publish("model", model.name)
                continue
            return self.begin(model.name)
        return None

    def _is_due(self, model: ModelRecord) -> bool:
        if self._has_exam(model):
            return False
        latest = self._latest(model)
        if latest is None or latest.config.get("version") != EXAM_VERSION or latest.state == "finished":
            return True
        if latest.state != "interrupted" or latest.id in self._resumed:
            return False
        self._resumed.add(latest.id)
        return True

    def _has_exam(self, model: ModelRecord) -> bool:
        return bool(model.exam_problem) or (model.exam is not None and model.exam.current)

    def _latest(self, model: ModelRecord) -> RunRecord | None:
        runs = self._runs.list_runs(ListRuns()).runs
        return next((run for run in runs if run.kind == "exam" and run.config.get("model") == model.name), None)
