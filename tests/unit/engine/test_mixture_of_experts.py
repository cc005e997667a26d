"""A mixture of experts against torch: a tiny Qwen3 MoE with random weights, written as llama.cpp's converter does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import torch

from workbench.api.events import Finished
from workbench.api.protocol import RequestContext
from workbench.engine.fitting import active_parameters, bytes_per_token
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.engine.memory_planner import Plan
from workbench.gguf.architecture_notes import describe_kind
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_pieces
from workbench.records.recipes import DecodingPart
from workbench.workers.inference import InferenceServer

WORDS, WIDTH, HEADS, KV_HEADS, HEAD, INNER, LAYERS, EXPERTS, USED = 96, 64, 4, 2, 16, 32, 2, 8, 2
EPSILON, ROPE = 1e-6, 10_000.0


def make_model() -> Any:
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, head_dim=HEAD,
        num_key_value_heads=KV_HEADS, intermediate_size=INNER, moe_intermediate_size=INNER, num_experts=EXPERTS,
        num_experts_per_tok=USED, norm_topk_prob=True, rms_norm_eps=EPSILON, max_position_embeddings=512,
        tie_word_embeddings=False, rope_theta=ROPE,
    )  # fmt: skip
    model = Qwen3MoeForCausalLM(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                weight.normal_(std=0.4 if "lm_head" in name else weight.shape[-1] ** -0.5)
    return model


def write_model(model: Any, out: Path) -> Path:
    writer = gguf.GGUFWriter(out, "qwen3moe")
    writer.add_name("Tiny mixture")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_expert_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(USED)
    writer.add_rope_freq_base(ROPE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"<{number}>" for number in range(WORDS)])
    writer.add_token_types([gguf.TokenType.NORMAL] * WORDS)
    writer.add_token_merges(["< 1"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3MOE, LAYERS)
    for name, weight in model.state_dict().items():
        values = weight.numpy().astype(np.float32)
        if name.endswith("experts.gate_up_proj"):
            layer = name.split(".")[2]
            writer.add_tensor(f"blk.{layer}.ffn_gate_exps.weight", np.ascontiguousarray(values[:, :INNER]))
            writer.add_tensor(f"blk.{layer}.ffn_up_exps.weight", np.ascontiguousarray(values[:, INNER:]))
        elif name.endswith("experts.down_proj"):
            writer.add_tensor(f"blk.{name.split('.')[2]}.ffn_down_exps.weight", values)
        else:
            target = names.get_name(name.removesuffix(".weight"))
            assert target is not None, name
            writer.add_tensor(f"{target}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def test_the_most_probable_tokens_are_those_of_transformers(tmp_path: Path) -> None:
    model = make_model()
    path = write_model(model, tmp_path / "mixture.gguf")
    server = InferenceServer()
    try:
        load = Load(path=str(path), threads=1, kv_type="f32", flash_attention="off")
        assert isinstance(list(server.load(load, RequestContext()))[-1], Finished)
        for prompt in ((5, 6, 7), (40, 2, 9, 9, 31, 77), tuple(range(2, 60))):
            decoding = DecodingPart(temperature=0.0, max_tokens=24, repetition_penalty=1.0)
            (*_, last) = server.generate(Generate(prompt=prompt, decoding=decoding), RequestContext())
            assert isinstance(last, Finished)
            found = msgspec.convert(last.result, Generated).sequences[0]
            with torch.no_grad():
                made = model.generate(
                    torch.tensor([prompt]), max_new_tokens=24, do_sample=False, eos_token_id=1, pad_token_id=0
                )
            expected = made[0].tolist()[len(prompt) :]
            expected = expected[: expected.index(1)] if 1 in expected else expected
            assert found.tokens == tuple(expected)
    finally:
        server.leave()


def test_a_token_reads_the_experts_that_it_uses(tmp_path: Path) -> None:
    path = write_model(make_model(), tmp_path / "mixture.gguf")
    details = describe_gguf(path)
    tensors = [tensor for piece in read_pieces(path) for tensor in piece.tensors]
    experts = sum(tensor.elements for tensor in tensors if "_exps" in tensor.name)
    assert experts == LAYERS * EXPERTS * 3 * WIDTH * INNER
    whole = sum(tensor.elements for tensor in tensors)
    active = active_parameters(details, tensors)
    assert active == whole - experts + experts * USED // EXPERTS
    assert f"a token uses 2 of 8 experts, {active / 1e6:.1f} of {whole / 1e6:.1f} million" in describe_kind(
        details, active
    )
    plan = Plan(512, 0, 1, "off", "f32", "", "")
    # all are F32; the embeddings are read by the row
    assert bytes_per_token(details, tensors, plan) == 4 * (active - WORDS * WIDTH)
