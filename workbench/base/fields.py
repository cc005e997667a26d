"""The fields of configuration types: the one source of forms, command-line flags and docs.

A configuration type is a frozen ``msgspec.Struct`` whose fields are annotated with what they are (``about``) and a
sentence of help::

    size: Annotated[int, about("Chunk size", ge=32, le=8192, unit="tokens"), "Maximum length of a chunk."] = 254
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from workbench.base.catalogue import Shown, _
from workbench.base.errors import UserError

_Kind = Literal["int", "float", "bool", "str", "choice", "list"]
_KINDS: dict[type, _Kind] = {bool: "bool", int: "int", float: "float"}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field, as a form or a command line shows it. A list is one of texts.

    Between the entries of a list that is typed in one line stands ``separator``. A number may equal its ``minimum``
    unless that is ``open``; a text has at most ``longest`` characters and matches ``pattern``. An ``optional`` one can
    be left empty (None): the program chooses then. So can a number with ``auto``, which is then ``empty``: ``auto`` is
    what that means, as "the data and the model decide", and ``blank`` a word or two for it, as "all layers"; "" where
    the program chooses. ``when`` names another field and the values of it with which this one has a meaning, as
    ``answer=choice|schema``, or as ``examples`` for any value but an empty one.
    """

    name: str
    title: Shown
    help: Shown
    kind: _Kind
    default: Any
    unit: Shown = ""
    minimum: float | None = None
    maximum: float | None = None
    open: bool = False
    optional: bool = False
    longest: int | None = None
    pattern: str = ""
    choices: tuple[str, ...] = ()
    advanced: bool = False
    group: str = ""
    multiline: bool = False
    separator: str = "\\n"
    when: str = ""
    auto: Shown = ""
    empty: int = 0
    blank: Shown = ""

    @property
    def typed_help(self) -> str:
        """The help of a field that is typed as a word of a command."""
        help = _("{help} At {empty}, {auto}.")
        return help.format(help=self.help, empty=self.empty, auto=self.auto) if self.auto else self.help

    @property
    def shown_help(self) -> str:
        """The help of a field that is filled in a form."""
        return _("{help} Left empty, {auto}.").format(help=self.help, auto=self.auto) if self.auto else self.help

    def __post_init__(self) -> None:
        if self.kind == "list" and not isinstance(self.default, tuple):  # as it comes off a wire
            msgspec.structs.force_setattr(self, "default", tuple(self.default or ()))


def about(
    title: str = "",
    *,
    unit: str = "",
    group: str = "",
    advanced: bool = False,
    multiline: bool = False,
    separator: str = "\\n",
    when: str = "",
    auto: str = "",
    empty: int = 0,
    blank: str = "",
    **limits: Any,
) -> msgspec.Meta:
    """The description of a field: its title (else made of its name), its form options (``Field``), and its limits, by
    the names of ``msgspec.Meta``: ``ge``, ``gt``, ``le``, ``max_length``, ``pattern``."""
    shown = {"unit": unit, "group": group, "advanced": advanced, "multiline": multiline, "separator": separator}
    given = {"when": when, "auto": auto, "empty": empty, "blank": blank}
    shown |= {name: value for name, value in given.items() if value}
    return msgspec.Meta(title=title, extra=shown, **limits)


