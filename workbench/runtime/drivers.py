"""The drivers of GPUs on this machine: their versions, and whether they are new enough for a runtime pack.

None of them is loaded into this process, which a driver that crashes would end.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from workbench.records.runtime import BACKENDS, Backend, PackManifest

ASK_S = 10.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_NVIDIA = Path("/proc/driver/nvidia/version")
_AMD = (Path("/sys/module/amdgpu/version"), Path("/opt/rocm/.info/version"))
_LOADERS = {"linux": "libvulkan.so.1", "win32": "vulkan-1.dll", "darwin": "libvulkan.1.dylib"}


def driver_version(backend: Backend) -> str:
    """The version of the driver that a backend needs, "" where there is none or it does not tell."""
    if backend in ("cuda", "torch-cuda"):
        return _first_version(_text(_NVIDIA)) or _first_version(
            _asked("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
        )
    if backend == "rocm":
        return next((found for file in _AMD if (found := _first_version(_text(file)))), "")
    return _first_version(_asked(sys.executable, "-I", "-c", _ASK_VULKAN, _LOADERS.get(sys.platform, "")))


def missing_driver(manifest: PackManifest, version: str) -> str:
    """Why a pack cannot be used with the driver of this version, "" where it can."""
    name = BACKENDS[manifest.backend]
    if not version:
        return f"No driver for {name} was found on this machine."
    if manifest.minimum_driver and _numbers(version) < _numbers(manifest.minimum_driver):
        return f"The driver for {name} is {version}; this pack needs {manifest.minimum_driver} or a newer one."
    return ""


_ASK_VULKAN = """
import ctypes, sys
version = ctypes.c_uint32()
ctypes.CDLL(sys.argv[1]).vkEnumerateInstanceVersion(ctypes.byref(version))
print(f"{version.value >> 22}.{version.value >> 12 & 1023}.{version.value & 4095}")
"""


def _asked(*command: str) -> str:
    """What a program prints, "" when it is not there, fails or takes too long."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _first_version(text: str) -> str:
    found = _VERSION.search(text)
    return found[0] if found is not None else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
