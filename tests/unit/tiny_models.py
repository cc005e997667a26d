"""Tiny models of random weights, in torch and as the GGUF file that llama.cpp's converter would make of them.

The order of rows is written down here a second time, head by head, so that the bridge's is not tested with itself;
that llama.cpp then computes what torch does shows that it is the right one.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.engine.library import llama, start_library
from workbench.engine.virtual_tokens import read_virtual_tokens

Floats = NDArray[np.float32]

VOCABULARY, WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, INNER = 96, 64, 2, 4, 2, 16, 96
EXPERTS = 3
TOKENS = (5, 17, 3, 80, 41, 2, 63, 9, 30, 55, 71, 12)
GEMMAS = ("gemma", "gemma2", "gemma3")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


WINDOW, EVERY = 32, {"gemma2": 2, "gemma3": 6}
"""How far the layers look back, but for one in so many."""


def build(family: str, *, seed: int = 0, every: int = 0) -> Any:
    """A torch model: llama, qwen3moe (untied), qwen2 (untied, biases), gemma, gemma2, gemma3 (tied), gpt2 (tied,
    Conv1D). ``every``: one layer in so many looks back without end; 0: as the family has it."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    shape = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": 64,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    torch.manual_seed(seed)
    if family == "llama":
        config = transformers.LlamaConfig(**shape)
        model = transformers.LlamaForCausalLM(config)
    elif family == "qwen2":
        config = transformers.Qwen2Config(**shape)
        model = transformers.Qwen2ForCausalLM(config)
    elif family == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=VOCABULARY, n_embd=WIDTH, n_inner=INNER, n_layer=LAYERS, n_head=HEADS, n_positions=64,
            bos_token_id=0, eos_token_id=1,
        )  # fmt: skip
        model = transformers.GPT2LMHeadModel(config)
    elif family == "qwen3moe":
        mixture = {"moe_intermediate_size": 48, "num_experts": EXPERTS, "num_experts_per_tok": 2}
        config = transformers.Qwen3MoeConfig(**shape, **mixture, head_dim=HEAD, norm_topk_prob=True)
        model = transformers.Qwen3MoeForCausalLM(config)
    elif family == "gemma":
        config = transformers.GemmaConfig(**shape, head_dim=HEAD, tie_word_embeddings=True)
        model = transformers.GemmaForCausalLM(config)
    else:
        every = every or EVERY[family]
        shape |= {
            "head_dim": HEAD,
            "query_pre_attn_scalar": HEAD,
            "sliding_window": WINDOW,
            "tie_word_embeddings": True,
            "layer_types": ["sliding_attention" if (i + 1) % every else "full_attention" for i in range(LAYERS)],
        }
        if family == "gemma2":
            model = transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**shape, attn_implementation="eager"))
        else:
            model = transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**shape))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.3 if parameter.ndim > 1 else 0.2))
    return model.eval()


