"""Tiny projectors (mmproj files) of random weights, and generated pictures, for tests of images.

The weights mean nothing: what is tested is that images reach the model as llama.cpp itself would have them.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEADS, INNER, PATCH = 32, 2, 48, 8
SIDE = 32
EMBEDDINGS = (SIDE // PATCH) ** 2
"""Of one image, by the kind ``mlp``."""


def write_projector(
    out: Path, width: int, *, kind: str = "mlp", layers: int = 2, side: int = SIDE, inner: int = WIDTH, seed: int = 3
) -> Path:
    """A projector to embeddings of ``width``: of LLaVA's kind (``mlp``), which are read one after the other, of
    Gemma 3's (``gemma3``), which all attend to each other, or of Qwen2-VL's (``qwen2vl_merger``), whose positions have
    two dimensions."""
    writer = gguf.GGUFWriter(out, "clip")
    writer.add_name("a tiny projector")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    writer.add_bool("clip.use_gelu", True)
    for name, value in {
        "image_size": side, "patch_size": PATCH, "embedding_length": inner, "feed_forward_length": INNER,
        "projection_dim": width, "block_count": layers, "attention.head_count": HEADS,
    }.items():  # fmt: skip
        writer.add_uint32(f"clip.vision.{name}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5, 0.5, 0.5])
    patches = (side // PATCH) ** 2
    shapes: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (inner, 3, PATCH, PATCH),
        "v.position_embd.weight": (patches + (kind == "mlp"), inner),
    }
    norms = ["v.post_ln"]
    linear = {}
    if kind == "qwen2vl_merger":
        del shapes["v.position_embd.weight"]
        shapes["v.patch_embd.weight.1"] = shapes["v.patch_embd.weight"]
        linear |= {"mm.0": (4 * inner, 4 * inner), "mm.2": (width, 4 * inner)}
    elif kind == "mlp":
        shapes["v.class_embd"] = (inner,)
        norms.append("v.pre_ln")
        linear |= {"mm.0": (INNER, inner), "mm.2": (width, INNER)}
    else:
        shapes |= {
            "v.patch_embd.bias": (inner,), "mm.input_projection.weight": (inner, width),
            "mm.soft_emb_norm.weight": (inner,),
        }  # fmt: skip
    for layer in range(layers):
        linear |= {f"v.blk.{layer}.attn_{part}": (inner, inner) for part in ("q", "k", "v", "out")}
        linear |= {f"v.blk.{layer}.ffn_up": (INNER, inner), f"v.blk.{layer}.ffn_down": (inner, INNER)}
        norms += [f"v.blk.{layer}.ln1", f"v.blk.{layer}.ln2"]
    for name, shape in linear.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        shapes |= {f"{name}.weight": (inner,), f"{name}.bias": (inner,)}
    source = np.random.default_rng(seed)
    for name, shape in shapes.items():
        drawn = source.standard_normal(shape, np.float32)
        if name.endswith(("ln.weight", "ln1.weight", "ln2.weight", "norm.weight")):
            drawn = 1 + 0.1 * drawn
        elif len(shape) == 1:
            drawn *= np.float32(0.1)
        else:
            drawn *= np.float32(1 / np.prod(shape[1:]) ** 0.5)
        writer.add_tensor(name, drawn.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def draw_pictures(count: int = 20) -> list[Image.Image]:
    """Pictures of text, numbers and shapes, each of another size and content."""
    source = np.random.default_rng(7)
    words = ("Invoice", "Room 12", "Exit", "Total", "Monday", "Boiler")
    pictures = []
    for number in range(count):
        size = int(source.integers(40, 200)), int(source.integers(40, 200))
        colour = tuple(int(value) for value in source.integers(120, 256, 3))
        picture = Image.new("RGB", size, colour)
        pen = ImageDraw.Draw(picture)
        ink = tuple(int(value) for value in source.integers(0, 110, 3))
        a, b = sorted(source.integers(0, size[0], 2)), sorted(source.integers(0, size[1], 2))
        box = [int(a[0]), int(b[0]), int(a[1]), int(b[1])]
        if number % 4 == 0:
            pen.text((2, 2), words[number // 4 % len(words)], fill=ink)
        elif number % 4 == 1:
            pen.text((2, 2), f"{int(source.integers(0, 10**6)):,}", fill=ink)
        elif number % 4 == 2:
            pen.ellipse(box, fill=ink)
        else:
            pen.rectangle(box, fill=ink)
            pen.line([(0, 0), size], fill=ink, width=3)
        pictures.append(picture)
    return pictures


def encoded(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The file of a picture."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
