"""Modules imported before they are needed, one in a turn of the event loop.

On the GUI thread: a class statement that makes a Qt type on another one crashes the program while Qt is at work. Pages
are made of some two hundred small modules, and one of them is imported within a few milliseconds.
"""

from __future__ import annotations

import contextlib
import dis
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import CodeType

from PySide6.QtCore import QObject, QTimer

import workbench.records.recipes  # noqa: F401 (a package that joins its modules takes 25 ms at once: with the frame)

_OURS = ("ui", "workbench")


class EarlyImport(QObject):
    """Imports a module and what it imports, one after the other; then ``then`` is called, in a turn of its own."""

    def __init__(self, module: str, then: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._then = then
        self._modules = modules_of(module, set(sys.modules))
        self._timer = QTimer(self, interval=0, timeout=self._on_turn)
        self._timer.start()

    def _on_turn(self) -> None:
        module = next(self._modules, None)
        if module is not None:
            if module:
                with contextlib.suppress(ImportError):  # whoever needs it says so
                    importlib.import_module(module)
            return
        self._timer.stop()
        self.deleteLater()
        self._then()


def modules_of(module: str, known: set[str]) -> Iterator[str]:
    """A module of the program and those of the program that it imports at its top, each after what it imports itself,
    without ``known``; "" after each that was looked through. Modules of others come with the one that imports them."""
    if module in known or module.partition(".")[0] not in _OURS:
        return
    known.add(module)
    package = module.rpartition(".")[0]
    if package:
        yield from modules_of(package, known)
        if not hasattr(sys.modules.get(package), "__path__"):
            return  # not a module, but a name in one
    spec = importlib.util.find_spec(module)
    get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
    code = get_code(module) if get_code is not None else None
    if code is None:
        return
    yield ""
    for name in _imported(code):
        yield from modules_of(name, known)
    yield module


def _imported(code: CodeType) -> Iterator[str]:
    """The modules that a module's top imports; what is imported from a package may be a module, too."""
    constants: list[object] = []
    behind, for_types = 0, False  # the end of an ``if TYPE_CHECKING:``, whose imports are none
    for instruction in dis.get_instructions(code):
        if instruction.offset < behind:
            continue
        if for_types and "JUMP" in instruction.opname:
            behind = instruction.argval
        for_types = instruction.argval == "TYPE_CHECKING"
        if instruction.opname == "LOAD_CONST":
            constants.append(instruction.argval)
        elif instruction.opname == "IMPORT_NAME":
            yield instruction.argval
            names = constants[-1]
            yield from (f"{instruction.argval}.{name}" for name in (names if isinstance(names, tuple) else ()))
