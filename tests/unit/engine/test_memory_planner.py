from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.engine import memory_planner
from workbench.engine.inference_calls import Load
from workbench.engine.memory_formulas import cache_bytes
from workbench.engine.memory_planner import plan_load
from workbench.engine.offloading import Weights, weigh_tensors
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_pieces
from workbench.records.models import Device, Machine, ModelDetails, ModelRecord

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


def gpu(free: float, name: str = "A GPU", *, shared: bool = False) -> Device:
    return Device(
        name="G0", description=name, kind="gpu", memory_bytes=24 * GB, free_bytes=int(free * GB), shared=shared
    )


CPU = Device(name="CPU", kind="cpu")


def test_plenty_of_memory_gives_the_automatic_context_and_a_thread_for_each_core() -> None:
    plan = plan_load(Load(path="x"), model(), machine(32), [CPU])
    assert (plan.context_tokens, plan.threads, plan.gpu_layers, plan.device) == (8192, 6, 0, "A processor")
    assert plan.choice == (
        "A context of 8,192 tokens (the model was trained with 32,768); all layers on the processor, since llama.cpp "
        "sees no GPU; one thread for each of 6 cores."
    )


def test_a_small_model_gets_its_whole_context() -> None:
    plan = plan_load(Load(path="x"), model(trained=2048), machine(32), [CPU])
    assert plan.context_tokens == 2048
    assert "full trained context of 2,048" in plan.choice


def test_little_memory_gives_a_shorter_context_that_fits() -> None:
    plan = plan_load(Load(path="x"), model(), machine(5.2), [CPU])
    assert 512 <= plan.context_tokens < 8192
    assert plan.context_tokens % 256 == 0
    roomier = plan_load(Load(path="x"), model(), machine(5.5), [CPU])
    assert roomier.context_tokens - plan.context_tokens == pytest.approx(0.3 * GB / 131_072, abs=256)
    assert "the longest that fits" in plan.choice


def test_a_model_that_cannot_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(UserError, match=r"Eight needs 4\.\d GB .* [0-3]\.\d GB are free") as refused:
        plan_load(Load(path="x"), model(), machine(4), [CPU])
    assert "smaller model" in refused.value.hint


def test_a_context_that_was_asked_for_is_kept_or_refused() -> None:
    plan = plan_load(Load(path="x", context_tokens=65_536), model(), machine(32), [CPU])
    assert plan.context_tokens == 65_536
    assert "answers may degrade" in plan.choice
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


def test_a_window_of_every_layer_can_be_told_by_the_file() -> None:
    pattern = [True, False] * 16
    told = model(architecture="new", attention__sliding_window=512, attention__sliding_window_pattern=pattern)
    short = -(-(2 * 512 + 512) // 256) * 256
    assert cache_bytes(told, 8192, "f16") == (16 * short + 16 * 8192) * 4096


def test_all_layers_go_to_a_gpu_that_has_room_and_as_many_as_fit_to_a_small_one() -> None:
    whole = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(16)])
    assert (whole.gpu_layers, whole.device, whole.tensor_split) == (33, "A GPU", ())
    assert "all 33 layers on the GPU" in whole.choice
    part = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(4)])
    assert 0 < part.gpu_layers < 33
    assert "the most that fit" in part.choice
    more = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(5)])
    layer = 4 * GB / 33 + 8192 * 4096
    assert more.gpu_layers - part.gpu_layers == pytest.approx(GB / layer, abs=1)
    none = plan_load(Load(path="x", gpu_layers=0), model(), machine(32), [CPU, gpu(16)])
    assert (none.gpu_layers, none.device) == (0, "A processor")
    some = plan_load(Load(path="x", gpu_layers=10), model(), machine(32), [CPU, gpu(16)])
    assert some.gpu_layers == 10
    assert "10 of 33 layers on the GPU, as set" in some.choice


def test_layers_count_with_what_each_takes_and_the_output_layer_goes_first() -> None:
    """The last layers go to the GPU: one that is full of a huge output layer takes nothing else."""
    heavy = Weights(layers=(50_000_000,) * 32, output=2 * GB, input=GB)
    plan = plan_load(Load(path="x", context_tokens=512), model(), machine(32), [CPU, gpu(2.9)], heavy)
    assert 0 < plan.gpu_layers < 9
    light = Weights(layers=(50_000_000,) * 32, output=100_000_000, input=3 * GB)
    assert plan_load(Load(path="x", context_tokens=512), model(), machine(32), [CPU, gpu(2.9)], light).gpu_layers == 33


def test_a_gpu_that_is_too_small_for_anything_is_left_alone_with_the_reason() -> None:
    plan = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(0.3)])
    assert (plan.gpu_layers, plan.device) == (0, "A processor")
    assert "not one fits" in plan.choice
    assert "0.3 GB on A GPU" in plan.choice


