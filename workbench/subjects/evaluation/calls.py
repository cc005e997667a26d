"""Question sets, and evaluations of recipes on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.base.fields import about
from workbench.records.evaluation import (
    BenchmarkData,
    CellDetails,
    Evaluation,
    EvaluationReport,
    GridPage,
    Leaderboard,
    NumberedQuestion,
    Part,
    QuestionRow,
    QuestionSet,
    ScorerUse,
    Split,
)
from workbench.records.ladder import TaskKind
from workbench.records.recipes import Recipe
from workbench.subjects.runs.calls import RunRecord

PART = "the part of the set"
EXAMPLES = "the rows that are shown as examples"


class ExamineModel(Call[RunRecord], frozen=True, kw_only=True, tag="models.exam"):
    """Start the run that examines a model, or resume the one that has stopped; its result is an ``ExamResult``."""

    name: str


class QuestionSetList(msgspec.Struct, frozen=True, kw_only=True):
    sets: tuple[QuestionSet, ...]


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Questions of a set from ``first`` on, of ``total``."""

    total: int
    first: int
    questions: tuple[NumberedQuestion, ...]


class CreateQuestionSet(Call[QuestionSet], frozen=True, kw_only=True, tag="questions.create"):
    """Make a question set; streams Progress in rows. ``source``:

    ``file``: the file or folder ``path``: JSON Lines, JSON, CSV, Parquet, Arrow, a Hugging Face folder. Its shape is
    told by its columns, unless ``columns`` names those of ``question``, ``expected``, ``context`` or ``choices``.
    ``with_context`` puts a context before its question; without it the documents have to be searched. ``chats``: the
    questions of ``chats`` (ids; () of all) whose answers were rated as good, edited or chosen: these are expected.
    ``data``: the examples of the data set ``path``, such as pairs from documents. ``benchmark``: the rows of the
    published ``benchmark`` (mmlu, arc, hellaswag, gsm8k, ifeval) in ``path``, asked as lm-evaluation-harness asks, with
    ``shots`` examples (-1: as many as is usual) from the file or folder ``examples``.

    ``tune_share`` of the questions, drawn with ``seed``, are for tuning for good, the others are held out. ``limit`` is
    the maximum number of questions, 0 for all. Without a ``name`` it is the file's.
    """

    source: Literal["file", "chats", "data", "benchmark"] = "file"
    path: Annotated[str, "JSON Lines, JSON, CSV, Parquet, or a Hugging Face folder"] = ""
    chats: tuple[str, ...] = ()
    name: Annotated[str, "the set's name (default: the file's)"] = ""
    columns: dict[str, str] = {}
    with_context: Annotated[bool, "leave out contexts: the recipe's documents hold them"] = True
    limit: Annotated[int, "maximum number of questions; 0: all"] = 0
    tune_share: Annotated[float, about(ge=0, le=1), "share of questions for tuning"] = 0.5
    seed: Annotated[int, "seed of the draw"] = 0
    benchmark: str = ""
    examples: Annotated[str, EXAMPLES] = ""
    shots: int = -1


class SampleSet(msgspec.Struct, frozen=True, kw_only=True):
    """A question set that is shipped with the program. ``task`` is what its questions ask for, and ``collection`` the
    name of the collection that answers them, "" where none is needed. ``minutes`` is about what comparing the proposed
    techniques takes with the starter model on two cores."""

    name: str
    title: Shown
    sentence: Shown
    questions: int
    task: TaskKind
    collection: str = ""
    minutes: int = 0


class SampleSetList(msgspec.Struct, frozen=True, kw_only=True):
    samples: tuple[SampleSet, ...]


class ListSampleSets(Call[SampleSetList], frozen=True, kw_only=True, tag="questions.samples"):
    """The question sets that are shipped, the simplest first."""


class AddSampleSet(Call[QuestionSet], frozen=True, kw_only=True, tag="questions.add_sample"):
    """Add a shipped question set to the home, by its name or title. One that is there already is returned as it is,
    also after it was edited. Where documents answer it, the sample documents are read into their collection first;
    streams the progress of that."""

    name: str


class QuestionsFromDocuments(Call[RunRecord], frozen=True, kw_only=True, tag="questions.from_documents"):
    """Start the run that makes a question set of at most ``limit`` questions from the documents of ``collection``,
    without a model: single values, values in several places, cells of tables, and questions that look alike and have no
    answer there. Each names its document, and keeps the place that answers it as its evidence.

    The questions on a document are on one side of the split; about ``tune_share`` are for tuning. The run's result is
    the QuestionSet. Raises UserError for a collection without documents.
    """

    collection: Annotated[str, "the documents"]
    name: Annotated[str, "the set's name (default: chosen)"] = ""
    limit: Annotated[int, about(ge=1, le=2_000), "maximum number of questions"] = 60
    tune_share: Annotated[float, about(ge=0, le=1), "share of questions for tuning"] = 0.5
    seed: Annotated[int, "seed of the draw"] = 0


