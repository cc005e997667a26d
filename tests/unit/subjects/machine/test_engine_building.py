"""Compiling a source package: with the machine's own tools, followed, stopped, and its log kept."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.subjects.machine import engine_building
from workbench.subjects.machine.engine_building import build_engine, find_tools

pytestmark = pytest.mark.process

CMAKE = """cmake_minimum_required(VERSION 3.21)
project(small C)
add_subdirectory(vendor/llama.cpp)
"""
LLAMA = """add_library(ggml SHARED ggml.c)
add_library(llama SHARED llama.c)
target_link_libraries(llama ggml)
"""


def source_package(folder: Path, llama: str = "int llama(void) { return 1; }\n", **more: str) -> Path:
    files = {
        "llama_cpp/__init__.py": '__version__ = "0.99"\n',
        "CMakeLists.txt": CMAKE,
        "vendor/llama.cpp/CMakeLists.txt": LLAMA,
        "vendor/llama.cpp/ggml.c": "int ggml(void) { return 2; }\n",
        "vendor/llama.cpp/llama.c": llama,
        **more,
    }
    path = folder / "llama_cpp_python-0.99.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(f"llama_cpp_python-0.99/{name}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


needs_tools = pytest.mark.skipif(
    shutil.which("cmake") is None or shutil.which("c++") is None, reason="there is no compiler"
)


@needs_tools
def test_what_was_built_stands_in_the_package(tmp_path: Path) -> None:
    stages: list[str] = []
    built = build_engine(
        source_package(tmp_path), tmp_path / "work", tmp_path / "log", RequestContext(),
        lambda stage, done, total: stages.append(stage),
    )  # fmt: skip
    libraries = {file.stem.removeprefix("lib") for file in (built / "llama_cpp" / "lib").iterdir()}
    assert {"llama", "ggml"} <= libraries
    assert "mtmd" not in libraries  # this source has none
    assert (built / "llama_cpp" / "__init__.py").is_file()
    assert stages[-2:] == ["compiling", "compiling the library for images"]
    assert (tmp_path / "log").stat().st_size > 0


@needs_tools
@pytest.mark.parametrize(("code", "built"), [("int mtmd(void) { return 3; }\n", True), ("#error too old\n", False)])
def test_the_library_for_images_is_built_where_that_is_possible(tmp_path: Path, code: str, built: bool) -> None:
    more = {
        "CMakeLists.txt": f"{CMAKE}if (LLAVA_BUILD)\n  add_library(mtmd SHARED mtmd.c)\nendif()\n",
        "mtmd.c": code,
    }
    found = build_engine(
        source_package(tmp_path, **more), tmp_path / "work", tmp_path / "log", RequestContext(), lambda *given: None
    )
    libraries = {file.stem.removeprefix("lib") for file in (found / "llama_cpp" / "lib").iterdir()}
    assert {"llama", "ggml"} <= libraries
    assert ("mtmd" in libraries) is built


@needs_tools
def test_a_build_that_fails_says_the_first_error_and_where_the_log_is(tmp_path: Path) -> None:
    source = source_package(tmp_path, "#error this compiler is too old\n")
    with pytest.raises(UserError, match=r"could not be compiled: .*this compiler is too old") as raised:
        build_engine(source, tmp_path / "work", tmp_path / "log", RequestContext(), lambda *given: None)
    assert str(tmp_path / "log") in raised.value.hint
    assert "this compiler is too old" in (tmp_path / "log").read_text()


@needs_tools
def test_a_stopped_build_ends(tmp_path: Path) -> None:
    context = RequestContext()

    def stop(stage: str, done: float, total: float) -> None:
        if stage == "configuring":
            context.cancel()

    with pytest.raises(Cancelled):
        build_engine(source_package(tmp_path), tmp_path / "work", tmp_path / "log", context, stop)
    assert not (tmp_path / "work" / "engine").exists()


@pytest.mark.parametrize("missing", ["cmake", "c++"])
def test_a_missing_tool_is_named_before_anything_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(engine_building.sys, "platform", "linux")
    gone = {missing} if missing == "cmake" else {"c++", "g++", "clang++"}
    monkeypatch.setattr(engine_building.shutil, "which", lambda name: None if name in gone else f"/usr/bin/{name}")
    with pytest.raises(UserError, match="cmake" if missing == "cmake" else r"a C\+\+ compiler") as raised:
        find_tools()
    assert "sudo apt install" in raised.value.hint


@needs_tools
@pytest.mark.parametrize(
    ("name", "problem"),
    [("../outside.c", "outside of its folder"), ("/etc/outside.c", "outside of its folder")],
)
def test_a_package_that_would_write_outside_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    path = tmp_path / "llama_cpp_python-0.99.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo(name))
    with pytest.raises(UserError, match=problem):
        build_engine(path, tmp_path / "work", tmp_path / "log", RequestContext(), lambda *given: None)


@needs_tools
@pytest.mark.parametrize("content", [b"no archive", b"\x1f\x8b\x08\x00"])
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "llama_cpp_python-0.99.tar.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged, or no source package"):
        build_engine(path, tmp_path / "work", tmp_path / "log", RequestContext(), lambda *given: None)


@needs_tools
def test_another_package_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("other-1.0/setup.py"))
    with pytest.raises(UserError, match="is no source package of llama-cpp-python"):
        build_engine(path, tmp_path / "work", tmp_path / "log", RequestContext(), lambda *given: None)
