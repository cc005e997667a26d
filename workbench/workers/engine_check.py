"""The first part of an engine's self-test: whether its llama-cpp-python has what this program calls, as it calls it.

C is called through ctypes, where nothing notices that a function takes other arguments or that a structure has another
layout: the process computes nonsense or crashes. So this process lists every name that the program uses, found in its
own source, with its declaration in the package, and measures how many bytes the library writes for the structures that
it returns. The core compares both with the bundled engine's. Prints one line of JSON.
"""

from __future__ import annotations

import ast
import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workbench.engine.structure_sizes import written_bytes

_PACKAGE = Path(__file__).parents[1]
_LIBRARY = "workbench.engine.library"
_RETURNED = ("llama_model_default_params", "llama_context_default_params", "llama_model_quantize_default_params")


class LibraryApi(msgspec.Struct, frozen=True, kw_only=True):
    """What a llama-cpp-python declares of the names that the program uses. ``functions``: result and arguments by name;
    ``fields``: the type of each structure's field that the program sets or reads; ``values``: the names of constants
    and types; ``written``: by structure, the bytes that are declared and those that the library writes (0: cannot be
    measured here); ``lacking``: names that are used and not there; ``flags``: fields that are true or false by their
    type and neither by their default."""

    version: str = ""
    functions: dict[str, str] = {}
    fields: dict[str, str] = {}
    values: tuple[str, ...] = ()
    written: dict[str, tuple[int, int]] = {}
    lacking: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def used_names() -> tuple[set[str], set[str]]:
    """The attributes of the module of C functions that the program's own modules use, and all attributes in them, among
    which are the fields of structures. Raises RuntimeError where their source is missing."""
    names: set[str] = set()
    attributes: set[str] = set()
    for path in sorted(_PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        if _LIBRARY not in text and "as llama" not in text:
            continue
        nodes = list(ast.walk(ast.parse(text)))
        if not any(_imports_functions(node) for node in nodes):
            continue
        for node in nodes:
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
                if isinstance(node.value, ast.Name) and node.value.id == "llama":
                    names.add(node.attr)
    if not names:
        raise RuntimeError("the source of the program is not beside it")
    return names - {"_lib"}, attributes


def _imports_functions(node: ast.AST) -> bool:
    """Whether a statement binds the module of C functions to the name ``llama``."""
    if isinstance(node, ast.ImportFrom):
        return node.module == _LIBRARY and any(one.name == "llama" for one in node.names)
    return isinstance(node, ast.Import) and any(one.asname == "llama" for one in node.names)


def describe_api() -> LibraryApi:
    """The declarations of the llama-cpp-python that is imported in this process."""
    import llama_cpp
    import llama_cpp.llama_cpp as module

    names, attributes = used_names()
    functions: dict[str, str] = {}
    values, lacking = [], []
    for name in sorted(names):
        found = getattr(module, name, None)
        if found is None:
            lacking.append(name)
        elif hasattr(found, "restype") and not isinstance(found, type):
            functions[name] = f"{_name(found.restype)}({', '.join(map(_name, found.argtypes or ()))})"
        else:
            values.append(name)
    fields = {
        f"{name}.{field}": _name(type)
        for name, kind in _structures(module)
        if any(name in declaration for declaration in functions.values())
        for field, type, *_ in kind._fields_
        if field in attributes
    }
    return LibraryApi(
        version=str(llama_cpp.__version__),
        functions=functions,
        fields=fields,
        values=tuple(values),
        written={name: _measured(module, name) for name in _RETURNED if hasattr(module, name)},
        lacking=tuple(lacking),
        flags=tuple(_odd_flags(module)),
    )


def _structures(module: Any) -> Iterator[tuple[str, Any]]:
    for name, kind in vars(module).items():
        if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and hasattr(kind, "_fields_"):
            yield name, kind


def _measured(module: Any, function: str) -> tuple[int, int]:
    """The declared size of what a function returns, and the bytes that it writes."""
    return ctypes.sizeof(getattr(module, function).restype), written_bytes(module._lib[function])


def _odd_flags(module: Any) -> Iterator[str]:
    for function in _RETURNED:
        default = getattr(module, function)()
        raw = bytes(default)
        for field, type, *_ in default._fields_:
            if type is ctypes.c_bool and raw[getattr(default.__class__, field).offset] > 1:
                yield f"{default.__class__.__name__}.{field}"


def _name(type: Any) -> str:
    return "None" if type is None else str(getattr(type, "__name__", type))


def main() -> None:
    sys.stdout.write(msgspec.json.encode(describe_api()).decode() + "\n")
    sys.stdout.flush()
