"""What every front owes the section on the machine: what computes, the diagnosis, its report, new versions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.contract.conftest import Desk
from workbench import calls as c
from workbench.base.errors import UserError
from workbench.records.diagnosis import DOCUMENTS, ENGINE, LIBRARY, OFFICE, RECOGNITION, VARIANT, Diagnosis


def test_what_computes_is_said_with_the_reason(desk: Desk) -> None:
    state: c.RuntimeState = desk.call(c.GetRuntime())
    assert (state.packs, state.choice.pack) == ((), "")
    assert state.choice.reason == "No runtime pack is installed, so the processor computes."
    chosen = desk.call(c.UseProcessor())
    assert chosen.choice.reason == "You chose the processor."
    assert desk.call(c.GetRuntime()) == chosen


def test_a_choice_is_announced(desk: Desk) -> None:
    desk.forget_changes()
    desk.call(c.UseProcessor())
    desk.wait_for_change("worker", "")


def test_the_diagnosis_names_the_library_and_its_variant(desk: Desk) -> None:
    found: Diagnosis = desk.call(c.Diagnose())
    assert found.fact(ENGINE, LIBRARY)
    assert found.fact(ENGINE, VARIANT).startswith("zen4")
    assert found.fact(ENGINE, "colour") == ""
    assert found.fact(DOCUMENTS, RECOGNITION)
    assert found.fact(DOCUMENTS, OFFICE)


def test_a_report_holds_the_diagnosis(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    saved: c.SavedReport = desk.call(c.SaveReport(path=str(out)))
    assert saved == c.SavedReport(path=str(out), bytes=out.stat().st_size)
    with zipfile.ZipFile(out) as packed:
        assert "zen4" in packed.read("diagnosis.txt").decode()


def test_a_report_that_cannot_be_written_is_an_error_that_names_it(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "report.zip"
    with pytest.raises(UserError, match=f"{out} cannot be written: ") as raised:
        desk.call(c.SaveReport(path=str(out)))
    assert raised.value.hint


def test_a_program_from_a_checkout_says_how_it_is_updated(desk: Desk) -> None:
    for call in (c.CheckUpdate(), c.DownloadUpdate()):
        with pytest.raises(UserError, match="installed by pip or runs from a checkout") as raised:
            desk.call(call)
        assert raised.value.hint == "Use pip install --upgrade, or update the checkout."
