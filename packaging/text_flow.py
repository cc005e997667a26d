"""Finds the texts that reach a person, by following values through the code.

A text is written in one place and shown from another: an error's message is made by a helper, a reason is appended to a
list that becomes a field of a report. ``texts_of_code`` begins where texts end, which are arguments of ``_``, messages
of errors, and what is annotated as ``Shown`` (fields, parameters, variables, results of functions), and goes back to
the literals: through variables, parameters and their calls, results of functions, tables, and parts of f-strings.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Arguments = Mapping[int | str, str]
"""Of a constructor: its arguments that are texts, by place and by name."""

_TRANSPARENT = {
    "tuple", "list", "sorted", "filter", "str", "next", "dict", "set", "reversed", "enumerate", "zip", "cast",
    "translated", "chain", "from_iterable", "fromkeys",
}  # fmt: skip
"""Calls whose result holds the texts of their arguments."""
_OF_RECEIVER = {
    "strip", "rstrip", "lstrip", "capitalize", "get", "values", "items", "copy", "format", "removesuffix", "replace",
    "pop", "setdefault", "elements", "most_common", "split", "splitlines", "partition",
}  # fmt: skip
"""Methods whose result holds the texts of what they are called on."""
_NOT_TOLD = {"FaultElsewhere", "OutOfMemory", "WorkerDied", "Cancelled"}
"""Exceptions that are faults of ours or have words of their own."""
_RARE = 3
_ADDS = ("append", "extend", "insert", "add", "update")


@dataclass(frozen=True, eq=False)
class Scope:
    """A function, class or module, with what the names in it are bound to."""

    module: Module
    node: ast.AST
    above: Scope | None = None
    bound: dict[str, list[tuple[ast.expr, int | None]]] = field(default_factory=lambda: defaultdict(list))
    shown: set[str] = field(default_factory=set)

    @property
    def parameters(self) -> list[ast.arg]:
        if not isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return []
        of = self.node.args
        return [*of.posonlyargs, *of.args, *([of.vararg] if of.vararg else []), *of.kwonlyargs]

    @property
    def name(self) -> str:
        return str(getattr(self.node, "name", ""))

    @property
    def is_method(self) -> bool:
        return self.above is not None and isinstance(self.above.node, ast.ClassDef)


@dataclass(eq=False)
class Module:
    """A file of the code: its functions and classes by name, and where its other names come from."""

    name: str
    file: str
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    functions: dict[str, list[Scope]] = field(default_factory=lambda: defaultdict(list))
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    returns: dict[ast.AST, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def top(self) -> Scope:
        return next(iter(self.scopes.values()))


class Code:
    """The modules of folders."""

    def __init__(self, root: Path, folders: Sequence[str]) -> None:
        self.modules: dict[str, Module] = {}
        for folder in folders:
            for path in sorted((root / folder).rglob("*.py")):
                file = path.relative_to(root).as_posix()
                self.add(file, path.read_text("utf-8"))

    def add(self, file: str, text: str) -> None:
        name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        module = self.modules[name] = Module(name, file)
        tree = ast.parse(text)
        top = module.scopes[tree] = Scope(module, tree)
        _Reader(module, top).visit_all(tree)

    @functools.cached_property
    def calls(self) -> dict[str, list[tuple[ast.Call, Scope]]]:
        """Every call, by the last part of its name."""
        found: dict[str, list[tuple[ast.Call, Scope]]] = defaultdict(list)
        for module in self.modules.values():
            for call, scope in module.calls:
                found[called(call)].append((call, scope))
        return found

    @functools.cached_property
    def definitions(self) -> Counter[str]:
        """How many functions and classes have a name."""
        return Counter(
            name for module in self.modules.values() for name, ones in module.functions.items() for _ in ones
        )

    def known(self, module: Module, name: str, depth: int = 0) -> tuple[Module, str] | None:
        """Where a name of a module is defined: the module and its name there."""
        if name not in module.imported or depth > 5:
            return module, name
        source, inner = module.imported[name]
        if f"{source}.{inner}" in self.modules:
            return None
        return self.known(self.modules[source], inner, depth + 1) if source in self.modules else None


class _Reader(ast.NodeVisitor):
    """Fills a module with what its code binds, calls and returns."""

    def __init__(self, module: Module, scope: Scope) -> None:
        self.module, self.scope = module, scope

    def visit_all(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def _inner(self, node: ast.AST) -> None:
        outer, self.scope = self.scope, Scope(self.module, node, self.scope)
        self.module.scopes[node] = self.scope
        if self.scope.name:
            self.module.functions[self.scope.name].append(self.scope)
        for one in self.scope.parameters:
            if one.annotation is not None and _says_shown(one.annotation):
                self.scope.shown.add(one.arg)
        self.visit_all(node)
        self.scope = outer

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _inner  # noqa: N815

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            if one.asname or "." not in one.name:
                above, _, name = one.name.rpartition(".")
                self.module.imported[one.asname or one.name] = (above, name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for one in node.names:
            self.module.imported[one.asname or one.name] = (node.module or "", one.name)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.module.returns[self._function()].append(node.value)
            self.visit(node.value)

    def visit_Yield(self, node: ast.Yield) -> None:
        if node.value is not None:
            self.module.returns[self._function()].append(node.value)
            self.visit(node.value)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.module.returns[self._function()].append(node.value)
        self.visit(node.value)

    def _function(self) -> ast.AST:
        return self.scope.node

    def visit_Call(self, node: ast.Call) -> None:
        self.module.calls.append((node, self.scope))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _ADDS and node.args:
            self._bind(node.func.value, node.args[-1])
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and _says_shown(node.annotation):
            self.scope.shown.add(node.target.id)
        if node.value is not None:
            self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._bind(node.target, node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._bind(node.target, node.iter)
        self.generic_visit(node)

    def _bind(self, target: ast.expr, value: ast.expr, item: int | None = None) -> None:
        if isinstance(target, ast.Name):
            self.scope.bound[target.id].append((value, item))
        elif isinstance(target, ast.Attribute) and item is None:
            self.module.attributes[target.attr].append((value, self.scope))
        elif isinstance(target, ast.Subscript):
            self._bind(target.value, value, item)
        elif isinstance(target, ast.Tuple | ast.List) and item is None:
            for place, one in enumerate(target.elts):
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                    self._bind(one, value.elts[place])
                else:
                    self._bind(one, value, place)


def _says_shown(annotation: ast.expr) -> bool:
    names = {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)}
    written = {one.value for one in ast.walk(annotation) if isinstance(one, ast.Constant)}
    return "Shown" in names or any(isinstance(one, str) and "Shown" in one for one in written)


def called(call: ast.Call) -> str:
    """The last part of a call's name."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


