"""Loads a model and its first context into memory, and frees them."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from workbench.api.events import Progress
from workbench.api.protocol import RequestContext
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.engine.dry_load import choose_load_mode
from workbench.engine.encoder_decoder import encode, find_start
from workbench.engine.inference_calls import Load, LoadedModel
from workbench.engine.library import LibraryLog, describe_library, list_devices, llama, start_library
from workbench.engine.machine import read_machine
from workbench.engine.memory_breakdown import count_memory
from workbench.engine.memory_formulas import cache_bytes, is_encoder_decoder, windowed_layers
from workbench.engine.memory_planner import Plan, plan_load, with_projector
from workbench.engine.mtmd_library import mtmd_library
from workbench.engine.offloading import weigh_tensors
from workbench.engine.parameters import (
    FEW_SHARED,
    LOAD_HINT,
    context_parameters,
    is_recurrent,
    log_reason,
    model_parameters,
    not_loaded,
)
from workbench.engine.positions import Positions
from workbench.engine.vision import Vision
from workbench.engine.vocabulary import Vocabulary
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import Tensor, read_pieces
from workbench.records.models import ModelDetails
from workbench.text.language import known_languages

_PROGRESS_INTERVAL_S = 0.05
PARKED_CELLS = 512
PARKED_SHARE = 0.01
"""Idle conversations stay in memory beside an active one as long as a token takes at most so much longer for it: each
token reads all cells as it reads all weights. 512 cells beside a model of 100 MB made it a fifth slower."""

_SPARE_MEMORY = 1.5
"""Another context is made when so many times its size is free."""


class Model:
    """A loaded model. Only the engine's thread may compute with its contexts.

    A context has ``sequences`` sequences in one memory of ``context_tokens`` cells; ``share`` says whether they share
    equal ones; ``parked_cells`` of it may hold idle conversations beside active ones. ``window`` is the length of the
    sliding attention window in tokens, 0 without one; ``windowed`` names the layers that have it. ``rewindable`` says
    whether the newest tokens can be removed from memory (not in recurrent models). ``worth_saving`` is the minimum
    number of tokens for saving a conversation's state. ``width`` is that of the last layer's output. ``tensors`` is the
    files' tensor table. ``decoder_start`` is the token between question and answer of an encoder-decoder model, None of
    others. ``vision`` reads images, None without a projector, or where the engine has
    a ``vision_problem``. ``positions`` numbers the tokens of sequences.
    """

    def __init__(
        self, pointer: Any, first: Any, details: ModelDetails, plan: Plan, call: Load, tensors: Sequence[Tensor]
    ) -> None:
        self.pointer = pointer
        self.path = details.model.path
        self.name = details.model.name
        self.tensors = {tensor.name: tensor for tensor in tensors}
        self.deterministic = call.deterministic
        self.prefix_cache_bytes = call.prefix_cache_bytes
        self.threads_are_set = call.threads > 0 or call.deterministic
        self.first_context = first
        self.vocabulary = Vocabulary(llama.llama_model_get_vocab(pointer))
        self.sequences: int = llama.llama_n_seq_max(first)
        self.shares = self.sequences > FEW_SHARED
        # also where a context keeps all cells: other sequences' tokens may take those that have left the window
        self.window: int = llama.llama_model_n_swa(pointer)
        self.windowed = windowed_layers(details)
        self.rewindable = not is_recurrent(pointer)
        self.context_tokens: int = llama.llama_n_ctx(first)
        self.width: int = llama.llama_model_n_embd_out(pointer)
        self.decoder_start = find_start(pointer, self.vocabulary.pointer) if is_encoder_decoder(details) else None
        self.worth_saving = 32
        self._memory_bytes = cache_bytes(details, self.context_tokens, plan.kv_type, self.sequences)
        weights = sum(tensor.bytes for tensor in tensors)
        light = int(PARKED_SHARE * weights * self.context_tokens / max(1, self._memory_bytes))
        self.parked_cells = min(PARKED_CELLS, light)
        self.template = _template_of(pointer)
        self._details, self._plan = details, plan
        self.vision, self.vision_problem = _load_vision(pointer, details, plan, call)
        self.positions = self.vision.positions if self.vision is not None else Positions()
        self.info = LoadedModel(
            path=details.model.path,
            architecture=details.model.architecture,
            context_tokens=self.context_tokens,
            trained_context_tokens=llama.llama_model_n_ctx_train(pointer),
            vocabulary=self.vocabulary.size,
            parameters=llama.llama_model_n_params(pointer),
            gpu_layers=plan.gpu_layers,
            threads=llama.llama_n_threads(first),
            device=plan.device,
            engine=describe_library(),
            has_template=bool(self.template),
            choice=plan.choice,
            deterministic=call.deterministic,
            languages=known_languages(details.metadata.get("general.languages")),
            sees=self.vision is not None,
            memory=tuple(
                msgspec.structs.replace(part, mapped=plan.mapped and not part.device)
                for part in with_projector(count_memory(first), call if self.vision else None, plan.gpu_layers)
            ),
        )

    def make_context(self) -> Any:
        """Another context like the first one. Raises UserError when there is not enough memory."""
        free = psutil.virtual_memory().available
        if not self._plan.gpu_layers and free < _SPARE_MEMORY * self._memory_bytes:
            # the system would grant it, then swap other programs out or kill this one
            raise UserError(
                f"Another context needs {self._memory_bytes / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free.",
                "Set a shorter context.",
            )
        return _make_context(self.pointer, self._details, self._plan, start_library())

    def warm_up(self, context: Any, request: RequestContext) -> None:
        """Compute one token, so that the weights are in memory before the first question; the cache stays empty.

        Raises errors.Cancelled, or UserError when the model does not compute.
        """
        abort = llama.ggml_abort_callback(lambda _user_data: request.cancelled)
        first = max(0, self.vocabulary.bos) if self.decoder_start is None else self.decoder_start
        token = (llama.llama_token * 1)(first)
        llama.llama_set_abort_callback(context, abort, None)
        llama.llama_set_warmup(context, True)
        status = encode(context, [max(0, self.vocabulary.eos)], 1) if self.decoder_start is not None else 0
        status = status or llama.llama_decode(context, llama.llama_batch_get_one(token, 1))
        llama.llama_set_warmup(context, False)
        llama.llama_set_abort_callback(context, llama.ggml_abort_callback(), None)
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        if request.cancelled:
            raise errors.Cancelled
        if status:
            raise UserError(f"The model loads but does not compute (llama.cpp status {status}).", LOAD_HINT)

    def close(self) -> None:
        """Free the projector and the weights, after the contexts. No other thread may use the model afterwards."""
        if self.vision is not None:
            self.vision.close()
        llama.llama_model_free(self.pointer)


def _load_vision(pointer: Any, details: ModelDetails, plan: Plan, call: Load) -> tuple[Vision | None, UserError | None]:
    """The projector of a load; where the engine cannot read images, why: the model answers texts without it."""
    name = details.model.name
    if not call.projector:
        return None, None
    if is_encoder_decoder(details) or is_recurrent(pointer):
        raise UserError(f"{name} cannot read images: its memory does not keep single tokens.", "Choose another model.")
    log = start_library()
    try:
        mtmd_library()
    except UserError as problem:
        return None, problem
    return Vision(call.projector, pointer, name, log, threads=plan.threads, gpu=plan.gpu_layers > 0), None


def inspect_model(path: str) -> ModelDetails:
    """A model file's metadata. Raises UserError for models the engine cannot run, before llama.cpp opens the file."""
    details = describe_gguf(Path(path))
    if details.model.kind == "embedder":
        raise UserError(f"{details.model.name} is an embedding model and cannot generate text.", "Choose a chat model.")
    return details


