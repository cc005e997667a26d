"""The self-test of an engine, on copies of the installed one that are spoilt in one way each."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.engine_folders import Change, crash_in, edit, make_engine, truncate, with_images, wrap
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled
from workbench.processes.host import WorkerHost
from workbench.records.engines import EngineTest
from workbench.subjects.machine.engine_trial import try_engine

pytestmark = pytest.mark.process
ON_LINUX = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="a library is patched as Linux's on x86-64 is"
)


def make_host(environment: Mapping[str, str]) -> WorkerHost:
    return WorkerHost("inference", environment=environment)


def tried(folder: Path, change: Change, limit_s: float = 240.0) -> EngineTest:
    return try_engine(make_host, make_engine(folder, change), "", limit_s=limit_s)


def without_function(package: Path) -> None:
    edit(package / "llama_cpp.py", r"def llama_set_adapters_lora\(", "def llama_set_adapters_of_another_kind(")


def with_another_argument(package: Path) -> None:
    edit(
        package / "llama_cpp.py",
        r'"llama_memory_seq_rm",\s*\[\s*llama_memory_t_ctypes,',
        '"llama_memory_seq_rm", [ctypes.c_int, llama_memory_t_ctypes,',
    )


def without_field(package: Path) -> None:
    edit(package / "llama_cpp.py", r'\("n_outputs_max", ctypes\.c_uint32\),', "")


def with_short_structure(package: Path) -> None:
    """As the package of the release before declares it: what follows the field is four bytes off."""
    edit(package / "llama_cpp.py", r'\("lazy_mode", ctypes\.c_int\),', "")


def test_an_engine_like_the_bundled_one_passes_and_its_build_is_told(tmp_path: Path) -> None:
    steps: list[str] = []
    engine = make_engine(tmp_path / "engine", version="0.99.0")
    test = try_engine(make_host, engine, "", report=steps.append)
    assert (test.problem, test.step) == ("", "")
    assert "(llama-cpp-python 0.99.0)" in test.build
    assert test.divergence < 1e-3
    assert test.tokens == test.same_tokens > 0
    assert "computing embeddings" in steps
    assert "applying an adapter, by the bundled engine" in steps
    assert "reading an image" in steps
    assert test.images is not None
    assert test.images.endswith("it has no library for images (mtmd).")  # and texts are answered all the same


def test_an_engine_with_the_library_for_images_reads_one(tmp_path: Path) -> None:
    test = tried(tmp_path / "engine", with_images)
    assert (test.problem, test.images) == ("", "")


CRASHED = "import os; os.kill(os.getpid(), 9)"
NEGATED = "found = original(*arguments); [found.__setitem__(n, -found[n]) for n in range(16 * 64)]; return found"


@pytest.mark.parametrize(
    ("body", "images"),
    [
        (CRASHED, "It crashed while reading an image"),
        (NEGATED, "It answers with another text about an image than the bundled engine."),
    ],
)
def test_an_engine_that_reads_images_wrongly_answers_texts_all_the_same(tmp_path: Path, body: str, images: str) -> None:
    def change(package: Path) -> None:
        with_images(package)
        wrap("mtmd_get_output_embd", body, "mtmd_cpp.py")(package)

    test = tried(tmp_path / "engine", change)
    assert test.problem == ""
    assert test.images is not None
    assert test.images.startswith(images)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without_function, "It lacks what this program calls: llama_set_adapters_lora."),
        (with_another_argument, "Its llama_memory_seq_rm is c_bool(c_int, c_void_p,"),
        (without_field, "Its field llama_context_params.n_outputs_max is missing"),
        (lambda package: (package / "llama_cpp.py").write_text("import a_module_that_is_not_there\n"), "a_module_that"),
    ],
)
def test_what_is_declared_otherwise_is_found_before_anything_is_computed(
    tmp_path: Path, change: Change, problem: str
) -> None:
    test = tried(tmp_path, change)
    assert problem in test.problem
    assert test.step == "comparing what it declares with what the program calls"


@ON_LINUX
def test_a_layout_that_the_library_does_not_have_is_found(tmp_path: Path) -> None:
    assert "do not belong together: llama_model_default_params gives" in tried(tmp_path, with_short_structure).problem


@ON_LINUX
@pytest.mark.parametrize(
    ("function", "step"),
    [
        ("llama_model_default_params", "comparing what it declares with what the program calls"),
        ("llama_decode", "loading a model"),
        ("llama_adapter_lora_init", "applying an adapter"),
        ("llama_encode", "computing embeddings"),
    ],
)
def test_a_crash_is_a_failed_test_that_names_step_and_reason(tmp_path: Path, function: str, step: str) -> None:
    test = tried(tmp_path, crash_in(function))
    assert test.problem.startswith(f"It crashed while {step} (signal 4: the processor lacks an instruction")
    assert test.step == step


@pytest.mark.parametrize(
    ("function", "body", "problem"),
    [
        (
            "llama_decode",
            "for place in range(arguments[1].n_tokens):\n"
            "            arguments[1].token[place] = (arguments[1].token[place] + 1) % 256\n"
            "        return original(*arguments)",
            "computes other probabilities than the bundled engine",
        ),
        ("llama_set_adapters_lora", "return 0", "An adapter has no effect."),
    ],
)
def test_an_engine_that_computes_something_else_does_not_pass(
    tmp_path: Path, function: str, body: str, problem: str
) -> None:
    assert problem in tried(tmp_path, wrap(function, body)).problem


def test_a_library_that_is_not_whole_does_not_pass(tmp_path: Path) -> None:
    problem = tried(tmp_path, truncate).problem
    assert problem.startswith(("Its library cannot be loaded: ", "It crashed while comparing"))


def test_one_that_never_ends_is_stopped_at_the_limit(tmp_path: Path) -> None:
    def hang(package: Path) -> None:
        (package / "__init__.py").write_text("import threading\n\nthreading.Event().wait()\n")

    test = tried(tmp_path, hang, limit_s=6.0)
    assert test.problem.startswith("It was not ready within 6 seconds (comparing what it declares")


def test_a_stopped_test_says_nothing(tmp_path: Path) -> None:
    context = RequestContext()

    def stop(step: str) -> None:
        if step == "loading a model, by the bundled engine":
            context.cancel()

    with pytest.raises(Cancelled):
        try_engine(make_host, make_engine(tmp_path), "", report=stop, context=context)
