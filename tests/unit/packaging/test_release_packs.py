"""Packs as a release makes them: from the built libraries to files and a list that the program takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import FOLDER, ROOT, script
from workbench.records.runtime import PACK_LIST
from workbench.subjects.machine.packs import install_pack, list_packs, this_platform
from workbench.subjects.machine.signatures import check_signature, trusted_keys

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh")
LIBRARIES = {
    "vulkan": ["libggml-vulkan.so"],
    "cuda": ["libcublas.so.12", "libggml-cuda.so"],
    "rocm": ["libggml-hip.so"],
}


def base() -> str:
    text = (FOLDER / "locks" / "llama-cpp-python.txt").read_text("utf-8")
    return "llama-cpp-python " + text.partition("==")[2].partition(" ")[0]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for backend, names in LIBRARIES.items():
        (tmp_path / "backends" / backend).mkdir(parents=True)
        for name in names:
            (tmp_path / "backends" / backend / name).write_bytes(b"\x7fELF " + name.encode())
    script("keys").write_pair("release.packs", tmp_path / "keys")
    return tmp_path


def run_script(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    out = folder / "out"
    command = ["sh", str(FOLDER / "packs" / "sign_packs.sh"), str(folder / "backends")]
    command += [str(folder / "keys" / "release.packs.key"), str(out), *more]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})


def sign(folder: Path, *more: str) -> Path:
    done = run_script(folder, *more)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "out"


def test_a_folder_without_a_library_is_no_pack(built: Path) -> None:
    (built / "backends" / "vulkan" / "libggml-vulkan.so").unlink()
    done = run_script(built)
    assert done.returncode == 1
    assert "vulkan/ has no libggml-*" in done.stderr


@pytest.mark.skipif(this_platform() != "linux-x86_64", reason="the packs of a release are for Linux")
def test_each_backend_becomes_a_pack_that_the_program_installs(built: Path, tmp_path: Path) -> None:
    out = sign(built)
    keys = trusted_keys("packs", built / "keys")
    for pack in out.glob("*.pack"):
        install_pack(pack, tmp_path / "installed", keys, base())
    found = {one.backend: one for one in list_packs(tmp_path / "installed")}
    assert {one: [file.name for file in found[one].files] for one in found} == {
        "vulkan": ["libggml-vulkan.so"],
        "cuda": ["libggml-cuda.so", "libcublas.so.12"],
        "rocm": ["libggml-hip.so"],
    }
    assert {one.library for one in found.values()} == {"libggml-vulkan.so", "libggml-cuda.so", "libggml-hip.so"}
    assert found["cuda"].minimum_driver == "525.60"


@pytest.mark.slow
def test_the_packs_of_an_earlier_release_stay_on_offer(built: Path) -> None:
    first = sign(built)
    listed = PACK_LIST.get((first / "packs.json").read_bytes()).packs
    content = (first / "packs.json").read_bytes().replace(b"0.3.", b"0.2.")
    (built / "packs.json").write_bytes(content)
    refused = run_script(built, str(built / "packs.json"), "https://example.org/download/v0.1.0")
    assert refused.returncode
    assert "packs.json.sig" in refused.stderr
    (built / "packs.json.sig").write_text((first / "packs.json.sig").read_text())  # of what it was before
    refused = run_script(built, str(built / "packs.json"), "https://example.org/download/v0.1.0")
    assert refused.returncode
    assert "was changed since" in refused.stderr
    keys = script("keys")
    signature = keys.sign(keys.read_private(built / "keys" / "release.packs.key"), content)
    (built / "packs.json.sig").write_text(signature)
    second = sign(built, str(built / "packs.json"), "https://example.org/download/v0.1.0")
    content, signature = (second / "packs.json").read_bytes(), (second / "packs.json.sig").read_text()
    check_signature("It", content, signature, trusted_keys("packs", built / "keys"))
    offers = {one.name: one for one in PACK_LIST.get(content).packs}
    assert len(offers) == 2 * len(listed)
    for one in listed:
        assert offers[one.name].url == one.url
        earlier = offers[one.name.replace("0.3.", "0.2.")]
        assert earlier.url == "https://example.org/download/v0.1.0/" + one.url.replace("0.3.", "0.2.")


def test_the_release_calls_scripts_that_are_there() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    named = set(re.findall(r"packaging[/\\][\w/\\.-]+\.(?:sh|py|ps1|txt)", text))
    assert len(named) > 8
    assert [one for one in sorted(named) if not (ROOT / one.replace("\\", "/")).is_file()] == []
    jobs = set(re.findall(r"^  (\w+):$", text[text.index("jobs:") :], re.MULTILINE))
    needed = {one for line in re.findall(r"needs: \[(.*)\]", text) for one in line.split(", ")}
    assert needed <= jobs
    assert {"UPDATES_KEY", "PACKS_KEY"} == set(re.findall(r"secrets\.(\w+)", text))
