"""The loss of a micro-batch: over trained positions only, without ever holding the logits of all of them.

The model's blocks are run once; their output at the trained positions goes through the output layer a chunk of
positions at a time, where the loss and its gradient are taken at once and the chunk's logits are freed (as in Liger,
Hsu et al. 2024, arXiv:2410.10989). ``Head`` knows what some families do to logits besides; ``make_loss`` checks against
the model's own loss and takes that where they part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from workbench.training.peft_models import base_of, last_position
from workbench.training.ranks import Ranks
from workbench.training.sequences import TokenSequence

CHUNK_BYTES = 24 << 20
"""About what the float32 logits of a chunk may take."""

AGREES = 2e-3
_IGNORED = -100


@dataclass(frozen=True)
class BatchLoss:
    """``total``: the loss of a micro-batch, which gradients flow from: a sum over its ``tokens`` trained tokens (or
    whatever the objective weighs by), of which ``right`` were predicted as the likeliest. ``metrics``: sums over the
    same of what the objective measures besides."""

    total: Any
    tokens: int
    right: int
    metrics: Mapping[str, Any] = field(default_factory=dict)


ComputeLoss = Callable[[Any, Sequence[TokenSequence], bool], BatchLoss]
"""From a model, the sequences of a micro-batch and whether the model keeps several texts in one sequence apart to the
loss."""


class StepLoss:
    """A loss with a statistic of the whole step, which its micro-batches share."""

    def begin_step(self, model: Any, rows: Sequence[TokenSequence], ranks: Ranks) -> None:
        """Take it. ``rows`` are this process's share of the step."""


@dataclass(frozen=True)
class StepWork:
    """What a step computes instead of its examples: ``rows``, whose losses are divided by ``weight``, in up to
    ``updates`` passes, each with an update of the weights after it. ``tokens`` is the number of tokens of the rows."""

    rows: Sequence[TokenSequence]
    weight: float
    updates: int = 1

    @property
    def tokens(self) -> int:
        return sum(len(row.tokens) for row in self.rows)


