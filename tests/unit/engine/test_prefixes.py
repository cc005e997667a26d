"""Which states are kept, without a model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from workbench.engine import prefixes
from workbench.engine.prefixes import PrefixStore

LONG = list(range(1700))
SHORT = LONG[:700]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> PrefixStore:
    def get_data(context: Any, data: Any, size: int, sequence: int) -> int:
        return size

    library = SimpleNamespace(
        llama_state_seq_get_size=lambda context, sequence: 1000, llama_state_seq_get_data=get_data
    )
    monkeypatch.setattr(prefixes, "llama", library)
    monkeypatch.setattr(prefixes, "read_memory", lambda: (8 << 30, 4 << 30))
    return PrefixStore(1 << 20)


def held(store: PrefixStore) -> list[int]:
    lengths = []
    store.find((), lambda state: lengths.append(len(state.tokens)) or 0)  # type: ignore[func-returns-value]
    return lengths


def test_a_state_that_can_be_gone_back_in_stands_for_its_beginnings(store: PrefixStore) -> None:
    store.save(None, 0, (), SHORT, 0, 0)
    store.save(None, 0, (), LONG, 0, 0)
    assert held(store) == [1700]
    store.save(None, 0, (), SHORT, 0, 0)
    assert held(store) == [1700]


def test_a_state_whose_window_begins_later_does_not(store: PrefixStore) -> None:
    store.save(None, 0, (), LONG, 1100, 0)
    store.save(None, 0, (), SHORT, 100, 0)
    assert held(store) == [1700, 700]
    store.save(None, 0, (), [*LONG, 7], 1101, 0)
    assert held(store) == [1700, 700, 1701]
    assert store.size <= store.capacity


def test_no_state_takes_memory_that_is_not_free(store: PrefixStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(None, 0, (), SHORT, 0, 0)
    size = store.size
    monkeypatch.setattr(prefixes, "read_memory", lambda: (8 << 30, prefixes.LEFT_FREE + 5000))
    store.save(None, 0, (1,), SHORT, 0, 0)  # there is no room beside the first one, only in its place
    assert (len(store), store.size) == (1, size)
    monkeypatch.setattr(prefixes, "read_memory", lambda: (8 << 30, 0))
    assert not store.would_hold(None, 0, len(LONG))
    store.save(None, 0, (2,), LONG, 0, 0)
    assert (len(store), store.size) == (1, size)
