"""A model brought into memory with its context, and out again."""

from __future__ import annotations

import contextlib
import ctypes
import queue
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import psutil

from workbench import errors
from workbench.api.calls import ModelDetails
from workbench.api.events import Progress
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Load, LoadedModel
from workbench.engine.library import LibraryLog, describe_library, list_devices, llama, start_library
from workbench.engine.memory_planner import BATCH_TOKENS, Plan, cache_bytes, plan_load, windowed_layers
from workbench.engine.offloading import weigh_tensors
from workbench.engine.vocabulary import Vocabulary
from workbench.errors import UserError
from workbench.gguf.reader import Tensor, read_pieces
from workbench.models.gguf_model import describe_gguf
from workbench.models.machine import read_machine

MAX_OUTPUTS = 32
"""For how many tokens of one batch logits are asked at most: they take a float for each word of the vocabulary."""

_FLASH = {
    "auto": llama.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_KV = {"f16": llama.GGML_TYPE_F16, "f32": llama.GGML_TYPE_F32, "q8_0": llama.GGML_TYPE_Q8_0}
_SPLIT = {
    "none": llama.LLAMA_SPLIT_MODE_NONE,
    "layer": llama.LLAMA_SPLIT_MODE_LAYER,
    "row": llama.LLAMA_SPLIT_MODE_ROW,
}
_PROGRESS_INTERVAL_S = 0.05
PARKED_CELLS = 512
PARKED_SHARE = 0.01
"""Idle conversations may lie in memory beside an active one as long as a token takes no more than so much longer for
it: each token reads all cells as it reads all weights. 512 cells beside a model of 100 MB made it a fifth slower."""

_SPARE_MEMORY = 1.5
"""Another context is made where so many times of what it takes is free."""

_FEW = 2
"""Up to so many sequences a context keeps short sliding windows and shares nothing."""


class Model:
    """A loaded model. Only the engine's thread may compute with its contexts.

    A context has ``sequences`` sequences in one memory of ``context_tokens`` cells, which they ``share`` where they are
    the same; ``parked_cells`` of it may hold idle conversations beside active ones. ``window`` is the length of a
    sliding attention window in tokens, 0 without one; ``windowed`` says for each layer whether it has it.
    ``rewindable`` tells whether the newest tokens can be taken back out of memory (recurrent models cannot).
    ``worth_saving`` is how many tokens a conversation must have for its state to be kept. ``width`` is that of the last
    layer's output. ``tensors`` is the files' tensor table.
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
        self.shares = self.sequences > _FEW
        # also where a context keeps all cells: others' tokens may come into those that have left the window
        self.window: int = llama.llama_model_n_swa(pointer)
        self.windowed = windowed_layers(details)
        self.rewindable = not _is_recurrent(pointer)
        self.context_tokens: int = llama.llama_n_ctx(first)
        self.width: int = llama.llama_model_n_embd_out(pointer)
        self.worth_saving = 32
        self._memory_bytes = cache_bytes(details, self.context_tokens, plan.kv_type, self.sequences)
        weights = sum(tensor.bytes for tensor in tensors)
        light = int(PARKED_SHARE * weights * self.context_tokens / max(1, self._memory_bytes))
        self.parked_cells = min(PARKED_CELLS, light)
        self.template = _template_of(pointer)
        self._details, self._plan = details, plan
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
        )

    def make_context(self) -> Any:
        """Another context like the first one. Raises UserError when there is no memory for it."""
        free = psutil.virtual_memory().available
        if not self._plan.gpu_layers and free < _SPARE_MEMORY * self._memory_bytes:
            # the system would give it, and then take other programs' or end this one
            raise UserError(
                f"Another context takes {self._memory_bytes / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free.",
                "Set a shorter context.",
            )
        return _make_context(self.pointer, self._details, self._plan, start_library())

    def warm_up(self, context: Any, request: RequestContext) -> None:
        """Compute one token, so that the weights are in memory before the first question; leaves no trace.

        Raises errors.Cancelled, or UserError when the model does not compute.
        """
        abort = llama.ggml_abort_callback(lambda _user_data: request.cancelled)
        token = (llama.llama_token * 1)(max(0, self.vocabulary.bos))
        llama.llama_set_abort_callback(context, abort, None)
        llama.llama_set_warmup(context, True)
        status = llama.llama_decode(context, llama.llama_batch_get_one(token, 1))
        llama.llama_set_warmup(context, False)
        llama.llama_set_abort_callback(context, llama.ggml_abort_callback(), None)
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        if request.cancelled:
            raise errors.Cancelled
        if status:
            raise UserError(f"The model loads but does not compute (llama.cpp's code {status}).", _LOAD_HINT)

    def close(self) -> None:
        """Free the weights, after the contexts. No other thread may use the model any more."""
        llama.llama_model_free(self.pointer)


def inspect_model(path: str) -> ModelDetails:
    """What a file says of itself. Raises UserError for what the engine cannot run, before llama.cpp sees it."""
    details = describe_gguf(Path(path))
    if details.model.kind == "embedder":
        raise UserError(
            f"{details.model.name} is an embedding model: it turns text into numbers and cannot answer.",
            "Choose a chat model.",
        )
    return details


def load_model(call: Load, details: ModelDetails, context: RequestContext) -> Generator[Progress, None, Model]:
    """Load; yields Progress in [0, 1) and returns the model.

    Raises UserError when the model does not fit or llama.cpp refuses it, errors.Cancelled when ``context`` is
    cancelled; nothing stays allocated then.
    """
    log = start_library()
    devices = list_devices()
    machine = read_machine(Path(details.model.path).parent, devices)
    tensors = [tensor for piece in read_pieces(Path(details.model.path)) for tensor in piece.tensors]
    plan = plan_load(call, details, machine, devices, weigh_tensors(details, tensors))
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
            # the last hundredth is the context and the first computation, which is the engine's
            yield Progress(stage="loading", done=min(done, 0.99), total=1.0)
    thread.join()
    pointer = loaded[0] if loaded else None
    if not pointer:
        context.raise_if_cancelled()
        raise UserError(f"llama.cpp cannot load {details.model.path}: {_reason(log)}", _LOAD_HINT)
    with contextlib.ExitStack() as undo:
        undo.callback(llama.llama_model_free, pointer)
        made = _make_context(pointer, details, plan, log)
        undo.callback(llama.llama_free, made)
        model = Model(pointer, made, details, plan, call, tensors)
        undo.pop_all()
    return model


_LOAD_HINT = "Download or copy the file again; a model that is newer than this program may need an update of it."


def _load_weights(path: str, plan: Plan, reports: queue.SimpleQueue[float | None], context: RequestContext) -> Any:
    def on_progress(done: float, _user_data: Any) -> bool:
        reports.put(done)
        return not context.cancelled

    callback = llama.llama_progress_callback(on_progress)
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = plan.gpu_layers
    parameters.split_mode = _SPLIT[plan.split_mode]
    parameters.main_gpu = plan.main_gpu
    if plan.tensor_split:  # llama.cpp copies it
        parameters.tensor_split = (ctypes.c_float * llama.llama_max_devices())(*plan.tensor_split)
    parameters.progress_callback = callback
    return llama.llama_model_load_from_file(path.encode(), parameters)


def _make_context(pointer: Any, details: ModelDetails, plan: Plan, log: LibraryLog) -> Any:
    name = details.model.name
    if llama.llama_model_has_encoder(pointer) or not llama.llama_model_has_decoder(pointer):
        raise UserError(f"{name} is not a model that goes on with a text.", "Choose a chat model.")
    if llama.llama_model_is_diffusion(pointer):
        raise UserError(f"{name} is a diffusion model, which this program cannot run.", "Choose a chat model.")
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = plan.context_tokens
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.n_seq_max = 1 if _is_recurrent(pointer) else plan.sequences
    parameters.kv_unified = True
    parameters.n_outputs_max = parameters.n_outputs_max_per_seq = MAX_OUTPUTS
    # cells that several sequences share cannot be freed when they leave a sliding window: with short windows
    # (a quarter of the memory of `gemma`) nothing can be shared
    parameters.swa_full = plan.sequences > _FEW
    parameters.n_threads = parameters.n_threads_batch = plan.threads
    parameters.flash_attn_type = _FLASH[plan.flash_attention]
    parameters.type_k = parameters.type_v = _KV[plan.kv_type]
    parameters.no_perf = True
    context = llama.llama_init_from_model(pointer, parameters)
    if not context:
        raise UserError(
            f"llama.cpp cannot run {name} as chosen ({plan.choice.rstrip('.')}): {_reason(log)}",
            "Set a shorter context, fewer layers on the GPU, or the cache precision f16.",
        )
    if not llama.llama_get_memory(context):
        llama.llama_free(context)
        raise UserError(f"{name} is an embedding model and cannot answer.", "Choose a chat model.")
    return context


def _is_recurrent(pointer: Any) -> bool:
    return bool(llama.llama_model_is_recurrent(pointer) or llama.llama_model_is_hybrid(pointer))


def _template_of(pointer: Any) -> str:
    raw: bytes | None = llama.llama_model_chat_template(pointer, None)
    return raw.decode("utf-8", "replace") if raw else ""


def _reason(log: LibraryLog) -> str:
    """What llama.cpp said, from its first complaint, without the names of its functions."""
    said = [line.partition(": ")[2] or line for line in log.errors()]
    return (said[0] if said else "it gave no reason").rstrip(".") + "."
