"""The one list of formats: what the reader reads is what a person is told."""

from __future__ import annotations

from typing import get_args

import pytest

from workbench.reading.kinds import CONVERTED, REFUSED, kind_of
from workbench.records.document_formats import (
    DRAWN,
    FORMATS,
    DocumentFormat,
    Kind,
    file_patterns,
    format_sentence,
)


@pytest.mark.parametrize("one", FORMATS, ids=[one.kind for one in FORMATS])
def test_the_reader_knows_each_format_by_its_extensions(one: DocumentFormat) -> None:
    for extension in one.extensions:
        assert extension == extension.lower()
        assert kind_of(f"a{extension}") == one.kind
        assert f"*{extension}" in file_patterns().split()


def test_each_kind_is_listed_once_or_refused() -> None:
    extensions = [extension for one in FORMATS for extension in one.extensions]
    assert len(extensions) == len(set(extensions))
    assert {one.kind for one in FORMATS} | {*REFUSED} == {*get_args(Kind)}
    assert {one.kind for one in FORMATS if one.needs == "office"} == {*CONVERTED}
    assert {*DRAWN} <= {one.kind for one in FORMATS}


def test_a_person_is_told_of_all_formats_and_what_some_need() -> None:
    told = format_sentence()
    assert all(one.title in told for one in FORMATS)
    assert told.startswith("Supported: PDF, Word, PowerPoint,")
    assert "pictures are read where text recognition is installed" in told
    assert "Word 97, Excel 97 and PowerPoint 97 where LibreOffice is." in told
