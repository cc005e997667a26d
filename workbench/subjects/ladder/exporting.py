"""A ladder as files: tables for spreadsheets, texts and slides, one page with its chart, a folder of its recipes."""

from __future__ import annotations

import csv
import io
from html import escape
from pathlib import Path
from typing import Literal

from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.records.ladder import LadderReport, RungReport
from workbench.records.recipes import save_recipe
from workbench.subjects.ladder.chart import draw
from workbench.text.table_texts import latex_table, markdown_table

Form = Literal["csv", "markdown", "latex", "html", "recipes"]
HEADERS = (
    "Rung",
    "Right",
    "Interval",
    "Against as it is",
    "Preparing",
    "Answer",
    "Tokens for each right answer",
    "Standing",
)


def write_ladder(report: LadderReport, path: Path, form: Form) -> None:
    """Write the report, whole or not at all. Raises UserError for what cannot be written."""
    try:
        if form == "recipes":
            _write_recipes(report, path)
            return
        text = {"csv": _csv, "markdown": _markdown, "latex": _latex, "html": _html}[form](report)
        with written_beside(path) as beside:
            beside.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


def rows_of(report: LadderReport) -> list[tuple[str, ...]]:
    """The cells of the table, a row for each rung in the order of the course."""
    return [_row(rung, report.unit) for rung in report.rungs]


def _row(rung: RungReport, unit: str) -> tuple[str, ...]:
    score, cost = rung.score, rung.cost
    if score is None:
        said = rung.reason or {"waiting": "not measured yet"}.get(rung.state, rung.state)
        return (rung.offer.title, "", "", "", "", "", "", said)
    scale, sign = (1.0, f" {unit}") if unit else (100.0, " %")
    against = ""
    if rung.difference is not None:
        low, high = scale * rung.difference.low, scale * rung.difference.high
        against = f"{scale * rung.difference.value:+.0f} {unit or 'points'} ({low:.0f} to {high:.0f})"
    return (
        rung.offer.title,
        f"{scale * score.value:.0f}{sign}",
        f"{scale * score.low:.0f} to {scale * score.high:.0f}",
        against,
        duration(cost.preparing_s) if cost.preparing_s else "",
        f"{cost.answer_s:.2f} s",
        f"{cost.tokens_per_right:,.0f}" if cost.tokens_per_right is not None else "none right",
        rung.standing,
    )


def duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _csv(report: LadderReport) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("name", "title", "technique", "state", "score", "low", "high", "n", "difference", "difference_low",
         "difference_high", "standing", "preparing_s", "answer_s", "answer_tokens", "answer_price", "tokens_per_right",
         "frontier", "reason", "leak")
    )  # fmt: skip
    for one in report.rungs:
        score, apart, cost = one.score, one.difference, one.cost
        writer.writerow(
            (
                one.offer.name, one.offer.title, one.offer.technique or "", one.state,
                *((score.value, score.low, score.high, score.n) if score is not None else ("",) * 4),
                *((apart.value, apart.low, apart.high) if apart is not None else ("",) * 3),
                one.standing, round(cost.preparing_s, 1), round(cost.answer_s, 3), round(cost.answer_tokens, 1),
                cost.answer_price or "",
                round(cost.tokens_per_right, 1) if cost.tokens_per_right is not None else "",
                int(one.frontier), one.reason, one.leak,
            )
        )  # fmt: skip
    return out.getvalue()


def _markdown(report: LadderReport) -> str:
    table = markdown_table(HEADERS, rows_of(report))
    notes = [f"- {note}" for note in report.notes]
    return "\n".join(filter(None, (f"# {_title(report)}", "", report.sentence, "", *table, "", *notes))) + "\n"


def _latex(report: LadderReport) -> str:
    return latex_table(HEADERS, rows_of(report), "lrrrrrrl")


def _html(report: LadderReport) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in HEADERS)
    body = "".join(
        f"<tr{' class=winner' if rung.offer.name == report.winner else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in _row(rung, report.unit))
        + "</tr>"
        for rung in report.rungs
    )
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in report.notes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(_title(report))}</title><style>{_STYLE}'
        f"</style><h1>{escape(_title(report))}</h1><p class=sentence>{escape(report.sentence)}</p>"
        f"{draw(report)}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}</html>\n"
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#1c2127}"
    ".sentence{font-size:1.25rem}table{border-collapse:collapse;width:100%;margin-top:1.5rem}"
    "th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d5dae0}th{font-weight:600}"
    ".winner td{background:#e7f3ec;font-weight:600}.note{color:#8a3b12}svg{max-width:100%;height:auto}"
)


def _title(report: LadderReport) -> str:
    return f"What pays: {report.ladder.set_name}"


def _write_recipes(report: LadderReport, path: Path) -> None:
    """A recipe file for each rung that has one. Raises UserError for a folder that is there and not empty."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"{path} is there already.", "Name a new folder.")
    path.mkdir(parents=True, exist_ok=True)
    for rung in report.rungs:
        if rung.recipe is not None:
            measured = " · ".join(filter(None, _row(rung, report.unit)[1:4]))
            note = f"{rung.offer.title}, of the ladder on {report.ladder.set_name}: {measured}"
            save_recipe(path / f"{rung.offer.name}.toml", rung.recipe, note)
