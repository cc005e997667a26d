"""``workbench doctor``: what it says, also without a core, and that its report holds nothing private."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.local_front import LocalFront
from workbench import cli
from workbench.api.client import Front
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.base.settings import ServerSettings, Settings
from workbench.processes.process import TORCH_VARIABLE
from workbench.records.diagnosis import Diagnosis, Fact, Section
from workbench.subjects.chats.calls import CreateChatFolder
from workbench.subjects.machine.checks import faults, local_diagnosis, write_report
from workbench.subjects.machine.diagnosis import changed_settings, scrubbed, torch_version

SECRET = "Kündigung-Meyer"
LOG = f"""2026-11-26 12:00:00 ERROR MainThread workbench.core: Failed for {SECRET}
Traceback (most recent call last):
  File "/home/ida/{SECRET}/lib/python3.11/site-packages/workbench/app.py", line 12, in handle
    chat = {{"title": "{SECRET}"}}
  File "/usr/lib/python3.11/json/decoder.py", line 1, in decode
workbench.base.errors.UserError: There is no chat {SECRET}.
/build/ggml/src/ggml.c:1780: GGML_ASSERT({SECRET}) failed
ValueError: not within a traceback {SECRET}
"""


def test_changed_settings_name_no_texts() -> None:
    settings = Settings(server=ServerSettings(port=5_000, origins=(f"https://{SECRET}.example",)))
    assert changed_settings(settings) == [("server.port", "5000"), ("server.origins", "changed")]


def test_the_release_of_torch_is_that_of_the_folder_that_replaces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "torch-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n", "utf-8")
    assert torch_version() != "9.9"
    monkeypatch.setenv(TORCH_VARIABLE, str(tmp_path))
    assert torch_version() == "9.9"


def test_faults_are_places_in_our_code_and_kinds_of_errors(home: Home) -> None:
    (home.logs / "core.log").write_text(LOG, "utf-8")
    (home.logs / "quiet.log").write_text(f"all is well with {SECRET}\n", "utf-8")
    assert faults(home.logs) == [
        "core.log:",
        "  workbench/app.py:12 handle",
        "  workbench.base.errors.UserError",
        "  GGML_ASSERT ggml.c:1780",
    ]


def test_the_places_of_a_crash_are_faults_too(home: Home) -> None:
    crash = """Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/opt/llm-workbench/ui/shell.py", line 12 in open_page
  File "/usr/lib/python3.11/runpy.py", line 88 in _run_code
"""
    (home.logs / "window-crash.log").write_text(crash, "utf-8")
    assert faults(home.logs) == ["window-crash.log:", "  ui/shell.py:12 open_page"]


def test_a_report_holds_nothing_private(home: Home, tmp_path: Path) -> None:
    (home.logs / "core.log").write_text(LOG, "utf-8")
    home.settings.write_text(f'[general]\nmodel = "{SECRET}"\n[engine]\nthreads = 3\n', "utf-8")
    out = tmp_path / "report.zip"
    workbench = Workbench(home)
    try:
        list(workbench.handle(CreateChatFolder(name=SECRET)))
        front = LocalFront(workbench)
        status = cli.main(["--home", str(home.root), "doctor", "--report", str(out)], lambda home: front)
    finally:
        workbench.close()
    assert status == 0
    with zipfile.ZipFile(out) as packed:
        content = {name: packed.read(name).decode() for name in packed.namelist()}
    everything = "\n".join(content.values())
    assert SECRET not in everything
    assert str(tmp_path) not in everything
    assert "workbench/app.py:12 handle" in content["faults.txt"]
    assert re.search(r"engine\.threads +3\n", content["diagnosis.txt"])
    assert re.search(r"general\.model +changed\n", content["diagnosis.txt"])
    assert "No runtime pack is installed" in content["diagnosis.txt"]
    assert "msgspec " in content["versions.txt"]


def test_without_a_core_it_says_what_it_can_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class NoCore(LocalFront):
        def start(self, *arguments: object) -> object:  # type: ignore[override]
            raise AssertionError("not asked")

    home = tmp_path / "home"
    home.mkdir()
    (home / "core.lock").mkdir()  # so that no core can be started

    def connect(home: Home) -> Front:
        from workbench.api.client import Client

        return Client(home)

    assert cli.main(["--home", str(home), "doctor"], connect) == 0
    said = capsys.readouterr().out
    assert "processor" in said
    assert "The core of this data folder cannot be asked" in said


def test_problems_stand_below_the_facts() -> None:
    found = Diagnosis(sections=(Section("Engine", (Fact("a", "1"), Fact("longer", "2"))),), problems=("It is hot.",))
    assert found.text() == "Engine\n  a       1\n  longer  2\n\nProblems\n  - It is hot.\n"
    assert Diagnosis().text() == "No problem was found.\n"


def test_a_data_folder_that_cannot_be_written_is_a_problem(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert any("cannot be written" in problem for problem in local_diagnosis(home).problems)


def test_a_report_is_whole_or_not_there(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    write_report(out, home, Diagnosis())
    assert [file.name for file in tmp_path.glob("*report*")] == ["report.zip"]


@pytest.mark.parametrize("path", ["/home/ida/x.so", r"C:\Users\Ida\x.dll", "/opt/ü/x"])
def test_paths_are_taken_out_of_reasons(path: str) -> None:
    assert scrubbed(f"failed to load {path}: no such file") == "failed to load …: no such file"
