"""Which published benchmark a file or folder has rows of, and whether there are examples to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from workbench.base.errors import UserError
from workbench.records.evaluation import BenchmarkData
from workbench.subjects.evaluation.benchmarks import (
    BENCHMARKS,
    Benchmark,
    examples_beside,
    read_benchmark,
    rows_of,
    write_question,
)
from workbench.training.data.rows import Row

LOOKED_AT = 20
"""Rows from which the benchmark is recognised."""

_WRONG = (KeyError, IndexError, ValueError, TypeError, AttributeError)
_COLUMNS = (
    "Rows have: MMLU question, choices, answer; ARC question, choices, answerKey; HellaSwag activity_label, ctx_a, "
    "ctx_b, endings, label; GSM8K question, answer with ####; IFEval prompt, instruction_id_list, kwargs."
)


def inspect_benchmark(path: Path, examples: Path | None, report: Callable[[int], None]) -> BenchmarkData:
    """Raises UserError where the first rows are those of no benchmark, naming the first one and its columns."""
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
        titles = ", ".join(one.title for one in BENCHMARKS)
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
