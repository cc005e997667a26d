"""Confinement of this process and its descendants by Linux: what they may never do from here on.

Landlock (files, TCP, signals) and seccomp (system calls) with ``no_new_privs``, by their system calls, so that no
library of the system is needed. Neither can be undone. Elsewhere, and where the kernel has none of it, nothing is
enforced; ``confine`` says what is. See ``man 7 landlock`` and ``man 2 seccomp``.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LARGEST_OPEN_FILES = 64

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_SOCKET, _SOCKETS = 1 << 9, Path("/tmp")  # where LibreOffice has its own, whatever it is told
_EVERYTHING = (1 << 16) - 1
_WRITE = _EVERYTHING & ~(_EXECUTE | _READ_FILE | _READ_FOLDER)
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
"""The rights that a file can have; the others are of folders. See ``linux/landlock.h``."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Number of the rights on files that a version of Landlock knows."""
_NETWORK_RIGHTS, _SCOPES = 0b11, 0b11


def confine(readable: Sequence[Path], executable: Sequence[Path], memory_bytes: int) -> tuple[str, ...]:
    """Confine this process for good; must be called before it has other threads. It may read only ``readable`` files
    and start only ``executable`` ones, write none, change none, and open no connection. Returns what is enforced."""
    if sys.platform != "linux":
        return ()
    enforced = []
    _limit_resources(memory_bytes)
    enforced.append("resource limits")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return tuple(enforced)
    enforced.append("no new privileges")
    if _landlock(libc, readable, executable):
        enforced.append("Landlock")
    if _seccomp(libc):
        enforced.append("seccomp")
    return tuple(enforced)


def confine_writes(writable: Sequence[Path]) -> bool:
    """Confine this process, and the program that it becomes, for good: it may write and change files only below the
    ``writable`` folders, and make sockets, open no TCP connection, and signal no other process. It may read what its
    user may. Returns whether that is enforced."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    rules = dict.fromkeys(writable, _WRITE) | {Path(os.devnull): _WRITE_FILE, _SOCKETS: _MAKE_SOCKET}
    return _restrict(libc, rules, _WRITE)


def _limit_resources(memory_bytes: int) -> None:
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, LARGEST_OPEN_FILES),
    ):
        _, hard = resource.getrlimit(limit)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (lowest, lowest))


# -- Landlock ----------------------------------------------------------------------------------------------


def _landlock(libc: ctypes.CDLL, readable: Sequence[Path], executable: Sequence[Path]) -> bool:
    """Whether files, TCP and signals are confined. Every right that the kernel's version knows is taken, and given back
    for the named files."""
    rights = dict.fromkeys(readable, _READ_FILE) | dict.fromkeys(executable, _READ_FILE | _EXECUTE)
    return _restrict(libc, rights, _EVERYTHING)


def _restrict(libc: ctypes.CDLL, allowed: Mapping[Path, int], taken: int) -> bool:
    """Take these rights on files, as far as the kernel's version knows them, and TCP and signals; give back the
    ``allowed`` ones of files and folders."""
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    taken &= (1 << _FILE_RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=Q", taken)
    if version >= 4:
        attributes += struct.pack("=Q", _NETWORK_RIGHTS)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    try:
        for path, right in allowed.items():
            kept = right & taken & (_EVERYTHING if path.is_dir() else _OF_FILES)
            if not _allow(libc, rules, path, kept):
                return False
        return int(libc.syscall(_LANDLOCK_RESTRICT, rules, 0)) == 0
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> bool:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, descriptor)
        return int(libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0)) == 0
    finally:
        os.close(descriptor)


# -- seccomp -----------------------------------------------------------------------------------------------

_COMMON = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "mount_setattr": 442,
    "memfd_secret": 447, "fchmodat2": 452,
}  # fmt: skip
_X86_64 = {
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "chmod": 90, "fchmod": 91, "chown": 92,
    "fchown": 93, "lchown": 94, "ptrace": 101, "utime": 132, "personality": 135, "pivot_root": 155, "adjtimex": 159,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
    "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175,
    "delete_module": 176, "quotactl": 179, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
    "lremovexattr": 198, "fremovexattr": 199, "clock_settime": 227, "utimes": 235, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "fchownat": 260, "futimesat": 261, "fchmodat": 268, "unshare": 272,
    "utimensat": 280, "accept4": 288, "perf_event_open": 298, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "execveat": 322, "userfaultfd": 323,
}  # fmt: skip
_AARCH64 = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "fchmod": 52, "fchmodat": 53, "fchownat": 54,
    "fchown": 55, "quotactl": 60, "utimensat": 88, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104,
    "init_module": 105, "delete_module": 106, "clock_settime": 112, "ptrace": 117, "reboot": 142, "sethostname": 161,
    "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "socket": 198, "bind": 200, "listen": 201,
    "accept": 202, "connect": 203, "add_key": 217, "request_key": 218, "keyctl": 219, "swapon": 224, "swapoff": 225,
    "perf_event_open": 241, "accept4": 242, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266,
    "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273,
    "memfd_create": 279, "bpf": 280, "execveat": 281, "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
"""The audit name of each machine, and the numbers of its system calls."""

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_X32 = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def denied_system_calls(machine: str) -> dict[str, int]:
    """The system calls that fail in a confined process on this kind of machine; none where it is not known."""
    return {**_MACHINES[machine][1], **_COMMON} if machine in _MACHINES else {}


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _MACHINES or sys.maxsize < 2**32:
        return False
    code = filter_of(_MACHINES[machine][0], sorted(denied_system_calls(machine).values()), x32=machine == "x86_64")
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    prctl: Callable[..., int] = libc.prctl
    return prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0


def filter_of(audit: int, denied: Sequence[int], *, x32: bool) -> bytes:
    """The BPF program: another machine's calls kill, ``denied`` ones fail with EPERM, and all others pass."""

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    tests = [(_JUMP_AT_LEAST, _X32)] if x32 else []
    tests += [(_JUMP_EQUAL, number) for number in denied]
    steps = [step(_LOAD, 4), step(_JUMP_EQUAL, audit, 1), step(_RETURN, _KILL), step(_LOAD, 0)]
    steps += [step(code, value, len(tests) - place) for place, (code, value) in enumerate(tests)]
    return b"".join([*steps, step(_RETURN, _ALLOW), step(_RETURN, _REFUSE)])
