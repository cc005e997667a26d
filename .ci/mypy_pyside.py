"""A mypy plugin: constructors of PySide6's objects take their properties, setters and signals as keywords.

The stubs of PySide6 declare only a part of them, so that mypy reports each ``QTimer(timeout=...)``. The names are read
from the class itself: one that it does not have is still an error. ``super().__init__`` has no such hook in mypy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from mypy.nodes import ARG_NAMED_OPT
from mypy.plugin import FunctionSigContext, Plugin
from mypy.types import AnyType, CallableType, TypeOfAny
from PySide6.QtCore import QMetaMethod, QMetaObject


@cache
def keywords_of(fullname: str) -> tuple[str, ...]:
    """The properties, setters and signals of a class such as ``PySide6.QtCore.QTimer``; none for other things."""
    module, _, short = fullname.rpartition(".")
    made = getattr(import_module(module), short, None) if module.count(".") == 1 else None
    if not isinstance(meta := getattr(made, "staticMetaObject", None), QMetaObject):
        return ()
    methods = [meta.method(number) for number in range(meta.methodCount())]
    signals = [one.name().data().decode() for one in methods if one.methodType() == QMetaMethod.MethodType.Signal]
    properties = [meta.property(number).name() for number in range(meta.propertyCount())]
    setters = [f"{name[3].lower()}{name[4:]}" for name in dir(made) if name[:3] == "set" and name[3:4].isupper()]
    return tuple(dict.fromkeys((*properties, *setters, *signals)))


class PySidePlugin(Plugin):
    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], CallableType] | None:
        if not fullname.startswith("PySide6.Qt") or not (keywords := keywords_of(fullname)):
            return None

        def widen(context: FunctionSigContext) -> CallableType:
            given = context.default_signature
            names = [name for name in keywords if name not in given.arg_names]
            return given.copy_modified(
                arg_types=[*given.arg_types, *(AnyType(TypeOfAny.explicit) for _ in names)],
                arg_kinds=[*given.arg_kinds, *(ARG_NAMED_OPT for _ in names)],
                arg_names=[*given.arg_names, *names],
            )

        return widen


def plugin(version: str) -> type[Plugin]:
    return PySidePlugin
