"""The catalogue of translations (GNU gettext): every text that a person reads in the window goes through it.

The texts are English in the code, and looked up once, when their module is imported. A language is a file
``resources/locale/<language>/LC_MESSAGES/workbench.mo``; the system's language chooses it. Where there is none, the
English text is shown. ``WORKBENCH_LOCALE`` names another folder of such files, to try a translation.

What comes to the window as a value, from the core or out of a stored run, is English until the window shows it:
``localised`` looks up the fields that are declared as ``Shown``, and ``translated`` a text in which values stand
already, such as an error or the reasons of a verdict. So what is stored, and what the API and the terminal tell, does
not depend on the language.
"""

from __future__ import annotations

import functools
import gettext
import os
import plistlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from workbench.base.paths import RESOURCES

DOMAIN = "workbench"
LOCALE = RESOURCES / "locale"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_PREFERENCES = Path("Library") / "Preferences" / ".GlobalPreferences.plist"
_PLACE = re.compile(r"\{(\w+)[^{}]*\}")
_END = re.compile(r"(?<=[.!?:])\s+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_MOST_SENTENCES = 12
_LONGEST, _LONGEST_OF_TEMPLATE = 2_000, 600
"""Characters of a text that is looked at, and of one that a template may have made: a pattern's time grows with a power
of the length, and texts hold what strangers wrote, such as errors of endpoints. Longer ones stay as they are."""
_BETWEEN = ("\n", " · ", "; ", ": ", ", ")
"""The signs that join texts, the strongest first."""
V = TypeVar("V")

Shown = Annotated[str, msgspec.Meta(extra={"shown": True})]
"""A text of the program, in English, which the window shows translated: a field of a value, as the title of a method, a
constant, or what a function composes. A name that a person gave is none."""


def system_languages() -> list[str]:
    """The person's languages, the first one preferred, as ``de_AT``: of gettext's variables, else of Windows or macOS,
    which set none for a program of the desktop."""
    named = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    if named:
        return named.split(":")
    if sys.platform == "win32":
        import ctypes
        import locale

        language = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage())
        return [language] if language else []
    if sys.platform == "darwin":
        try:
            preferences = plistlib.loads((Path.home() / _PREFERENCES).read_bytes())
        except (OSError, plistlib.InvalidFileException):
            return []
        return [str(language).replace("-", "_") for language in preferences.get("AppleLanguages", ())]
    return []


def _has_places_and_words(text: str) -> bool:
    return _PLACE.search(text) is not None and any(sign.isalpha() for sign in _PLACE.sub("", text))


class _Catalogue(gettext.GNUTranslations):
    """The texts of a file; ``templates`` are those with places, the longest first."""

    templates: tuple[str, ...] = ()

    def _parse(self, fp: Any) -> None:
        super()._parse(fp)
        texts: Mapping[object, str] = self._catalog  # type: ignore[attr-defined]
        found = [text for text in texts if isinstance(text, str) and _has_places_and_words(text)]
        self.templates = tuple(sorted(found, key=lambda text: -len(_PLACE.sub("", text))))


def find_catalogue(folder: str | Path, languages: list[str]) -> gettext.NullTranslations:
    """The catalogue of the first of the languages that the folder has; one without texts where it has none."""
    return gettext.translation(DOMAIN, folder, languages=languages, class_=_Catalogue, fallback=True)


_CATALOGUE = find_catalogue(os.environ.get("WORKBENCH_LOCALE") or LOCALE, system_languages())


def _(text: str) -> str:
    """The text in the person's language. The places of a template, such as ``{name}``, are filled afterwards."""
    return _CATALOGUE.gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The text for a count, in the person's language: ``one`` for 1 and ``many`` for others in English."""
    return _CATALOGUE.ngettext(one, many, count)


def translated(text: str) -> str:
    """A text that was made elsewhere, in English, in the person's language: the catalogue's templates that it was made
    of are found by their words, sentence by sentence, and its values are kept."""
    return _translated(text) if text and isinstance(_CATALOGUE, _Catalogue) else text


def all_translated(texts: V) -> V:
    """A text, or the texts of a tuple, list or dict, as ``translated`` gives each."""
    return _all_translated(texts) if isinstance(_CATALOGUE, _Catalogue) else texts


@functools.lru_cache(maxsize=4_000)
def _translated(text: str) -> str:
    body = text.strip()
    if not body:
        return text
    found = _each_sentence(body) or _whole(body)
    if found is None:
        if len(body) > _LONGEST:
            return text
        found = _by_sentences(body)
        for between in () if found != body else _BETWEEN:
            parts = body.split(between)
            if len(parts) > 1 and (new := between.join(map(_translated, parts))) != body:
                found = new
                break
    return text.replace(body, found) if found != body else text


