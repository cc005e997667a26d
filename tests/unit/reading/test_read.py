"""The titles of texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.rst", "PEP: 8\nTitle: Style Guide\nAuthor: A,\n        B\n\nAbstract\n========\n\nText.", "Style Guide"),
        ("a.rst", "PEP: 8\nAuthor: A,\n        B\ntitle: Style\n\nAbstract\n========\n", "Style"),
        ("a.md", '---\nlayout: page\ntitle: "House rules"\n---\n# Rules\n', "House rules"),
        ("a.md", "# Rules\n\nTitle: none\n", "Rules"),
        ("a.rst", "Abstract\n========\n\nTitle: none\n", "Abstract"),
    ],
)
def test_a_title_among_the_fields_at_the_top_is_the_title(tmp_path: Path, name: str, text: str, title: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_file(tmp_path / name, ReadLimits()).title == title