class ListQuestionSets(Call[QuestionSetList], frozen=True, kw_only=True, tag="questions.list"):
    """The question sets of the home, the latest first."""

    changed_by = ("questions",)


class ListQuestions(Call[QuestionPage], frozen=True, kw_only=True, tag="questions.rows"):
    """Questions of a set, by its name or id."""

    question_set: str
    part: Annotated[Part, PART] = "all"
    first: Annotated[int, "begin with number I, from 0"] = 0
    limit: Annotated[int, about(ge=1), "number of questions"] = 100


class EditQuestion(Call[QuestionSet], frozen=True, kw_only=True, tag="questions.edit"):
    """Change a question of a set, or, without a ``question``, remove it. It stays on its side of the split; with a
    ``split``, a ``question`` that was removed is put back there under its number. Evaluations keep the question that
    they asked."""

    question_set: str
    number: int
    question: QuestionRow | None = None
    split: Split | None = None


class RemoveQuestionSet(Call[QuestionSetList], frozen=True, kw_only=True, tag="questions.remove"):
    """Delete a question set. Evaluations on it keep their questions."""

    question_set: str


class EvaluationList(msgspec.Struct, frozen=True, kw_only=True):
    evaluations: tuple[Evaluation, ...]


class Evaluate(Call[RunRecord], frozen=True, kw_only=True, tag="evaluation.start"):
    """Queue an evaluation: each recipe answers each question of the set's ``part``, and scorers score the answers.

    The columns are named as the ``recipes``, those without a name by letters. Without ``scorers`` those that suit the
    set are taken. ``limit`` questions are drawn with ``seed`` (0: all), which also draws for recipes without a seed.
    Answers that an earlier evaluation has made are taken over. The run's result is an ``EvaluationResult``; its config
    names the evaluation. Raises UserError when a recipe cannot answer.
    """

    question_set: str
    recipes: tuple[Recipe, ...]
    scorers: tuple[ScorerUse, ...] = ()
    part: Annotated[Part, PART] = "all"
    limit: Annotated[int, "draw N questions; 0: all"] = 0
    seed: Annotated[int, "seed of the draw"] = 0


class InspectBenchmark(Call[BenchmarkData], frozen=True, kw_only=True, tag="evaluation.inspect_benchmark"):
    """Which benchmark the file or folder ``path`` has rows of, and how many. Of a folder with splits the one is read
    that the benchmark is asked from, and its examples are found beside it; others are named in ``examples``. Streams
    Progress in rows. Raises UserError for rows of no known benchmark, which names the file, the row and its columns."""

    path: Annotated[str, "JSON Lines, Parquet, or a folder with its splits"]
    examples: Annotated[str, EXAMPLES] = ""


class FetchBenchmark(Call[BenchmarkData], frozen=True, kw_only=True, tag="evaluation.fetch_benchmark"):
    """Download the rows of a benchmark from its repository on the hub, at one commit, and inspect them. A stopped
    download is resumed by the next call. Streams Progress in bytes. Raises UserError while the hub is not allowed."""

    benchmark: str


class RunBenchmark(Call[RunRecord], frozen=True, kw_only=True, tag="evaluation.benchmark"):
    """Queue the evaluation of models on a question set that is a benchmark, as lm-evaluation-harness runs it: without
    chat template (IFEval: with it), greedily, with its scores. ``limit`` and ``seed`` as in ``Evaluate``."""

    question_set: str
    models: Annotated[tuple[str, ...], "a model; once for each"]
    limit: Annotated[int, "draw N questions; 0: all"] = 0
    seed: Annotated[int, "seed of the draw"] = 0


class MeasureVerification(Call[RunRecord], frozen=True, kw_only=True, tag="evaluation.verify"):
    """Queue the run that verifies texts against documents as answers are verified, and compares that with what people
    judged; its result is a ``VerificationResult``. ``path`` is a folder with RAGTruth's ``response.jsonl`` and
    ``source_info.jsonl``, or a file or folder of LLM-AggreFact's rows. ``limit`` pairs are drawn with ``seed``. Raises
    UserError for what holds no pairs."""

    path: Annotated[str, "RAGTruth's folder, or LLM-AggreFact's rows: JSON Lines, CSV, Parquet, a folder"]
    limit: Annotated[int, "draw N pairs; 0: all"] = 0
    seed: Annotated[int, "seed of the draw"] = 0


