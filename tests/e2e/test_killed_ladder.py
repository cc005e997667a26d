"""A ladder whose core is killed: it is resumed, does nothing twice, and says the same in the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.killed_ladder import climbed, prepared
from workbench.records.ladder import LadderReport


def without_times(sentence: str) -> str:
    return re.sub(r"[0-9.]+ (s|minutes?) (more|an)", r"# \1 \2", sentence)


def results(report: LadderReport) -> dict[str, object]:
    return {one.offer.name: (one.state, one.reason, one.score, one.difference, one.standing) for one in report.rungs}


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_a_killed_ladder_does_nothing_twice_and_says_the_same(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, _, killed = climbed(prepared(tmp_path / "whole"), tmp_path / "whole.log", kills=0, seed=0)
    assert killed == 0
    report, lines, killed = climbed(prepared(tmp_path / "killed"), tmp_path / "killed.log", kills=3, seed=1)
    assert killed == 3
    for begun in ("cell ", "run "):
        mine = [line for line in lines if line.startswith(begun)]
        assert len(mine) == len(set(mine)), "something was done twice"
    assert results(report) == results(whole)
    assert report.winner == whole.winner == "searched-instructions"
    assert without_times(report.sentence) == without_times(whole.sentence)
