"""Whether a model fits: the planner chooses the settings, llama.cpp counts what they take, and both are compared with
what is free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.engine.inference_calls import Load
from workbench.engine.machine import read_machine
from workbench.engine.memory_planner import Plan, plan_load
from workbench.engine.offloading import Weights
from workbench.gguf.architecture_notes import describe_kind
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import Tensor
from workbench.records.fit import Fit, MemoryPart, Verdict
from workbench.records.models import Device, Machine, ModelDetails

_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"


def with_released(
    machine: Machine, devices: Sequence[Device], released: Sequence[MemoryPart]
) -> tuple[Machine, list[Device]]:
    """The machine as it is once the loaded model was unloaded. Where its weights in the processor's memory are mapped
    from the file, nothing is gained by them: they count as free already."""
    of = {part.device: part for part in released}
    host = of.get("", MemoryPart())
    machine = msgspec.structs.replace(
        machine, memory_free_bytes=min(machine.memory_bytes, machine.memory_free_bytes + released_bytes(host))
    )
    return machine, [
        msgspec.structs.replace(device, free_bytes=min(device.memory_bytes, device.free_bytes + of[device.name].total))
        if device.name in of and device.memory_bytes
        else device
        for device in devices
    ]


def released_bytes(part: MemoryPart) -> int:
    """The bytes that a device has more when the model is unloaded."""
    return part.cache + part.computing + (0 if part.mapped else part.weights)


def estimate_fit(
    path: Path, load: Load, folder: Path, devices: Sequence[Device], released: Sequence[MemoryPart] = ()
) -> Fit:
    """A fit by the planner's formulas alone, without llama.cpp. Raises UserError for a file that is no model."""
    details = describe_gguf(path)
    machine, free = with_released(read_machine(folder, tuple(devices)), devices, released)
    plan, refusal = _plan(load, details, machine, free, None)
    return describe_fit(details, plan, refusal, "estimate")


def _plan(
    load: Load, details: ModelDetails, machine: Machine, devices: Sequence[Device], weights: Weights | None
) -> tuple[Plan, UserError | None]:
    """The plan, and why it would be refused."""
    try:
        return plan_load(load, details, machine, devices, weights), None
    except UserError as refusal:
        return plan_load(msgspec.structs.replace(load, anyway=True), details, machine, devices, weights), refusal


def plan_fit(
    load: Load, details: ModelDetails, machine: Machine, devices: Sequence[Device], weights: Weights
) -> tuple[Plan, UserError | None]:
    """As ``plan_load``; a model that does not fit has a plan with the reason beside it."""
    return _plan(load, details, machine, devices, weights)


def describe_fit(
    details: ModelDetails,
    plan: Plan,
    refusal: UserError | None,
    source: str,
    counted: Sequence[MemoryPart] = (),
    names: Sequence[tuple[str, str]] = (),
    active: int = 0,
) -> Fit:
    """The fit of a plan. ``counted`` are llama.cpp's own numbers, by the devices' names; ``names`` are pairs of a
    device's name and how the plan calls it. ``active`` parameters are used by a token, 0: not counted."""
    free = {part.device: part.free for part in plan.parts}
    called = dict(names)
    parts = (
        tuple(
            msgspec.structs.replace(
                part,
                device=called.get(part.device, part.device),
                free=free.get(called.get(part.device, part.device), 0),
            )
            for part in counted
        )
        or plan.parts
    )
    over = [part for part in parts if part.device in free and part.total > part.free]
    fits = not over if counted else plan.fits
    verdict: Verdict = "too big"
    if fits:
        verdict = "gpu" if plan.gpu_layers > details.layers else "partly" if plan.gpu_layers else "processor"
    reason = plan.choice
    if not fits:
        worst = max(over, key=lambda part: part.total - part.free, default=None)
        reason = refusal.message if refusal is not None else ""
        if not reason and worst is not None:
            where = f" on {worst.device}" if worst.device else ""
            reason = f"It needs {worst.total / 1e9:.1f} GB{where}, and {worst.free / 1e9:.1f} GB are free."
    return Fit(
        verdict=verdict,
        context_tokens=plan.context_tokens,
        trained_tokens=details.model.context_tokens,
        layers=details.layers,
        gpu_layers=plan.gpu_layers,
        parts=parts,
        source="llama.cpp" if source == "llama.cpp" else "estimate",
        architecture=details.model.architecture,
        kind=describe_kind(details, active),
        reason=reason,
        hint=refusal.hint if refusal is not None and not fits else "",
    )


def bytes_per_token(details: ModelDetails, tensors: Sequence[Tensor], plan: Plan) -> int:
    """Bytes of weights that one token reads on the processor: of a mixture of experts, those of the experts it uses.
    The embedding table is read by the row, unless it is the output as well."""
    share = _used_share(details)
    has_output = any(tensor.name == _OUTPUT for tensor in tensors)
    first_on_gpu = details.layers + 1 - plan.gpu_layers if plan.gpu_layers else details.layers + 1
    read = 0.0
    for tensor in tensors:
        layer = _layer(tensor.name)
        place = details.layers if layer is None else layer
        if tensor.name == _EMBEDDING and has_output:
            continue
        if tensor.name.startswith("enc.") or (plan.gpu_layers and place >= first_on_gpu):
            continue
        read += tensor.bytes * (share if "_exps" in tensor.name else 1.0)
    return int(read)


def active_parameters(details: ModelDetails, tensors: Sequence[Tensor]) -> int:
    """Parameters that a token uses: of the experts as many as are chosen for it, all others."""
    share = _used_share(details)
    return int(sum(tensor.elements * (share if "_exps" in tensor.name else 1.0) for tensor in tensors))


def _used_share(details: ModelDetails) -> float:
    """The share of the experts that a token uses, 1 without experts."""
    prefix = details.model.architecture
    experts = details.metadata.get(f"{prefix}.expert_count") or 0
    used = details.metadata.get(f"{prefix}.expert_used_count") or 0
    return used / experts if isinstance(experts, int) and isinstance(used, int) and experts and used else 1.0


def _layer(name: str) -> int | None:
    found = name.removeprefix("dec.").removeprefix("enc.")
    if not found.startswith("blk."):
        return None
    number = found.split(".")[1]
    return int(number) if number.isdigit() else None


def cannot_answer(details: ModelDetails) -> str:
    """Why a model that fits would not answer here; "" where it would."""
    if details.model.kind == "embedder":
        return "It is an embedding model: it finds documents, and writes no answers."
    return ""
