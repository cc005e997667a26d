"""The trained model in torch, for its logits: passed on by the training, or rebuilt from its weights."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.training.verifying import LARGEST_FLOAT32

Floats = NDArray[np.float32]


class TorchModel:
    """``model`` is transformers' or PEFT's around it. Virtual tokens before a prompt have no logits here."""

    def __init__(self, model: Any, block: int) -> None:
        """``block`` is how many positions a block of logits has."""
        self._model = model
        self._block = block
        config: Any = getattr(model, "active_peft_config", None)
        kind = str(getattr(config, "peft_type", "")).rpartition(".")[2]
        self._before: int = config.num_virtual_tokens if kind in ("PROMPT_TUNING", "P_TUNING") else 0
        self.is_adapter = config is not None

    def logits(self, tokens: Sequence[int], adapted: bool = True) -> Iterator[Floats]:
        """Blocks of (positions, vocabulary), as ``EngineModel.logits`` gives them."""
        import torch

        given = torch.tensor([list(tokens)], device=next(self._model.parameters()).device)
        before = self._before if adapted else 0
        if len(tokens) <= self._block:
            yield self._compute(given, adapted, {})[before:]
            return
        for start in range(0, len(tokens), self._block):  # the vocabulary is large: once more for each block
            kept = torch.arange(start, min(start + self._block, len(tokens)), device=given.device) + before
            yield self._compute(given, adapted, {"logits_to_keep": kept})

    def _compute(self, given: Any, adapted: bool, options: dict[str, Any]) -> Floats:
        """One pass. The adapter is out for no longer than that: others may ask the model before the next block."""
        import torch

        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")  # peft 0.21 gives transformers a prefix under the name that it had
            if not adapted:
                stack.enter_context(self._model.disable_adapter())
            logits: Floats = self._model(input_ids=given, **options).logits[0].float().cpu().numpy()
        return logits


def is_exact(model: Any) -> bool:
    """Whether a model computes in float32 from weights that were not rounded, as llama.cpp's float32 merge does."""
    import torch

    held = [p for p in model.parameters() if p.is_floating_point()]
    rounded = any(getattr(getattr(p, "blocks", None), "kind", "") == "BF16" for p in held)  # weights.packed.hold_apart
    return all(p.dtype == torch.float32 for p in held) and not rounded


@contextlib.contextmanager
def evaluating(model: Any) -> Iterator[Any]:
    """The model without dropout; afterwards it is as it was."""
    was = model.training
    model.eval()
    try:
        yield model
    finally:
        model.train(was)


def rebuild(
    base: Path,
    trained: Path,
    scale: float = 1.0,
    report: Callable[[int, int], None] | None = None,
    *,
    packed: bool = False,
) -> Any:
    """The trained model in float32 on the processor, from the base's file and what the training left.

    A large base, and one for whose weights in float32 there is no memory twice, is held packed (``packed``: any) and
    computes in float32 all the same. ``scale`` is the strength of a LoRA. ``report`` is told the bytes that are loaded,
    and of all.
    """
    import psutil

    from workbench.gguf.reader import read_pieces
    from workbench.training.artifacts import load_trained
    from workbench.training.weights.loading import load_base

    whole = True
    if base.is_file():
        parameters = sum(piece.parameters for piece in read_pieces(base))
        whole = not packed and 4 * parameters < LARGEST_FLOAT32 and 8 * parameters < psutil.virtual_memory().available
    loaded = load_base(base, "f32" if whole else "packed", device="cpu", report=report)
    model = load_trained(loaded.model, trained)
    if scale != 1:
        for module in model.modules():
            if hasattr(module, "lora_A") and isinstance(getattr(module, "scaling", None), dict):
                module.scaling = {name: value * scale for name, value in module.scaling.items()}
    return model.eval()