def test_layers_that_were_asked_for_are_refused_with_how_many_would_fit() -> None:
    with pytest.raises(UserError, match=r"on A GPU for 33 of 33 layers") as refused:
        plan_load(Load(path="x", gpu_layers=99, context_tokens=8192), model(), machine(32), [CPU, gpu(4)])
    most = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(4)]).gpu_layers
    assert f"{most} layers on the GPU" in refused.value.hint
    assert plan_load(Load(path="x", gpu_layers=most), model(), machine(32), [CPU, gpu(4)]).gpu_layers == most
    with pytest.raises(UserError, match="sees no GPU"):
        plan_load(Load(path="x", gpu_layers=5), model(), machine(32), [CPU])


def test_a_refusal_does_not_try_every_context_with_every_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    attempt = memory_planner._Planner._try
    monkeypatch.setattr(memory_planner._Planner, "_try", lambda *those: tried.append(those) or attempt(*those))
    with pytest.raises(UserError, match=r"needs 22\.0 GB"):
        plan_load(Load(path="x", context_tokens=131_072), model(20.0, trained=131_072), machine(8), [CPU, gpu(2)])
    assert len(tried) < 500  # of 512 contexts with 34 numbers of layers


def test_a_refusal_names_a_context_and_a_cache_that_fit() -> None:
    with pytest.raises(UserError) as refused:
        plan_load(Load(path="x", context_tokens=16_384), model(), machine(6), [CPU])
    assert "the cache precision q8_0" in refused.value.hint
    context = int(refused.value.hint.partition("a context of ")[2].partition(" ")[0].replace(",", ""))
    assert plan_load(Load(path="x", context_tokens=context), model(), machine(6), [CPU]).context_tokens == context
    with pytest.raises(UserError):
        plan_load(Load(path="x", context_tokens=context + 256), model(), machine(6), [CPU])
    assert plan_load(Load(path="x", context_tokens=16_384, kv_type="q8_0"), model(), machine(6), [CPU])


def test_two_unequal_gpus_share_the_layers_by_their_free_memory() -> None:
    gpus = [CPU, gpu(8, "Big"), gpu(3, "Small")]
    plan = plan_load(Load(path="x"), model(), machine(32), gpus)
    assert plan.gpu_layers == 33
    assert sum(plan.tensor_split) == 33
    assert plan.tensor_split[0] > 2 * plan.tensor_split[1] > 0
    assert plan.device == "Big, Small"
    assert f"{plan.tensor_split[0]:.0f} on Big, {plan.tensor_split[1]:.0f} on Small" in plan.choice
    full = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(8, "Big"), gpu(0.3, "Tiny")])
    assert (full.gpu_layers, full.tensor_split) == (33, (33.0, 0.0))
    assert full.device == "Big"


def test_set_shares_and_a_main_gpu_are_kept_or_refused() -> None:
    gpus = [CPU, gpu(16, "One"), gpu(16, "Two")]
    plan = plan_load(Load(path="x", tensor_split=(3, 1)), model(), machine(32), gpus)
    assert plan.tensor_split == (25.0, 8.0)  # layer k of 33 goes to the first GPU while k / 33 < 3 / 4
    rows = plan_load(Load(path="x", split_mode="row", tensor_split=(3, 1)), model(), machine(32), gpus)
    assert rows.tensor_split == (0.75, 0.25)
    assert "75% on One, 25% on Two" in rows.choice
    alone = plan_load(Load(path="x", split_mode="none", main_gpu=1), model(), machine(32), gpus)
    assert (alone.device, alone.main_gpu, alone.tensor_split) == ("Two", 1, ())
    with pytest.raises(UserError, match="no GPU 2"):
        plan_load(Load(path="x", split_mode="none", main_gpu=2), model(), machine(32), gpus)
    with pytest.raises(UserError, match="do not match the 2 GPUs"):
        plan_load(Load(path="x", tensor_split=(1, 1, 1)), model(), machine(32), gpus)
    small = [CPU, gpu(16, "One"), gpu(1, "Two")]
    with pytest.raises(UserError, match="on Two for 33"):
        plan_load(Load(path="x", tensor_split=(1, 1), gpu_layers=33), model(), machine(32), small)


def test_memory_that_a_gpu_shares_with_the_machine_counts_once() -> None:
    roomy = plan_load(Load(path="x"), model(), machine(16), [CPU, gpu(16, shared=True)])
    assert roomy.gpu_layers == 33
    with pytest.raises(UserError, match="GB are free"):
        plan_load(Load(path="x", context_tokens=8192), model(), machine(4.5), [CPU, gpu(4.5, shared=True)])
    # the same free memory on a card of its own is more memory
    assert plan_load(Load(path="x", context_tokens=8192), model(), machine(4.5), [CPU, gpu(4.5)]).gpu_layers > 0


def test_an_integrated_gpu_is_left_alone_beside_a_card() -> None:
    plan = plan_load(Load(path="x"), model(), machine(32), [CPU, gpu(16, "Part", shared=True), gpu(16, "Card")])
    assert (plan.device, plan.tensor_split) == ("Card", ())


