"""The reader process: used again, ended when it must be, and never the end of the program."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import documents
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.reading import process
from workbench.reading.ocr import is_available
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits
from workbench.reading.unlocking import FileLocked
from workbench.workers.reader import LONGEST_LINE_TEXT

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


def needs_recognition() -> None:
    if not is_available():
        pytest.skip("neither Tesseract nor RapidOCR is installed on this machine")


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    started = ReaderProcess()
    yield started
    started.close()


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A page that the parser is busy with for longer than any test waits."""
    return documents.write_text(tmp_path / "slow.html", "<a " * 200_000)


def test_document_says_what_was_read(reader: ReaderProcess, tmp_path: Path) -> None:
    path = documents.write_pdf(tmp_path / "a.pdf", [["One."], ["Two."]], title="The title")
    document = reader.read(path)
    assert (document.kind, document.title, document.text) == ("pdf", "The title", "One.\n\nTwo.")
    assert (document.page_starts, document.bytes) == ((0, 6), path.stat().st_size)
    assert document.path == str(path)
    assert len(document.hash) == 64


def test_scanned_pages_are_recognised_within_the_limits_of_a_file(reader: ReaderProcess, tmp_path: Path) -> None:
    needs_recognition()
    path = documents.write_scanned_pdf(tmp_path / "scan.pdf", [["Notice: ninety days."], ["In writing."]])
    places: list[str] = []
    document = reader.read(path, report=places.append)
    assert document.text == "Notice: ninety days.\n\nIn writing."
    assert document.page_starts == (0, 22)
    assert document.warnings == ("Read by text recognition (OCR), which makes mistakes: pages 1-2.",)
    assert len(places) == 2
    with pytest.raises(errors.Cancelled):
        reader.read(path, cancelled=lambda: len(places) > 2, report=places.append)
    with pytest.raises(UserError, match="pages are pictures"):
        reader.read(path, ReadLimits(recognise=False))


def test_the_models_of_recognition_are_loaded_once_for_all_pages(
    reader: ReaderProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_recognition()
    monkeypatch.setattr(process, "LARGEST_IDLE_BYTES", 1)
    path = documents.write_scanned_pdf(tmp_path / "scan.pdf", [["Notice: ninety days."], ["In writing."]])
    pids: list[int] = []
    reader.read(path, report=lambda place: pids.append(reader.pid))
    assert pids[0] == 0  # that which had read the file was replaced
    assert pids[1] != 0
    assert reader.pid == 0


def test_a_locked_file_is_told_apart_and_read_with_its_password(reader: ReaderProcess, tmp_path: Path) -> None:
    path = documents.write_pdf_with_password(tmp_path / "a.pdf", [documents.FACT], "sesame")
    for password, reason in (("", "protected by a password"), ("open", "password is wrong")):
        with pytest.raises(FileLocked, match=reason):
            reader.read(path, password=password)
    assert reader.read(path, password="sesame").text == documents.FACT


def test_one_process_reads_many_files(reader: ReaderProcess, tmp_path: Path) -> None:
    paths = documents.write_all(tmp_path)
    pids = set()
    for path in paths:
        reader.read(path)
        pids.add(reader.pid)
    with pytest.raises(UserError):
        reader.read(tmp_path / "gone.txt")
    assert pids == {reader.pid}


def test_files_are_read_from_many_threads(reader: ReaderProcess, tmp_path: Path) -> None:
    paths = [documents.write_pdf(tmp_path / f"{n}.pdf", [[f"Number {n}."]]) for n in range(8)]
    read: dict[int, str] = {}

    def one(n: int) -> None:
        read[n] = reader.read(paths[n]).text

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == {n: f"Number {n}." for n in range(8)}


def test_long_text_crosses_whole_and_leaves_nothing(
    reader: ReaderProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text = "Ein Café 😀 \u2028 und\tmehr\n" * (LONGEST_LINE_TEXT // 20)
    path = documents.write_text(tmp_path / "long.txt", text.replace("\n", "\r\n"))
    assert reader.read(path).text == text
    reader.close()
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_takes_too_long_ends_its_process_only(reader: ReaderProcess, tmp_path: Path, slow: Path) -> None:
    good = documents.write_text(tmp_path / "good.txt", documents.FACT)
    reader.read(good)
    before = reader.pid
    with pytest.raises(UserError, match=r"^Reading took longer than 0\.5 s\."):
        reader.read(slow, ReadLimits(seconds=0.5))
    assert not psutil.pid_exists(before)
    assert reader.read(good).text == documents.FACT


def test_reading_is_cancelled_at_once(reader: ReaderProcess, tmp_path: Path, slow: Path) -> None:
    reader.read(documents.write_text(tmp_path / "good.txt", documents.FACT))
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    with pytest.raises(errors.Cancelled):
        reader.read(slow, cancelled=cancelled)
    assert asked == 4


@posix
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGSEGV, r"crashed \(SIGSEGV\)"),
        (signal.SIGKILL, r"needs more than 900 MB of memory"),
        (signal.SIGABRT, r"more than 900 MB of memory, or is damaged"),
    ],
)
def test_file_that_kills_the_process_has_its_reason(
    reader: ReaderProcess, tmp_path: Path, slow: Path, number: signal.Signals, reason: str
) -> None:
    good = documents.write_text(tmp_path / "good.txt", documents.FACT)
    asked = 0

    def cancelled() -> bool:
        """Asked before the file is sent, then while it is read: that is when its process is killed."""
        nonlocal asked
        asked += 1
        if asked == 4:  # the parser is at work, not being loaded
            os.kill(reader.pid, number)
        return False

    with pytest.raises(UserError, match=reason):
        reader.read(slow, cancelled=cancelled)
    assert reader.read(good).text == documents.FACT


