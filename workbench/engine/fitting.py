"""How a model is to be loaded on this machine: context, layers on the GPU, threads, cache. Nothing is allocated here.

What a person chose is kept or refused; what they left open is chosen from the model's metadata and the memory that
is free now, and ``Plan.choice`` says why.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.calls import Device, Machine, ModelDetails
from workbench.engine.protocol import Load
from workbench.errors import UserError

AUTOMATIC_CONTEXT = 8_192
SMALLEST_CONTEXT = 512
CONTEXT_STEP = 256
BATCH_TOKENS = 512
"""The longest slice of a prompt that is computed at once."""

_BYTES_PER_VALUE = {"f16": 2.0, "f32": 4.0, "q8_0": 34 / 32}
# one layer in so many sees the whole context, the others a sliding window (llama.cpp's model definitions)
_FULL_ATTENTION_EVERY = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "cohere2": 4, "gpt-oss": 2}
_SPARE_BYTES = 256 << 20


@dataclass(frozen=True)
class Plan:
    """``gpu_layers`` counts the output layer: ``layers + 1`` is the whole model."""

    context_tokens: int
    gpu_layers: int
    threads: int
    flash_attention: Literal["auto", "on", "off"]
    kv_type: Literal["f16", "f32", "q8_0"]
    device: str
    choice: str


def plan_load(call: Load, model: ModelDetails, machine: Machine, devices: Sequence[Device]) -> Plan:
    """Decide how to load. Raises UserError when it cannot fit, saying what is needed and what there is."""
    flash = call.flash_attention
    if call.kv_type == "q8_0" and flash == "off":
        raise UserError(
            "The cache precision q8_0 needs flash attention, which is switched off.",
            "Set flash attention to auto, or the cache precision to f16.",
        )
    if call.kv_type == "q8_0":
        flash = "on"
    gpus = [device for device in devices if device.kind == "gpu"] if call.gpu_layers != 0 else []
    available = machine.memory_free_bytes - _SPARE_BYTES
    if gpus and sys.platform != "darwin":  # Apple's GPUs share the machine's memory
        available += sum(gpu.free_bytes for gpu in gpus)
    context, why_context = _choose_context(call, model, available)
    layers, why_layers = _choose_layers(call, model, context, gpus)
    threads = call.threads or machine.cores
    why_threads = f"{threads} threads, as set" if call.threads else f"one thread for each of {threads} cores"
    return Plan(
        context_tokens=context,
        gpu_layers=layers,
        threads=threads,
        flash_attention=flash,
        kv_type=call.kv_type,
        device=", ".join(gpu.description or gpu.name for gpu in gpus) if layers else machine.processor,
        choice=f"{why_context}; {why_layers}; {why_threads}.",
    )


def cache_bytes(model: ModelDetails, context_tokens: int, kv_type: str) -> int:
    """What the cache of ``context_tokens`` tokens takes. Missing metadata is estimated upwards."""
    total = 0.0
    every = _FULL_ATTENTION_EVERY.get(model.model.architecture, 1)
    window = _number(model, "attention.sliding_window", 0)
    for layer in range(model.layers):
        slides = window and every > 1 and (layer + 1) % every
        cells = min(context_tokens, 2 * window + BATCH_TOKENS) if slides else context_tokens
        total += cells * _values_per_token(model, layer) * _BYTES_PER_VALUE[kv_type]
    return int(total)


def needed_bytes(model: ModelDetails, context_tokens: int, call: Load) -> int:
    """Weights, cache and room to compute, in bytes."""
    width = model.embedding_length
    inner = _number(model, "feed_forward_length", 4 * width)
    computing = 4 * BATCH_TOKENS * (6 * width + 3 * inner) + (96 << 20)
    if call.flash_attention == "off":
        computing += 4 * BATCH_TOKENS * context_tokens * _number(model, "attention.head_count", 1)
    return model.model.bytes + cache_bytes(model, context_tokens, call.kv_type) + computing


def _choose_context(call: Load, model: ModelDetails, available: int) -> tuple[int, str]:
    trained = model.model.context_tokens
    if call.context_tokens:
        wanted = max(call.context_tokens, CONTEXT_STEP)
        if needed_bytes(model, wanted, call) > available:
            raise _too_big(model, wanted, call, available, "Choose a shorter context or a smaller model.")
        why = f"a context of {wanted:,} tokens, as set"
        if trained and wanted > trained:
            why += f" (the model was made for {trained:,}: beyond that its answers may get worse)"
        return wanted, why[0].upper() + why[1:]
    wanted = min(trained or AUTOMATIC_CONTEXT, AUTOMATIC_CONTEXT)
    context = wanted
    while context > SMALLEST_CONTEXT and needed_bytes(model, context, call) > available:
        context = max(SMALLEST_CONTEXT, (context - 1) // CONTEXT_STEP * CONTEXT_STEP)
    if needed_bytes(model, context, call) > available:
        raise _too_big(model, context, call, available, "Choose a smaller model, or one with a stronger quantisation.")
    if context < wanted:
        return context, f"A context of {context:,} tokens, for more does not fit into {_gigabytes(available)} of memory"
    if wanted == trained:
        return context, f"The full context of {context:,} tokens that the model was made for"
    return context, f"A context of {context:,} tokens (the model was made for {trained:,})"


def _choose_layers(call: Load, model: ModelDetails, context: int, gpus: Sequence[Device]) -> tuple[int, str]:
    whole = model.layers + 1
    if call.gpu_layers == 0:
        return 0, "everything on the processor, as set"
    if not gpus:
        return 0, "everything on the processor, as llama.cpp sees no GPU"
    if call.gpu_layers > 0:
        layers = min(call.gpu_layers, whole)
        return layers, f"{layers} of {whole} layers on the GPU, as set"
    layer_bytes = model.model.bytes / whole + cache_bytes(model, context, call.kv_type) / max(1, model.layers)
    computing = needed_bytes(model, context, call) - model.model.bytes - cache_bytes(model, context, call.kv_type)
    room = sum(max(0, gpu.free_bytes - computing - _SPARE_BYTES) for gpu in gpus)
    layers = min(whole, int(room / layer_bytes))
    if layers == whole:
        return whole, f"all {whole} layers on the GPU"
    return layers, f"{layers} of {whole} layers on the GPU, as many as fit into its free memory"


def _values_per_token(model: ModelDetails, layer: int) -> int:
    heads = _number(model, "attention.head_count", 1, layer)
    kv_heads = _number(model, "attention.head_count_kv", heads, layer)
    size = model.embedding_length // max(1, heads)
    return kv_heads * (_number(model, "attention.key_length", size) + _number(model, "attention.value_length", size))


def _number(model: ModelDetails, key: str, default: int, layer: int = 0) -> int:
    """A number of the model's metadata; some models have one for each layer."""
    value = model.metadata.get(f"{model.model.architecture}.{key}", default)
    if isinstance(value, list):
        value = value[min(layer, len(value) - 1)] if value else default
    return value if isinstance(value, int) and value >= 0 else default


def _too_big(model: ModelDetails, context: int, call: Load, available: int, hint: str) -> UserError:
    needed = needed_bytes(model, context, call)
    return UserError(
        f"{model.model.name} needs {_gigabytes(needed)} with a context of {context:,} tokens; "
        f"{_gigabytes(max(0, available))} are free.",
        hint,
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
