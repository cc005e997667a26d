"""The whole program from a terminal: fresh home, real core, real workers, the starter models."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench.api.ownership import read_owner
from workbench.base.paths import HOME_VARIABLE, Home

ROOT = Path(__file__).parents[2]
QUESTION = "Who built the lighthouse of Varn?"


class Terminal:
    """Runs ``python -m workbench`` with one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {**os.environ, HOME_VARIABLE: str(home), "PYTHONUTF8": "1"}

    def start(self, *argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "workbench", *argv],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str, status: int = 0) -> str:
        process = self.start(*argv)
        out, err = process.communicate(timeout=240)
        assert process.returncode == status, f"{argv}: {process.returncode}\n{out}\n{err}"
        return out if status == 0 else err

    def events(self, *argv: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*argv, "--json").splitlines()]

    def result(self, *argv: str) -> Any:
        last = self.events(*argv)[-1]
        assert last["event"] == "finished"
        return last["result"]

    def interrupted(self, argv: Sequence[str], when: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Run a command and press Ctrl+C at the first event for which ``when`` is true; its events."""
        process = self.start(*argv, "--json")
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(json.loads(line))
            if when(seen[-1]):
                process.send_signal(signal.SIGINT)
                break
        rest, err = process.communicate(timeout=120)
        seen += [json.loads(line) for line in rest.splitlines()]
        assert process.returncode == 130, err
        return seen


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("cli") / "home"
    yield Terminal(home)
    owner = read_owner(Home(home))
    if owner is not None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it leaves by itself when nobody needs it
            core = psutil.Process(owner.pid)
            core.terminate()
            core.wait(30)


@pytest.fixture(scope="module")
def notes(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection named notes, of this folder."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "lighthouse.txt").write_text(
        "The lighthouse of Varn was built in 1874 by Ida Holm. It is 41 metres tall and its lamp burned whale oil "
        "until 1911, when it was fitted with electric light.\n"
    )
    (folder / "bakery.md").write_text(
        "# Bakery\n\nThe bakery on Mill Street opens at six in the morning. Its rye bread is baked by Jonas Weber.\n",
    )
    (folder / "图书馆.csv").write_text("library,year\nNorth,1950\nSouth,1961\n", "utf-8")
    (folder / "empty.txt").touch()
    terminal.run("models", "starter")
    terminal.run("docs", "create", "notes")
    added = terminal.result("docs", "add", "notes", str(folder))
    assert (added["indexed"], added["unchanged"], added["removed"]) == (3, 0, 0)
    assert [Path(f["path"]).name for f in added["failed"]] == ["empty.txt"]
    assert added["failed"][0]["reason"]
    assert added["chunks"] >= 3
    return folder


def test_adding_again_reads_only_what_changed(terminal: Terminal, notes: Path) -> None:
    added = terminal.result("docs", "add", "notes", str(notes))
    assert (added["indexed"], added["unchanged"]) == (0, 3)


def test_documents_are_listed_shown_and_found(terminal: Terminal, notes: Path) -> None:
    documents = terminal.result("docs", "list", "notes")["documents"]
    states = {Path(d["path"]).name: d["state"] for d in documents}
    assert states == {
        "lighthouse.txt": "indexed", "bakery.md": "indexed", "图书馆.csv": "indexed", "empty.txt": "failed"
    }  # fmt: skip
    text = terminal.run("docs", "show", "notes", str(notes / "lighthouse.txt"))
    hit = terminal.result("docs", "search", "notes", QUESTION)["hits"][0]
    assert Path(hit["path"]) == notes / "lighthouse.txt"
    assert text[hit["start"] : hit["end"]] == hit["text"]


def test_many_queries_with_one_start(terminal: Terminal, notes: Path, tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "l", "text": "lighthouse"}\n{"id": "b", "text": "Who bakes rye bread?"}\n')
    events = terminal.events("docs", "search", "notes", "--queries", str(queries), "--limit", "1")
    found = {e["id"]: Path(e["result"]["hits"][0]["path"]).name for e in events if e["event"] == "artifact"}
    assert found == {"l": "lighthouse.txt", "b": "bakery.md"}
    assert events[-1]["result"] == {"count": 2}


def test_question_is_answered_with_its_source(terminal: Terminal, notes: Path) -> None:
    events = terminal.events(
        "ask", QUESTION, "--collection", "notes", "--set", "decoding.seed=1", "--set", "retrieval.mode=own-words"
    )
    result = events[-1]["result"]
    assert "Ida Holm" in result["answer"]
    assert not result["declined"]
    citation = result["citations"][0]
    assert Path(citation["path"]) == notes / "lighthouse.txt"
    assert f"[{citation['n']}]" in result["answer"]
    assert result["recipe"]["model"]["name"] == "SmolLM2 135M Instruct"
    assert result["recipe"]["retrieval"]["collection"] == "notes"
    assert result["usage"]["new_tokens"] > 0
    streamed = "".join(e["text"] for e in events if e["event"] == "text")
    assert streamed == result["answer"]
    chat = terminal.result("chats", "show", result["chat"])
    assert [m["text"] for m in chat["messages"]] == [QUESTION, result["answer"]]
    assert "lighthouse.txt" in terminal.run("chats", "export", result["chat"])


def test_beams_are_cited_and_any_of_them_is_gone_on_with_from_a_token(terminal: Terminal, notes: Path) -> None:
    argv = ("--set", "decoding.strategy=beam", "--set", "decoding.num_beams=3", "--set", "decoding.n=2")
    events = terminal.events("ask", QUESTION, "--collection", "notes", *argv, "--tokens", "3")
    result = events[-1]["result"]
    assert len(result["sequences"]) == 2
    assert [e["step"] for e in events if e["event"] == "beams"][:2] == [0, 1]
    for number, sequence in enumerate(result["sequences"]):
        assert (
            "".join(e["text"] for e in events if e["event"] == "text" and e.get("sequence", 0) == number)
            == (sequence["text"])
        )
        said = "".join(token["text"] for token in sequence["tokens"])
        assert said.split()[:4] == sequence["text"].split()[:4]
        assert all(len(token["alternatives"]) == 3 for token in sequence["tokens"])
    assert result["sequences"][0]["score"] >= result["sequences"][1]["score"]
    chat, message = result["chat"], result["message"]
    kept = terminal.result("chats", "keep", message, "1")
    assert kept["text"] == result["sequences"][1]["text"]
    taken = result["sequences"][1]["tokens"][:4]
    other = taken[3]["alternatives"][1]
    branch = ("--branch", f"3:{other['token']}", "--sequence", "1", "--set", "decoding.strategy=greedy")
    branched = terminal.result("ask", "--chat", chat, "--again", message, *branch, "--set", "decoding.n=1")
    begun = "".join(token["text"] for token in taken[:3]) + other["text"]
    assert branched["answer"].startswith(begun.strip())
    assert branched["passages"] == result["passages"]
    told = terminal.result("chats", "tokens", branched["message"], "--alternatives", "1")
    assert [token["token"] for token in told["tokens"][:4]] == [*(t["token"] for t in taken[:3]), other["token"]]


def test_answer_for_people_ends_with_its_sources(terminal: Terminal, notes: Path) -> None:
    lines = terminal.run("ask", QUESTION, "--collection", "notes").splitlines()
    assert "Ida Holm" in lines[0]
    assert lines[-1] == f"[1] {notes / 'lighthouse.txt'}"


def test_ctrl_c_stops_an_answer_and_keeps_what_was_said(terminal: Terminal, notes: Path) -> None:
    argv = ("ask", "Write a long story about the sea.", "--set", "decoding.max_tokens=4000")
    events = terminal.interrupted(argv, lambda event: event["event"] == "text")
    assert events[-1]["event"] == "cancelled"
    chat = next(e["result"]["chat"] for e in events if e["event"] == "artifact")
    answer = terminal.result("chats", "show", chat)["messages"][-1]
    assert answer["state"] == "stopped"
    assert answer["text"]
    terminal.run("chats", "delete", chat)


def test_ctrl_c_stops_an_ingest_that_can_be_resumed(terminal: Terminal, notes: Path, tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"Ship number {number} carries {number * 7} barrels of salt.\n" * 20)
    terminal.run("docs", "create", "ships")
    argv = ("docs", "add", "ships", str(tmp_path))
    events = terminal.interrupted(argv, lambda event: event["event"] == "artifact")
    assert events[-1]["event"] == "cancelled"
    run = terminal.result("runs", "list")["runs"][0]
    assert run["state"] == "cancelled"
    kept = terminal.result("docs", "list", "ships")["documents"]
    assert 0 < len(kept) < 40
    terminal.run("runs", "resume", run["id"])
    terminal.run("runs", "follow", run["id"])
    assert terminal.result("runs", "show", run["id"])["state"] == "finished"
    documents = terminal.result("docs", "list", "ships")["documents"]
    assert len(documents) == 40
    assert {d["state"] for d in documents} == {"indexed"}


def test_errors_say_what_to_do(terminal: Terminal, notes: Path) -> None:
    assert "workbench docs create nowhere" in terminal.run("docs", "add", "nowhere", "x", status=1)
    assert "not a GGUF file" in terminal.run("models", "import", str(notes / "bakery.md"), status=1)
    assert "'nothing'" in terminal.run("ask", "q", "--model", "nothing", status=1)


def test_model_is_imported_inspected_and_removed(terminal: Terminal, notes: Path, smollm_path: Path) -> None:
    imported = terminal.result("models", "import", str(smollm_path), "--copy", "--name", "Mine")
    copied = Path(imported["path"])
    assert copied.is_relative_to(terminal.home)
    assert copied.stat().st_size == smollm_path.stat().st_size
    assert terminal.result("models", "inspect", "Mine")["vocabulary"] == 49_152
    assert terminal.result("ask", "Hello?")["recipe"]["model"]["name"] == "SmolLM2 135M Instruct"
    terminal.run("models", "default", "min")
    assert terminal.result("ask", "Hello?")["recipe"]["model"]["name"] == "Mine"
    terminal.run("models", "remove", "Mine")
    assert not copied.exists()
    names = [m["name"] for m in terminal.result("models", "list")["models"]]
    assert names[:2] == ["SmolLM2 135M Instruct", "all-MiniLM-L6-v2"]
    assert set(names[2:]) <= {"multilingual-e5-small"}, "where its package has no wheel there are two starters"


def test_settings_are_kept(terminal: Terminal, notes: Path) -> None:
    terminal.run("settings", "set", "engine.context_tokens", "4096")
    assert terminal.run("settings", "get", "engine.context_tokens") == "4096\n"
    assert "context_tokens = 4096" in (terminal.home / "settings.toml").read_text()
    terminal.run("settings", "set", "engine.context_tokens", "0")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_head_of_the_output_is_no_error(terminal: Terminal, notes: Path) -> None:
    command = f'"{sys.executable}" -m workbench --home "{terminal.home}" settings list | head -n 1'
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
