"""What other programs and optional packages this machine has for reading documents, as facts for a person."""

from __future__ import annotations

from workbench.base.errors import UserError
from workbench.reading.ocr import INSTALL, recognisers
from workbench.reading.old_office import find_libreoffice
from workbench.reading.tesseract import find_tesseract, installed_languages
from workbench.records.diagnosis import DOCUMENTS, OFFICE, RECOGNITION, Diagnosis, Fact, Section

_NO_RECOGNITION = f"Not installed: scanned pages and pictures are not read. {INSTALL}"
_ENGLISH_ONLY = "With English alone the umlauts and accents of other languages are read wrongly: install theirs, too."
_NO_OFFICE = "Not found: .doc, .xls and .ppt are not read. Install LibreOffice."


def diagnose_reading() -> Diagnosis:
    """Holds no path. Starts Tesseract once, for its version and languages."""
    facts = Fact(RECOGNITION, _recognition()), Fact(OFFICE, "found" if find_libreoffice() is not None else _NO_OFFICE)
    return Diagnosis(sections=(Section(DOCUMENTS, facts),))


def _recognition() -> str:
    found = recognisers()
    program = find_tesseract()
    unused = ""
    if program is not None and not any(one.program for one in found):
        try:
            installed_languages(program)
            unused = "Tesseract has no language data: install a language of it."
        except UserError as error:
            unused = f"Tesseract is there and does not run: {error.message}"
    if not found:
        return unused or _NO_RECOGNITION
    chosen = found[0]
    hint = _ENGLISH_ONLY if program is not None and chosen.program and chosen.description.endswith("(eng)") else unused
    return f"{chosen.description}. {hint}".removesuffix(". ") if hint else chosen.description
