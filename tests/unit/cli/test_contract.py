"""What holds for every command: events and terminal event, exit status, where things are written, Ctrl+C, pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench
from tests.unit.cli.conftest import FakeFront, Ran
from workbench import cli
from workbench.api.events import Cancelled, Event, Failed, Finished, Log, Progress
from workbench.api.protocol import finish
from workbench.subjects.documents.calls import AddDocuments
from workbench.subjects.models.calls import ListModels
from workbench.subjects.runs.calls import FollowRun, GetStatus, RunRecord, Status, StopRun

Run = Callable[..., Ran]
STATUS = Status(home="/home/x", version="1")


@pytest.mark.parametrize(
    "argv",
    [("--json", "--home", "{}", "status"), ("status", "--json", "--home", "{}"), ("--home", "{}", "status", "--json")],
)
def test_common_options_stand_before_or_after_the_command(
    argv: tuple[str, ...], run: Run, front: FakeFront, tmp_path: Path
) -> None:
    front.answer(GetStatus, STATUS)
    ran = run(*(a.format(tmp_path) for a in argv))
    assert ran.status == 0
    assert ran.home is not None
    assert ran.home.root == tmp_path
    assert ran.result["home"] == "/home/x"
    assert front.closed


def test_json_output_is_the_events_and_the_terminal_event_last(run: Run, front: FakeFront) -> None:
    front.answer(GetStatus, STATUS, Progress(stage="loading", done=1, total=2), Log(text="mind", level="notice"))
    ran = run("status", "--json")
    assert [e["event"] for e in ran.events] == ["progress", "log", "finished"]
    assert [e["seq"] for e in ran.events] == [1, 2, 3]
    assert all(e["at"] > 1e9 for e in ran.events)
    assert ran.err == "mind\n"


def test_user_error_is_status_1_with_its_hint(run: Run, front: FakeFront) -> None:
    front.end(GetStatus, Failed(message="The disk is full.", hint="Free some space."))
    ran = run("status")
    assert (ran.status, ran.out, ran.err) == (1, "", "The disk is full.\nFree some space.\n")
    ran = run("status", "--json")
    assert ran.status == 1
    assert ran.events[-1]["event"] == "failed"
    assert ran.events[-1]["message"] == "The disk is full."
    assert ran.events[-1]["hint"] == "Free some space."
    assert ran.err == "The disk is full.\nFree some space.\n"


def test_dead_worker_is_status_1_with_its_last_words(run: Run, front: FakeFront) -> None:
    died = Failed(
        message="The worker died.", hint="inference", reason="worker", exit_code=-9, stderr_tail="out of memory\n"
    )
    front.end(GetStatus, died)
    ran = run("status", "--json")
    assert (ran.status, ran.events[-1]["reason"], ran.events[-1]["exit_code"]) == (1, "worker", -9)
    assert ran.err == "The worker died.\nout of memory\n"


def test_bug_is_status_1_with_its_traceback(run: Run, front: FakeFront) -> None:
    front.end(GetStatus, Failed(message="KeyError: 'x'", reason="bug", stderr_tail="Traceback ..."))
    ran = run("status", "--json")
    assert (ran.status, ran.events[-1]["reason"]) == (1, "bug")
    assert ran.events[-1]["message"] == "KeyError: 'x'"
    assert ran.err == "KeyError: 'x'\nTraceback ...\n"


def test_bug_of_the_terminal_itself_keeps_its_traceback(run: Run, front: FakeFront) -> None:
    front.answer(GetStatus, {"home": 5})
    ran = run("status", "--json")
    assert (ran.status, ran.events[-1]["reason"]) == (1, "bug")
    assert "Traceback" in ran.events[-1]["stderr_tail"]


@pytest.mark.parametrize(
    "argv",
    [
        ("nonsense",),
        ("models", "import"),
        ("docs", "search", "notes"),
        ("docs", "search", "notes", "q", "--queries", "f"),
        ("docs", "search", "notes", "q", "--limit", "0"),
        ("ask",),
        ("ask", "q", "--questions", "f"),
        ("ask", "--document", "d"),
        ("ask", "--document", "d", "--task", "translate"),
        ("ask", "--document", "d", "--task", "extract"),
        ("status", "--unknown"),
    ],
)
def test_wrong_usage_is_status_2_and_says_so_on_stderr(argv: tuple[str, ...], run: Run) -> None:
    ran = run(*argv)
    assert ran.status == 2
    assert ran.out == ""
    assert "usage: workbench" in ran.err


def test_version_and_help(run: Run) -> None:
    ran = run("--version")
    assert (ran.status, ran.out) == (0, f"workbench {workbench.__version__}\n")
    ran = run("ask", "--help")
    assert ran.status == 0
    assert len(ran.out.splitlines()) < 90
    assert "--fields" in ran.out


@pytest.mark.parametrize(("argv", "listed"), [((), "models"), (("models",), "default"), (("docs",), "create")])
def test_group_alone_shows_its_commands(argv: tuple[str, ...], listed: str, run: Run, front: FakeFront) -> None:
    ran = run(*argv)
    assert (ran.status, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if line.split()[:1] == [listed]]
    assert front.calls == []


def test_fields_are_listed_and_explained_by_part(run: Run) -> None:
    listed = run("ask", "--fields")
    assert listed.status == 0
    assert "decoding, beams: num_beams" in listed.out
    assert "Range" not in listed.out
    part = run("ask", "--fields", "decoding").out
    assert "Range: 0 to 5. [0.0]" in part
    assert "contrastive" in part
    assert run("ask", "--fields", "retrieval.passages").out.splitlines()[0] == "  retrieval.passages"
    assert len(run("ask", "--fields", "retrieval.passages").out.splitlines()) == 2
    for wrong in ("nothing", "decoding.nothing"):
        ran = run("ask", "--fields", wrong)
        assert (ran.status, ran.out) == (2, "")
        assert "there is no" in ran.err


def test_ctrl_c_cancels_the_call_and_waits_for_its_end(run: Run, front: FakeFront) -> None:
    def work(call: Any, cancelled: threading.Event) -> Iterator[Event]:
        yield Progress(stage="working")
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(10)
        yield Progress(stage="stopping")
        yield Cancelled(result={"half": "done"})

    front.scripts[GetStatus] = work
    ran = run("status", "--json")
    assert ran.status == 130
    assert [e.get("stage") for e in ran.events] == ["working", "stopping", None]
    assert ran.events[-1]["event"] == "cancelled"
    assert ran.result == {"half": "done"}


def test_second_ctrl_c_leaves_at_once(run: Run, front: FakeFront) -> None:
    never = threading.Event()

    def work(call: Any, cancelled: threading.Event) -> Iterator[Event]:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(10)
        os.kill(os.getpid(), signal.SIGINT)
        never.wait(30)
        yield Finished()

    front.scripts[GetStatus] = work
    ran = run("status", "--json")
    never.set()
    assert ran.status == 130
    assert ran.events[-1]["event"] == "cancelled"
    assert front.closed


def test_ctrl_c_while_adding_documents_stops_the_run(run: Run, front: FakeFront, tmp_path: Path) -> None:
    stopped = threading.Event()
    record = RunRecord(id="r1", kind="ingest", title="notes", state="running", created=1.0)

    def follow(call: FollowRun, cancelled: threading.Event) -> Iterator[Event]:
        yield Progress(stage="reading", done=1, total=3)
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(10)
        assert not cancelled.is_set()
        yield Cancelled(result={"indexed": 1})

    def stop(call: StopRun, cancelled: threading.Event) -> Iterator[Event]:
        stopped.set()
        yield finish(record)

    front.answer(AddDocuments, record)
    front.scripts[FollowRun] = follow
    front.scripts[StopRun] = stop
    ran = run("docs", "add", "notes", str(tmp_path), "--json")
    assert ran.status == 130
    assert front.asked(StopRun) == [StopRun(run="r1")]
    assert ran.result == {"indexed": 1}


def test_ctrl_c_while_following_leaves_the_run_alone(run: Run, front: FakeFront) -> None:
    def follow(call: FollowRun, cancelled: threading.Event) -> Iterator[Event]:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(10)
        yield Cancelled()

    front.scripts[FollowRun] = follow
    assert run("runs", "follow", "r1").status == 130
    assert front.asked(StopRun) == []


def test_ctrl_c_handler_is_put_back(run: Run, front: FakeFront) -> None:
    before = signal.getsignal(signal.SIGINT)
    front.answer(GetStatus, STATUS)
    run("status")
    assert signal.getsignal(signal.SIGINT) is before


def test_reader_that_goes_away_is_no_error(front: FakeFront, monkeypatch: pytest.MonkeyPatch) -> None:
    front.answer(GetStatus, STATUS, *(Progress(stage="x", done=n) for n in range(2000)))
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as closed, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", closed)
        status = cli.main(["status", "--json"], lambda home: front)
    assert status == 130
    assert front.closed


def test_control_characters_of_files_do_not_reach_the_terminal(run: Run, front: FakeFront) -> None:
    front.end(GetStatus, Failed(message="\x1b[2Jfile \x07name"))
    assert run("status").err == "[2Jfile name\n"


def test_importing_the_terminal_loads_nothing_heavy() -> None:
    code = (
        "import sys, workbench.cli, workbench.__main__\n"
        "heavy = 'torch transformers llama_cpp sentence_transformers PySide6 ui numpy'\n"
        "print(sorted(set(heavy.split()) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_models_list_has_the_documented_shape(run: Run, front: FakeFront) -> None:
    ran = run("models", "list", "--json")
    (model,) = ran.result["models"]
    documented = {
        "name",
        "kind",
        "architecture",
        "parameters",
        "quantization",
        "context_tokens",
        "bytes",
        "licence",
        "path",
    }
    assert documented <= set(model)
    assert front.asked(ListModels)
