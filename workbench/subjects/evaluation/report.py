"""An evaluation as a file: its answers as CSV or JSON Lines, its scores as a table for a document or a slide, or a
report in one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, Literal, NamedTuple

from workbench.base.counting import counted
from workbench.base.csv_cells import csv_line
from workbench.records.evaluation import (
    CellAnswer,
    ColumnScore,
    EvaluationReport,
    NumberedQuestion,
    Score,
    ScorerResult,
)
from workbench.text.table_texts import latex_table, markdown_table

Form = Literal["csv", "jsonl", "html", "scores", "markdown", "latex"]


class Answered(NamedTuple):
    """A cell with its question; ``answer`` is None where there is none yet."""

    question: NumberedQuestion
    column: str
    answer: CellAnswer | None
    scores: tuple[Score, ...]


def write_report(form: Form, report: EvaluationReport, cells: Iterable[Answered]) -> Iterator[str]:
    """The file's text in pieces, about one for each answer."""
    if form in ("scores", "markdown", "latex"):
        return iter((_scores(form, report),))
    writers = {"csv": _csv, "jsonl": _jsonl, "html": _html}
    return writers[form](report, cells)


def amount(value: float | None, unit: str) -> str:
    """A value as people read it: a share in percent."""
    if value is None:
        return ""
    return f"{value:,.1f}".removesuffix(".0") + f" {unit}" if unit else f"{100 * value:.1f}".removesuffix(".0") + " %"


def _scores(form: Form, report: EvaluationReport) -> str:
    """The table of recipes and scores, with what an answer cost."""
    names = [column.name for column in report.evaluation.columns]
    costs = [(f"{one.prompt_tokens + one.new_tokens:.0f}", f"{one.seconds:.2f}") for one in report.costs]
    if form == "scores":
        heads = [f"{result.title}{part}" for result in report.results for part in ("", ", low", ", high", ", n")]
        lines = [csv_line(("recipe", *heads, "tokens an answer", "seconds an answer"))]
        for place, name in enumerate(names):
            ones = [result.columns[place] for result in report.results]
            values = [part for one in ones for part in ((one.value, one.low, one.high, one.n) if one else ("",) * 4)]
            lines.append(csv_line((name, *values, *costs[place])))
        return "".join(lines)
    headers = ("Recipe", *(result.title for result in report.results), "Questions", "Tokens", "Seconds")
    rows = []
    for place, name in enumerate(names):
        means = [(result.columns[place], result.unit) for result in report.results]
        asked = max((one.n for one, _ in means if one is not None), default=0)
        rows.append((name, *(with_interval(one, unit) for one, unit in means), f"{asked:,}", *costs[place]))
    if form == "latex":
        return latex_table(headers, rows, "l" + "r" * (len(headers) - 1))
    said = [sentence for result in report.results for sentence in (*result.sentences, "")]
    title = f"# Evaluation of {report.evaluation.set_name}"
    return "\n".join((title, "", *said, *markdown_table(headers, rows))) + "\n"


def with_interval(one: ColumnScore | None, unit: str) -> str:
    """A mean with its interval, as people read it."""
    if one is None:
        return ""
    low, high = (amount(part, unit).removesuffix(" %").removesuffix(f" {unit}") for part in (one.low, one.high))
    return f"{amount(one.value, unit)} ({low} to {high})"


def _csv(report: EvaluationReport, cells: Iterable[Answered]) -> Iterator[str]:
    titles = [result.title for result in report.results]
    names = ("number", "split", "question", "expected", "recipe", "answer", "error", "declined", "looped")
    yield csv_line((*names, *titles, "prompt tokens", "new tokens", "seconds"))
    for cell in cells:
        plain = _plain(cell, titles)
        values = [plain[name] for name in ("recipe", "answer", "error", "declined", "looped")]
        scores = [plain["scores"][title] for title in titles]
        counts = [plain[name] for name in ("prompt_tokens", "new_tokens", "seconds")]
        yield csv_line(
            (plain["number"], plain["split"], plain["question"], cell.question.question.gold, *values, *scores, *counts)
        )


def _jsonl(report: EvaluationReport, cells: Iterable[Answered]) -> Iterator[str]:
    titles = [result.title for result in report.results]
    for cell in cells:
        yield json.dumps(_plain(cell, titles), ensure_ascii=False) + "\n"


def _plain(cell: Answered, titles: list[str]) -> dict[str, Any]:
    question, answer = cell.question.question, cell.answer or CellAnswer(text="")
    return {
        "number": cell.question.number,
        "id": question.id,
        "split": cell.question.split,
        "question": question.conversation()[-1].content,
        "expected": list(question.expected),
        "recipe": cell.column,
        "answer": answer.text,
        "error": answer.error,
        "declined": answer.declined,
        "looped": answer.looped,
        "outcome": answer.outcome,
        "road": answer.road,
        "reasons": [reason.text for reason in answer.reasons],
        "scores": {title: score.value for title, score in zip(titles, cell.scores, strict=True)},
        "notes": {title: score.note for title, score in zip(titles, cell.scores, strict=True) if score.note},
        "prompt_tokens": answer.usage.prompt_tokens,
        "new_tokens": answer.usage.new_tokens,
        "seconds": answer.seconds,
    }


# -- HTML ----------------------------------------------------------------------------------------------


