"""What the diagnosis says of text recognition and of LibreOffice."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.reading import ocr, other_programs, tesseract
from workbench.reading.ocr import Recogniser
from workbench.reading.other_programs import diagnose_reading
from workbench.records.diagnosis import DOCUMENTS, OFFICE, RECOGNITION

TESSERACT = Recogniser("tesseract", 2340, Path("/opt/tesseract"))


def facts() -> tuple[str, str]:
    found = diagnose_reading()
    return found.fact(DOCUMENTS, RECOGNITION), found.fact(DOCUMENTS, OFFICE)


@pytest.mark.parametrize(
    ("languages", "recognisers", "said"),
    [
        (("deu", "eng"), (TESSERACT, Recogniser("rapidocr", 1600)), "Tesseract 5.5.0 (deu, eng)"),
        (("eng",), (TESSERACT,), "Tesseract 5.5.0 (eng). With English alone the umlauts and accents"),
        ((), (Recogniser("rapidocr", 1600),), "RapidOCR. Tesseract has no language data"),
        ((), (), "Tesseract has no language data: install a language of it."),
    ],
)
def test_the_recogniser_and_what_is_missing_are_said(
    languages: tuple[str, ...], recognisers: tuple[Recogniser, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (tesseract, other_programs):
        monkeypatch.setattr(module, "installed_languages", lambda program: languages)
    monkeypatch.setattr(tesseract, "installed_version", lambda program: "5.5.0")
    monkeypatch.setattr(other_programs, "find_tesseract", lambda: Path("/opt/tesseract"))
    monkeypatch.setattr(other_programs, "recognisers", lambda: recognisers)
    assert facts()[0].startswith(said)
    assert "/opt" not in diagnose_reading().text()


def test_without_either_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_programs, "recognisers", tuple)
    monkeypatch.setattr(other_programs, "find_tesseract", lambda: None)
    monkeypatch.setattr(other_programs, "find_libreoffice", lambda: None)
    recognition, office = facts()
    assert recognition == f"Not installed: scanned pages and pictures are not read. {ocr.INSTALL}"
    assert office == "Not found: .doc, .xls and .ppt are not read. Install LibreOffice."
