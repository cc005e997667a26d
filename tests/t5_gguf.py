"""A tiny T5 with random weights: as transformers computes it, and written as llama.cpp's converter writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

SPECIAL = ["<pad>", "</s>", "<unk>"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:;?!-'\"{}[]()"
WORDS = [
    *(f"\u2581{word}" for word in ("the", "of", "and", "a", "to", "in", "is")),
    "th",
    "er",
    "on",
    "an",
    "re",
    "he",
    "in",
]
PIECES = [*SPECIAL, "\u2581", *LETTERS, *LETTERS[:26].upper(), *WORDS]
CONTEXT, WIDTH, HEADS, HEAD, INNER, LAYERS, BUCKETS = 512, 64, 4, 16, 96, 2, 32


def make_t5(*, gated: bool = True, seed: int = 0) -> Any:
    """A torch T5ForConditionalGeneration; ``gated``: as T5 1.1 and Flan-T5 have it, with a head of its own."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=len(PIECES), d_model=WIDTH, d_kv=HEAD, d_ff=INNER, num_layers=LAYERS, num_decoder_layers=LAYERS,
        num_heads=HEADS, relative_attention_num_buckets=BUCKETS, dropout_rate=0.0, decoder_start_token_id=0,
        feed_forward_proj="gated-gelu" if gated else "relu", tie_word_embeddings=False, initializer_factor=1.0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        # wide differences between the tokens' logits, which no order of sums turns round; small embeddings, so that the
        # layers decide and an untrained model does not repeat its input
        model.lm_head.weight = torch.nn.Parameter(0.4 * torch.randn(len(PIECES), WIDTH))
        model.shared.weight.normal_(std=0.1)
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and "shared" not in name and "lm_head" not in name and "bias" not in name:
                weight.normal_(std=weight.shape[1] ** -0.5)
            elif "relative_attention_bias" in name:
                weight.normal_(std=1.0)
    return model


def write_t5(model: Any, out: Path) -> Path:
    """The model as GGUF, matrices as F32."""
    config = model.config
    writer = gguf.GGUFWriter(out, "t5")
    writer.add_name("Tiny T5")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.d_model)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_block_count(config.num_layers)
    writer.add_decoder_block_count(config.num_decoder_layers)
    writer.add_head_count(config.num_heads)
    writer.add_key_length(config.d_kv)
    writer.add_value_length(config.d_kv)
    writer.add_relative_attn_buckets_count(config.relative_attention_num_buckets)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    writer.add_decoder_start_token_id(config.decoder_start_token_id)
    writer.add_file_type(0)
    kinds = [gguf.TokenType.CONTROL, gguf.TokenType.CONTROL, gguf.TokenType.UNKNOWN]
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(PIECES)
    writer.add_token_scores([0.0 if place < 3 else -float(place) / 8 for place in range(len(PIECES))])
    writer.add_token_types([*kinds, *[gguf.TokenType.NORMAL] * (len(PIECES) - 3)])
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(True)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.T5, max(config.num_layers, config.num_decoder_layers))
    for name, weight in model.state_dict().items():
        if name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"):
            continue
        target = names.get_name(name.removesuffix(".weight"))
        assert target is not None, name
        writer.add_tensor(f"{target}.weight", weight.numpy().astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
