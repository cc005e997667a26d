"""What is left out of the private tree: headers, tests, tools, and the parts of Qt that the program does not use."""

from __future__ import annotations

import shutil
from pathlib import Path

PYTHON = (
    "include", "share", "lib/python3*/test", "lib/python3*/idlelib", "lib/python3*/turtledemo", "lib/python3*/tkinter",
    "lib/python3*/ensurepip", "lib/python3*/lib2to3", "lib/python3*/config-*", "lib/python3*/pydoc_data", "lib/*.a",
    "lib/tcl*", "lib/tk*", "lib/itcl*", "lib/thread*", "lib/pkgconfig", "bin/2to3*", "bin/idle*", "bin/pydoc*",
    "bin/pip*",
    "lib/python3*/lib-dynload/_tkinter*", "lib/python3*/lib-dynload/_dbm*",
    "lib/python3*/lib-dynload/nis*", "lib/python3*/lib-dynload/_test*",
    "lib/python3*/lib-dynload/_ctypes_test*",
)  # fmt: skip
SITE = (
    "torch/include", "torch/share", "torch/test", "torch/lib/*.a", "torch/bin/protoc*", "torch/bin/test_*",
    "caffe2", "pyarrow/include", "pyarrow/tests", "pyarrow/src", "pyarrow/*.a", "numpy/*/tests", "numpy/tests",
    "numpy/_core/include", "scipy/**/tests", "sklearn/**/tests", "sympy/**/tests", "networkx/**/tests", "pandas/tests",
    "mpmath/tests", "dill/tests", "multiprocess/tests", "joblib/test", "certifi/tests", "apsw/tests",
    "apsw/sqlite_extra_binaries",
    "include", "lib", "bin", "share",  # beside the packages: headers and second copies of llama.cpp
    "llama_cpp/server", "PySide6/Qt/qml", "PySide6/Qt/libexec", "PySide6/Qt/metatypes", "PySide6/include",
    "PySide6/typesystems", "PySide6/glue", "PySide6/doc", "PySide6/scripts", "PySide6/support", "PySide6/assistant",
    "PySide6/designer", "PySide6/linguist", "PySide6/lrelease", "PySide6/lupdate", "PySide6/qml*", "PySide6/svgtoqml",
    "PySide6/balsam*", "PySide6/rcc", "PySide6/uic", "PySide6/*.pyi", "PySide6/QtQml*", "PySide6/QtQuick*",
    "PySide6/QtDesigner*", "PySide6/QtHelp*", "PySide6/QtSql*", "PySide6/QtUiTools*", "PySide6/QtXml.*",
    "PySide6/QtConcurrent*", "PySide6/Qt/lib/libQt6Qml*", "PySide6/Qt/lib/libQt6Quick*", "PySide6/Qt/lib/libQt6Labs*",
    "PySide6/Qt/lib/libQt6Designer*", "PySide6/Qt/lib/libQt6Help*", "PySide6/Qt/lib/libQt6Sql*",
    "PySide6/Qt/lib/libQt6EglF*", "PySide6/Qt/lib/libQt6UiTools*", "PySide6/Qt/plugins/qmltooling",
    "PySide6/Qt/plugins/qmllint", "PySide6/Qt/plugins/qmlls", "PySide6/Qt/plugins/designer",
    "PySide6/Qt/plugins/sqldrivers", "PySide6/Qt/plugins/wayland-graphics-integration-server",
    "PySide6/Qt/lib/libQt6*Compositor*", "PySide6/Qt/lib/libQt6Lottie*", "PySide6/Qt/plugins/vectorimageformats",
    "PySide6/Qt/plugins/imageformats/libqpdf*", "PySide6/Qt/plugins/printsupport",
    "PySide6/libpyside6qml*", "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*", "pyarrow/_flight*", "pyarrow/_pyarrow_cpp_tests*",
    "PySide6/Qt/plugins/platforms/libqeglfs*", "PySide6/Qt/plugins/platforms/libqlinuxfb*",
    "PySide6/Qt/plugins/platforms/libqminimalegl*", "PySide6/Qt/plugins/platforms/libqvkkhrdisplay*",
    "PySide6/Qt/plugins/platforms/libqvnc*", "PySide6/Qt/plugins/egldeviceintegrations",
    "PySide6/Qt/plugins/generic",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboard*", "PySide6/Qt/plugins/platformthemes/libqgtk3*",
)  # fmt: skip
NAMES = (
    "__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/direct_url.json",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
)


def prune(python: Path, site: Path) -> None:
    for folder, patterns in ((python, PYTHON), (site, SITE)):
        for pattern in patterns:
            for found in list(folder.glob(pattern)):
                remove(found)
    for name in NAMES:
        for found in list(python.rglob(name)):
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
