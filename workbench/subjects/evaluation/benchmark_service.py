"""Benchmarks of a home: models are run on them, and the leaderboard of this machine.

Data of benchmarks for clients: recognised in a file of the person, or downloaded from the hub.

Which published benchmark a file or folder has rows of, and whether there are examples to show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.base.paths import Home, absolute_path
from workbench.core.streams import Handlers, unary
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.evaluation import (
    BENCHMARK_CHOICE,
    BENCHMARK_NUMBER,
    IFEVAL_INSTRUCTION,
    IFEVAL_PROMPT,
    BenchmarkData,
    Evaluation,
    EvaluationReport,
    Leaderboard,
    LeaderboardCell,
    LeaderboardColumn,
    LeaderboardRow,
    QuestionSet,
)
from workbench.records.verified_pairs import VerificationResult
from workbench.subjects.evaluation.benchmarks import (
    BENCHMARKS,
    Benchmark,
    benchmark_recipe,
    examples_beside,
    find_benchmark,
    read_benchmark,
    rows_of,
    write_question,
)
from workbench.subjects.evaluation.calls import Evaluate, FetchBenchmark, GetLeaderboard, InspectBenchmark, RunBenchmark
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.evaluation.verification_data import TITLES, read_pairs, recognise_pairs
from workbench.subjects.models.download import download
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.runs import download_folder
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.calls import RunRecord
from workbench.training.data.rows import Row


@dataclass(frozen=True, eq=False)
class BenchmarkRuns:
    """``start`` queues an evaluation, ``report`` reads one; ``verified`` are the results of the verification."""

    _store: EvaluationStore
    _sets: QuestionStore
    _catalogue: ModelCatalogue
    _start: Callable[[Evaluate], RunRecord]
    _report: Callable[[Evaluation], EvaluationReport]
    _verified: Callable[[], tuple[VerificationResult, ...]]

    def handlers(self) -> Handlers:
        return {RunBenchmark: unary(self.run), GetLeaderboard: unary(self.leaderboard)}

    def run(self, call: RunBenchmark) -> RunRecord:
        found = self._sets.get(call.question_set)
        if found.benchmark is None:
            raise UserError(
                f"{found.name} is no benchmark.",
                "Import the data of a benchmark, or evaluate recipes on this set.",
            )
        if not call.models:
            raise UserError("No model is named.")
        benchmark = find_benchmark(found.benchmark.name)
        models = [self._catalogue.get(name).name for name in call.models]
        recipes = tuple(benchmark_recipe(benchmark, model) for model in models)
        return self._start(
            Evaluate(
                question_set=found.id, recipes=recipes, scorers=benchmark.scorers, limit=call.limit, seed=call.seed
            )
        )

    def leaderboard(self, call: GetLeaderboard) -> Leaderboard:
        sets = {one.id: one for one in self._sets.list_sets() if one.benchmark is not None}
        columns: dict[LeaderboardColumn, dict[str, LeaderboardCell]] = {}
        for evaluation in reversed(self._store.list_evaluations()):  # the latest result of a model counts
            known = sets.get(evaluation.question_set)
            if known is not None and evaluation.part == "all" and not evaluation.search and not evaluation.unreadable:
                self._add(evaluation, known, columns)
        models = {model.name: model for model in self._catalogue.list_models()}
        ordered = sorted(columns, key=msgspec.structs.astuple)
        named = {name for cells in columns.values() for name in cells if name in models}
        rows = [
            LeaderboardRow(
                model=name,
                quantization=models[name].quantization,
                bytes=models[name].bytes,
                parameters=models[name].parameters,
                cells=tuple(columns[column].get(name) for column in ordered),
            )
            for name in sorted(named, key=str.casefold)
        ]
        return Leaderboard(columns=tuple(ordered), rows=tuple(rows), verification=self._verified())

    def _add(
        self, evaluation: Evaluation, known: QuestionSet, columns: dict[LeaderboardColumn, dict[str, LeaderboardCell]]
    ) -> None:
        """Adds the scores of models that were run with the benchmark's own recipe on all questions, no others."""
        assert known.benchmark is not None
        benchmark = find_benchmark(known.benchmark.name)
        report = self._report(evaluation)
        asked = f"{evaluation.questions} drawn with {evaluation.seed}" if evaluation.limit else "all"
        for use, result in zip(evaluation.scorers, report.results, strict=True):
            options = ", ".join(str(value) for value in use.options.values())
            column = LeaderboardColumn(
                benchmark=known.benchmark.title,
                shots=known.benchmark.shots,
                metric=_METRICS.get((use.name, options), f"{result.title} {options}".strip()),
                question_set=known.name,
                questions=asked,
            )
            for place, score in enumerate(result.columns):
                if score is None or not score.n:
                    continue
                done = report.costs[place].answers or score.n  # choices are scored without answers
                if done < evaluation.questions:
                    continue  # it runs, or was stopped
                recipe = evaluation.columns[place].recipe
                model = recipe.model.name
                if recipe != benchmark_recipe(benchmark, model):
                    continue
                columns.setdefault(column, {})[model] = LeaderboardCell(
                    score=score, date=evaluation.created, evaluation=evaluation.id, tokens_per_s=_speed(report, place)
                )


