"""The layouts of encoders: of the tensors of a transformers folder, those that each tensor of llama.cpp is made of.

The names on the left of each table are llama.cpp's (gguf-py's ``TENSOR_NAMES``), on the right transformers'. The word
vectors are not among them: they stay in the folder (see ``embedder_file``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.gguf.sentence_folder import NotForEngineError, whole_number

Config = dict[str, Any]
Tables = tuple[dict[str, str], dict[str, str]]
"""Of the whole model, and of each layer with ``#`` for its number. Names joined by "+" are put together, row by row."""

ZEROS = ""
"""In place of a tensor: a row of zeros."""

_GELU = ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python")
_UNUSED = ("pooler.", "cls.", "lm_head.", "head.", "decoder.", "vocab_", "classifier.")
"""Layers behind the last hidden state, which an embedder does not use."""


@dataclass(frozen=True)
class Layout:
    """``numbers`` are the metadata without the architecture's name in front. ``words`` is the name of the word vectors.
    ``tensors``: names of the folder by llama.cpp's name; ``ZEROS`` among them stands for a row of zeros.
    ``first_position``: the row of the position vectors that belongs to the first token; ``positions``: the number of
    tokens that there are positions for."""

    architecture: str
    numbers: Mapping[str, int | float | bool]
    words: str
    tensors: Mapping[str, tuple[str, ...]]
    first_position: int
    positions: int


def layout_of(config: Config, names: Collection[str], pooling: int) -> Layout:
    """The layout of a model by its config.json, the names of its tensors and llama.cpp's number of its pooling.

    Raises NotForEngineError where llama.cpp does not compute the model, or not as transformers does.
    """
    kind = str(config.get("model_type"))
    if kind not in _FAMILIES:
        raise NotForEngineError(f"llama.cpp does not compute the family {kind}")
    layout = _FAMILIES[kind](config)
    prefix = _prefix(layout.words, names)
    tensors = {
        name: tuple(prefix + part if prefix + part in names else part for part in parts)
        for name, parts in layout.tensors.items()
    }
    used = {part for parts in tensors.values() for part in parts} | {prefix + layout.words}
    for name in sorted(used - set(names) - {ZEROS}):
        raise NotForEngineError(f"its weights have no {name}")
    for name in sorted(set(names) - used):
        if not name.endswith("position_ids") and not name.removeprefix(prefix).startswith(_UNUSED):
            raise NotForEngineError(f"llama.cpp has no place for its weights {name}")
    numbers = {**layout.numbers, "pooling_type": pooling}
    return replace(layout, numbers=numbers, words=prefix + layout.words, tensors=tensors)


def _prefix(words: str, names: Collection[str]) -> str:
    """What stands before every name where the folder holds a model with a head: "bert."."""
    found = [name.removesuffix(words) for name in names if name.endswith(words)]
    if len(found) != 1:
        raise NotForEngineError(f"its weights have no {words}")
    return found[0]


def _bert(config: Config) -> Layout:
    _require(config, "hidden_act", _GELU)
    _require(config, "position_embedding_type", ("absolute",))
    if config.get("is_decoder") or config.get("add_cross_attention"):
        raise NotForEngineError("it is a decoder")
    whole = {
        "token_types.weight": "embeddings.token_type_embeddings.weight",
        "position_embd.weight": "embeddings.position_embeddings.weight",
        **_both("token_embd_norm", "embeddings.LayerNorm"),
    }
    at = "encoder.layer.#."
    layer = {
        **_both("attn_qkv", *(f"{at}attention.self.{part}" for part in ("query", "key", "value"))),
        **_both("attn_output", f"{at}attention.output.dense"),
        **_both("attn_output_norm", f"{at}attention.output.LayerNorm"),
        **_both("ffn_up", f"{at}intermediate.dense"),
        **_both("ffn_down", f"{at}output.dense"),
        **_both("layer_output_norm", f"{at}output.LayerNorm"),
    }
    sizes = _sizes(config)
    return _layout("bert", config, sizes, "embeddings.word_embeddings.weight", (whole, layer))


def _roberta(config: Config) -> Layout:
    """A BERT whose positions begin after the number of the padding token."""
    bert = _bert(config)
    pad = config.get("pad_token_id", 1)
    if not isinstance(pad, int) or not 0 <= pad < bert.positions:
        raise NotForEngineError("its config.json does not say where its positions begin (pad_token_id)")
    first = pad + 1
    positions = bert.positions - first
    return replace(_with(bert, {"context_length": positions}), first_position=first, positions=positions)


