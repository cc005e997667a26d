"""Which of the models that are offered at the first start fit a machine."""

from __future__ import annotations

import pytest

from workbench.records.models import Device, Machine
from workbench.subjects.models.suggesting import fitting_offers, read_offers, recommended


def machine(memory: float, disk: float = 500, gpu: float = 0) -> Machine:
    """Sizes in GB."""
    devices = (Device(name="CPU", kind="cpu", memory_bytes=int(memory * 1e9)),)
    if gpu:
        devices += (Device(name="GPU0", kind="gpu", memory_bytes=int(gpu * 1e9)),)
    return Machine(
        processor="x", cores=8, memory_bytes=int(memory * 1e9), memory_free_bytes=int(memory * 1e9),
        disk_free_bytes=int(disk * 1e9), devices=devices,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("has", "best"),
    [
        (machine(4), "Qwen3 1.7B"),
        (machine(8), "Qwen3 4B"),
        (machine(64), "Qwen3 8B"),  # more would be slow without a GPU
        (machine(16, gpu=24), "Qwen3 14B"),
        (machine(64, gpu=2), "Qwen3 8B"),
        (machine(64, disk=3), "Qwen3 1.7B"),
    ],
)
def test_the_largest_that_fits_comes_first(has: Machine, best: str) -> None:
    assert fitting_offers(read_offers(), has)[0].title == best


def test_a_machine_with_little_memory_or_disk_is_offered_nothing() -> None:
    assert fitting_offers(read_offers(), machine(1)) == ()
    assert fitting_offers(read_offers(), machine(64, disk=1)) == ()


def test_what_is_offered_may_be_used_freely() -> None:
    offers = read_offers()
    assert {one.licence for one in offers.models} == {"apache-2.0"}
    assert len({one.repository for one in offers.models}) == len(offers.models)


@pytest.mark.parametrize(
    ("has", "fitting"), [(machine(4), 4), (machine(8), 5), (machine(16), 7), (machine(32), 9), (machine(64), 10)]
)
def test_what_does_not_fit_is_listed_with_the_reason(has: Machine, fitting: int) -> None:
    found = recommended(read_offers(), has)
    assert len(found.models) == 10
    assert [model.problem == "" for model in found.models] == [True] * fitting + [False] * (10 - fitting)
    assert all("half stays free" in model.problem for model in found.models[fitting:])
    assert found.best in {model.file for model in found.models[:fitting]}


def test_a_full_disk_is_the_reason_too() -> None:
    problems = [model.problem for model in recommended(read_offers(), machine(64, disk=3)).models]
    assert problems[-1] == "It needs 18.6 GB of disk. 3.0 GB are free."


def test_a_large_model_without_a_gpu_is_called_slow() -> None:
    slow = {model.title for model in recommended(read_offers(), machine(32)).models if model.slow}
    assert slow == {"Qwen3 14B", "gpt-oss 20B"}
    assert not any(model.slow for model in recommended(read_offers(), machine(32, gpu=24)).models[:9])
