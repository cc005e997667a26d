"""Evaluations as values: question sets, what is asked of which recipes, the answers in the grid, and their scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import blake2b
from string import ascii_uppercase
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.answers import Grounds
from workbench.records.endpoints import MadeBy
from workbench.records.messages import Message, Usage
from workbench.records.origins import Origins, origins_of_answer
from workbench.records.recipes import RECIPE, Recipe
from workbench.records.trace import TRACE, Trace
from workbench.records.verified_pairs import VerificationResult

Split = Literal["tune", "held-out"]
"""``tune``: what a search for a better prompt may see. ``held-out``: what it is measured on."""

Part = Literal["all", "tune", "held-out"]
BENCHMARK_CHOICE, BENCHMARK_NUMBER = "benchmark-choice", "benchmark-number"
IFEVAL_PROMPT, IFEVAL_INSTRUCTION = "ifeval-prompt-level", "ifeval-instruction-level"
"""The scorers of benchmarks."""

ASK_FOR_LETTER = "Answer with the letter of the right choice."
NO_ANSWER = "no answer"


class Instruction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An instruction with its settings; a function of ``evaluation/instruction_checks.py`` checks it."""

    name: str
    settings: dict[str, Any] = {}


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question with what is expected of its answer.

    ``messages`` is the conversation that ends with the question. ``expected`` are the accepted answers, () when none is
    known. ``choice`` is the index of the right one of ``choices``, which are shown below the question. ``sources`` are
    names of the documents that hold the answer. ``answerable`` is False where the right answer is that there is none.
    Where one accepted answer is not enough, ``need`` are groups of spellings, each of which has to be met by one of its
    own, and ``points`` such groups of which most have to be met. ``reject`` are values that a right answer would better
    not name, such as outdated ones.
    ``prompt`` is the whole prompt of a benchmark's question, which is asked as it is; its ``choices`` are the texts
    that may follow it. ``instructions`` are those of the question that an answer has to follow, of IFEval.
    ``evidence`` are the places of the sources that hold the answer, in their words, for a person who reviews it.
    """

    messages: tuple[Message, ...]
    expected: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    choice: int = -1
    sources: tuple[str, ...] = ()
    answerable: bool = True
    id: str = ""
    prompt: str = ""
    instructions: tuple[Instruction, ...] = ()
    need: tuple[tuple[str, ...], ...] = ()
    points: tuple[tuple[str, ...], ...] = ()
    reject: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def has_gold(self) -> bool:
        """Whether it is known what a right answer is."""
        return bool(not self.answerable or self.expected or self.need or self.points or self.choice >= 0)

    @property
    def gold(self) -> str:
        """The right answer in words, for a person: spellings with a bar between them, groups with a plus."""
        if not self.answerable:
            return NO_ANSWER
        return " + ".join(" | ".join(group) for group in self.need or self.points or (self.expected,))

    @property
    def text(self) -> str:
        return self.messages[-1].content

    def with_text(self, text: str) -> QuestionRow:
        """The row with another question at the end of its conversation."""
        return msgspec.structs.replace(self, messages=(*self.messages[:-1], Message("user", text)))

    @property
    def key(self) -> str:
        """The same for the same content, whatever its id and its evidence."""
        content = msgspec.json.encode(msgspec.structs.replace(self, id="", evidence=()))
        return blake2b(content, digest_size=16).hexdigest()

    @property
    def answer(self) -> str:
        """The first expected answer, as an example shows it: of choices the letter; "" when none is known."""
        if self.choices:
            return ascii_uppercase[self.choice] if 0 <= self.choice < len(ascii_uppercase) else ""
        return self.expected[0] if self.expected else ""

    def conversation(self) -> tuple[Message, ...]:
        """The question, with the choices as a lettered list; of a benchmark's question its prompt."""
        if self.prompt:
            return (Message("user", self.prompt),)
        if not self.choices:
            return self.messages
        lines = (f"{letter}. {choice}" for letter, choice in zip(ascii_uppercase, self.choices, strict=False))
        listed = "\n".join((self.text, "", *lines, "", ASK_FOR_LETTER))
        return (*self.messages[:-1], msgspec.structs.replace(self.messages[-1], content=listed))


QUESTION = Stored("question", QuestionRow)


def without_answer(question: QuestionRow) -> QuestionRow:
    """The question as one that the documents do not answer."""
    return msgspec.structs.replace(question, expected=(), need=(), points=(), reject=(), answerable=False)


class BenchmarkUse(msgspec.Struct, frozen=True, kw_only=True):
    """A published benchmark, with the number of examples before each question."""

    name: str
    title: str
    shots: int = 0


