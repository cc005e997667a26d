"""A BERT model written as GGUF, as llama.cpp's converter does it."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file


def write_bert(folder: Path, out: Path, head: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None) -> Path:
    """A sentence-transformers BERT as llama.cpp's converter writes it. ``head``: weight (1, width) and bias (1,)."""
    config = json.loads((folder / "config.json").read_text())
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    writer = gguf.GGUFWriter(out, "bert")
    writer.add_name("MiniLM")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.RANK if head else gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    tokens = sorted(words, key=words.__getitem__)
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t if t in special else t[2:] if t.startswith("##") else "\u2581" + t for t in tokens])
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_bos_token_id(words["[CLS]"])
    writer.add_sep_token_id(words["[SEP]"])
    writer.add_pad_token_id(words["[PAD]"])
    writer.add_unk_token_id(words["[UNK]"])
    writer.add_mask_token_id(words["[MASK]"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for name, weight in load_file(folder / "model.safetensors").items():
        stem, _, end = name.rpartition(".")
        if end == "position_ids" or stem.startswith("pooler"):
            continue
        writer.add_tensor(f"{names.get_name(stem)}.{end}", weight.astype(np.float32))
    if head:
        writer.add_tensor("cls.output.weight", head[0])
        writer.add_tensor("cls.output.bias", head[1])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
