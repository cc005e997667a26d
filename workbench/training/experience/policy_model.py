"""The policy, its reference and its value head on one model: log-probabilities and values of sampled answers.

The blocks below the first trained one compute the same for policy and reference, before and after every update: their
output is recorded once per step and reused afterwards. A trial pass shows whether a model allows that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from workbench.training.answer_losses import without_adapter
from workbench.training.answer_pairs import prompt_length
from workbench.training.experience.sizes import MOST_RECORDED_BYTES
from workbench.training.losses import Head, hidden_states
from workbench.training.peft_models import base_of, blocks_of
from workbench.training.sequences import TokenSequence
from workbench.training.token_logps import token_logps

VALUE_HEAD = "value_head"
_AGREES = 1e-3


@dataclass(frozen=True)
class TokenValues:
    """Of each answer token of some rows, one after the other: its log-probability and the value before it, both
    float32; the number of its row among the rows, and its place in the answer."""

    logps: Any
    values: Any
    owners: Any
    places: Any


class _Tempered(Head):
    """A head at a temperature."""

    def __init__(self, base: Any, temperature: float) -> None:
        super().__init__(base)
        self._temperature = temperature

    def __call__(self, hidden: Any) -> Any:
        logits = super().__call__(hidden)
        return logits if self._temperature == 1.0 else logits / self._temperature


class PolicyModel:
    """``model`` with its adapter is the policy, without it the reference. ``valued``: it has a value head, a linear
    layer of zeros beside the model, whose weights are trained with it."""

    def __init__(self, model: Any, temperature: float, *, valued: bool, sample: Sequence[int] = ()) -> None:
        self.model = model
        self._temperature = temperature
        self._valued = valued
        base = base_of(model)
        if valued and not hasattr(model, VALUE_HEAD):
            head = torch.nn.Linear(base.config.get_text_config().hidden_size, 1)
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.zeros_(head.bias)
            model.add_module(VALUE_HEAD, head.to(base.get_input_embeddings().weight.device))
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # the ratio of two passes would be that of two dropouts
        self._recorded: dict[int, Any] = {}
        self._bytes = 0
        self._trunk = _frozen_blocks(model)
        if self._trunk and not self._trunk_fits(sample):
            self._trunk = []

    @property
    def shares_trunk(self) -> bool:
        """Whether the frozen blocks are computed once for all passes of a step."""
        return bool(self._trunk)

    def forget(self) -> None:
        """Of the step before."""
        self._recorded.clear()
        self._bytes = 0

    def __call__(self, rows: Sequence[TokenSequence], *, reference: bool = False) -> TokenValues:
        """Of ``rows``, each a prompt and one answer, whose ``mark`` tells it apart from others of the step."""
        base = base_of(self.model)
        device = base.get_input_embeddings().weight.device
        longest = max(len(row.tokens) for row in rows)
        tokens = torch.zeros((len(rows), longest), dtype=torch.long)
        for number, row in enumerate(rows):
            tokens[number, : len(row.tokens)] = torch.tensor(row.tokens)
        with (
            without_adapter(self.model) if reference else nullcontext(),
            torch.no_grad() if reference else nullcontext(),
            self._passing(rows, longest),
        ):
            hidden = hidden_states(self.model, tokens.to(device))
            sources, targets, owners, places = _predictions(rows, longest)
            flat = hidden.reshape(-1, hidden.shape[-1])[sources.to(device)]
            logps = token_logps(flat, targets.to(device), _Tempered(base, self._temperature))
        values = torch.zeros_like(logps)
        if self._valued and not reference:
            with torch.autocast(device.type, enabled=False):
                values = getattr(self.model, VALUE_HEAD)(flat.float())[:, 0]
        return TokenValues(logps, values, owners.to(device), places.to(device))

    @contextmanager
    def _passing(self, rows: Sequence[TokenSequence], longest: int) -> Iterator[None]:
        """The frozen blocks give what was recorded of these rows, or have it recorded."""
        if not self._trunk:
            yield
            return
        last = self._trunk[-1]
        if all(row.mark in self._recorded for row in rows):
            parts = [self._recorded[row.mark] for row in rows]
            given = torch.zeros((len(rows), longest, parts[0].shape[-1]), dtype=parts[0].dtype, device=parts[0].device)
            for number, part in enumerate(parts):
                given[number, : len(part)] = part
            with _replaced(self._trunk, given):
                yield
            return
        caught: list[Any] = []
        hook = last.register_forward_hook(lambda module, given, output: caught.append(output))
        try:
            yield
        finally:
            hook.remove()
        found = caught[0] if isinstance(caught[0], torch.Tensor) else caught[0][0]
        for number, row in enumerate(rows):
            part = found[number, : len(row.tokens)].detach().clone()
            self._bytes += part.numel() * part.element_size()
            if self._bytes <= MOST_RECORDED_BYTES:
                self._recorded[row.mark] = part

    def _trunk_fits(self, sample: Sequence[int]) -> bool:
        tokens = (tuple(sample) * 16)[:16] or tuple(range(16))
        rows = [TokenSequence(tokens[:n], (False,) * 4 + (True,) * (n - 4), (), n) for n in (16, 11)]
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                first, again = self(rows).logps, self(rows).logps
                reference = self(rows, reference=True).logps
                self.forget()
                plain = self(rows, reference=True).logps
        except (AttributeError, IndexError, TypeError, ValueError, RuntimeError):
            return False
        finally:
            self.forget()
            self.model.train(was_training)
        return bool((first - again).abs().max() <= _AGREES) and bool((reference - plain).abs().max() <= _AGREES)


@contextmanager
def _replaced(blocks: Sequence[Any], given: Any) -> Iterator[None]:
    """The last of the blocks gives ``given`` in the form of its output, those before it hand on what they get."""
    for block in blocks[:-1]:
        block.forward = lambda hidden, *rest, **options: hidden
    blocks[-1].forward = lambda hidden, *rest, **options: given
    try:
        yield
    finally:
        for block in blocks:
            del block.forward


def _frozen_blocks(model: Any) -> list[Any]:
    """The blocks below the first one in which something is trained."""
    found: list[Any] = []
    for block in blocks_of(base_of(model)):
        if any(parameter.requires_grad for parameter in block.parameters()):
            return found
        found.append(block)
    return []  # nothing in the blocks is trained: virtual tokens, say


def _predictions(rows: Sequence[TokenSequence], longest: int) -> tuple[Any, Any, Any, Any]:
    """For each answer token the place (in all rows one after the other) that predicts it, the token, the number of its
    row and its place in the answer."""
    sources: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    places: list[int] = []
    for number, row in enumerate(rows):
        start, end = prompt_length(row), len(row.tokens)
        sources += range(number * longest + start - 1, number * longest + end - 1)
        targets += row.tokens[start:end]
        owners += [number] * (end - start)
        places += range(end - start)
    return torch.tensor(sources), torch.tensor(targets), torch.tensor(owners), torch.tensor(places)
