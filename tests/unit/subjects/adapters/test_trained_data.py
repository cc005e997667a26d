"""What is known of the data of an adapter whose fingerprints are not there."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.api.protocol import RequestContext
from workbench.base.errors import WorkerDied
from workbench.records.evaluation import Column, NumberedQuestion, QuestionRow
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.records.training import FINGERPRINTS, AdapterRecord, QuestionFingerprints, TrainingConfig
from workbench.records.training.config import DataPart
from workbench.subjects.adapters.store import ADAPTER_FILE, AdapterStore
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.training.protocol import BaseModel


class FakeBases:
    def with_paths(self, config: TrainingConfig) -> TrainingConfig:
        return config

    def model(self, name: str) -> ModelRecord:
        return ModelRecord(
            name=name, kind="chat", format="gguf", path=f"/models/{name}.gguf", architecture="llama", parameters=1,
            quantization="F16", context_tokens=1, bytes=1,
        )  # fmt: skip

    def worker_model(self, model: ModelRecord) -> BaseModel:
        return BaseModel(name=model.name, path=model.path)


class FakeWorkers:
    """Whose worker dies with ``death``, or answers that there is nothing."""

    def __init__(self, death: Exception | None) -> None:
        self._death = death

    @contextlib.contextmanager
    def shared(self) -> Iterator[Any]:
        yield self

    def call(self, call: Any, *, context: RequestContext) -> QuestionFingerprints:
        if self._death is not None:
            raise self._death
        return QuestionFingerprints()


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    store = AdapterStore(tmp_path / "adapters")
    card = AdapterRecord(
        name="a", kind="lora", file=ADAPTER_FILE, base="m", examples=3,
        config=TrainingConfig(data=DataPart(path="/data.jsonl")),
    )  # fmt: skip
    store.publish(card, lambda folder: (folder / ADAPTER_FILE).write_bytes(b"w") and None)
    return store


def unknown(store: AdapterStore, death: Exception | None) -> tuple[str, ...]:
    data = TrainedData(store, FakeBases(), FakeWorkers(death))  # type: ignore[arg-type]
    column = Column(name="c", recipe=Recipe(model=ModelPart(name="m", adapters=(AdapterUse(name="a"),))))
    asked = [
        NumberedQuestion(number=1, split="tune", question=QuestionRow(messages=(Message(role="user", content="Who?"),)))
    ]
    [found] = data.trained_before([column], asked, RequestContext())
    return found.unknown


def test_a_worker_that_dies_leaves_the_data_unknown_and_the_evaluation_alive(store: AdapterStore) -> None:
    assert unknown(store, WorkerDied("training", -9)) == ("a",)


def test_fingerprints_are_kept_whole_or_not_at_all(store: AdapterStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def fill_disk(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill_disk)
        assert unknown(store, None) == ()
    assert FINGERPRINTS.load(store.fingerprints("a")) is None
    assert unknown(store, None) == ()
    assert isinstance(FINGERPRINTS.load(store.fingerprints("a")), QuestionFingerprints)
