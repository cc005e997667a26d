"""Files with a password: opened with it, refused without it or with another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits
from workbench.reading.unlocking import FileLocked


@pytest.fixture(params=["pdf", "docx"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "pdf":
        return documents.write_pdf_with_password(tmp_path / "a.pdf", [documents.FACT], "sesame")
    return documents.write_docx_with_password(tmp_path / "a.docx", "A tower", [documents.FACT], "sesame")


def test_a_locked_file_opens_with_its_password_alone(locked: Path) -> None:
    with pytest.raises(FileLocked, match="protected by a password"):
        read_file(locked, ReadLimits())
    with pytest.raises(FileLocked, match="password is wrong"):
        read_file(locked, ReadLimits(), "open")
    assert documents.FACT in read_file(locked, ReadLimits(), "sesame").text


def test_a_damaged_locked_file_is_refused(tmp_path: Path) -> None:
    path = documents.write_docx_with_password(tmp_path / "a.docx", "A tower", [documents.FACT], "sesame")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"cannot be decrypted|damaged"):
        read_file(path, ReadLimits(), "sesame")
