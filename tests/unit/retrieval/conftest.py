"""An index of a collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.retrieval.fakes import FakeEmbedder
from workbench.techniques.retrieval.index import CollectionIndex


@pytest.fixture
def index(tmp_path: Path) -> Iterator[CollectionIndex]:
    embedder = FakeEmbedder()
    opened = CollectionIndex(tmp_path / "c.sqlite")
    opened.record_embedder(embedder.fingerprint, embedder.dimensions)
    yield opened
    opened.close()