def _html(report: EvaluationReport, cells: Iterable[Answered]) -> Iterator[str]:
    evaluation = report.evaluation
    names = [column.name for column in evaluation.columns]
    yield _HEAD.format(title=escape(evaluation.title), set=escape(evaluation.set_name))
    questions, answers = counted(evaluation.questions, "question"), counted(report.cells, "answer")
    yield f"<p>{questions}, {report.answered:,} of {answers}.</p>"
    if evaluation.rescored is not None:
        yield f"<p>{escape(evaluation.rescored.words)}</p>"
    for leak in report.leaks:
        yield f"<p class=leak>{escape(leak)}</p>"
    for result in report.results:
        yield _chart(result, names)
    yield "<h2>Cost per answer</h2><table><tr><th>Recipe</th><th>Prompt tokens</th><th>New tokens</th><th>Seconds</th>"
    yield "<th>Failed</th><th>Declined</th><th>Ended in a loop</th></tr>"
    for name, cost in zip(names, report.costs, strict=True):
        means = (f"{cost.prompt_tokens:,.0f}", f"{cost.new_tokens:,.0f}", f"{cost.seconds:,.2f}")
        numbers = (*means, cost.failed, cost.declined, cost.looped)
        yield f"<tr><td>{escape(name)}</td>" + "".join(f"<td class=n>{one}</td>" for one in numbers) + "</tr>"
    yield "</table><h2>Answers</h2><table class=grid><tr><th>No</th><th>Question</th>"
    yield "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr>"
    for number, cell in enumerate(cells):
        if number % len(names) == 0:
            expected = cell.question.question.gold
            asked = escape(cell.question.question.conversation()[-1].content)
            shown = f"<p class=e>{escape(expected)}</p>" if expected else ""
            yield f"<tr><td class=n>{cell.question.number}</td><td><div class=t>{asked}</div>{shown}</td>"
        yield _cell(cell, report.results)
        if number % len(names) == len(names) - 1:
            yield "</tr>"
    yield "</table></body></html>"


def _cell(cell: Answered, results: Sequence[ScorerResult]) -> str:
    if cell.answer is None:
        return "<td></td>"
    main = cell.scores[0].value if cell.scores and not results[0].unit else None
    kind = "" if main is None else " class=r" if (main >= 0.5) is not results[0].fewer else " class=w"
    scores = "".join(
        f"<span title='{escape(score.note, quote=True)}'>{escape(result.title)}: {amount(score.value, result.unit)}"
        "</span> "
        for result, score in zip(results, cell.scores, strict=True)
        if score.value is not None
    )
    text = cell.answer.error or cell.answer.text
    return f"<td{kind}><div class=t>{escape(text)}</div><p class=s>{scores}</p></td>"


def _chart(result: ScorerResult, names: list[str]) -> str:
    """Bars with intervals; of values with a unit the longest bar is the highest end of an interval."""
    most = 1.0 if not result.unit else max((one.high for one in result.columns if one is not None), default=1.0) or 1.0
    rows = []
    for place, (name, one) in enumerate(zip(names, result.columns, strict=True)):
        y = 8 + 30 * place
        rows.append(f"<text x=0 y={y + 14}>{escape(name[:28])}</text>")
        if one is None:
            continue
        left, width = 200, 360
        value, low, high = (left + width * max(0.0, min(1.0, part / most)) for part in (one.value, one.low, one.high))
        rows.append(f"<rect x={left} y={y} width={value - left:.1f} height=20 rx=3 />")
        rows.append(f"<path d='M{low:.1f} {y + 10}H{high:.1f}M{low:.1f} {y + 5}v10M{high:.1f} {y + 5}v10' />")
        parts = [amount(part, result.unit) for part in (one.value, one.low, one.high)]
        rows.append(f"<text x=576 y={y + 14}>{parts[0]} ({parts[1]} to {parts[2]}), {one.n:,}</text>")
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in (*result.sentences, *filter(None, (result.agreement,))))
    height = 16 + 30 * len(names)
    return f"<h2>{escape(result.title)}</h2><svg viewBox='0 0 860 {height}' width=860>{''.join(rows)}</svg>{said}"


_HEAD = """<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title><style>
:root {{ color-scheme: light dark; --bar: #1f7a75; --line: #8884; --right: #1f7a7522; --wrong: #b4690e22; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 32px auto; max-width: 1200px; padding: 0 16px; }}
h1 {{ font-size: 24px; }} h2 {{ font-size: 17px; margin: 28px 0 6px; }} svg {{ max-width: 100%; }}
svg text {{ font-size: 13px; fill: currentColor; }} rect {{ fill: var(--bar); }}
path {{ stroke: currentColor; stroke-width: 1.5; fill: none; }}
table {{ border-collapse: collapse; }} th {{ text-align: left; }} .n {{ text-align: right; }}
td, th {{ padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }}
.grid {{ width: 100%; }} .t {{ white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12em; overflow: auto; }}
.e, .s {{ margin: 4px 0 0; font-size: 13px; opacity: .75; }} .r {{ background: var(--right); }}
.w, .leak {{ background: var(--wrong); }} .leak {{ padding: 8px 12px; border-left: 4px solid #b4690e; }}
</style></head><body><h1>Evaluation of {set}</h1>"""
