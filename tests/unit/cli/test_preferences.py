"""``workbench preferences`` against the window's fake core, which has the program's own judgements in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from workbench import cli
from workbench.records.judgements import JudgementFilter

Prefs = Callable[..., tuple[int, str, str]]


@pytest.fixture
def front() -> Iterator[FakeFront]:
    front = FakeFront(FakeHome(models={SMOL.name: SMOL}))
    yield front
    front.close()


@pytest.fixture
def prefs(
    front: FakeFront, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Prefs:
    def run(*argv: str, keys: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(keys))
        monkeypatch.setattr(front, "close", lambda: None)  # a session closes its front
        status = cli.main(("--home", str(tmp_path), "preferences", *argv), lambda home: front)
        monkeypatch.undo()
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def write(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def pairs(count: int) -> list[Any]:
    return [{"prompt": f"Number {n}?", "chosen": f"It is {n}.", "rejected": "No."} for n in range(count)]


def test_a_file_is_imported_measured_exported_and_made_into_a_set(prefs: Prefs, tmp_path: Path) -> None:
    bad = {"prompt": "Same?", "chosen": "So.", "rejected": "So."}
    path = write(tmp_path / "given.jsonl", [*pairs(12), bad])
    status, out, _ = prefs("import", path)
    assert status == 0
    assert "12 preferences added from 13 rows. Format: trl." in out
    assert "  given.jsonl, line 13: its two answers are the same." in out
    _, out, _ = prefs("stats")
    assert "12 about 12 prompts" in out
    assert "100% of 12 (76% to 100%)" in out  # the longer one was preferred; Wilson
    _, out, _ = prefs("learnable", "--held-out", "0.25")
    assert "give 12 pairs" in out
    [advised] = [line for line in out.splitlines() if "advised" in line]
    assert advised.split()[:4] == ["dpo", "advised", "12", "3"]
    status, out, _ = prefs("export", str(tmp_path / "out.jsonl"), "--form", "candidates", "--search", "number 7?")
    assert (status, "1 row written" in out) == (0, True)
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {
        "input_text": "Number 7?", "candidate1": "It is 7.", "candidate2": "No.", "human_preference": "candidate1",
    }  # fmt: skip
    _, out, _ = prefs("data", "taste")
    assert out.startswith("taste: 12 examples")


def test_judgements_are_listed_shown_removed_and_taken_back(prefs: Prefs, front: FakeFront, tmp_path: Path) -> None:
    prefs("import", write(tmp_path / "given.jsonl", pairs(2)))
    _, out, _ = prefs("list", "--json")
    [_, first] = json.loads(out.splitlines()[-1])["result"]["judgements"]
    _, out, _ = prefs("show", first["id"])
    assert "a: It is 0." in out
    assert "given.jsonl, line 1" in out
    assert "given.jsonl" not in prefs("remove")[2]
    assert prefs("remove")[0] == 1  # everything is not named
    assert "Deleted: 1" in prefs("remove", first["id"])[1]
    assert "Undone: Deletion (1)." in prefs("undo")[1]
    assert "Undone: Import of given.jsonl (2)." in prefs("undo")[1]
    assert "no such preferences" in prefs("list")[1]
    assert prefs("undo")[0] == 1


def test_a_number_that_may_count_from_two_is_asked_for(prefs: Prefs, tmp_path: Path) -> None:
    rows = [{"input_text": f"{n}?", "candidate1": "x", "candidate2": "y", "human_preference": 1} for n in range(2)]
    path = write(tmp_path / "given.jsonl", rows)
    status, _, err = prefs("import", path)
    assert status == 1
    assert "--counts-from 0 or --counts-from 1" in err
    assert prefs("import", path, "--counts-from", "0")[0] == 0
    assert prefs("import", path, "--column", "prompt")[0] == 2


def test_pairs_are_judged_in_a_row_by_keys(prefs: Prefs, front: FakeFront) -> None:
    front.home.answer_text, front.home.base_text = "The long answer", "The short one"
    recipe = ("--recipe", SMOL.name)
    keys = "j s u \n k e k Rewritten by me.\n x b q t"
    status, out, err = prefs("compare", "taste", *recipe, *recipe, keys=keys)
    assert status == 0
    assert "is no key" in err
    assert SMOL.name not in out.split("Preferred")[0]  # blind until it is judged
    # the first pair is shown as b, a: j prefers b; u takes that back, so that it comes again
    shown = [line for line in out.splitlines() if line.startswith("[J]")]
    assert shown[0] != shown[1]
    room = front.home.judgements
    which = JudgementFilter(sources=("label",))
    judged = {one.question: one for one in room.judgements.each(which)}
    assert len(judged) == 3
    edited = [one for one in judged.values() if one.edited]
    assert [one.preferred.text for one in edited if one.preferred] == ["Rewritten by me."]
    assert "taste: 3 compared, 0 waiting." in out
    status, out, err = prefs("compare", "taste", *recipe, keys="j")
    assert (status, "already a comparison" in err) == (1, True)
    assert "3 compared" in prefs("compare", "taste", keys="j")[1]
    assert "taste" in prefs("comparisons")[1]
    assert "3 about 3 prompts" in prefs("stats", "--queue", "taste")[1]
    former = prefs("queues")
    assert "taste" in former[1]
    assert "`workbench preferences queues` is called `workbench preferences comparisons` now." in former[2]
    assert prefs("drop", "taste")[0] == 0
    assert "no comparison 'taste'" in prefs("compare", "taste")[2]