_METRICS = {
    (BENCHMARK_CHOICE, ""): "acc",
    (BENCHMARK_CHOICE, "sum"): "acc",
    (BENCHMARK_CHOICE, "character"): "acc_norm",
    (BENCHMARK_NUMBER, ""): "exact_match, strict",
    (BENCHMARK_NUMBER, "strict"): "exact_match, strict",
    (BENCHMARK_NUMBER, "flexible"): "exact_match, flexible",
    (IFEVAL_PROMPT, "strict"): "prompt_level_strict_acc",
    (IFEVAL_PROMPT, "loose"): "prompt_level_loose_acc",
    (IFEVAL_INSTRUCTION, "strict"): "inst_level_strict_acc",
    (IFEVAL_INSTRUCTION, "loose"): "inst_level_loose_acc",
}
"""The harness's names."""


def _speed(report: EvaluationReport, place: int) -> float:
    cost = report.costs[place] if place < len(report.costs) else None
    return cost.new_tokens / cost.seconds if cost is not None and cost.answers and cost.seconds > 0 else 0.0


LARGEST_BYTES = 500_000_000


@dataclass(frozen=True, eq=False)
class BenchmarkFiles:
    _home: Home
    _gate: Gate
    _hub: Callable[[], Hub]

    def handlers(self) -> Handlers:
        return {InspectBenchmark: self.inspect, FetchBenchmark: self.fetch}

    def inspect(self, call: InspectBenchmark, context: RequestContext) -> Iterator[Event]:
        if not call.path:
            raise UserError("No file is named.", "Choose a file or a folder.")
        path = absolute_path(call.path)
        examples = absolute_path(call.examples) if call.examples else None
        yield finish((yield from with_progress(lambda report: _inspect(path, examples, context, report))))

    def fetch(self, call: FetchBenchmark, context: RequestContext) -> Iterator[Event]:
        benchmark = find_benchmark(call.benchmark)

        def work(report: Callable[[Event], None]) -> BenchmarkData:
            revision, files = self._hub().data_files(benchmark.hub.repository, benchmark.hub.folder, context=context)
            whole = sum(file.bytes for file in files)
            if not files:
                raise UserError(
                    f"{benchmark.hub.repository} has no files of {benchmark.title}.", "Import a file instead."
                )
            if whole > LARGEST_BYTES:
                raise UserError(f"The files of {benchmark.title} have {whole:,} bytes.", "Import a file instead.")
            folder = self._home.benchmarks / download_folder(benchmark.hub.repository, revision)
            before = 0

            def progress(done: int, total: int) -> None:
                report(events.Progress(stage="downloading", done=before + done, total=whole, unit="bytes"))

            with open_client(self._gate, "hub", context=context) as client:
                for file in files:
                    download(file, folder, client, context, progress=progress, headers=self._hub().headers())
                    before += file.bytes
            return _inspect(folder, None, context, report)

        yield finish((yield from with_progress(work)))


