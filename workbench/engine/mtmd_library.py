"""llama.cpp's library for images (``mtmd``), where the engine in use has it and its package declares it as it is.

C is called through ctypes, where nothing notices that a structure has another layout: so what this program uses of it
is compared before the first call. An engine without it computes texts as before.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.engine.library import describe_library, library_folder
from workbench.engine.structure_sizes import fits_declaration, written_bytes

FUNCTIONS = {
    "mtmd_bitmap_free": 1, "mtmd_bitmap_init": 3, "mtmd_context_params_default": 0, "mtmd_decode_use_mrope": 1,
    "mtmd_decode_use_non_causal": 2, "mtmd_default_marker": 0, "mtmd_encode_chunk": 2, "mtmd_free": 1,
    "mtmd_get_output_embd": 1, "mtmd_helper_image_get_decoder_pos": 3, "mtmd_helper_log_set": 2,
    "mtmd_init_from_file": 3, "mtmd_input_chunk_get_n_pos": 1, "mtmd_input_chunk_get_n_tokens": 1,
    "mtmd_input_chunk_get_tokens_image": 1, "mtmd_input_chunk_get_tokens_text": 2, "mtmd_input_chunk_get_type": 1,
    "mtmd_input_chunks_free": 1, "mtmd_input_chunks_get": 2, "mtmd_input_chunks_init": 0, "mtmd_input_chunks_size": 1,
    "mtmd_log_set": 2, "mtmd_support_vision": 1, "mtmd_tokenize": 5,
}  # fmt: skip
"""The functions that are called, and how many arguments each has."""
FIELDS = {
    "mtmd_context_params": ("use_gpu", "n_threads", "print_timings", "warmup", "cb_eval"),
    "mtmd_input_text": ("text", "text_len", "add_special", "parse_special"),
    "mtmd_decoder_pos": ("t", "x", "y", "z"),
}
"""The fields that are written or read; of the last two these are all."""


def mtmd_library() -> Any:
    """llama-cpp-python's module of the library's functions. Raises UserError where images cannot be read."""
    if problem := _problem():
        raise UserError(
            f"Images cannot be read with this engine ({describe_library()}): {problem}",
            "Choose another engine in Settings, This machine, to ask about images; texts are answered as before.",
        )
    from llama_cpp import mtmd_cpp

    return mtmd_cpp


@functools.cache
def _problem() -> str:
    """Why the library cannot be used, as a sentence; "" where it can."""
    try:
        from llama_cpp import mtmd_cpp
    except FileNotFoundError:
        return "it has no library for images (mtmd)."
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        return f"its library for images (mtmd) cannot be loaded: {error}."
    return problem_of(mtmd_cpp)


def problem_of(module: Any) -> str:
    """What is wrong with a module of the library's functions, as a sentence; "" for nothing."""
    library = getattr(module, "_libmtmd", None)
    place = Path(getattr(library, "_name", "") or "")
    if library is None or place.resolve().parent != library_folder().resolve():
        return "its library for images (mtmd) is not beside its library for models."
    for name, arguments in FUNCTIONS.items():
        found = getattr(module, name, None)
        if found is None:
            return f"its library for images lacks {name}, which this program calls."
        if len(found.argtypes or ()) != arguments:
            return f"its {name} takes {len(found.argtypes or ())} arguments; this program gives {arguments}."
    for name, fields in FIELDS.items():
        declared = [field for field, *_ in getattr(getattr(module, name, None), "_fields_", ())]
        whole = name != "mtmd_context_params"
        if not set(fields) <= set(declared) or (whole and len(declared) != len(fields)):
            return f"its structure {name} has the fields {', '.join(declared) or 'of no structure'}."
    default = module.mtmd_context_params_default
    if not fits_declaration(ctypes.sizeof(default.restype), written_bytes(library["mtmd_context_params_default"])):
        return "its library for images and its package do not belong together: the structure of parameters differs."
    parameters = default()
    flags = [getattr(type(parameters), field).offset for field in ("use_gpu", "print_timings", "warmup")]
    if any(bytes(parameters)[offset] > 1 for offset in flags):
        return "its library for images and its package do not belong together: a flag is neither true nor false."
    return ""