def pairs_of_halves(weights: Floats, heads: int) -> Floats:
    """The rows of each head (first half, second half) as neighbouring pairs, one row after the other."""
    size = len(weights) // heads
    rows = [
        weights[head * size + half * (size // 2) + place]
        for head in range(heads)
        for place in range(size // 2)
        for half in (0, 1)
    ]
    return np.stack(rows)


def write_gguf(
    model: Any, family: str, path: Path, pack: Callable[[str], str] = lambda name: "F32", *, tokenizer: str = "none"
) -> Path:
    """The model as GGUF, with a vocabulary that nobody reads. ``pack`` chooses a weight's number format by its name."""
    writer = gguf.GGUFWriter(path, family)
    writer.add_name(f"tiny {family}")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    if family == "gpt2":
        writer.add_layer_norm_eps(model.config.layer_norm_epsilon)
    else:
        writer.add_head_count_kv(KV_HEADS)
        writer.add_key_length(HEAD)
        writer.add_value_length(HEAD)
        writer.add_rope_dimension_count(HEAD)
        writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
        writer.add_rope_freq_base(1_000_000.0 if family == "gemma3" else 10_000.0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(0)
    if family == "gemma2":
        writer.add_attn_logit_softcapping(model.config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(model.config.final_logit_softcapping)
    if family in EVERY:
        writer.add_sliding_window(WINDOW)
        whole = [layer for layer, kind in enumerate(model.config.layer_types, 1) if kind == "full_attention"]
        writer.add_sliding_window_pattern(whole[0] if whole else EVERY[family])
    if family == "qwen3moe":
        writer.add_expert_count(EXPERTS)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(48)
    writer.add_tokenizer_model(tokenizer)
    writer.add_array("tokenizer.ggml.tokens", [f"<{number}>" for number in range(VOCABULARY)])
    if tokenizer == "gpt2":
        writer.add_array("tokenizer.ggml.merges", ["< 1"])
        writer.add_array("tokenizer.ggml.token_type", [1] * VOCABULARY)
    names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[family], LAYERS)
    state = dict(model.state_dict())
    for name in [name for name in state if name.endswith("experts.gate_up_proj")]:
        gate, up = state.pop(name).chunk(2, dim=1)
        state |= {name.replace("gate_up", "gate"): gate, name.replace("gate_up", "up"): up}
    for name, parameter in state.items():
        if name == "lm_head.weight" and family in (*GEMMAS, "gpt2"):
            continue
        weights = parameter.detach().float().numpy()
        if family == "llama" and name.endswith("q_proj.weight"):
            weights = pairs_of_halves(weights, HEADS)
        if family == "llama" and name.endswith("k_proj.weight"):
            weights = pairs_of_halves(weights, KV_HEADS)
        if family in GEMMAS and name.endswith("norm.weight"):
            weights = weights + 1
        if family == "gpt2" and ".c_" in name and weights.ndim == 2:
            weights = weights.T
        target = names.get_name(name.removeprefix("transformer."), try_suffixes=(".weight", ".bias"))
        assert target is not None, name
        if name.endswith("_proj"):  # packed experts are parameters, not layers
            target = f"{target}.weight"
        kind = gguf.GGMLQuantizationType["F32" if weights.ndim == 1 else pack(target)]
        packed = gguf.quants.quantize(np.ascontiguousarray(weights), kind)
        writer.add_tensor(target, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def torch_logits(model: Any, tokens: Sequence[int] = TOKENS) -> Floats:
    """The logits at all positions, (tokens, vocabulary)."""
    import torch

    with torch.no_grad():
        found: Floats = model(input_ids=torch.tensor([list(tokens)])).logits[0].float().numpy()
    return found


def llama_logits(
    path: Path,
    tokens: Sequence[int] = TOKENS,
    adapter: Path | None = None,
    scale: float = 1.0,
    prompt: Path | None = None,
) -> Floats:
    """The logits at all positions as llama.cpp computes them, with float32 for what it keeps; ``prompt`` is a soft
    prompt or a prefix that stands before them."""
    start_library()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    assert model, path
    try:
        options = llama.llama_context_default_params()
        options.n_ctx = options.n_batch = options.n_ubatch = 64
        options.type_k = options.type_v = 0
        options.flash_attn_type = 0
        options.n_threads = options.n_threads_batch = 1
        context = llama.llama_init_from_model(model, options)
        if adapter is not None:
            lora = llama.llama_adapter_lora_init(model, str(adapter).encode())
            assert lora, adapter
            pointers = (llama.llama_adapter_lora_p_ctypes * 1)(lora)
            assert llama.llama_set_adapters_lora(context, pointers, 1, (ctypes.c_float * 1)(scale)) == 0
        before = 0
        if prompt is not None:
            virtual = read_virtual_tokens(prompt)
            virtual.put(context)
            before = virtual.count
        batch = llama.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, before + place
            batch.n_seq_id[place], batch.seq_id[place][0], batch.logits[place] = 1, 0, 1
        assert llama.llama_decode(context, batch) == 0
        width = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
        found = np.ctypeslib.as_array(llama.llama_get_logits(context), (len(tokens), width)).copy()
        llama.llama_batch_free(batch)
        llama.llama_free(context)
    finally:
        llama.llama_model_free(model)
    return found


def with_adapter(model: Any, config: Any, *, seed: int = 7) -> Any:
    """The model with an adapter of random weights that count."""
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft 0.21 asks transformers 5 for what it renamed; tied layers are warned of
        adapted = peft.get_peft_model(model, config)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_magnitude" in name or "ia3_l" in name:
                parameter.mul_(1 + 0.3 * torch.randn_like(parameter))
            elif "vera_lambda" in name:
                parameter.copy_(torch.randn_like(parameter))
            elif any(part in name for part in ("lora_", "oft_")):
                parameter.copy_(torch.randn_like(parameter) * 0.1)
            elif any(part in name for part in ("hada_", "lokr_", "miss_")):
                parameter.copy_(torch.randn_like(parameter) * 0.2)
    return adapted.eval()


def read_tensors(path: Path) -> Mapping[str, Floats]:
    """All tensors of a GGUF file as float32, by ``gguf``'s own reader."""
    reader = gguf.GGUFReader(path)
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(tuple(reversed(tensor.shape)))
        for tensor in reader.tensors
    }


def write_split(path: Path, folder: Path, stem: str) -> list[Path]:
    """A GGUF model as two files, with all of its metadata in the first."""
    reader = gguf.GGUFReader(path)
    middle = len(reader.tensors) // 2
    made = []
    for number, tensors in enumerate((reader.tensors[:middle], reader.tensors[middle:])):
        made.append(folder / f"{stem}-{number + 1:05}-of-00002.gguf")
        writer = gguf.GGUFWriter(made[-1], str(reader.fields["general.architecture"].contents()))
        for key, field in reader.fields.items() if number == 0 else ():
            if not key.startswith("GGUF.") and key != "general.architecture":
                kind, *inner = field.types
                writer.add_key_value(key, field.contents(), kind, inner[-1] if inner else None)
        writer.add_key_value("split.no", number, gguf.GGUFValueType.UINT16)
        writer.add_key_value("split.count", 2, gguf.GGUFValueType.UINT16)
        writer.add_key_value("split.tensors.count", len(reader.tensors), gguf.GGUFValueType.INT32)
        for tensor in tensors:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return made
