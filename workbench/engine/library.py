"""The llama.cpp library: started once per process, its log, its devices. Everything here is C through ctypes.

``llama`` is llama-cpp-python's module of C functions; the package's ``Llama`` class is never used.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any, Literal

# GNU OpenMP's threads spin for a millisecond while they wait for each other. On a core that another program uses this
# costs ten times the speed; 2,000 turns are as fast on a quiet machine. Read when the library is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

import llama_cpp
import llama_cpp.llama_cpp as llama
import numpy as np

from workbench.base.installation import release_name
from workbench.engine.inference_calls import LibraryState
from workbench.processes.process import PACK_VARIABLE
from workbench.records.models import Device

__all__ = [
    "LibraryLog",
    "describe_features",
    "describe_library",
    "describe_state",
    "exponentials_function",
    "ggml_function",
    "list_devices",
    "llama",
    "logits_function",
    "multiplied_type",
    "start_library",
]

_DEBUG, _WARNING, _ERROR, _CONTINUED = 1, 3, 4, 5  # ggml.h; llama-cpp-python 0.3.36 lists older numbers
_GPU, _INTEGRATED = 1, 2  # ggml_backend_dev_type; Metal reports GPU also where the memory is shared with the processor
_DEVICE_KINDS: dict[int, Literal["cpu", "gpu", "accelerator"]] = {0: "cpu", 1: "gpu", 2: "gpu", 3: "accelerator"}
_LOADED = re.compile(r"loaded (\S+) backend from (.+)")
_VARIANT = re.compile(r"ggml-cpu-(\w+)\.(?:so|dylib|dll)$")


class LibraryLog:
    """llama.cpp's log: warnings and errors go to stderr; the last errors are stored to explain a failure, and
    so are the backends that were loaded from files, by name."""

    KEPT_ERRORS = 8

    def __init__(self) -> None:
        self.backends: dict[str, str] = {}
        self.pack_problem = ""
        self._errors: deque[str] = deque(maxlen=self.KEPT_ERRORS)
        self._lock = threading.Lock()
        self._level = _DEBUG
        self.callback = llama.llama_log_callback(self._on_log)  # must live as long as the library

    def forget_errors(self) -> None:
        with self._lock:
            self._errors.clear()

    def errors(self) -> list[str]:
        """The errors since ``forget_errors``, oldest first."""
        with self._lock:
            return list(self._errors)

    def _on_log(self, level: int, text: bytes, _user_data: Any) -> None:
        if level != _CONTINUED:
            self._level = level
        if b"backend from" in text and (loaded := _LOADED.search(text.decode("utf-8", "replace").strip())):
            self.backends[loaded[1]] = loaded[2]
        if self._level not in (_WARNING, _ERROR):
            return
        line = text.decode("utf-8", "replace")
        if self._level == _ERROR and line.strip():
            with self._lock:
                self._errors.append(line.strip())
        sys.stderr.write(line)


_starting = threading.Lock()


def start_library() -> LibraryLog:
    """Start llama.cpp, once in a process; returns its log."""
    with _starting:  # a cache alone lets two threads create a log each, and frees the one that llama.cpp writes to
        return _start()


@functools.cache
def _start() -> LibraryLog:
    log = LibraryLog()
    llama.llama_log_set(log.callback, None)
    folder = library_folder()
    if _has_variants(folder):  # never the call without a path: it searches the current folder too
        ggml_function("ggml_backend_load_all_from_path", None, ctypes.c_char_p)(os.fsencode(folder))
    if pack := os.environ.get(PACK_VARIABLE):
        log.pack_problem = _load_pack(log, pack)
    llama.llama_backend_init()
    return log


def library_folder() -> Path:
    """Where the libraries of llama.cpp are."""
    return Path(os.environ.get("LLAMA_CPP_LIB_PATH") or Path(llama_cpp.__file__).parent / "lib")


def _has_variants(folder: Path) -> bool:
    """Whether this build has its backends in files of their own, the processor's in one for each kind of processor."""
    return any(_VARIANT.search(file.name) for file in folder.glob("*ggml-cpu-*"))


def _load_pack(log: LibraryLog, library: str) -> str:
    """Load the backend of a runtime pack beside that of the processor; what is wrong with it, "" for nothing."""
    log.forget_errors()
    if ggml_function("ggml_backend_load", ctypes.c_void_p, ctypes.c_char_p)(os.fsencode(library)):
        return ""
    return log.errors()[-1] if log.errors() else f"{Path(library).name} has no backend that this machine supports."


def describe_library() -> str:
    """The llama.cpp build, for a resolved recipe."""
    version: bytes = llama.llama_version()
    return f"llama.cpp {version.decode()} (llama-cpp-python {llama_cpp.__version__})"


