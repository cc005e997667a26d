"""Log-probabilities of given tokens, differentiable, without ever holding the logits of all positions.

One function for all losses over log-probabilities (preferences, policies): the forward pass goes through the output
layer a chunk of positions at a time and keeps only the gradient of each log-probability with respect to its position's
state, (n, width); the backward pass multiplies by whatever gradient arrives. So a chunk's logits are freed at once, as
in Liger (Hsu et al. 2024, arXiv:2410.10989), for any loss that is a function of these numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from workbench.training.losses import CHUNK_BYTES, Head


class _TokenLogps(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    """log p of ``targets`` under ``head(hidden)``, for a head without trainable weights."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, targets: Any, head: Head, chunk: int) -> Any:
        wanted = ctx.needs_input_grad[0]
        found = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        to_hidden = torch.empty_like(hidden) if wanted else None
        for begin in range(0, len(hidden), chunk):
            piece = slice(begin, begin + chunk)
            with torch.set_grad_enabled(wanted):
                states = hidden[piece].detach().requires_grad_(wanted)
                logits = head(states)
            found[piece], to_logits = _in_place(logits.detach(), targets[piece])
            if to_hidden is not None:
                (to_hidden[piece],) = torch.autograd.grad(logits, states, to_logits())
        ctx.save_for_backward(*(() if to_hidden is None else (to_hidden,)))
        return found

    @staticmethod
    def backward(ctx: Any, from_logps: Any) -> Any:
        (to_hidden,) = ctx.saved_tensors
        return to_hidden * from_logps[:, None].to(to_hidden.dtype), None, None, None


def _in_place(logits: Any, targets: Any) -> tuple[Any, Callable[[], Any]]:
    """log p of each target, and their gradient with respect to the logits, which takes the place of these: a chunk is
    held once."""
    top = logits.amax(dim=-1, keepdim=True)
    chosen = logits.gather(-1, targets[:, None]) - top
    total = logits.sub_(top).exp_().sum(dim=-1, keepdim=True)

    def gradient() -> Any:
        logits.div_(-total)
        return logits.scatter_add_(-1, targets[:, None], torch.ones_like(total))

    return (chosen - total.log())[:, 0], gradient


def token_logps(hidden: Any, targets: Any, head: Head, chunk_bytes: int = CHUNK_BYTES) -> Any:
    """The natural-log probability of each target, float32, shape (n,). ``hidden`` are the blocks' outputs, (n, width),
    at the positions that predict the ``targets``, (n,). A head with trainable weights holds all logits at once."""
    if head.parameters():
        return _chosen(head(hidden), targets)
    chunk = max(16, chunk_bytes // (4 * head.layer.weight.shape[0]))
    return _TokenLogps.apply(hidden, targets, head, chunk)


def _chosen(logits: Any, targets: Any) -> Any:
    return torch.log_softmax(logits, dim=-1).gather(-1, targets[:, None])[:, 0]