@posix
def test_process_that_died_idle_is_replaced(reader: ReaderProcess, tmp_path: Path) -> None:
    good = documents.write_text(tmp_path / "good.txt", documents.FACT)
    reader.read(good)
    before = reader.pid
    os.kill(before, signal.SIGKILL)
    assert reader.read(good).text == documents.FACT
    assert reader.pid not in (0, before)


@posix
def test_file_in_a_used_process_that_dies_is_tried_again(reader: ReaderProcess, tmp_path: Path, slow: Path) -> None:
    reader.read(documents.write_text(tmp_path / "good.txt", documents.FACT))
    killed: list[int] = []

    def cancelled() -> bool:
        if not killed:
            killed.append(reader.pid)
            os.kill(reader.pid, signal.SIGSEGV)
        return False

    with pytest.raises(UserError, match=r"^Reading took longer than 1\.5 s"):
        reader.read(slow, ReadLimits(seconds=1.5), cancelled)
    assert len(killed) == 1


def test_process_that_has_grown_is_replaced(
    reader: ReaderProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = documents.write_text(tmp_path / "good.txt", documents.FACT)
    reader.read(good)
    before = reader.pid
    monkeypatch.setattr(process, "LARGEST_IDLE_BYTES", 1)
    assert reader.read(good).text == documents.FACT
    assert not psutil.pid_exists(before)
    assert reader.read(good).text == documents.FACT


def test_closed_reader_leaves_no_process(tmp_path: Path) -> None:
    reader = ReaderProcess()
    reader.read(documents.write_text(tmp_path / "good.txt", documents.FACT))
    worker = psutil.Process(reader.pid)
    reader.close()
    psutil.wait_procs([worker], timeout=10)
    assert not worker.is_running()


def test_page_is_drawn_with_its_passage(reader: ReaderProcess, tmp_path: Path) -> None:
    path = documents.write_pdf(tmp_path / "a.pdf", [["One."], ["Two, the second page.", "More."]])
    document = reader.read(path)
    start = document.text.index("second")
    picture = reader.draw_page(
        path, 2, 1.0, start=start, end=len(document.text), page_starts=document.page_starts, hash=document.hash
    )
    assert (picture.page, picture.pages, picture.width, picture.height) == (2, 2, 612, 792)
    assert picture.png.startswith(b"\x89PNG")
    assert len(picture.boxes) == 2
    before = reader.draw_page(path, 1, 1.0, start=start, end=start + 5, page_starts=document.page_starts)
    assert before.boxes == ()


def test_page_of_a_file_that_changed_is_not_drawn(reader: ReaderProcess, tmp_path: Path) -> None:
    path = documents.write_pdf(tmp_path / "a.pdf", [["One."]])
    document = reader.read(path)
    documents.write_pdf(path, [["Another."]])
    with pytest.raises(UserError, match="has changed since it was read"):
        reader.draw_page(path, 1, hash=document.hash)
    path.unlink()
    with pytest.raises(UserError, match="file is missing"):
        reader.draw_page(path, 1, hash=document.hash)
