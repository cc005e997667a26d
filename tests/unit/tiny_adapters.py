"""Tiny models and adapters on them, built once; a folder of tests imports the fixture in its conftest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit import tiny_models
from tests.unit.tiny_models import Floats


@dataclass(frozen=True)
class Trained:
    """A tiny model as GGUF and an adapter on it. ``plain`` and ``adapted`` are torch's logits without and with it."""

    family: str
    base: Path
    folder: Path
    plain: Floats
    adapted: Floats


class TinyAdapters:
    """Makes adapters in a folder; each combination once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Trained] = {}

    def make(self, family: str, name: str, **options: Any) -> Trained:
        """An adapter with ``options`` of LoraConfig, with ``ia3=True`` of IA3Config, or with ``kind`` of that."""
        if name not in self._made:
            peft = pytest.importorskip("peft")
            model = tiny_models.build(family)
            base = self.folder / f"{family}.gguf"
            if not base.exists():
                tiny_models.write_gguf(model, family, base)
            plain = tiny_models.torch_logits(model)
            if options.pop("ia3", False):
                config = peft.IA3Config(**options)
            elif kind := options.pop("kind", ""):
                config = getattr(peft, f"{kind}Config")(**{"target_modules": list(tiny_models.LINEAR)} | options)
            else:
                usual = {"r": 4, "lora_alpha": 8, "target_modules": list(tiny_models.LINEAR)}
                config = peft.LoraConfig(**usual | options)
            adapted = tiny_models.with_adapter(model, config)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tied layers are warned of
                # said outright: else peft asks the hub
                with_embeddings = "embed_tokens" in options.get("target_modules", ())
                adapted.save_pretrained(self.folder / name, save_embedding_layers=with_embeddings)
            logits = tiny_models.torch_logits(adapted)
            self._made[name] = Trained(family, base, self.folder / name, plain, logits)
        return self._made[name]


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> TinyAdapters:
    return TinyAdapters(tmp_path_factory.mktemp("tiny"))