def _whole(text: str) -> str | None:
    """The translation of a text that one template makes; None where none does."""
    if (known := _(text)) != text:
        return known
    if len(text) > _LONGEST_OF_TEMPLATE:
        return None
    for template in _catalogue().templates:
        pieces = _PLACE.split(template)[::2]
        if all(piece in text for piece in pieces) and (match := _pattern(template).fullmatch(text)) is not None:
            return _filled(_(template), match.groupdict())
    return None


def _each_sentence(text: str) -> str:
    """A text each of whose sentences is a template's, so that none is taken for a value of the one before it; "" where
    it is another one."""
    sentences = _SENTENCE.split(text)
    if not 1 < len(sentences) <= _MOST_SENTENCES or _(text) != text:
        return ""
    found = []
    for sentence in sentences:
        if (one := _whole(sentence)) is None:
            return ""
        found.append(one)
    return " ".join(found)


def _by_sentences(text: str) -> str:
    """A text of several sentences, of which as many as possible at once are a template's."""
    sentences = _END.split(text)
    if not 1 < len(sentences) <= _MOST_SENTENCES:
        return text
    said: list[str] = []
    at = 0
    while at < len(sentences):
        for end in range(len(sentences) if at else len(sentences) - 1, at, -1):
            run = " ".join(sentences[at:end])
            found = _whole(run) if end - at > 1 else _translated(run)
            if found is not None:
                said.append(found)
                at = end
                break
    return " ".join(said)


def _catalogue() -> _Catalogue:
    assert isinstance(_CATALOGUE, _Catalogue)
    return _CATALOGUE


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values, which may be texts of the program themselves."""
    return _PLACE.sub(lambda place: _translated(values[place[1]]) if place[1] in values else place[0], template)


@functools.lru_cache(maxsize=1_000)
def _pattern(template: str) -> re.Pattern[str]:
    """A pattern of the texts that the template makes, with its values by name."""
    parts = _PLACE.split(template)
    seen: set[str] = set()
    pattern = ""
    for literal, name in zip(parts[::2], [*parts[1::2], ""], strict=True):
        pattern += re.escape(literal)
        if name:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)


def localised(value: V) -> V:
    """The value, with its texts (``Shown``) and those of what it holds in the person's language."""
    return _localised(value) if isinstance(_CATALOGUE, _Catalogue) else value


def _localised(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        shown = shown_fields(type(value))
        changed = {}
        for name in value.__struct_fields__:
            held = getattr(value, name)
            new = _all_translated(held) if name in shown else _localised(held)
            if new is not held:
                changed[name] = new
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, tuple | list) and value:
        found = [_localised(one) for one in value]
        return value if all(new is old for new, old in zip(found, value, strict=True)) else type(value)(found)
    if isinstance(value, dict) and value:
        return {name: _localised(one) for name, one in value.items()}
    return value


def _all_translated(held: Any) -> Any:
    if isinstance(held, str):
        return _translated(held)
    if isinstance(held, tuple | list):
        return type(held)(_all_translated(one) for one in held)
    if isinstance(held, dict):
        return {name: _all_translated(one) for name, one in held.items()}
    return held


def texts_of(value: Any) -> Iterator[str]:
    """The texts (``Shown``) of a value and of what it holds, as a catalogue has to have them."""
    if isinstance(value, msgspec.Struct):
        shown = shown_fields(type(value))
        for name in value.__struct_fields__:
            held = getattr(value, name)
            yield from _strings(held) if name in shown else texts_of(held)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from texts_of(one)
    elif isinstance(value, dict):
        yield from texts_of(tuple(value.values()))


def _strings(held: Any) -> Iterator[str]:
    if isinstance(held, str) and held:
        yield held
    elif isinstance(held, tuple | list | dict):
        for one in held.values() if isinstance(held, dict) else held:
            yield from _strings(one)


@functools.cache
def shown_fields(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The names of a type's fields that are declared as ``Shown``, also in a tuple or as a choice."""
    return frozenset(name for name, hint in get_type_hints(kind, include_extras=True).items() if _is_shown(hint))


def _is_shown(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return any(isinstance(one, msgspec.Meta) and (one.extra or {}).get("shown") for one in get_args(hint)[1:])
    return any(_is_shown(inner) for inner in get_args(hint))
