"""The tiny models and their adapters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.tiny_adapters import adapters

__all__ = ["adapters"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch computes on one thread."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
