"""The first layers of a GGUF model with its whole vocabulary: small enough to be trained in a test."""

from __future__ import annotations

from pathlib import Path

from workbench.gguf.weights import open_model
from workbench.gguf.writer import fill, header, number_entry, text_entry

TEMPLATE = "tokenizer.chat_template"


def write_short(model: Path, out: Path, layers: int = 2, template: str = "") -> Path:
    """Write ``model`` with its first layers only, and with another chat template where one is given."""
    contents = open_model(model)
    architecture = contents.first.text("general.architecture")
    key = f"{architecture}.block_count"
    entries = {**contents.entries, key: number_entry(key, layers)}
    if template:
        entries[TEMPLATE] = text_entry(TEMPLATE, template)
    kept = {
        name: stored
        for name, stored in contents.tensors.items()
        if not name.startswith("blk.") or int(name.split(".")[1]) < layers
    }
    shapes = {name: (stored.tensor.shape, stored.tensor.type) for name, stored in kept.items()}
    with out.open("wb") as file:
        file.write(header(entries, shapes, contents.alignment))
        for stored in kept.values():
            with stored.path.open("rb") as source:
                source.seek(stored.tensor.offset)
                file.write(source.read(stored.tensor.bytes))
            fill(file, stored.tensor.bytes, contents.alignment)
    return out
