"""Plans how a model is loaded on this machine: context, layers per GPU, threads, cache. Nothing is allocated here.

Settings that a person chose are kept or refused; the others follow from the model's metadata and the free memory, and
``Plan.choice`` gives the reasons. The placement of layers follows llama.cpp's ``load_tensors``: the token embeddings
stay on the processor, the last layers go to the GPUs, the output layer after them, in the GPUs' order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from workbench.base.errors import UserError
from workbench.engine.inference_calls import Load
from workbench.engine.memory_formulas import (
    BATCH_TOKENS,
    FEW_SEQUENCES,
    MANY_SEQUENCES,
    computing_bytes,
    is_encoder_decoder,
    layer_cache,
    slides,
)
from workbench.engine.offloading import Weights, distribute_layers, find_gpus
from workbench.records.fit import MemoryPart
from workbench.records.models import Device, Machine, ModelDetails

AUTOMATIC_CONTEXT = 8_192
SMALLEST_CONTEXT = 512
CONTEXT_STEP = 256
LONGEST_CONTEXT = 2**31 - 1  # llama.cpp counts positions in 32 bits
_DETERMINISTIC_CONTEXTS = 2
_SPARE_BYTES = 256 << 20
_VISION_BYTES = 128 << 20  # what a projector of usual size computes an image with
_HOST_BYTES = 64 << 20  # computed on the processor when all layers are on GPUs
_GPU_BYTES = 96 << 20  # copies between devices, and what a driver takes for itself


@dataclass(frozen=True)
class Plan:
    """``gpu_layers`` counts the output layer: ``layers + 1`` is the whole model. ``tensor_split`` is the number of
    layers per GPU (its share of each layer with ``split_mode`` row), () with one GPU. ``sequences`` is n_seq_max.
    ``parts`` are the bytes on each device as planned, with what is free there; ``fits`` is false where it was to be
    loaded although more is needed than is free. ``mapped``: the weights stay in the mapped file; otherwise they are
    read into memory (``choose_load_mode``)."""

    context_tokens: int
    gpu_layers: int
    threads: int
    flash_attention: Literal["auto", "on", "off"]
    kv_type: Literal["f16", "f32", "q8_0"]
    device: str
    choice: str
    sequences: int = MANY_SEQUENCES
    split_mode: Literal["layer", "row", "none"] = "layer"
    main_gpu: int = 0
    tensor_split: tuple[float, ...] = ()
    parts: tuple[MemoryPart, ...] = ()
    contexts: int = 1
    fits: bool = True
    mapped: bool = True


@dataclass(frozen=True)
class _Setting:
    """One candidate: ``layers`` on GPUs, as ``counts`` per GPU; ``over`` is the number of bytes that do not fit at
    ``where`` (the tightest place), which has ``free`` bytes; it fits when ``over`` is at most 0."""

    context: int
    sequences: int
    layers: int
    counts: tuple[float, ...]
    needed: int
    over: int
    where: str
    free: int
    parts: tuple[MemoryPart, ...] = ()

    @property
    def fits(self) -> bool:
        return self.over <= 0


def plan_load(
    call: Load, model: ModelDetails, machine: Machine, devices: Sequence[Device], weights: Weights | None = None
) -> Plan:
    """Plan a load. ``weights`` (``weigh_tensors``) are the bytes per layer; without them they are estimated.

    Raises UserError when the model cannot fit, with the memory needed, the memory free, and settings that would fit.
    """
    flash = call.flash_attention
    if call.kv_type == "q8_0" and flash == "off":
        raise UserError(
            "The cache precision q8_0 needs flash attention, which is off.",
            "Set flash attention to auto, or the cache precision to f16.",
        )
    if call.kv_type == "q8_0":
        flash = "on"
    fitting = _Planner(call, model, machine, find_gpus(call, devices), weights or Weights.estimate(model))
    setting, why_context = fitting.choose()
    threads = call.threads or machine.cores
    why_threads = f"{threads} threads, as set" if call.threads else f"one thread for each of {threads} cores"
    reasons = [why_context, fitting.explain_layers(setting), *fitting.explain_sequences(setting), why_threads]
    used = [gpu for gpu, count in zip(fitting.gpus, setting.counts, strict=True) if count]
    return Plan(
        context_tokens=setting.context,
        gpu_layers=setting.layers,
        threads=threads,
        flash_attention=flash,
        kv_type=call.kv_type,
        device=", ".join(_name(gpu) for gpu in used) or machine.processor,
        choice=f"{'; '.join(reasons)}.",
        sequences=setting.sequences,
        split_mode=call.split_mode,
        main_gpu=call.main_gpu,
        tensor_split=setting.counts if len(setting.counts) > 1 and setting.layers else (),
        parts=setting.parts,
        contexts=fitting.contexts,
        fits=setting.fits,
    )


def vision_bytes(call: Load) -> int:
    """What the projector of a load takes: its weights, and what it computes an image with."""
    if not call.projector:
        return 0
    try:
        return Path(call.projector).stat().st_size + _VISION_BYTES
    except OSError:  # the load says that it is missing
        return 0


def with_projector(parts: Sequence[MemoryPart], call: Load | None, gpu_layers: int) -> tuple[MemoryPart, ...]:
    """llama.cpp's count of a model with what the projector of its load takes: on the first GPU, else beside the
    processor. None: it was loaded without."""
    place = next((number for number, part in enumerate(parts) if bool(part.device) == bool(gpu_layers)), 0)
    weights = vision_bytes(call) - _VISION_BYTES if call is not None else -1
    if weights < 0:
        return tuple(parts)
    return tuple(
        msgspec.structs.replace(part, weights=part.weights + weights, computing=part.computing + _VISION_BYTES)
        if number == place
        else part
        for number, part in enumerate(parts)
    )


class _Planner:
    """One model on one machine: tries settings and explains the chosen ones."""

    def __init__(
        self, call: Load, model: ModelDetails, machine: Machine, gpus: Sequence[Device], weights: Weights
    ) -> None:
        self.call, self.model, self.machine, self.gpus, self.weights = call, model, machine, gpus, weights
        self.whole = len(weights.layers) + 1
        self.contexts = _DETERMINISTIC_CONTEXTS if call.deterministic else 1
        self._known_caches: dict[tuple[int, int], list[int]] = {}
        self._vision = vision_bytes(call)

    def choose(self) -> tuple[_Setting, str]:
        trained = self.model.model.context_tokens
        if self.call.context_tokens:
            wanted = max(self.call.context_tokens, CONTEXT_STEP)
            setting = self._best(wanted)
            if wanted > LONGEST_CONTEXT or (not setting.fits and not self.call.anyway):
                raise self._refuse(setting)
            why = f"A context of {wanted:,} tokens, as set"
            if trained and wanted > trained:
                why += f" (the model was trained with {trained:,}; answers may degrade beyond that)"
            return setting, why
        wanted = min(trained or AUTOMATIC_CONTEXT, AUTOMATIC_CONTEXT)
        if encodes := is_encoder_decoder(self.model):  # the question has no cells, but counts
            wanted = min(wanted + BATCH_TOKENS, AUTOMATIC_CONTEXT)
        first = setting = self._best(wanted)
        if not setting.fits:
            setting = self._longest(wanted) or self._best(min(SMALLEST_CONTEXT, wanted))
        if not setting.fits:
            if not self.call.anyway:
                raise self._refuse(setting)
            needed, free = _gigabytes(setting.needed), _gigabytes(setting.free)
            return setting, f"A context of {setting.context:,} tokens, although {needed} are needed and {free} are free"
        if setting.context < wanted:
            return setting, (
                f"A context of {setting.context:,} tokens, the longest that fits into {_gigabytes(first.free)} "
                "of memory"
            )
        if encodes:
            return setting, f"A context of {wanted:,} tokens, at most {BATCH_TOKENS:,} of them for the question"
        if wanted == trained:
            return setting, f"The full trained context of {wanted:,} tokens"
        return setting, f"A context of {wanted:,} tokens (the model was trained with {trained:,})"

    def explain_layers(self, setting: _Setting) -> str:
        if self.call.gpu_layers == 0:
            return "all layers on the processor, as set"
        if not self.gpus:
            return "all layers on the processor, since llama.cpp sees no GPU"
        if not setting.layers:
            free = " and ".join(f"{_gigabytes(gpu.free_bytes)} on {_name(gpu)}" for gpu in self.gpus)
            return f"all layers on the processor, since not one fits on the GPU ({free} are free)"
        count = f"all {self.whole}" if setting.layers == self.whole else f"{setting.layers} of {self.whole}"
        used = [(gpu, share) for gpu, share in zip(self.gpus, setting.counts, strict=True) if share]
        if len(used) == 1:
            said = f"{count} layers on " + ("the GPU" if len(self.gpus) == 1 else _name(used[0][0]))
        elif self.call.split_mode == "row":
            total = sum(share for _, share in used)
            parts = ", ".join(f"{share / total:.0%} on {_name(gpu)}" for gpu, share in used)
            said = f"{count} layers on {len(used)} GPUs, each split by rows ({parts})"
        else:
            parts = ", ".join(f"{share:.0f} on {_name(gpu)}" for gpu, share in used)
            said = f"{count} layers on {len(used)} GPUs ({parts})"
        if self.call.gpu_layers > 0:
            return f"{said}, as set"
        return said if setting.layers == self.whole else f"{said}, the most that fit into the free memory"

    def explain_sequences(self, setting: _Setting) -> Iterable[str]:
        if setting.sequences == FEW_SEQUENCES and not self.call.sequences:
            more = self._cache(setting.context, MANY_SEQUENCES) - self._cache(setting.context, FEW_SEQUENCES)
            yield (
                f"{FEW_SEQUENCES} parallel sequences instead of {MANY_SEQUENCES}, without sharing, which saves "
                f"{_gigabytes(more)} in the sliding-window layers"
            )
        if self.call.deterministic:
            yield f"answers computed one at a time for reproducible results, in up to {self.contexts} contexts"

    def _best(self, context: int) -> _Setting:
        """The setting with the most GPU layers that fits, with more sequences where that costs nothing; else the one
        nearest to fitting."""
        options = [self.call.sequences or MANY_SEQUENCES]
        if slides(self.model) and not self.call.deterministic and not self.call.sequences:
            options.append(FEW_SEQUENCES)
        tried = [self._most_layers(context, sequences) for sequences in options]
        fitting = [setting for setting in tried if setting.fits]
        if fitting:
            return max(fitting, key=lambda setting: setting.layers)
        return min(tried, key=lambda setting: setting.over)

    def _most_layers(self, context: int, sequences: int) -> _Setting:
        if not self.gpus or self.call.gpu_layers == 0:
            return self._try(context, sequences, 0)
        if self.call.gpu_layers > 0:
            return self._try(context, sequences, min(self.call.gpu_layers, self.whole))
        tried = []
        for layers in range(self.whole, -1, -1):
            tried.append(self._try(context, sequences, layers))
            if tried[-1].fits:
                return tried[-1]
        return min(tried, key=lambda setting: setting.over)

    def _try(self, context: int, sequences: int, layers: int) -> _Setting:
        computing = self.contexts * computing_bytes(self.model, context, self.call, sequences)
        on_gpu = computing + self.contexts * _GPU_BYTES
        cached = [*self._caches(context, sequences), 0]  # the output layer has no cache
        moved = range(self.whole - layers, self.whole)
        rooms = [self._room(gpu) - on_gpu for gpu in self.gpus]
        if layers and rooms:  # llama.cpp puts the projector on the first one
            rooms[0] -= self._vision
        sizes = [self.weights.on_gpu(layer) + cached[layer] for layer in moved]
        counts = distribute_layers(self.call, sizes, rooms)
        gpus = self._on_gpus(sizes, counts, [cached[layer] for layer in moved], on_gpu)
        if layers and gpus:
            gpus[0] = msgspec.structs.replace(gpus[0], weights=gpus[0].weights + self._vision)
        shared = sum(part.total for gpu, part in zip(self.gpus, gpus, strict=True) if gpu.shared)
        free = max(0, self.machine.memory_free_bytes - _SPARE_BYTES)
        host = MemoryPart(
            weights=self.weights.on_host(layers) + (0 if layers else self._vision),
            cache=sum(cached[: self.whole - layers]),
            computing=computing if layers < self.whole else self.contexts * _HOST_BYTES,
            free=free,
        )
        places = [(host.total + shared - free, "", free, host.total + shared)]
        for part in gpus:
            places.append((part.total - part.free if part.total else 0, part.device, max(0, part.free), part.total))
        over, where, room, needed = max(places)
        parts = (host, *(part for part in gpus if part.total))
        return _Setting(context, sequences, layers, counts, needed, over, where, room, parts)

    def _on_gpus(
        self, sizes: list[int], counts: Sequence[float], caches: list[int], computing: int
    ) -> list[MemoryPart]:
        """What each GPU has to hold."""
        parts = []
        begin = 0
        total = sum(counts)
        for gpu, count in zip(self.gpus, counts, strict=True):
            if self.call.split_mode == "row" and len(counts) > 1:
                weights = int((sum(sizes) - sum(caches)) * count / total) if total else 0
                end = begin + round(len(sizes) * count / total) if total else begin
                cache = sum(caches[begin:end])
            else:
                end = begin + int(count)
                cache = sum(caches[begin:end])
                weights = sum(sizes[begin:end]) - cache
            part = MemoryPart(device=_name(gpu), free=self._room(gpu))
            if count:
                part = msgspec.structs.replace(part, weights=weights, cache=cache, computing=computing)
            parts.append(part)
            begin = end
        return parts

    def _room(self, gpu: Device) -> int:
        """Free bytes of a GPU. Where the driver does not report them, the machine's memory counts."""
        free = gpu.free_bytes if gpu.memory_bytes or gpu.free_bytes else self.machine.memory_free_bytes
        return (min(free, self.machine.memory_free_bytes) if gpu.shared else free) - _SPARE_BYTES

    def _cache(self, context: int, sequences: int) -> int:
        return sum(self._layer_cache(layer, context, sequences) for layer in range(self.model.layers))

    def _layer_cache(self, layer: int, context: int, sequences: int) -> int:
        return self.contexts * layer_cache(self.model, layer, context, self.call.kv_type, sequences)

    def _caches(self, context: int, sequences: int) -> list[int]:
        """Cache bytes per layer; memoised, since many settings share them."""
        if (context, sequences) not in self._known_caches:
            self._known_caches[context, sequences] = [
                self._layer_cache(layer, context, sequences) for layer in range(len(self.weights.layers))
            ]
        return self._known_caches[context, sequences]

    def _refuse(self, setting: _Setting) -> UserError:
        what = f"{self.model.model.name} needs {_gigabytes(setting.needed)}"
        if setting.where:
            what += f" on {setting.where} for {setting.layers} of {self.whole} layers"
        elif setting.layers:
            what += f" beside the {setting.layers} layers on the GPU"
        return UserError(
            f"{what} with a context of {setting.context:,} tokens; {_gigabytes(setting.free)} are free.",
            self._alternatives(setting),
        )

    def _alternatives(self, setting: _Setting) -> str:
        """Settings that would fit instead, each tried out."""
        ways = []
        if self.call.gpu_layers > 0:
            for layers in range(setting.layers - 1, -1, -1):
                if self._with(gpu_layers=layers).fits_at(setting.context):
                    ways.append(f"{layers} layers on the GPU" if layers else "no layers on the GPU")
                    break
        if shorter := self._longest(setting.context):
            ways.append(f"a context of {shorter.context:,} tokens")
        smaller = self.call.kv_type != "q8_0" and self.call.flash_attention != "off"
        if smaller and self._with(kv_type="q8_0").fits_at(setting.context):
            ways.append("the cache precision q8_0")
        if self.call.deterministic and self._with(deterministic=False).fits_at(setting.context):
            ways.append("deterministic answers off")
        most = self.weights.total - setting.over
        if most > self.weights.total // 8:
            ways.append(f"a smaller model or a stronger quantisation (up to {_gigabytes(most)} of weights)")
        if not ways:
            return "Choose a much smaller model, or close other programs."
        return f"It would fit with {', or with '.join(ways)}."

    def _longest(self, below: int) -> _Setting | None:
        """The longest fitting context below one, by bisection: the cache grows with the length."""
        low, high = SMALLEST_CONTEXT // CONTEXT_STEP, (min(below, LONGEST_CONTEXT + 1) - 1) // CONTEXT_STEP
        found = None
        while low <= high:
            middle = (low + high) // 2
            setting = self._best(middle * CONTEXT_STEP)
            if setting.fits:
                found, low = setting, middle + 1
            else:
                high = middle - 1
        return found

    def fits_at(self, context: int) -> bool:
        return self._best(context).fits

    def _with(self, **changed: object) -> _Planner:
        call = msgspec.structs.replace(self.call, **changed)
        return _Planner(call, self.model, self.machine, self.gpus, self.weights)


def _name(gpu: Device) -> str:
    return gpu.description or gpu.name


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