@cache
def fields_of(config: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of a configuration type that have help, in their order. Nested parts are left out."""
    hints = get_type_hints(config, include_extras=True)
    found = []
    for info in msgspec.structs.fields(config):
        described = _describe(info.name, hints[info.name], _default(info))
        if described is not None:
            found.append(described)
    return tuple(found)


def _default(info: msgspec.structs.FieldInfo) -> Any:
    if info.default is not msgspec.NODEFAULT:
        return info.default
    if info.default_factory is not msgspec.NODEFAULT:
        return info.default_factory()
    return None


def _describe(name: str, hint: Any, default: Any) -> Field | None:
    if get_origin(hint) is not Annotated:
        return None
    base, *extras = get_args(hint)
    help = next((extra for extra in extras if isinstance(extra, str)), None)
    if help is None:
        return None
    meta = next((extra for extra in extras if isinstance(extra, msgspec.Meta)), about())
    limits = meta
    optional = get_origin(base) in (Union, UnionType) and type(None) in get_args(base)
    if optional:  # msgspec limits the number itself, not what may be None
        inner = next(one for one in get_args(base) if one is not type(None))
        base, *its = get_args(inner) if get_origin(inner) is Annotated else (inner,)
        limits = next((extra for extra in its if isinstance(extra, msgspec.Meta)), meta)
    kind: _Kind = "str"
    if get_origin(base) is Literal:
        kind = "choice"
    elif get_origin(base) is tuple:
        kind = "list"
    elif base in _KINDS:
        kind = _KINDS[base]
    return Field(
        name=name,
        title=meta.title or name.replace("_", " ").capitalize(),
        help=help,
        kind=kind,
        default=default,
        minimum=limits.ge if limits.ge is not None else limits.gt,
        maximum=limits.le,
        open=limits.gt is not None,
        optional=optional,
        longest=meta.max_length,
        pattern=meta.pattern or "",
        choices=_choices(base),
        **(meta.extra or {}),
    )


def _choices(hint: Any) -> tuple[str, ...]:
    """What a choice, or each entry of a list, can be; () where it can be anything."""
    inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
    return tuple(str(choice) for choice in get_args(inner)) if get_origin(inner) is Literal else ()


def parse_value(config: type[msgspec.Struct], name: str, text: str) -> Any:
    """A field's value from typed text. Raises UserError with the field and its range."""
    return parse_text(find_field(fields_of(config), name), text)


def find_field(fields: Sequence[Field], name: str) -> Field:
    """The field of that name. Raises UserError that lists the names."""
    for field in fields:
        if field.name == name:
            return field
    known = ", ".join(field.name for field in fields)
    raise UserError(f"There is no setting {name!r}.", f"The settings are {known or 'none'}.")


def parse_text(field: Field, text: str, shown: bool = False) -> Any:
    """Like ``parse_value``, for a field without its configuration type. ``shown``: it was typed in the window."""
    raw: Any = text
    if text.strip().lower() in ("", "auto"):
        if field.optional:
            return None
        if field.auto:
            return field.empty if field.kind == "int" else float(field.empty)
    if field.kind == "bool":
        lowered = text.strip().lower()
        if lowered not in ("true", "false", "yes", "no", "on", "off", "1", "0"):
            raise UserError(f"{field.name} must be true or false, not {text!r}.")
        raw = lowered in ("true", "yes", "on", "1")
    elif field.kind == "list":
        parts = text.replace("\n", "\\n").replace("\\n", field.separator).split(field.separator)
        if field.separator != "\\n":  # spaces beside a comma are not part of an entry
            parts = [part.strip() for part in parts]
        raw = [part for part in parts if part]
    try:
        return msgspec.convert(raw, _type_of(field), strict=False)
    except msgspec.ValidationError as error:
        said = describe_range(field, shown)
        why = "" if field.kind in ("int", "float", "choice") and said else f": {_plain(error)}"
        raise UserError(f"{field.name} cannot be {text!r}{why}.", said) from error


def _type_of(field: Field) -> Any:
    if field.kind == "choice":
        return Literal[field.choices]
    if field.kind in ("bool", "list"):
        return bool if field.kind == "bool" else tuple[str, ...]
    if field.kind == "str":
        return Annotated[str, msgspec.Meta(max_length=field.longest, pattern=field.pattern or None)]
    number = int if field.kind == "int" else float
    least, most = (None if limit is None else number(limit) for limit in (field.minimum, field.maximum))
    if field.open:
        return Annotated[number, msgspec.Meta(gt=least, le=most)]
    return Annotated[number, msgspec.Meta(ge=least, le=most)]


def describe_range(field: Field, shown: bool = False) -> str:
    """The range of a field, as a sentence. ``shown``: in the window, where an empty field is what a typed 0 is."""
    if field.choices:
        return _("Choices: {names}.").format(names=", ".join(field.choices))
    unit = f" {field.unit}" if field.unit else ""
    lowest = lowest_of(field) if shown else field.minimum
    if lowest is not None and field.maximum is not None:
        least, most = _shown(lowest), _shown(field.maximum)
        return _("Range: {minimum} to {maximum}.").format(minimum=least, maximum=f"{most}{unit}")
    if lowest is not None:
        return _("Minimum: {minimum}.").format(minimum=f"{_shown(lowest)}{unit}")
    return ""


def lowest_of(field: Field) -> float | None:
    """The lowest number that a person gives: a whole number that leaves the value to the program is none."""
    leaves_it = field.auto and field.kind == "int" and field.minimum == field.empty
    return field.minimum + 1 if leaves_it and field.minimum is not None else field.minimum


def choice_title(choice: str) -> str:
    """A choice as a form writes it, in English: ``Cosine``, ``Depth-first``, ``f32``."""
    return choice if any(one.isdigit() for one in choice) else choice[:1].upper() + choice[1:]


def describe_default(field: Field) -> str:
    """A field's default as typed; "" for an empty one."""
    if field.default in ("", (), None):
        return ""
    if field.kind == "list":
        return field.separator.join(field.default)
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _shown(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


def _plain(error: Exception) -> str:
    return str(error)[:1].lower() + str(error)[1:]