def load_model(call: Load, details: ModelDetails, context: RequestContext) -> Generator[Progress, None, Model]:
    """Load a model; yields Progress in [0, 1) and returns the model.

    Raises UserError when the model does not fit or llama.cpp refuses it, errors.Cancelled when ``context`` is
    cancelled; in both cases all memory is freed.
    """
    log = start_library()
    devices = list_devices()
    machine = read_machine(Path(details.model.path).parent, devices)
    tensors = [tensor for piece in read_pieces(Path(details.model.path)) for tensor in piece.tensors]
    plan = plan_load(call, details, machine, devices, weigh_tensors(details, tensors))
    plan = choose_load_mode(details.model, plan, log)
    log.forget_errors()
    reports: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    loaded: list[Any] = []

    def work() -> None:
        try:
            loaded.append(_load_weights(details.model.path, plan, reports, context))
        finally:
            reports.put(None)

    thread = threading.Thread(target=work, name="load", daemon=True)
    yield Progress(stage="loading", done=0.0, total=1.0)
    thread.start()
    shown = time.monotonic()
    while (done := reports.get()) is not None:
        if time.monotonic() >= shown + _PROGRESS_INTERVAL_S:
            shown = time.monotonic()
            # the last hundredth is the context and the first computation, which the engine does
            yield Progress(stage="loading", done=min(done, 0.99), total=1.0)
    thread.join()
    pointer = loaded[0] if loaded else None
    if not pointer:
        context.raise_if_cancelled()
        raise not_loaded(details.model.path, details.model.name, log)
    with contextlib.ExitStack() as undo:
        undo.callback(llama.llama_model_free, pointer)
        made = _make_context(pointer, details, plan, log)
        undo.callback(llama.llama_free, made)
        model = Model(pointer, made, details, plan, call, tensors)
        undo.pop_all()
    return model


def _load_weights(path: str, plan: Plan, reports: queue.SimpleQueue[float | None], context: RequestContext) -> Any:
    def on_progress(done: float, _user_data: Any) -> bool:
        reports.put(done)
        return not context.cancelled

    callback = llama.llama_progress_callback(on_progress)
    parameters = model_parameters(path, plan)
    parameters.progress_callback = callback
    return llama.llama_model_load_from_file(path.encode(), parameters)


def _make_context(pointer: Any, details: ModelDetails, plan: Plan, log: LibraryLog) -> Any:
    name = details.model.name
    encodes = llama.llama_model_has_encoder(pointer) and not is_encoder_decoder(details)
    if encodes or not llama.llama_model_has_decoder(pointer):
        raise UserError(f"{name} is not a text generation model.", "Choose a chat model.")
    if llama.llama_model_is_diffusion(pointer):
        raise UserError(f"{name} is a diffusion model, which is not supported.", "Choose a chat model.")
    context = llama.llama_init_from_model(pointer, context_parameters(plan, is_recurrent(pointer)))
    if not context:
        raise UserError(
            f"llama.cpp cannot run {name} with these settings ({plan.choice.rstrip('.')}): {log_reason(log)}",
            "Set a shorter context, fewer GPU layers, or the cache precision f16.",
        )
    if not llama.llama_get_memory(context):
        llama.llama_free(context)
        raise UserError(f"{name} is an embedding model and cannot generate text.", "Choose a chat model.")
    return context


def _template_of(pointer: Any) -> str:
    raw: bytes | None = llama.llama_model_chat_template(pointer, None)
    return raw.decode("utf-8", "replace") if raw else ""
