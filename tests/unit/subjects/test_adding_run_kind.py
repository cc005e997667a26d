"""docs/adding-a-run-kind.md, carried out in a copy of the program: a record, a call, a run kind and a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages import blocks, program_with, run

PAGE = "adding-a-run-kind.md"
MOST_FILES = 6

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program_with(PAGE, tmp_path_factory.mktemp("program"))


def test_few_files_change_and_none_that_every_subject_edits() -> None:
    changed = {name for _, name, _ in blocks(PAGE) if not name.startswith("tests/")}
    assert 3 < len(changed) <= MOST_FILES
    assert all(name.startswith(("workbench/records/", "workbench/cli/", "workbench/subjects/")) for name in changed)
    assert len({name.split("/")[2] for name in changed if name.startswith("workbench/subjects/")}) == 1
    assert not changed & {"workbench/cli/__init__.py", "workbench/subjects/subject.py"}


def test_the_command_runs_it_and_the_run_is_listed(copy: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The pump and the valve.\nThe Pump.\n", "utf-8")
    home = ("--home", str(tmp_path / "home"), "--json")
    done = run(copy, "-m", "workbench", "data", "words", str(text), *home)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["result"]["words"], last["result"]["distinct"]) == (7, 5)
    listed = run(copy, "-m", "workbench", "runs", "list", *home)
    runs = json.loads(listed.stdout.splitlines()[-1])["result"]["runs"]
    assert [(one["kind"], one["state"]) for one in runs] == [("words", "finished")]


def test_what_cannot_be_done_is_refused_before_it_is_queued(copy: Path, tmp_path: Path) -> None:
    done = run(copy, "-m", "workbench", "data", "words", str(tmp_path / "none"), "--home", str(tmp_path / "home"))
    assert done.returncode == 1
    assert "There is no file" in done.stderr


def test_its_test_and_those_of_all_calls_pass(copy: Path) -> None:
    own = [name for _, name, _ in blocks(PAGE) if name.startswith("tests/")]
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own, "tests/unit/cli/test_parity.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_call_is_known_and_the_contracts_hold(copy: Path) -> None:
    known = run(copy, "-c", "from workbench import calls; assert calls.CountWords in calls.ALL")
    assert known.returncode == 0, known.stderr
    lint = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    contracts = run(copy, "-c", lint)
    assert contracts.returncode == 0, contracts.stdout[-2000:]


def test_the_blocks_are_in_the_project_s_style(copy: Path) -> None:
    changed = sorted({name for _, name, _ in blocks(PAGE)})
    for command in (["check"], ["format", "--check"]):
        done = run(copy, "-m", "ruff", *command, *changed)
        assert done.returncode == 0, done.stdout + done.stderr
