"""Word documents with pictures in them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests import documents
from workbench.reading.embedded import LEAST_EMU

DOCUMENT = "word/document.xml"


def paragraph(text: str = "", inside: str = "") -> str:
    return f"<w:p><w:r><w:t>{text}</w:t>{inside}</w:r></w:p>"


def drawing(id: str, width: int = 3 * LEAST_EMU, height: int = 3 * LEAST_EMU, attribute: str = "r:embed") -> str:
    blip = f"<pic:pic xmlns:pic='p'><pic:blipFill><a:blip xmlns:a='a' {attribute}='{id}'/></pic:blipFill></pic:pic>"
    return f"<w:drawing><wp:inline xmlns:wp='w'><wp:extent cx='{width}' cy='{height}'/>{blip}</wp:inline></w:drawing>"


def docx(path: Path, body: str, **media: bytes) -> Path:
    """A Word document with pictures by the ids of their relations."""
    content = documents.with_prefixes(f"<w:body>{body}</w:body>")
    documents.write_package(path, DOCUMENT, "x", {DOCUMENT: f"<document>{content}</document>"})
    with zipfile.ZipFile(path, "a") as archive:
        for id, data in media.items():
            archive.writestr(f"word/media/{id}.png", data)
        links = "".join(f"<Relationship Id='{id}' Type='http://x/image' Target='media/{id}.png'/>" for id in media)
        far = "<Relationship Id='far' Type='http://x/image' Target='http://10.0.0.1/a.png' TargetMode='External'/>"
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{links}{far}</Relationships>")
    return path