class Flow:
    """The texts of code: ``found`` with the file that writes each, and ``unknown``, the ends that no text was found
    for: a value of a library or of a record."""

    def __init__(self, code: Code, errors: Sequence[str], shown: Mapping[str, Arguments]) -> None:
        self.code = code
        self.errors = frozenset(errors)
        self._raised = self.errors | _exceptions(code) - _NOT_TOLD
        self.found: set[tuple[str, str]] = set()
        self.unknown: list[tuple[str, int, str]] = []
        self._shown = dict(shown)
        self._known: dict[tuple[int, int | None], bool] = {}
        self._summaries: dict[tuple[ast.AST, int | None], tuple[bool, set[str]]] = {}
        self._within: list[tuple[Scope, set[str]]] = []
        self._parameters: dict[tuple[Scope, str], None] = {}
        self._follow()

    def _follow(self) -> None:
        for module in self.code.modules.values():
            for scope in module.scopes.values():
                if isinstance(scope.node, ast.ClassDef) and scope.shown and scope.name not in self._shown:
                    self._shown[scope.name] = _fields_of(scope)
        for module in self.code.modules.values():
            for call, scope in module.calls:
                for argument in self._texts_given(call):
                    self._end(argument, scope)
            for scope in module.scopes.values():
                if not isinstance(scope.node, ast.ClassDef):
                    self._follow_scope(scope)
        done: set[tuple[Scope, str]] = set()
        while waiting := [one for one in self._parameters if one not in done]:
            done.update(waiting)
            for scope, name in waiting:
                self._follow_calls(scope, name)

    def _follow_scope(self, scope: Scope) -> None:
        """Variables, parameters and results that the code itself says to be shown."""
        for name in scope.shown:
            for value, item in scope.bound.get(name, ()):
                self._text(value, scope, item)
            if name in {one.arg for one in scope.parameters}:
                self._parameter(scope, name)
        returned = getattr(scope.node, "returns", None)
        if returned is not None and _says_shown(returned):
            for value in scope.module.returns[scope.node]:
                self._end(value, scope)

    def _texts_given(self, call: ast.Call) -> Iterator[ast.expr]:
        name = called(call)
        if name == "_":
            yield from call.args[:1]
        elif name in self.errors:
            yield from call.args[:2]
            yield from (one.value for one in call.keywords if one.arg in ("message", "hint"))
        elif name in self._raised:
            yield from call.args[:1]
        elif name in self._shown:
            yield from _given(call, self._shown[name])
        elif name == "replace" and ast.unparse(call.func).endswith("structs.replace"):
            names = {one for shown in self._shown.values() for one in shown.values()}
            yield from (one.value for one in call.keywords if one.arg in names)

    def _end(self, value: ast.expr, scope: Scope) -> None:
        if not self._text(value, scope):
            self.unknown.append((scope.module.file, value.lineno, ast.unparse(value)))

    def _follow_calls(self, scope: Scope, name: str) -> None:
        """The arguments that a parameter is given, wherever its function is called."""
        constructs = scope.name == "__init__" and scope.above is not None
        wanted = scope.above.name if constructs and scope.above is not None else scope.name
        for call, where in self.code.calls[wanted]:
            if isinstance(call.func, ast.Name):
                known = self.code.known(where.module, call.func.id)
                if known is None or known[0] is not scope.module:
                    continue
            elif not constructs and not self._is_of(call.func, where, scope):
                continue
            for value in self._given_to(scope, name, call):
                self._text(value, where)

    def _is_of(self, func: ast.expr, where: Scope, scope: Scope) -> bool:
        """Whether ``x.name`` may be the function: of the same object or of a module; a method where its name is rare,
        or in its own package."""
        if not isinstance(func, ast.Attribute):
            return False
        if isinstance(func.value, ast.Name):
            source = where.module.imported.get(func.value.id)
            if source is not None:
                return _dotted(source) == scope.module.name
            if func.value.id in ("self", "cls"):
                return where.module is scope.module
        if not scope.is_method:
            return False
        package = scope.module.name.rpartition(".")[0]
        return where.module.name.startswith(f"{package}.") or self.code.definitions[scope.name] <= _RARE

    def _given_to(self, scope: Scope, name: str, call: ast.Call) -> Iterator[ast.expr]:
        own = [one.arg for one in scope.parameters]
        place = own.index(name) - (1 if scope.is_method and own[0] in ("self", "cls") else 0)
        starred = isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef) and scope.node.args.vararg
        if starred and starred.arg == name:
            yield from (one for one in call.args[place:] if not isinstance(one, ast.Starred))
        else:
            yield from _given(call, {place: name, name: name})

    def _parameter(self, scope: Scope, name: str) -> bool:
        for function, reached in self._within:
            if function is scope:
                reached.add(name)
                return True
        self._parameters[scope, name] = None
        arguments = getattr(scope.node, "args", None)
        if arguments is not None:
            both = [*arguments.posonlyargs, *arguments.args]
            pairs = [*zip(reversed(both), reversed(arguments.defaults), strict=False)]
            pairs += [*zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
            for one, value in pairs:
                if one.arg == name and value is not None:
                    self._text(value, scope)
        return True

    # -- from an expression back to its literals -----------------------------------------------------

    def _text(self, node: ast.expr, scope: Scope, item: int | None = None) -> bool:
        """Whether a text was found for an expression, or for the ``item`` of a tuple."""
        key = (id(node), item)
        if key not in self._known:
            self._known[key] = True  # while it is looked for
            self._known[key] = self._of(node, scope, item)
        return self._known[key]

    def _of(self, node: ast.expr, scope: Scope, item: int | None) -> bool:
        match node:
            case ast.Constant(value=str() as text):
                self.found.add((text, scope.module.file))
                return True
            case ast.JoinedStr():
                self.found.add((template_of(node), scope.module.file))
                for part in node.values:
                    if isinstance(part, ast.FormattedValue) and part.format_spec is None:
                        self._text(part.value, scope)
                return True
            case ast.IfExp():
                return self._all((node.body, node.orelse), scope, item)
            case ast.BoolOp():
                return self._all(node.values, scope, item)
            case ast.BinOp(op=ast.Add()) | ast.BinOp(op=ast.BitOr()):
                return self._all((node.left, node.right), scope, item)
            case ast.Tuple() | ast.List() | ast.Set():
                if item is None:
                    return self._all(node.elts, scope, None) or not node.elts
                if any(isinstance(one, ast.Tuple | ast.List) for one in node.elts):
                    return self._all(node.elts, scope, item)
                return self._all(node.elts[item : item + 1], scope, None)
            case ast.Dict():
                return self._all(node.values, scope, None)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self._text(node.elt, scope, item)
            case ast.DictComp():
                return self._text(node.value, scope)
            case ast.Starred() | ast.Await() | ast.NamedExpr() | ast.YieldFrom():
                return self._text(node.value, scope, item)
            case ast.Subscript():
                place = node.slice.value if isinstance(node.slice, ast.Constant) else None
                return self._text(node.value, scope, place if isinstance(place, int) and place >= 0 else None)
            case ast.Name():
                return self._name(node.id, scope, item)
            case ast.Attribute():
                return self._attribute(node, scope, item)
            case ast.Call():
                return self._call(node, scope, item)
        return False

    def _all(self, nodes: Sequence[ast.expr], scope: Scope, item: int | None) -> bool:
        return _some(self._text(one, scope, item) for one in nodes)

    def _bound(self, name: str, scope: Scope, item: int | None) -> bool:
        values = scope.bound.get(name, ())
        return _some(self._text(value, scope, place if place is not None else item) for value, place in values)

    def _name(self, name: str, scope: Scope, item: int | None) -> bool:
        inner: Scope | None = scope
        while inner is not None:
            is_parameter = name in {one.arg for one in inner.parameters}
            if name in inner.bound or is_parameter:
                found = self._bound(name, inner, item)
                return (is_parameter and self._parameter(inner, name)) or found
            inner = inner.above
        known = self.code.known(scope.module, name)
        return known is not None and known[0] is not scope.module and self._bound(known[1], known[0].top, item)

    def _attribute(self, node: ast.Attribute, scope: Scope, item: int | None) -> bool:
        """A value that ``self`` holds, a constant of a module, or a property."""
        if not isinstance(node.value, ast.Name):
            return False
        if node.value.id in ("self", "cls"):
            held = scope.module.attributes.get(node.attr, ())
            found = _some(self._text(value, inner, item) for value, inner in held)
            properties = [one for one in scope.module.functions.get(node.attr, ()) if one.is_method]
            return _some(self._results(one, item)[0] for one in properties) or found
        if (module := self._module(node.value.id, scope)) is not None:
            return self._bound(node.attr, module.top, item)
        return False

    def _module(self, name: str, scope: Scope) -> Module | None:
        return self.code.modules.get(_dotted(scope.module.imported.get(name, ("", ""))))

    def _call(self, node: ast.Call, scope: Scope, item: int | None) -> bool:
        name, found = called(node), False
        if name == "join" and node.args:
            found = self._text(node.args[0], scope)
        elif isinstance(node.func, ast.Attribute) and name in _OF_RECEIVER:
            found = self._text(node.func.value, scope, item)
            if name in ("get", "pop", "setdefault") and len(node.args) > 1:
                found = self._text(node.args[1], scope, item) or found
            if name == "format":
                self._all([*node.args, *(one.value for one in node.keywords)], scope, None)
        elif name in _TRANSPARENT:
            found = self._all(node.args, scope, item)
        for function in self._functions(node.func, scope):
            has_text, reached = self._results(function, item)
            for parameter in reached:
                given = self._given_to(function, parameter, node)
                has_text = _some(self._text(value, scope) for value in given) or has_text
            found = has_text or found
        return found

    def _functions(self, func: ast.expr, scope: Scope) -> list[Scope]:
        if isinstance(func, ast.Name):
            known = self.code.known(scope.module, func.id)
            return known[0].functions.get(known[1], []) if known is not None else []
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            if func.value.id in ("self", "cls"):
                return scope.module.functions.get(func.attr, [])
            if (module := self._module(func.value.id, scope)) is not None:
                return module.functions.get(func.attr, [])
        return []

    def _results(self, function: Scope, item: int | None) -> tuple[bool, set[str]]:
        """Whether a function's results have a text, and its parameters that they are made of."""
        if isinstance(function.node, ast.ClassDef):
            return False, set()
        key = (function.node, item)
        if key not in self._summaries:
            reached: set[str] = set()
            self._summaries[key] = (False, reached)
            self._within.append((function, reached))
            found = _some(self._text(value, function, item) for value in function.module.returns[function.node])
            self._within.pop()
            self._summaries[key] = (found, reached)
        return self._summaries[key]


def _dotted(imported: tuple[str, str]) -> str:
    return ".".join(filter(None, imported))


def _exceptions(code: Code) -> set[str]:
    """The code's own exceptions, by name, and ValueError: an error that a person sees is often made of their words."""
    found = {"Exception", "ValueError", "RuntimeError"}
    bases = {
        scope.name: {ast.unparse(base).rpartition(".")[2] for base in scope.node.bases}
        for module in code.modules.values()
        for scope in module.scopes.values()
        if isinstance(scope.node, ast.ClassDef)
    }
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found - {"Exception", "RuntimeError"}


def _some(found: Iterable[bool]) -> bool:
    """Whether any of them is true; all are looked at."""
    return sum(found) > 0


def _fields_of(scope: Scope) -> Arguments:
    assert isinstance(scope.node, ast.ClassDef)
    names = [
        one.target.id for one in scope.node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    ]
    found: dict[int | str, str] = {place: name for place, name in enumerate(names) if name in scope.shown}
    return found | {name: name for name in scope.shown}


def _given(call: ast.Call, wanted: Arguments) -> Iterator[ast.expr]:
    for place, argument in enumerate(call.args):
        if place in wanted and not isinstance(argument, ast.Starred):
            yield argument
    yield from (one.value for one in call.keywords if one.arg in wanted)


def template_of(node: ast.JoinedStr) -> str:
    """The text of an f-string, with a name for each value."""
    taken: dict[str, str] = {}
    return "".join(_piece(part, taken) for part in node.values)


def _piece(part: ast.expr, taken: dict[str, str]) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    code = ast.unparse(part.value)
    wanted = next((one.id for one in ast.walk(part.value) if isinstance(one, ast.Name)), "value")
    if isinstance(part.value, ast.Attribute):
        wanted = part.value.attr
    name, number = wanted.strip("_") or "value", 1
    while taken.get(name, code) != code:
        number += 1
        name = f"{wanted.strip('_')}{number}"
    taken[name] = code
    return f"{{{name}}}"