class ExperienceLoss:
    """A loss over rows that the model makes itself in each step from the step's examples, such as sampled answers.

    ``collect`` and ``updates_on`` are called once a step and once a pass. Its state and what it wrote to the run's
    folder have to make a step that is computed again the same.
    """

    def collect(self, model: Any, step: int, examples: Sequence[TokenSequence]) -> StepWork:
        """The rows of step ``step`` (from 1). Raises errors.Cancelled where the control said so: then nothing has
        changed."""
        raise NotImplementedError

    def updates_on(self, update: int) -> bool:
        """Called after the pass ``update`` (from 0) with its gradient computed: whether the weights are updated by it.
        Where not, the step ends without that update."""
        return True

    def end_step(self) -> Mapping[str, float]:
        """What was measured in the step, by names of metrics. Changes the state."""
        return {}

    @property
    def out_of_bounds(self) -> str:
        """Why the training has to end after this step; "": it goes on."""
        return ""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps besides weights, as plain data."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set what ``state`` gave."""

    def __call__(self, model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        """The loss of a micro-batch of ``rows``; without gradient the score of held-out examples."""
        raise NotImplementedError


TensorLoss = Callable[..., BatchLoss]
"""The same from tokens (rows, longest), labels of the same shape (-100: not trained) and positions, or None."""


class Head:
    """From the blocks' output to logits: the output layer, and what the family does besides."""

    def __init__(self, base: Any) -> None:
        config = base.config.get_text_config()
        self.layer = base.get_output_embeddings()
        self._cap = getattr(config, "final_logit_softcapping", None)
        self._divisor = getattr(config, "logits_scaling", None)  # granite
        self._factor = getattr(config, "logit_scale", None)  # cohere

    def __call__(self, hidden: Any) -> Any:
        logits = self.layer(hidden).float()
        if self._divisor:
            logits = logits / self._divisor
        if self._factor:
            logits = logits * self._factor
        if self._cap:
            logits = self._cap * torch.tanh(logits / self._cap)
        return logits

    def parameters(self) -> list[Any]:
        return [parameter for parameter in self.layer.parameters() if parameter.requires_grad]


class _ChunkedLoss(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    """Sum of the cross-entropies of ``head(hidden)``; the gradients are computed with them, chunk by chunk."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, targets: Any, head: Head, chunk: int, *parameters: Any) -> Any:
        wanted = any(ctx.needs_input_grad)
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        right = torch.zeros((), dtype=torch.long, device=hidden.device)
        to_hidden = torch.empty_like(hidden) if wanted else None
        to_parameters = [torch.zeros_like(parameter) for parameter in parameters] if wanted else []
        for begin in range(0, len(hidden), chunk):
            piece = slice(begin, begin + chunk)
            with torch.set_grad_enabled(wanted):
                states = hidden[piece].detach().requires_grad_(wanted)
                logits = head(states)
                loss = functional.cross_entropy(logits, targets[piece], reduction="sum")
            right += (logits.detach().argmax(dim=-1) == targets[piece]).sum()
            total += loss.detach().double()
            if wanted:
                assert to_hidden is not None
                found = torch.autograd.grad(loss, [states, *parameters])
                to_hidden[piece] = found[0]
                for into, gradient in zip(to_parameters, found[1:], strict=True):
                    into += gradient
        ctx.save_for_backward(*([to_hidden, *to_parameters] if wanted else []))
        ctx.mark_non_differentiable(right)
        return total.float(), right

    @staticmethod
    def backward(ctx: Any, from_total: Any, _: Any) -> Any:
        to_hidden, *to_parameters = ctx.saved_tensors
        scaled = [gradient * from_total.to(gradient.dtype) for gradient in to_parameters]
        return to_hidden * from_total.to(to_hidden.dtype), None, None, None, *scaled


def own_loss(model: Any, tokens: Any, labels: Any, positions: Any = None) -> BatchLoss:
    """By the model's own logits, all of them at once."""
    logits = model(input_ids=tokens, use_cache=False, **_placed(positions)).logits
    logits = logits[:, -tokens.shape[1] :]  # virtual tokens stand before
    predicted, targets = logits[:, :-1].float(), labels[:, 1:]
    chosen = targets != _IGNORED
    total = functional.cross_entropy(predicted[chosen], targets[chosen], reduction="sum")
    right = int((predicted[chosen].argmax(dim=-1) == targets[chosen]).sum())
    return BatchLoss(total, int(chosen.sum()), right)


def chunked_loss(model: Any, tokens: Any, labels: Any, positions: Any = None) -> BatchLoss:
    """Without holding all logits. Padding stands to the right, so that nothing trained sees it and no mask is
    needed."""
    base = base_of(model)
    hidden = hidden_states(model, tokens, **_placed(positions))[:, :-1]
    targets = labels[:, 1:]
    chosen = targets != _IGNORED
    return loss_of_states(base, hidden[chosen], targets[chosen])


def loss_of_states(base: Any, states: Any, targets: Any) -> BatchLoss:
    """The cross-entropy of ``targets``, (n,), from the blocks' outputs that predict them, (n, width)."""
    head = Head(base)
    chunk = max(16, CHUNK_BYTES // (4 * head.layer.weight.shape[0]))
    total, right = _ChunkedLoss.apply(states, targets, head, chunk, *head.parameters())
    return BatchLoss(total, len(targets), int(right))


def hidden_states(model: Any, tokens: Any, **placed: Any) -> Any:
    """The output of the blocks, (rows, longest, width), for tokens of shape (rows, longest). ``placed`` are further
    arguments of the model: positions, a mask. Raises AttributeError where blocks and output layer are not apart."""
    caught: list[Any] = []

    def catch(module: Any, arguments: Any, output: Any) -> None:
        caught.append(output.last_hidden_state)

    hook = _blocks(base_of(model)).register_forward_hook(catch)
    try:
        # of the model's own logits one position, since it computes some whatever it is asked
        model(input_ids=tokens, use_cache=False, logits_to_keep=last_position(tokens.device), **placed)
    finally:
        hook.remove()
    return caught[0][:, -tokens.shape[1] :]


def _placed(positions: Any) -> dict[str, Any]:
    return {} if positions is None else {"position_ids": positions}


def keeps_apart(model: Any, dtype: Any = torch.float32) -> bool:
    """Whether texts in one row do not see each other where their positions are counted anew: asked of the model itself,
    since some know no positions, some look back by other ways than attention, and virtual tokens forbid it."""
    base = base_of(model)
    if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
        return False
    device = base.get_input_embeddings().weight.device
    count = 8
    tokens = torch.arange(2 * count, device=device)[None] % base.get_input_embeddings().weight.shape[0]
    was_training = model.training
    model.eval()
    mixed = torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
    try:
        with torch.no_grad(), mixed:
            alone = model(input_ids=tokens[:, count:], use_cache=False).logits[0, -1].float()
            positions = torch.arange(count, device=device).repeat(2)[None]
            beside = model(input_ids=tokens, use_cache=False, position_ids=positions).logits[0, -1].float()
    except TypeError:
        return False  # it is told no positions
    finally:
        model.train(was_training)
    close = 1e-4 if dtype == torch.float32 else 2e-2
    return bool((alone - beside).abs().max() <= close * alone.abs().max())


def _blocks(base: Any) -> Any:
    inner = getattr(base, base.base_model_prefix, None)
    if inner is None or inner is base:
        raise AttributeError("the blocks are not apart from the output layer")
    return inner


def make_loss(model: Any, sample: Sequence[int], dtype: Any = torch.float32) -> ComputeLoss:
    """The cross-entropy of the trained tokens, computed by ``choose_loss``."""
    return on_sequences(choose_loss(model, sample, dtype))


def on_sequences(of_tensors: TensorLoss) -> ComputeLoss:
    def loss(model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        device = base_of(model).get_input_embeddings().weight.device
        return of_tensors(model, *tensors_of(rows, device), positions_of(rows, device) if apart else None)

    return loss


def choose_loss(model: Any, sample: Sequence[int], dtype: Any = torch.float32) -> TensorLoss:
    """``chunked_loss`` where it agrees with the model's own on ``sample`` (some tokens), else ``own_loss``.

    ``dtype`` is that of the computation: what is trained is float32 beside a base in bfloat16, and only autocast brings
    the two together.
    """
    device = base_of(model).get_input_embeddings().weight.device
    tokens = torch.tensor([list(sample)[:32]], device=device)
    labels = tokens.clone()
    was_training = model.training
    model.eval()
    try:
        mixed = torch.autocast(tokens.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
        with torch.no_grad(), mixed:
            own = own_loss(model, tokens, labels)
            try:
                ours = chunked_loss(model, tokens, labels)
            except (AttributeError, IndexError, TypeError, ValueError, RuntimeError):
                return own_loss  # an architecture that is built otherwise
    finally:
        model.train(was_training)
    agrees = abs(float(own.total) - float(ours.total)) <= AGREES * max(1.0, abs(float(own.total)))
    return chunked_loss if agrees else own_loss


def tensors_of(rows: Sequence[TokenSequence], device: Any) -> tuple[Any, Any]:
    """Tokens and labels of a micro-batch, (rows, longest), padded to the right; -100: not trained."""
    longest = max(len(row.tokens) for row in rows)
    tokens = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), -100, dtype=torch.long)
    for place, row in enumerate(rows):
        values = torch.tensor(row.tokens, dtype=torch.long)
        tokens[place, : len(values)] = values
        labels[place, : len(values)] = torch.where(torch.tensor(row.trained), values, -100)
    return tokens.to(device), labels.to(device)


def positions_of(rows: Sequence[TokenSequence], device: Any) -> Any:
    """The positions of the tokens of ``tensors_of``, counted anew where another text begins; transformers lets none see
    the others then. None where each row is one text."""
    if not any(row.starts for row in rows):
        return None
    longest = max(len(row.tokens) for row in rows)
    positions = torch.arange(longest).repeat(len(rows), 1)
    for place, row in enumerate(rows):
        for start in row.starts:
            positions[place, start:] = torch.arange(longest - start)
    return positions.to(device)
