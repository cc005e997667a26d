"""llama.cpp's parameters of a model and its contexts, by a plan; and the reason where it refuses them."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

from workbench.base.errors import NewerEngineNeeded, UserError
from workbench.engine.library import LibraryLog, can_repack, describe_library, llama, uses_amx
from workbench.engine.memory_formulas import BATCH_TOKENS
from workbench.engine.memory_planner import Plan
from workbench.gguf.reader import read_pieces

MAX_OUTPUTS = 32
"""Maximum number of tokens per batch with logits: each takes a float per word of the vocabulary."""

_FLASH = {
    "auto": llama.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_KV = {"f16": llama.GGML_TYPE_F16, "f32": llama.GGML_TYPE_F32, "q8_0": llama.GGML_TYPE_Q8_0}
_SPLIT = {"none": llama.LLAMA_SPLIT_MODE_NONE, "layer": llama.LLAMA_SPLIT_MODE_LAYER, "row": llama.LLAMA_SPLIT_MODE_ROW}
CONTEXT_STEP = 256
LOAD_HINT = "Download or copy the file again. A model that is newer than the engine may need a newer one."
_UNKNOWN = re.compile(r"unknown (?:model (architecture)|(pre-tokenizer) type): '([^']*)'")
"""How llama.cpp says that it is older than a model (llama-model.cpp, llama-vocab.cpp of llama-cpp-python 0.3.36)."""
_ON_VIEWS = re.compile(r"\.(?:attn_[kv]_b|ssm_dt)\.weight$")
"""Weights that llama.cpp multiplies by a part of a tensor (latent attention, Mamba), which it cannot where they are
repacked for AMX: it aborts (``supports_op`` in amx.cpp of llama-cpp-python 0.3.36)."""
FEW_SHARED = 2
"""Up to so many sequences, a context keeps short sliding windows and shares no cells."""


def model_parameters(path: str, plan: Plan) -> Any:
    """llama.cpp's parameters of a model file: where its layers go, whether it is mapped, and whether its weights may be
    repacked for the processor. Raises UserError for an unsound file."""
    parameters = llama.llama_model_default_params()
    parameters.use_extra_bufts = can_repack() and not (uses_amx() and _multiplies_views(path))
    parameters.n_gpu_layers = plan.gpu_layers
    parameters.load_mode = llama.LLAMA_LOAD_MODE_AUTO if plan.mapped else llama.LLAMA_LOAD_MODE_NONE
    parameters.split_mode = _SPLIT[plan.split_mode]
    parameters.main_gpu = plan.main_gpu
    if plan.tensor_split:  # llama.cpp copies it
        parameters.tensor_split = (ctypes.c_float * llama.llama_max_devices())(*plan.tensor_split)
    return parameters


def _multiplies_views(path: str) -> bool:
    return any(_ON_VIEWS.search(tensor.name) for piece in read_pieces(Path(path)) for tensor in piece.tensors)


def context_parameters(plan: Plan, recurrent: bool) -> Any:
    """llama.cpp's parameters of a context."""
    parameters = llama.llama_context_default_params()
    # llama.cpp rounds the cells of a context up, but not the largest batch that it then allows, and aborts on a larger
    # one (llama-context.cpp of llama-cpp-python 0.3.36)
    parameters.n_ctx = -(-plan.context_tokens // CONTEXT_STEP) * CONTEXT_STEP
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.n_seq_max = 1 if recurrent else plan.sequences
    parameters.kv_unified = True
    parameters.n_outputs_max = parameters.n_outputs_max_per_seq = MAX_OUTPUTS
    # cells shared by several sequences cannot be freed when they leave a sliding window: with short windows (a quarter
    # of the memory of `gemma`) nothing can be shared
    parameters.swa_full = plan.sequences > FEW_SHARED
    parameters.n_threads = parameters.n_threads_batch = plan.threads
    parameters.flash_attn_type = _FLASH[plan.flash_attention]
    parameters.type_k = parameters.type_v = _KV[plan.kv_type]
    parameters.no_perf = True
    return parameters


def is_recurrent(pointer: Any) -> bool:
    """Whether a model has a recurrent state, alone or beside a cache."""
    return bool(llama.llama_model_is_recurrent(pointer) or llama.llama_model_is_hybrid(pointer))


def log_reason(log: LibraryLog) -> str:
    """llama.cpp's messages from the first error on, without the names of its functions."""
    said = [line.partition(": ")[2] or line for line in log.errors()]
    return (said[0] if said else "llama.cpp gave no reason").rstrip(".") + "."


def not_loaded(what: str, name: str, log: LibraryLog) -> UserError:
    """Why llama.cpp has not loaded a model, by its log: an engine that is too old for it is an error of its own.
    ``what`` is the model within a sentence, ``name`` at its beginning."""
    for line in log.errors():
        if found := _UNKNOWN.search(line):
            unknown = f"{found[1] or found[2]} {found[3]!r}"
            return NewerEngineNeeded(
                f"{name} needs a newer engine: {describe_library()} does not know its {unknown}.",
                "Add a newer engine in Settings · Engine.",
                what=unknown,
            )
    return UserError(f"llama.cpp cannot load {what}: {log_reason(log)}", LOAD_HINT)