def test_sliding_windows_give_few_sequences_when_memory_is_short() -> None:
    sliding = model(architecture="gemma3", attention__sliding_window=512)
    roomy = plan_load(Load(path="x"), sliding, machine(32), [CPU])
    assert roomy.sequences == 32
    short = plan_load(Load(path="x"), sliding, machine(5.2), [CPU])
    assert (short.context_tokens, short.sequences) == (8192, 2)
    assert "2 parallel sequences instead of 32" in short.choice
    assert plan_load(Load(path="x"), model(), machine(5.2), [CPU]).sequences == 32


def test_deterministic_needs_two_contexts_with_whole_windows() -> None:
    sliding = model(architecture="gemma3", attention__sliding_window=512)
    plain = plan_load(Load(path="x"), sliding, machine(5.2), [CPU])
    same = plan_load(Load(path="x", deterministic=True), sliding, machine(5.2), [CPU])
    assert same.sequences == 32
    assert same.context_tokens < plain.context_tokens / 2
    with pytest.raises(UserError) as refused:
        plan_load(Load(path="x", deterministic=True, context_tokens=8192), model(), machine(6), [CPU])
    assert "deterministic answers off" in refused.value.hint


def test_the_tensors_of_a_file_are_weighed_to_the_byte(smollm_path: Path) -> None:
    details = describe_gguf(smollm_path)
    tensors = [tensor for piece in read_pieces(smollm_path) for tensor in piece.tensors]
    weights = weigh_tensors(details, tensors)
    assert len(weights.layers) == details.layers
    assert len(set(weights.layers)) <= 3
    assert weights.tied  # its output layer is its token embeddings
    assert weights.output > weights.input * 0.9
    assert 0 < details.model.bytes - weights.total < 4_000_000  # the rest is the vocabulary


def test_a_q8_cache_needs_flash_attention() -> None:
    assert plan_load(Load(path="x", kv_type="q8_0"), model(), machine(32), [CPU]).flash_attention == "on"
    with pytest.raises(UserError, match="flash attention"):
        plan_load(Load(path="x", kv_type="q8_0", flash_attention="off"), model(), machine(32), [CPU])


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
@pytest.mark.parametrize("sequences", [2, 32])
def test_the_cache_is_what_llama_cpp_makes_of_it(gemma_path: Path, sequences: int, kv_type: str) -> None:
    """gemma has sliding windows; the sizes are read from llama.cpp's own log."""
    from workbench.engine.library import llama, start_library

    said: list[str] = []
    listen = llama.llama_log_callback(lambda _level, text, _data: said.append(text.decode("utf-8", "replace")))
    usual = start_library()
    parameters = llama.llama_context_default_params()
    parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = 4096, 512, 512
    parameters.n_seq_max, parameters.kv_unified, parameters.swa_full = sequences, True, sequences > 2
    parameters.type_k = parameters.type_v = llama.GGML_TYPE_Q8_0 if kv_type == "q8_0" else llama.GGML_TYPE_F16
    parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
    model_pointer = llama.llama_model_load_from_file(str(gemma_path).encode(), llama.llama_model_default_params())
    llama.llama_log_set(listen, None)
    try:
        context = llama.llama_init_from_model(model_pointer, parameters)
    finally:
        llama.llama_log_set(usual.callback, None)
    llama.llama_free(context)
    llama.llama_model_free(model_pointer)
    sizes = re.findall(r"KV buffer size\s*=\s*([\d.]+) MiB", "".join(said))
    assert len(sizes) == 2
    ours = cache_bytes(describe_gguf(gemma_path), 4096, kv_type, sequences)
    assert sum(map(float, sizes)) == pytest.approx(ours / 2**20, abs=0.02)


@pytest.mark.timeout(20)
def test_a_huge_context_is_refused_at_once_with_the_longest_that_fits() -> None:
    for length in (2**31, 2**62):
        with pytest.raises(UserError, match=f"a context of {length:,} tokens; 15.7 GB are free") as refused:
            plan_load(Load(path="", context_tokens=length), model(), machine(16), [])
        (said,) = re.findall(r"a context of ([\d,]+) tokens", refused.value.hint)
        longest = int(said.replace(",", ""))
        assert plan_load(Load(path="", context_tokens=longest), model(), machine(16), []).context_tokens == longest
        with pytest.raises(UserError):
            plan_load(Load(path="", context_tokens=longest + 256), model(), machine(16), [])


def test_a_model_that_caches_nothing_has_no_context_beyond_what_llama_cpp_counts() -> None:
    cacheless = model(attention__head_count_kv=0)
    assert plan_load(Load(path="", context_tokens=2**31 - 1), cacheless, machine(16), []).context_tokens == 2**31 - 1
    with pytest.raises(UserError, match="tokens"):
        plan_load(Load(path="", context_tokens=2**32 + 512), cacheless, machine(16), [])
