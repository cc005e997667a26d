from __future__ import annotations

from typing import Any

import pytest

from workbench.calls import Device, Machine, ModelDetails, ModelRecord
from workbench.engine.fitting import cache_bytes, needed_bytes, plan_load
from workbench.engine.protocol import Load
from workbench.errors import UserError

GB = 10**9


def model(size: float = 4.0, architecture: str = "llama", trained: int = 32_768, **metadata: Any) -> ModelDetails:
    """A model like Llama 3 8B: 32 layers, 8 of 32 heads for the cache, 128 wide: 128 KiB of cache a token in f16."""
    values = {
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "feed_forward_length": 14_336,
        **{key.replace("__", "."): value for key, value in metadata.items()},
    }
    record = ModelRecord(
        name="Eight",
        kind="chat",
        format="gguf",
        path="/eight.gguf",
        architecture=architecture,
        parameters=8 * GB,
        quantization="Q4_K_M",
        context_tokens=trained,
        bytes=int(size * GB),
    )
    return ModelDetails(
        model=record,
        layers=32,
        embedding_length=4096,
        metadata={f"{architecture}.{key}": value for key, value in values.items()},
    )


def machine(free: float) -> Machine:
    return Machine(
        processor="A processor",
        cores=6,
        memory_bytes=int(free * GB),
        memory_free_bytes=int(free * GB),
        disk_free_bytes=0,
    )


def gpu(free: float) -> Device:
    return Device(name="G0", description="A GPU", kind="gpu", memory_bytes=24 * GB, free_bytes=int(free * GB))


CPU = Device(name="CPU", kind="cpu")


def test_plenty_of_memory_gives_the_automatic_context_and_a_thread_for_each_core() -> None:
    plan = plan_load(Load(path="x"), model(), machine(32), [CPU])
    assert (plan.context_tokens, plan.threads, plan.gpu_layers, plan.device) == (8192, 6, 0, "A processor")
    assert plan.choice == (
        "A context of 8,192 tokens (the model was made for 32,768); everything on the processor, as llama.cpp sees "
        "no GPU; one thread for each of 6 cores."
    )


def test_a_small_model_gets_its_whole_context() -> None:
    plan = plan_load(Load(path="x"), model(trained=2048), machine(32), [CPU])
    assert plan.context_tokens == 2048
    assert "full context of 2,048" in plan.choice


def test_little_memory_gives_a_shorter_context_that_fits() -> None:
    plan = plan_load(Load(path="x"), model(), machine(5.2), [CPU])
    assert 512 <= plan.context_tokens < 8192
    assert plan.context_tokens % 256 == 0
    assert needed_bytes(model(), plan.context_tokens, Load(path="x")) <= 5.2 * GB
    assert "more does not fit" in plan.choice


def test_a_model_that_cannot_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(UserError, match=r"Eight needs 4\.\d GB .* [0-3]\.\d GB are free") as refused:
        plan_load(Load(path="x"), model(), machine(4), [CPU])
    assert "smaller model" in refused.value.hint


def test_a_context_that_was_asked_for_is_kept_or_refused() -> None:
    plan = plan_load(Load(path="x", context_tokens=65_536), model(), machine(32), [CPU])
    assert plan.context_tokens == 65_536
    assert "answers may get worse" in plan.choice
    with pytest.raises(UserError, match="65,536"):
        plan_load(Load(path="x", context_tokens=65_536), model(), machine(12), [CPU])


@pytest.mark.parametrize(("kind", "bytes_a_token"), [("f16", 131_072), ("f32", 262_144), ("q8_0", 69_632)])
def test_the_cache_is_counted_to_the_byte(kind: str, bytes_a_token: int) -> None:
    assert cache_bytes(model(), 1000, kind) == 1000 * bytes_a_token


def test_layers_with_numbers_of_their_own_and_sliding_windows_are_counted() -> None:
    mixed = model(attention__head_count_kv=[8] * 16 + [0] * 16)
    assert cache_bytes(mixed, 1000, "f16") == 1000 * 131_072 // 2
    sliding = model(architecture="gemma3", attention__sliding_window=512)
    assert cache_bytes(sliding, 8192, "f16") < cache_bytes(model(), 8192, "f16") / 2


def test_all_layers_go_to_a_gpu_that_has_room_and_as_many_as_fit_to_a_small_one() -> None:
    whole = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(16)])
    assert (whole.gpu_layers, whole.device) == (33, "A GPU")
    part = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(4)])
    assert 0 < part.gpu_layers < 33
    assert "as many as fit" in part.choice
    none = plan_load(Load(path="x", gpu_layers=0), model(), machine(32), [CPU, gpu(16)])
    assert (none.gpu_layers, none.device) == (0, "A processor")
    some = plan_load(Load(path="x", gpu_layers=10), model(), machine(32), [CPU, gpu(16)])
    assert some.gpu_layers == 10


def test_a_q8_cache_needs_flash_attention() -> None:
    assert plan_load(Load(path="x", kv_type="q8_0"), model(), machine(32), [CPU]).flash_attention == "on"
    with pytest.raises(UserError, match="flash attention"):
        plan_load(Load(path="x", kv_type="q8_0", flash_attention="off"), model(), machine(32), [CPU])