class GetLeaderboard(Call[Leaderboard], frozen=True, kw_only=True, tag="evaluation.leaderboard"):
    """What the models of this machine reached on benchmarks, and what the verification of statements did. Results of
    other settings, such as another number of examples or other questions, are in columns of their own."""

    changed_by = ("evaluation", "model")


class Optimise(Call[RunRecord], frozen=True, kw_only=True, tag="evaluation.optimise"):
    """Queue the search for a better prompt by the optimiser ``method`` with ``options``. It sees the tuning part of the
    set only; ``scorer`` (without one that which suits these questions) compares the candidates. ``writer`` writes
    instructions, and its model answers where examples are made of answers; without one the recipe's own model does.

    The run's config is an ``Optimisation``: its ``evaluation`` shows the candidates. Its result is an
    ``OptimisationResult``: a better prompt is saved as a version of ``name`` in the prompt library, the recipe as a
    file of that name, and evaluated against the one before on up to ``measure`` held-out questions. Raises UserError
    when the recipe cannot answer or the scorer cannot choose.
    """

    question_set: str
    recipe: Recipe
    method: str
    options: dict[str, Any] = {}
    scorer: ScorerUse | None = None
    writer: Recipe | None = None
    seed: Annotated[int, "seed of the draw of questions"] = 0
    measure: Annotated[int, about(ge=1), "maximum number of questions to measure with"] = 200
    name: Annotated[str, "name of the prompt and the recipe that are made (default: chosen)"] = ""


class AddScorers(Call[RunRecord], frozen=True, kw_only=True, tag="evaluation.score"):
    """Queue the scoring of an evaluation's answers by further scorers: nothing is generated again. Without ``scorers``
    the answers and scores that are missing or failed are made."""

    evaluation: str
    scorers: tuple[ScorerUse, ...] = ()


class SuggestScorers(Call[tuple[ScorerUse, ...]], frozen=True, kw_only=True, tag="evaluation.suggest"):
    """The scorers that suit a question set, the main one first."""

    question_set: str


class ListEvaluations(Call[EvaluationList], frozen=True, kw_only=True, tag="evaluation.list"):
    """The evaluations of the home, the latest first."""

    changed_by = ("evaluation",)


class GetEvaluation(Call[EvaluationReport], frozen=True, kw_only=True, tag="evaluation.get"):
    """An evaluation with its results so far."""

    changed_by = ("evaluation",)
    about = "evaluation"
    evaluation: str


class ListGrid(Call[GridPage], frozen=True, kw_only=True, tag="evaluation.grid"):
    """Rows of an evaluation's grid from ``first`` on. ``keep``: all; those where scorer number ``scorer`` finds some
    recipes right and others wrong; where it finds one wrong; where one declined, or failed."""

    evaluation: str
    first: Annotated[int, "begin with row I, from 0"] = 0
    limit: Annotated[int, about(ge=1), "number of rows"] = 100
    keep: Annotated[Literal["all", "disagreement", "wrong", "declined", "failed"], "only these rows"] = "all"
    scorer: int = 0


class GetCell(Call[CellDetails], frozen=True, kw_only=True, tag="evaluation.cell"):
    """The whole answer of column number ``column`` to the question ``number``, with its scores."""

    evaluation: str
    number: int
    column: int


class RateCell(Call[CellDetails], frozen=True, kw_only=True, tag="evaluation.rate"):
    """Rate an answer of an evaluation: 1 good, -1 bad, 0 for no rating. The report says how often scorers, such as a
    judge, agree with the ratings."""

    evaluation: str
    number: int
    column: int
    rating: Literal[-1, 0, 1]


class RemoveEvaluation(Call[EvaluationList], frozen=True, kw_only=True, tag="evaluation.remove"):
    """Delete an evaluation, with the answers that no other one shows."""

    evaluation: str


class ExportEvaluation(Call[str], frozen=True, kw_only=True, tag="evaluation.export"):
    """Write an evaluation to the file ``path``, which is returned: its answers as ``csv`` or ``jsonl``, its scores as a
    table (``scores``: CSV, ``markdown``, ``latex``), or a report in one HTML file. Streams Progress in rows."""

    evaluation: str
    path: str
    form: Literal["csv", "jsonl", "html", "scores", "markdown", "latex"] = "html"
