"""Tiny models of random weights that an engine is tried with: a text generation model with a projector, an encoder, and
an adapter.

They are the same on every machine, so that two engines can be compared where no model is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.gguf.reader import read_gguf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH, INNER, LAYERS, HEADS, HEAD, CONTEXT = 64, 96, 2, 4, 16, 512
RANK = 4
IMAGE_SIDE, _PATCH = 32, 8
_BYTES = 256
_ADAPTED = ("attn_q.weight", "attn_v.weight", "ffn_down.weight")
_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_generator(out: Path) -> Path:
    """A llama of two layers, whose tokens are the 256 bytes, a beginning and an end."""
    import gguf

    vocabulary = _BYTES + 2
    writer = _begin(out, "llama")
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_head_count_kv(HEADS)
    writer.add_vocab_size(vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*map(_spelled, range(_BYTES)), "<s>", "</s>"])
    writer.add_token_types([*[gguf.TokenType.NORMAL] * _BYTES, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL])
    writer.add_token_merges([f"{_spelled(104)} {_spelled(101)}"])
    writer.add_bos_token_id(_BYTES)
    writer.add_eos_token_id(_BYTES + 1)
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary, WIDTH)}
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.{name}": shape
            for name, shape in {
                "attn_norm.weight": (WIDTH,), "ffn_norm.weight": (WIDTH,),
                **{f"attn_{part}.weight": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
                "ffn_gate.weight": (INNER, WIDTH), "ffn_up.weight": (INNER, WIDTH), "ffn_down.weight": (WIDTH, INNER),
            }.items()
        }  # fmt: skip
    shapes |= {"output_norm.weight": (WIDTH,), "output.weight": (vocabulary, WIDTH)}
    return _finish(writer, out, shapes)


def write_encoder(out: Path) -> Path:
    """A BERT of two layers with mean pooling, whose words are the letters."""
    import gguf

    words = [*_PIECES, *(f"\u2581{chr(letter)}" for letter in range(97, 123)), *map(chr, range(97, 123))]
    writer = _begin(out, "bert")
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(2)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.CONTROL if word in _PIECES else gguf.TokenType.NORMAL for word in words])
    for place, name in enumerate(("pad", "unk", "bos", "sep", "mask")):
        getattr(writer, f"add_{name}_token_id")(place)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(words), WIDTH), "position_embd.weight": (CONTEXT, WIDTH),
        "token_types.weight": (2, WIDTH), "token_embd_norm.weight": (WIDTH,), "token_embd_norm.bias": (WIDTH,),
    }  # fmt: skip
    linear = {
        **{f"attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
        "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER),
    }  # fmt: skip
    for layer in range(LAYERS):
        for name, shape in linear.items():
            shapes |= {f"blk.{layer}.{name}.weight": shape, f"blk.{layer}.{name}.bias": shape[:1]}
        for name in ("attn_output_norm", "layer_output_norm"):
            shapes |= {f"blk.{layer}.{name}.weight": (WIDTH,), f"blk.{layer}.{name}.bias": (WIDTH,)}
    return _finish(writer, out, shapes)


def write_projector(out: Path) -> Path:
    """An image encoder of one layer, in LLaVA's form, for the tiny text generation model."""
    import gguf

    writer = gguf.GGUFWriter(out, "clip")
    writer.add_name("a tiny projector that engines are tried with")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", True)
    for name, value in {
        "image_size": IMAGE_SIDE, "patch_size": _PATCH, "embedding_length": WIDTH, "feed_forward_length": INNER,
        "projection_dim": WIDTH, "block_count": 1, "attention.head_count": HEADS,
    }.items():  # fmt: skip
        writer.add_uint32(f"clip.vision.{name}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5, 0.5, 0.5])
    shapes: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (WIDTH, 3, _PATCH, _PATCH), "v.class_embd": (WIDTH,),
        "v.position_embd.weight": ((IMAGE_SIDE // _PATCH) ** 2 + 1, WIDTH),
    }  # fmt: skip
    linear = {
        **{f"v.blk.0.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "out")},
        "v.blk.0.ffn_up": (INNER, WIDTH), "v.blk.0.ffn_down": (WIDTH, INNER),
        "mm.0": (INNER, WIDTH), "mm.2": (WIDTH, INNER),
    }  # fmt: skip
    for name, shape in linear.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in ("v.pre_ln", "v.post_ln", "v.blk.0.ln1", "v.blk.0.ln2"):
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    return _finish(writer, out, shapes)


def write_adapter(model: Path, out: Path) -> Path:
    """A LoRA on the attention and feed-forward weights of a GGUF model, strong enough to change its probabilities.
    Raises UserError for a file that is no GGUF model."""
    import gguf
    import numpy as np

    base = read_gguf(model)
    writer = gguf.GGUFWriter(out, base.text("general.architecture"))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK))
    source = np.random.default_rng(2)
    for tensor in base.tensors:
        if tensor.name.startswith("blk.") and tensor.name.endswith(_ADAPTED) and len(tensor.shape) == 2:
            into, outputs = tensor.shape
            for half, shape in (("a", (RANK, into)), ("b", (outputs, RANK))):
                writer.add_tensor(f"{tensor.name}.lora_{half}", source.standard_normal(shape, np.float32) * 0.1)
    return _written(writer, out)


def _begin(out: Path, architecture: str) -> Any:
    import gguf

    writer = gguf.GGUFWriter(out, architecture)
    writer.add_name("a tiny model that engines are tried with")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_file_type(0)
    return writer


def _finish(writer: Any, out: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    for name, weights in _random(shapes):
        writer.add_tensor(name, weights)
    return _written(writer, out)


def _random(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Floats]]:
    """Norms near one, biases near nought, and matrices that keep the size of what they multiply."""
    import numpy as np

    source = np.random.default_rng(1)
    for name, shape in shapes.items():
        drawn = source.standard_normal(shape, np.float32)
        if name.endswith(("norm.weight", "ln.weight", "ln1.weight", "ln2.weight")):
            yield name, 1 + 0.1 * drawn
        elif name.endswith(".bias"):
            yield name, 0.1 * drawn
        else:
            yield name, drawn * np.float32(1.5 / shape[-1] ** 0.5)


def _written(writer: Any, out: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _spelled(byte: int) -> str:
    """A byte as a character that can be seen, as GPT-2's vocabulary spells it."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return chr(byte) if byte in seen else chr(256 + [one for one in range(_BYTES) if one not in seen].index(byte))
