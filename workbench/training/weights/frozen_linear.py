"""Products with frozen float32 weights on the CPU, by whichever of torch's two libraries is the faster one there.

torch multiplies float32 matrices by MKL, which uses no more than AVX2 on processors of other makers than Intel; oneDNN,
which torch has for 16-bit numbers, uses AVX-512 on them too and is 2.3 times as fast (docs/benchmarks.md, "DPO against
TRL"). The choice depends on the processor alone, not on a measurement, so that a resumed training computes the same.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def onednn_is_faster() -> bool:
    """Whether this processor has AVX-512 and is not of Intel's, and torch has MKL and oneDNN."""
    return (
        torch.backends.mkl.is_available()
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and not _made_by_intel()
    )


def _made_by_intel(cpuinfo: Path | None = None) -> bool:
    """Also where the maker is unknown."""
    try:
        lines = (cpuinfo or CPUINFO).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return True
    maker = next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "GenuineIntel")
    return maker == "GenuineIntel"


def product(x: Any, weight: Any) -> Any:
    """``x @ weight.T``, (n, out), for x of shape (n, in) and weight (out, in), of one dtype. No gradient flows."""
    if x.dtype == torch.float32 and x.device.type == "cpu" and onednn_is_faster():
        return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return x @ weight.t()


class _FrozenProduct(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any) -> Any:
        ctx.save_for_backward(weight)
        return product(x, weight)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Any) -> tuple[Any, None]:
        (weight,) = ctx.saved_tensors
        return product(grad, weight.t()), None


class FrozenLinear(nn.Linear):  # type: ignore[misc]
    """A linear layer in float32 that computes as ``nn.Linear`` where its weight is trained or autocast is on."""

    def forward(self, input: Any) -> Any:
        if self.weight.requires_grad or input.dtype != self.weight.dtype or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        flat = input.reshape(-1, self.in_features)
        found = _FrozenProduct.apply(flat, self.weight).view(*input.shape[:-1], self.out_features)
        return found if self.bias is None else found + self.bias


def speed_up(model: nn.Module) -> nn.Module:
    """Let the plain linear layers of a float32 model on the CPU compute with the faster library."""
    if onednn_is_faster():
        for module in model.modules():
            if (
                type(module) is nn.Linear
                and module.weight.dtype == torch.float32
                and module.weight.device.type == "cpu"
            ):
                module.__class__ = FrozenLinear
    return model