def describe_state() -> LibraryState:
    """What was loaded in this process."""
    log = start_library()
    found = _VARIANT.search(log.backends.get("CPU", ""))
    return LibraryState(
        build=describe_library(),
        base=release_name(llama_cpp.__version__),
        variant=found[1] if found is not None else "",
        backends=tuple(log.backends),
        pack_problem=log.pack_problem,
    )


def describe_features() -> str:
    """What of the processor this build uses ("AVX512_BF16 = 1")."""
    start_library()
    features: bytes = llama.llama_print_system_info()
    return features.decode("utf-8", "replace").strip()


def uses_amx() -> bool:
    """Whether this build repacks weights for the matrix unit of some processors, AMX."""
    return "AMX_INT8 = 1" in describe_features()


def can_repack() -> bool:
    """Whether weights may be repacked for the processor. Not for AMX beside torch, which releases the unit after its
    products in 16 bits: ggml sets it up once in each thread and would end the process with an illegal instruction
    (``ggml_tile_config_init`` in mmq.cpp of llama-cpp-python 0.3.36)."""
    return not uses_amx() or "torch" not in sys.modules


def multiplied_type() -> Literal["BF16", "F16"]:
    """The 16-bit number format of weights that this build multiplies fastest by several rows at once."""
    return "BF16" if "AVX512_BF16 = 1" in describe_features() else "F16"


def list_devices() -> tuple[Device, ...]:
    """The devices that ggml can compute on, the CPU always among them. Memory is in bytes."""
    start_library()
    count = ggml_function("ggml_backend_dev_count", ctypes.c_size_t)
    get = ggml_function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    name = ggml_function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
    description = ggml_function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
    kind = ggml_function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
    size = ctypes.POINTER(ctypes.c_size_t)
    memory = ggml_function("ggml_backend_dev_memory", None, ctypes.c_void_p, size, size)
    found = []
    for index in range(count()):
        device = get(index)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        memory(device, ctypes.byref(free), ctypes.byref(total))
        found.append(
            Device(
                name=name(device).decode("utf-8", "replace"),
                description=description(device).decode("utf-8", "replace").strip(),
                kind=_DEVICE_KINDS.get(kind(device), "accelerator"),
                memory_bytes=total.value,
                free_bytes=free.value,
                shared=kind(device) == _INTEGRATED or (sys.platform == "darwin" and kind(device) == _GPU),
            )
        )
    return tuple(found)


def logits_function() -> Any:
    """``llama_get_logits_ith`` with the address as a number: as a pointer, Python creates three objects per token."""
    function = llama._lib["llama_get_logits_ith"]
    function.argtypes, function.restype = [llama.llama_context_p_ctypes, ctypes.c_int32], ctypes.c_void_p
    return function


@functools.cache
def exponentials_function() -> Any:
    """ggml's own ``sum(exp(x - max))`` of a float32 row, three times as fast as numpy's; None without it.

    A C function ``(count, output of the exponentials, row, max) -> double``. It is not part of ggml's public interface
    (ggml-cpu/vec.h of 0.25), and not every build exports it: it is tested before use.
    """
    try:
        function = ggml_function(
            "ggml_vec_soft_max_f32", ctypes.c_double, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_float
        )
    except RuntimeError:
        return None
    row = np.linspace(-30, 10, 1003, dtype=np.float32)
    into = np.zeros_like(row)
    total = function(row.size, into.ctypes.data, row.ctypes.data, 10.0)
    expected = np.exp(row.astype(np.float64) - 10)
    fits = abs(total / expected.sum() - 1) < 1e-5 and np.allclose(into, expected, rtol=1e-4, atol=1e-12)
    return function if fits else None


def ggml_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of ggml that llama-cpp-python ships but does not wrap."""
    for library in (*_ggml_libraries(), *_loaded_libraries()):
        function = getattr(library, name, None)
        if function is not None:
            function.restype = result
            function.argtypes = list(arguments)
            return function
    raise RuntimeError(f"this build of llama.cpp has no {name}")


@functools.cache
def _ggml_libraries() -> tuple[ctypes.CDLL, ...]:
    """ggml's shared libraries as llama.cpp has loaded them: opening them again returns the same ones, by the names that
    they are linked with. (A wheel has each of them several times, and another file is another library with its own
    backends.)"""
    folder = library_folder()
    found = []
    for stem in ("ggml", "ggml-base", "ggml-cpu"):
        linux, apple = (f"lib{stem}.so.0", f"lib{stem}.so"), (f"lib{stem}.0.dylib", f"lib{stem}.dylib")
        for file in (*linux, *apple, f"{stem}.dll", f"lib{stem}.dll"):
            if (folder / file).exists():
                found.append(ctypes.CDLL(str(folder / file)))
                break
    return tuple(found)


def _loaded_libraries() -> list[ctypes.CDLL]:
    """The processor's variant, which is opened by the starting of the library."""
    if not _start.cache_info().currsize:
        return []
    return [ctypes.CDLL(file) for name, file in _start().backends.items() if name == "CPU"]