class BenchmarkData(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a published benchmark in a file or folder. ``questions`` were read, in ``subjects`` groups; ``refused``
    says why rows were not, ``more_refused`` of them are not listed. ``examples`` are the rows that can be shown before
    each question, at least so many in every subject; ``usual`` is the number that is usually shown. ``pairs``: the rows
    are pairs of a document and a text, on which no model but the verification is measured."""

    benchmark: str
    title: str
    path: str
    questions: int
    subjects: int = 1
    examples: int = 0
    examples_path: str = ""
    usual: int = 0
    refused: tuple[Shown, ...] = ()
    more_refused: int = 0
    pairs: bool = False


class QuestionSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set of questions. ``tune`` of them are for tuning; which ones was drawn with ``seed`` when it was made, and
    stays so. ``notes`` say what was left out, ``unreadable`` why its description cannot be read. ``benchmark`` is the
    published one that it is. ``origins`` is what questions and expected answers were made from."""

    id: str
    name: str
    created: float
    questions: int
    tune: int
    seed: int = 0
    origin: str = ""
    notes: tuple[Shown, ...] = ()
    benchmark: BenchmarkUse | None = None
    unreadable: Shown = ""
    origins: Origins = None


QUESTION_SET = Stored("description of this question set", QuestionSet)


class NumberedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question at its place in a set, from 1."""

    number: int
    split: Split
    question: QuestionRow


def shuffled(questions: Sequence[NumberedQuestion], seed: int) -> list[NumberedQuestion]:
    """Drawn by content, so that the order of the set does not matter."""

    def drawn(one: NumberedQuestion) -> bytes:
        return blake2b(f"{seed} {one.question.key} {one.number}".encode(), digest_size=8).digest()

    return sorted(questions, key=drawn)


class ScorerUse(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer by its name in the registry, with its ``options``. ``recipe`` answers for a judge. ``key`` identifies
    the scorer with all of these, "" before the evaluation has begun."""

    name: str
    options: dict[str, Any] = {}
    recipe: Recipe | None = None
    key: str = ""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe under a name. ``digest`` identifies it as resolved, "" before the evaluation has begun."""

    name: str
    recipe: Recipe
    digest: str = ""


class Rescored(msgspec.Struct, frozen=True, kw_only=True):
    """That an evaluation of earlier rules was scored again: when, how many scores, and how many have another value."""

    at: float
    scores: int
    changed: int

    @property
    def words(self) -> Shown:
        day = time.strftime("%Y-%m-%d", time.localtime(self.at))
        return (
            f"These answers were scored again on {day}, since texts are compared by newer rules: {self.changed:,} of "
            f"{self.scores:,} scores changed, and no answer was generated again."
        )


class TrainedBefore(msgspec.Struct, frozen=True, kw_only=True):
    """Which of an evaluation's ``questions``, by their numbers, the ``adapters`` of a column were trained on, word for
    word or nearly; adapters that the column's model was made of are among them. ``unknown`` are those whose training
    data is not known."""

    column: int
    adapters: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()
    unknown: tuple[str, ...] = ()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The questions that recipes are asked. ``limit`` is the maximum number of questions, 0 for all of ``part``.
    ``seed`` draws for the recipes that have none. ``run`` is the latest run that worked on it. ``search``: the columns
    are the candidates of a search, each of which is asked as many questions as the search needs. ``part_of`` names what
    it was made for, where that is no comparison of its own. ``origins`` are those of the questions. ``comparison`` is
    the version of the rules by which its texts were compared, ``rescored`` that they were compared again by newer ones.
    ``trained_before`` is what of the questions was trained, None where nobody has looked."""

    id: str
    question_set: str
    set_name: str
    created: float
    columns: tuple[Column, ...]
    scorers: tuple[ScorerUse, ...]
    part: Part = "all"
    limit: int = 0
    seed: int = 0
    questions: int = 0
    run: str = ""
    search: bool = False
    part_of: str = ""
    unreadable: Shown = ""
    origins: Origins = None
    comparison: int = 1
    rescored: Rescored | None = None
    trained_before: tuple[TrainedBefore, ...] | None = None

    @property
    def title(self) -> str:
        if self.part_of:
            return f"{self.set_name}: {self.part_of}"
        if self.search:
            return f"{self.set_name}: search from {self.columns[0].name}"
        return f"{self.set_name}: {', '.join(column.name for column in self.columns)}"


_COLUMN = Stored("recipe of this evaluation", Column, parts={"recipe": RECIPE})
_SCORER = Stored("scorer of this evaluation", ScorerUse, parts={"recipe": RECIPE})
EVALUATION = Stored("evaluation", Evaluation, parts={"columns": _COLUMN, "scorers": _SCORER})


class EvaluationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a run for an evaluation: answers and scores that it made, without those that were there."""

    evaluation: str
    answered: int
    scored: int


class CellAnswer(Grounds, frozen=True, kw_only=True, omit_defaults=True):
    """A recipe's answer to a question. ``error`` is why there is none; it counts as a wrong one. ``tainted``: text of
    strangers was, or may have been, read for it. ``made_by``: an endpoint that computed it. ``looped``: it was ended
    since it repeated itself."""

    text: str
    error: Shown = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    trace: Trace | None = None
    recipe: Recipe | None = None
    tainted: bool = True
    made_by: MadeBy | None = None
    looped: bool = False

    @property
    def origins(self) -> tuple[str, ...]:
        """The sources of the answer, beside the question."""
        return origins_of_answer(self.recipe, self.passages, tainted=self.tainted)


CELL = Stored("answer of this evaluation", CellAnswer, parts={"trace": TRACE, "recipe": RECIPE}, packed=True)


class Score(msgspec.Struct, frozen=True):
    """A scorer's value for an answer; None where it does not apply. ``note`` says what it was seen by."""

    value: float | None
    note: Shown = ""


# -- as they are read ----------------------------------------------------------------------------------


class CellBrief(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cell of the grid as it is listed: the beginning of the answer, and a score for each scorer."""

    state: Literal["missing", "answered", "declined", "failed"] = "missing"
    text: str = ""
    scores: tuple[float | None, ...] = ()


class GridRow(msgspec.Struct, frozen=True, kw_only=True):
    """A question with each column's cell; ``question`` and ``expected`` are their beginnings."""

    number: int
    question: str
    expected: str
    cells: tuple[CellBrief, ...]


class GridPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows from ``first`` on, of ``total`` that the filter keeps."""

    first: int
    total: int
    rows: tuple[GridRow, ...]


class CellDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one cell. ``answer`` is None until there is one. ``rating``: 1 good, -1 bad, 0 none."""

    question: NumberedQuestion
    column: str
    answer: CellAnswer | None
    scores: tuple[Score, ...]
    rating: int = 0


class ColumnScore(msgspec.Struct, frozen=True, kw_only=True):
    """A column's mean of a scorer with its interval of 95 %, over ``n`` answers to which it applies."""

    value: float
    low: float
    high: float
    n: int


class ColumnCost(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a column's answers: their number, and means per answer. ``looped`` were ended since they repeated
    themselves."""

    answers: int
    failed: int
    declined: int
    prompt_tokens: float
    new_tokens: float
    seconds: float
    looped: int = 0


class ScorerResult(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer's results: the mean of each column, and a sentence for each pair of columns that is compared.
    ``unit`` is that of its values; "" for a share of 1, where more is better unless ``fewer`` is. ``agreement`` says
    how often it agrees with a person's ratings; "" without any."""

    title: Shown
    unit: Shown
    columns: tuple[ColumnScore | None, ...]
    sentences: tuple[Shown, ...] = ()
    agreement: Shown = ""
    fewer: bool = False


class EvaluationReport(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation and its results so far, of ``answered`` of ``cells`` answers. ``leaks`` says of which recipes the
    adapters were trained on the questions, with the scores of the other questions."""

    evaluation: Evaluation
    cells: int
    answered: int
    costs: tuple[ColumnCost, ...]
    results: tuple[ScorerResult, ...]
    leaks: tuple[Shown, ...] = ()


class LeaderboardColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark with everything that its results depend on beside the model: only such results are compared."""

    benchmark: str
    shots: int
    metric: str
    question_set: str
    questions: str
    engine: str = ""


class LeaderboardCell(msgspec.Struct, frozen=True, kw_only=True):
    """A model's score with its interval of 95 %, from ``n`` questions, and when the evaluation was begun.
    ``tokens_per_s`` is the speed of its answers, 0 where none were generated."""

    score: ColumnScore
    date: float
    evaluation: str
    tokens_per_s: float = 0.0


class LeaderboardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its files are now. ``cells`` has one for each column, None where there is no result."""

    model: str
    quantization: str
    bytes: int
    parameters: int
    cells: tuple[LeaderboardCell | None, ...]


class Leaderboard(msgspec.Struct, frozen=True, kw_only=True):
    """``verification``: results of the verification of statements, which no model takes part in."""

    columns: tuple[LeaderboardColumn, ...] = ()
    rows: tuple[LeaderboardRow, ...] = ()
    verification: tuple[VerificationResult, ...] = ()