def _distilbert(config: Config) -> Layout:
    _require(config, "activation", _GELU)
    whole = {
        "token_types.weight": ZEROS,
        "position_embd.weight": "embeddings.position_embeddings.weight",
        **_both("token_embd_norm", "embeddings.LayerNorm"),
    }
    at = "transformer.layer.#."
    layer = {
        **_both("attn_qkv", *(f"{at}attention.{part}_lin" for part in "qkv")),
        **_both("attn_output", f"{at}attention.out_lin"),
        **_both("attn_output_norm", f"{at}sa_layer_norm"),
        **_both("ffn_up", f"{at}ffn.lin1"),
        **_both("ffn_down", f"{at}ffn.lin2"),
        **_both("layer_output_norm", f"{at}output_layer_norm"),
    }
    sizes = _sizes(config, width="dim", inner="hidden_dim", depth="n_layers", heads="n_heads")
    return _layout(
        "bert", {"layer_norm_eps": 1e-12, **config}, sizes, "embeddings.word_embeddings.weight", (whole, layer)
    )


def _nomic_bert(config: Config) -> Layout:
    """As its makers publish it, whose names transformers keeps: gated layers, rotary positions."""
    _require(config, "activation_function", ("swiglu",))
    _require(config, "hidden_act", ("silu",))
    for key in ("prenorm", "qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias", "parallel_block", "use_rms_norm",
                "rotary_emb_interleaved", "rotary_emb_scale_base", "num_experts"):  # fmt: skip
        if config.get(key):
            raise NotForEngineError(f"its config.json has {key}")
    _require(config, "rotary_emb_fraction", (1, 1.0))
    whole = {
        "token_types.weight": "embeddings.token_type_embeddings.weight",
        **_both("token_embd_norm", "emb_ln"),
    }
    at = "encoder.layers.#."
    layer = {
        "attn_qkv.weight": f"{at}attn.Wqkv.weight",
        "attn_output.weight": f"{at}attn.out_proj.weight",
        **_both("attn_output_norm", f"{at}norm1"),
        "ffn_up.weight": f"{at}mlp.fc11.weight",
        "ffn_gate.weight": f"{at}mlp.fc12.weight",
        "ffn_down.weight": f"{at}mlp.fc2.weight",
        **_both("layer_output_norm", f"{at}norm2"),
    }
    if whole_number(config, "n_embd"):
        sizes = _sizes(config, "n_embd", "n_inner", "n_layer", "n_head", "n_positions")
    else:
        sizes = _sizes(config)
    eps = config.get("layer_norm_epsilon", config.get("layer_norm_eps", 1e-12))
    theta = _theta(config, "rotary_emb_base", 1000.0)
    layout = _layout(
        "nomic-bert", {**config, "layer_norm_eps": eps}, sizes, "embeddings.word_embeddings.weight", (whole, layer)
    )
    return _with(layout, {"rope.freq_base": theta, "rope.dimension_count": sizes["width"] // sizes["heads"]})


def _modern_bert(config: Config) -> Layout:
    """Warner et al. 2024, arXiv:2412.13663: norms before the layers, gated layers, a window in most of them."""
    _require(config, "hidden_activation", _GELU)
    for key in ("attention_bias", "mlp_bias", "norm_bias"):
        if config.get(key):
            raise NotForEngineError(f"its config.json has {key}")
    whole = {"token_embd_norm.weight": "embeddings.norm.weight", "output_norm.weight": "final_norm.weight"}
    at = "layers.#."
    layer = {
        "attn_norm.weight": f"{at}attn_norm.weight",
        "attn_qkv.weight": f"{at}attn.Wqkv.weight",
        "attn_output.weight": f"{at}attn.Wo.weight",
        "ffn_norm.weight": f"{at}mlp_norm.weight",
        "ffn_up.weight": f"{at}mlp.Wi.weight",
        "ffn_down.weight": f"{at}mlp.Wo.weight",
    }
    sizes = _sizes(config)
    every, window = _windows(config, sizes["depth"])
    layout = _layout(
        "modern-bert", {**config, "layer_norm_eps": config.get("norm_eps", 1e-5)}, sizes,
        "embeddings.tok_embeddings.weight", (whole, layer),
    )  # fmt: skip
    tensors = {name: parts for name, parts in layout.tensors.items() if name != "blk.0.attn_norm.weight"}
    ropes = config.get("rope_parameters")
    ropes = ropes if isinstance(ropes, dict) else {}
    numbers = {
        "rope.freq_base": _theta(ropes.get("full_attention") or config, "global_rope_theta", 160_000.0),
        "rope.freq_base_swa": _theta(ropes.get("sliding_attention") or config, "local_rope_theta", 10_000.0),
        "attention.sliding_window": window,
        "attention.sliding_window_pattern": every,
        "rope.dimension_count": sizes["width"] // sizes["heads"],
    }
    return replace(_with(layout, numbers), tensors=tensors)


def _windows(config: Config, layers: int) -> tuple[int, int]:
    """Each how many layers one sees the whole text, the first among them; and the width of the others' window."""
    every, kinds = whole_number(config, "global_attn_every_n_layers") or 3, config.get("layer_types")
    if isinstance(kinds, list):
        whole = [number for number, kind in enumerate(kinds) if kind == "full_attention"]
        every = whole[1] if len(whole) > 1 else layers + 1
        if whole != list(range(0, layers, every)):
            raise NotForEngineError("its windows follow no regular pattern")
    return every, whole_number(config, "local_attention") or 128


_FAMILIES: dict[str, Callable[[Config], Layout]] = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "camembert": _roberta,
    "distilbert": _distilbert,
    "nomic_bert": _nomic_bert,
    "modernbert": _modern_bert,
}


def _both(name: str, *parts: str) -> dict[str, str]:
    """The weights and the biases of a layer."""
    return {f"{name}.{end}": "+".join(f"{part}.{end}" for part in parts) for end in ("weight", "bias")}


def _require(config: Config, key: str, values: Collection[Any]) -> None:
    if key in config and config[key] not in values:
        raise NotForEngineError(f"its config.json has {key} {config[key]}")


def _theta(config: Config, old: str, otherwise: float) -> float:
    inner = config.get("rope_parameters")
    for plain, key in ((inner if isinstance(inner, dict) else {}, "rope_theta"), (config, "rope_theta"), (config, old)):
        value = plain.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            if plain.get("rope_type", "default") != "default":
                raise NotForEngineError(f"its positions are stretched ({plain['rope_type']})")
            return float(value)
    return otherwise


def _sizes(
    config: Config,
    width: str = "hidden_size",
    inner: str = "intermediate_size",
    depth: str = "num_hidden_layers",
    heads: str = "num_attention_heads",
    positions: str = "max_position_embeddings",
) -> dict[str, int]:
    keys = {"width": width, "inner": inner, "depth": depth, "heads": heads, "positions": positions}
    sizes = {name: whole_number(config, key) for name, key in keys.items()}
    for name, size in sizes.items():
        if not size:
            raise NotForEngineError(f"its config.json does not say {keys[name]}")
    if sizes["depth"] > 1_000 or sizes["width"] % sizes["heads"]:
        raise NotForEngineError("the numbers of its config.json do not fit each other")
    return sizes


def _layout(architecture: str, config: Config, sizes: dict[str, int], words: str, tables: Tables) -> Layout:
    eps = config.get("layer_norm_eps", 1e-12)
    if not isinstance(eps, float) or not 0 < eps < 1:
        raise NotForEngineError("its config.json does not say layer_norm_eps")
    whole, layer = tables
    tensors: dict[str, tuple[str, ...]] = {"token_embd.weight": (ZEROS,)}  # the one word of the file's vocabulary
    tensors |= {name: tuple(parts.split("+")) for name, parts in whole.items()}
    for number in range(sizes["depth"]):
        for name, parts in layer.items():
            tensors[f"blk.{number}.{name}"] = tuple(parts.replace("#", str(number)).split("+"))
    numbers: dict[str, int | float | bool] = {
        "vocab_size": 1,
        "context_length": sizes["positions"],
        "embedding_length": sizes["width"],
        "feed_forward_length": sizes["inner"],
        "block_count": sizes["depth"],
        "attention.head_count": sizes["heads"],
        "attention.layer_norm_epsilon": eps,
        "attention.causal": False,
    }
    return Layout(architecture, numbers, words, tensors, 0, sizes["positions"])


def _with(layout: Layout, numbers: Mapping[str, int | float | bool]) -> Layout:
    return replace(layout, numbers={**layout.numbers, **numbers})
