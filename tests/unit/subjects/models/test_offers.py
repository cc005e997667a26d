"""Which of the models that are offered at the first start fit a machine."""

from __future__ import annotations

import pytest

from workbench.records.models import Device, Machine
from workbench.subjects.models.suggesting import fitting_offers, read_offers


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
