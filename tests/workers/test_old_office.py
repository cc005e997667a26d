"""Office files of before 2007: converted by LibreOffice where it is, or a sentence that says what is missing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.processes.outside_program import ProgramFailed, run_program
from workbench.reading import old_office
from workbench.reading.archive import OLE
from workbench.reading.old_office import _remove_socket, find_libreoffice
from workbench.reading.process import ReaderProcess
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits


@pytest.mark.parametrize(
    ("name", "sentence", "hint"),
    [
        ("a.doc", "This is a Word 97 document.", "Install LibreOffice, or save it as .docx."),
        ("a.XLS", "This is an Excel 97 workbook.", "Install LibreOffice, or save it as .xlsx."),
        ("a.ppt", "This is a PowerPoint 97 presentation.", "Install LibreOffice, or save it as .pptx."),
    ],
)
def test_without_libreoffice_a_sentence_says_so(
    name: str, sentence: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_office, "find_libreoffice", lambda: None)
    streams = "WordDocument Workbook PowerPoint Document".encode("utf-16-le")
    (tmp_path / name).write_bytes(OLE + bytes(500) + streams + bytes(500))
    with pytest.raises(UserError) as told:
        read_file(tmp_path / name, ReadLimits())
    assert (told.value.message, told.value.hint) == (sentence, hint)


def test_another_type_under_an_old_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_bytes(b"%PDF-1.7 and so on")
    with pytest.raises(UserError, match=r"named \.doc but is a PDF"):
        read_file(tmp_path / "a.doc", ReadLimits())


def as_old_file(path: Path, kind: str) -> Path:
    """The file converted to an old format, by LibreOffice itself."""
    program = find_libreoffice()
    if program is None:
        pytest.skip("LibreOffice is not installed on this machine")
    folder = path.parent
    command = [
        str(program), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", kind,
        "--outdir", str(folder), str(path),
    ]  # fmt: skip
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    for is_last in (False, True):  # a new profile starts it twice
        try:
            run_program(command, folder=folder, seconds=60.0, memory_mb=2_000, environment=environment)
        except ProgramFailed:
            assert not is_last
        finally:
            _remove_socket(folder / "profile")
    return path.with_suffix(f".{kind}")


def write_workbook(path: Path) -> Path:
    return documents.write_xlsx(path, [["Name", "Metres"], ["Übermaß", "24"]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "write", "text"),
    [
        ("doc", lambda path: documents.write_docx(path, "Pflichten", ["Die Miete ist übermäßig."]), "übermäßig"),
        ("xls", write_workbook, "Übermaß"),
        ("ppt", lambda path: documents.write_pptx(path, [("Preise", "Zwölf Euro.")]), "Zwölf Euro."),
    ],
)
def test_an_old_file_is_read(
    kind: str, write: Callable[[Path], Path], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_old_file(write(tmp_path / f"new.{kind}x"), kind)
    assert path.read_bytes().startswith(OLE)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    reader = ReaderProcess()
    try:
        document = reader.read(path)
    finally:
        reader.close()
    assert (document.kind, text in document.text) == (kind, True)
    assert set(tmp_path.iterdir()) == before