def _inspect(
    path: Path, examples: Path | None, context: RequestContext, report: Callable[[Event], None]
) -> BenchmarkData:
    def tell(rows: int) -> None:
        context.raise_if_cancelled()
        report(events.Progress(stage="reading", done=rows, unit="rows"))

    return inspect_benchmark(path, examples, tell)


MOST_REFUSED = 20
LOOKED_AT = 20
"""Rows from which the benchmark is recognised."""

_WRONG = (KeyError, IndexError, ValueError, TypeError, AttributeError)
_COLUMNS = (
    "Rows have: MMLU question, choices, answer; ARC question, choices, answerKey; HellaSwag activity_label, ctx_a, "
    "ctx_b, endings, label; GSM8K question, answer with ####; IFEval prompt, instruction_id_list, kwargs; "
    "LLM-AggreFact dataset, doc, claim, label; RAGTruth is a folder with response.jsonl and source_info.jsonl."
)


def inspect_benchmark(path: Path, examples: Path | None, report: Callable[[int], None]) -> BenchmarkData:
    """Raises UserError where the first rows are those of no benchmark, naming the first one and its columns."""
    if name := recognise_pairs(path):
        refused = list[str]()
        read_sets = Counter(pair.dataset for pair in read_pairs(path, refused))
        return BenchmarkData(
            benchmark=name,
            title=TITLES[name],
            path=str(path),
            questions=read_sets.total(),
            subjects=len(read_sets),
            refused=tuple(refused[:MOST_REFUSED]),
            more_refused=max(0, len(refused) - MOST_REFUSED),
            pairs=True,
        )
    benchmark = recognise(path)
    read = read_benchmark(benchmark, path, None, 0, 0, report)
    subjects = {row.id for row in read.rows}
    shown = examples or examples_beside(benchmark, path)
    least = 0
    if shown is not None and not benchmark.chat:
        if recognise(shown) is not benchmark:
            raise UserError(f"{shown.name} holds no rows of {benchmark.title}.", "Choose its examples.")
        counts = Counter(
            benchmark.subject(row.values) for row in rows_of(shown, (benchmark.shown, "validation", "train", "test"))
        )
        least = min(counts[subject] for subject in subjects)
    return BenchmarkData(
        benchmark=benchmark.name,
        title=benchmark.title,
        path=str(path),
        questions=len(read.rows),
        subjects=len(subjects),
        examples=least,
        examples_path=str(shown or ""),
        usual=benchmark.shots,
        refused=read.refused,
        more_refused=read.more_refused,
    )


def recognise(path: Path) -> Benchmark:
    """The benchmark that most of a file's or folder's first rows are of."""
    best, most, first = None, 0, None
    for benchmark in BENCHMARKS:
        rows = list(islice(rows_of(path, (benchmark.asked, "test", "validation", "train")), LOOKED_AT))
        first = first or next(iter(rows), None)
        count = sum(_is_question(benchmark, row) for row in rows)
        if count > most:
            best, most = benchmark, count
    if best is None:
        titles = ", ".join((*(one.title for one in BENCHMARKS), *TITLES.values()))
        columns = ", ".join(first.values) if first is not None else "none"
        where = str(first.source) if first is not None else path.name
        raise UserError(f"{where}: it is no row of {titles}. Its columns are {columns}.", _COLUMNS)
    return best


def _is_question(benchmark: Benchmark, row: Row) -> bool:
    try:
        write_question(benchmark, row.values, {}, 0)
    except _WRONG:
        return False
    return True
