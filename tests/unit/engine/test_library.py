from __future__ import annotations

import contextlib
import subprocess
import sys
import threading

import pytest

from workbench.base.launching import child_environment
from workbench.engine import library


class SlowLog(library.LibraryLog):
    """Waits until the other threads are in here as well, which they must not be."""

    meeting = threading.Barrier(4)

    def __init__(self) -> None:
        super().__init__()
        with contextlib.suppress(threading.BrokenBarrierError):
            self.meeting.wait(0.2)


def test_threads_that_start_the_library_together_share_one_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LibraryLog", SlowLog)
    library._start.cache_clear()
    found: list[library.LibraryLog] = []
    threads = [threading.Thread(target=lambda: found.append(library.start_library())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(log) for log in found}) == 1  # llama.cpp would call one that was freed


def test_the_variant_for_this_processor_is_known_by_the_file_that_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    log = library.LibraryLog()
    log._on_log(2, b"load_backend: loaded CPU backend from /opt/a place/lib/libggml-cpu-zen4.so\n", None)
    log._on_log(2, b"load_backend: loaded Vulkan backend from /packs/v/libggml-vulkan.so\n", None)
    monkeypatch.setattr(library, "start_library", lambda: log)
    state = library.describe_state()
    assert (state.variant, state.backends) == ("zen4", ("CPU", "Vulkan"))


def test_a_build_for_one_machine_has_no_variant() -> None:
    assert library.describe_state().variant == "" or library.library_folder().joinpath("libggml-cpu-x64.so").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_library_of_llama_cpp_is_loaded_twice() -> None:
    """Each copy would have its own list of backends: the one that is loaded from a file is not in the other."""
    code = (
        "from workbench.engine import library; library.list_devices(); library.exponentials_function()\n"
        "print('\\n'.join({line.split()[-1] for line in open('/proc/self/maps') if 'libggml' in line}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=child_environment())
    names = [line.rpartition("/")[2].partition(".so")[0] for line in done.stdout.split()]
    assert "libggml-base" in names
    assert sorted(names) == sorted(set(names))
