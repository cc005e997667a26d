"""Files with holes: only the written parts of a large file take space.

Where ``truncate`` lengthens a file, most file systems leave a hole. NTFS does so only in files that are marked sparse
(FSCTL_SET_SPARSE, https://learn.microsoft.com/windows/win32/api/winioctl/ni-winioctl-fsctl_set_sparse); in others it
sets the whole size aside.
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from pathlib import Path
from typing import IO, Any

from workbench.base.errors import UserError

FSCTL_SET_SPARSE = 0x000900C4


def lengthen(file: IO[bytes], path: Path, size: int) -> None:
    """Give an open file ``path`` this size in bytes, with a hole behind what it holds.

    Raises UserError where the file system has no holes and no room for the whole, before anything is written.
    """
    if sys.platform == "win32" and not _mark_sparse(file.fileno()):
        free = shutil.disk_usage(path.parent).free
        if size > free:
            raise UserError(
                f"The disk of {path.parent} has no sparse files, and {free / 1e9:.1f} GB are free of the "
                f"{size / 1e9:.1f} GB that {path.name} would take for its header alone.",
                "Set the folder for temporary files (TMP) to one on an NTFS disk.",
            )
    file.truncate(size)


def _mark_sparse(descriptor: int) -> bool:
    """Whether Windows has marked the file; FAT has no such files."""
    import msvcrt

    get_handle: Any = getattr(msvcrt, "get_osfhandle")  # noqa: B009 - there on Windows only
    windows: Any = getattr(ctypes, "windll")  # noqa: B009
    returned = ctypes.c_ulong(0)
    done = windows.kernel32.DeviceIoControl(
        ctypes.c_void_p(get_handle(descriptor)), FSCTL_SET_SPARSE, None, 0, None, 0, ctypes.byref(returned), None
    )
    return bool(done)
