"""Formulas are drawn in a process of their own, which ends with one that takes too long."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench.api.protocol import RequestContext, result_of
from workbench.base.errors import UserError
from workbench.processes.host import WorkerHost
from workbench.records.formulas import DrawnFormula, Formula
from workbench.subjects.formulas.calls import MOST_FORMULAS, DrawFormulas
from workbench.subjects.formulas.service import FormulaDrawing

SLOW = [sys.executable, str(Path(__file__).with_name("slow_formulas.py"))]


def ask(drawing: FormulaDrawing, *sources: str) -> tuple[DrawnFormula, ...]:
    call = DrawFormulas(formulas=tuple(map(Formula, sources)))
    return result_of(call, drawing.draw(call, RequestContext()))


def test_the_worker_draws_and_refuses_and_writes_nothing_of_it_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "formulas.log"
    drawing = FormulaDrawing(WorkerHost("formulas", log=log))
    try:
        drawn, refused = ask(drawing, r"\frac{secret}{2}", r"\def\secret{\secret}")
    finally:
        drawing.host.close()
    assert drawn.svg.startswith("<svg")
    assert refused.reason == "The command \\def is not allowed."
    assert not log.exists() or "secret" not in log.read_text()


def test_a_formula_that_takes_too_long_ends_the_worker_and_the_next_one_is_drawn() -> None:
    drawing = FormulaDrawing(WorkerHost("formulas", command=SLOW, cancel_grace_s=0.05), limit_s=0.2)
    try:
        slow, quick = ask(drawing, "slow", "quick")
        first = drawing.host.pid
        several = ask(drawing, "quick", "slow", "slow", "quick", "slow")
        assert drawing.host.pid != first
    finally:
        drawing.host.close()
    assert "too long" in slow.reason
    assert quick.svg
    assert [bool(one.svg) for one in several] == [True, False, False, False, False]
    assert "Other formulas" in several[-1].reason


def test_a_call_for_too_many_formulas_is_refused() -> None:
    drawing = FormulaDrawing(WorkerHost("formulas", command=SLOW))
    with pytest.raises(UserError, match=f"At most {MOST_FORMULAS}"):
        ask(drawing, *["x"] * (MOST_FORMULAS + 1))
