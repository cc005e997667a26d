"""Versions of one document: which of the documents of a collection are older versions of another one.

Two documents are versions of each other where their names or titles are the same but for a date, a number of a version
or a mark such as "old" (``Boat rules 2022``, ``Boat rules 2025-03-15``), and one is the later. A date from which a
document says it is valid comes before that in its name. Records of single events (minutes, offers, letters) are a
series, of which none takes the place of another.

This module knows neither the index nor a model; it works on names and on the first lines of a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import PurePath

import msgspec

from workbench.records.messages import Passage

HEAD_CHARACTERS = 1_500
"""So much of a text is searched for the date from which it is valid."""
MOST_SHARING = 3
"""Only a word that no more documents have in their names makes versions of two whose other words differ."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner janvier enero jan", "february februar février febrero feb",
            "march märz mars marzo mar mrz", "april avril abril apr", "may mai mayo", "june juni juin junio jun",
            "july juli juillet julio jul", "august août agosto aug", "september septembre septiembre sep sept",
            "october oktober octobre octubre oct okt", "november novembre noviembre nov",
            "december dezember décembre diciembre dec dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    r"(?<!\d)(?P<iso>(?:19|20)\d\d)[-_./](?P<iso_month>0[1-9]|1[0-2])(?:[-_./](?P<iso_day>[0-3]\d))?(?!\d)"
    r"|(?<!\d)(?P<dot_day>[0-3]?\d)\.\s?(?P<dot_month>0?[1-9]|1[0-2])\.\s?(?P<dot>(?:19|20)\d\d)(?!\d)"
    rf"|(?:(?<!\d)(?P<day>[0-3]?\d)(?:\.|st|nd|rd|th|er)?\s+(?:de\s+)?)?\b(?P<month>{_MONTH})\b\.?"
    r"(?:\s+(?P<late_day>[0-3]?\d)(?:st|nd|rd|th)?,)?\s+(?:de\s+|del\s+)?(?P<named>(?:19|20)\d\d)(?!\d)"
    r"|(?<!\d)(?P<year>(?:19|20)\d\d)(?!\d)",
    re.I,
)
_VALID = re.compile(
    r"\b(?:valid (?:from|since)|(?:in force|effective)(?: (?:from|since|as of))?|as of|version of|issued(?: on)?"
    r"|edition|gültig (?:ab|seit)|gilt (?:ab|seit)|in kraft (?:ab|seit)|stand|fassung (?:vom|von)|ausgabe"
    r"|en vigueur (?:depuis|à partir d[eu]|dès)|valable (?:à partir d[eu]|dès|depuis)|version d[eu]"
    r"|válid[oa]s? (?:desde|a partir de)|vigentes? (?:desde|a partir de)|en vigor (?:desde|a partir de)|versión de)\b",
    re.I,
)
_BETWEEN = re.compile(r"[ :,.\t*_-]*(?:(?:the|el|le|la|den|dem)[ \t]+)?", re.I)
_NUMBER = re.compile(
    r"\b(?:version|versión|fassung|revision|rev|ausgabe|edition|v)[ ._-]{0,2}(\d{1,3}(?:\.\d{1,3}){0,2})\b", re.I
)
_WORD = re.compile(r"[^\W_]+")
_OLD = frozenset(
    [
        "old",
        "alt",
        "alte",
        "altes",
        "veraltet",
        "überholt",
        "obsolete",
        "outdated",
        "superseded",
        "archive",
        "archiv",
        "ancien",
        "ancienne",
        "périmé",
        "antiguo",
        "antigua",
        "obsoleto",
    ]
)
_PASSED_OVER = frozenset(
    [
        "from",
        "valid",
        "as",
        "of",
        "new",
        "neu",
        "neue",
        "neues",
        "ab",
        "gültig",
        "stand",
        "version",
        "fassung",
        "revision",
        "rev",
        "ausgabe",
        "edition",
        "final",
        "copy",
        "kopie",
        "the",
        "der",
        "die",
        "das",
        "le",
        "la",
        "les",
        "el",
        "los",
        "und",
        "and",
        "et",
        "y",
        "de",
        "du",
        "des",
        "del",
    ]
)
_SERIES = frozenset(
    [
        "minutes",
        "protokoll",
        "protocol",
        "meeting",
        "meetings",
        "sitzung",
        "versammlung",
        "report",
        "bericht",
        "rapport",
        "informe",
        "compte",
        "acta",
        "actas",
        "log",
        "logbuch",
        "diary",
        "tagebuch",
        "notes",
        "notizen",
        "newsletter",
        "rundbrief",
        "brief",
        "letter",
        "lettre",
        "carta",
        "mail",
        "offer",
        "angebot",
        "offre",
        "oferta",
        "quotation",
        "quote",
        "invoice",
        "rechnung",
        "facture",
        "factura",
        "receipt",
        "quittung",
        "order",
        "auftrag",
        "bestellung",
        "lieferschein",
        "scan",
        "draft",
        "entwurf",
        "claim",
        "parte",
        "incident",
        "journal",
        "statement",
        "kontoauszug",
    ]
)
_LOOKS_BACK = re.compile(
    r"\b(?:old|older|former|formerly|previous|previously|used to|back then|earlier|früher\w*|alte[nrsm]?|ehemal\w*"
    r"|vorher\w*|bisher\w*|damals|vorig\w*|anciens?|ancienne\w*|auparavant|avant|antigu\w*|anterior\w*|antes)\b",
    re.I,
)


_NOW = re.compile(r"\b(?:now|today|nowadays|currently|jetzt|heute|derzeit|maintenant|aujourd['’]hui|ahora|hoy)\b", re.I)


class Version(msgspec.Struct, frozen=True):
    """What a document's name says of its version: ``words`` without it; ``date`` as ``2025-03-15``, ``2025-03`` or
    ``2025``, "" for none; ``number`` as (3, 1); ``old``: it is marked as out of date. ``title_words`` are those of a
    title that says a version itself."""

    path: str
    words: frozenset[str]
    title_words: frozenset[str]
    date: str
    number: tuple[int, ...]
    old: bool

    @property
    def order(self) -> tuple[bool, str, tuple[int, ...]]:
        """Later versions have a greater one."""
        return not self.old, self.date, self.number


class Versions:
    """The families of versions of a collection, by the paths of their documents."""

    def __init__(self, families: Iterable[Sequence[Version]] = ()) -> None:
        self._family: dict[str, Sequence[Version]] = {}
        for family in families:
            ordered = sorted(family, key=lambda one: one.order)
            self._family |= {one.path: ordered for one in ordered}

    def __bool__(self) -> bool:
        return bool(self._family)

    def newest(self, path: str) -> str:
        """The path of the newest version of a document, "" where it is that itself or has no other version."""
        family = self._family.get(path)
        return "" if family is None or family[-1].path == path else family[-1].path

    def preferred(self, path: str, question: str) -> str:
        """The path of the version of a document that a question asks for: the one that was valid at the date that it
        names or that has the number, else the newest; "" where there is one version only, where the question asks for
        more than one, and where it is about the past without saying when."""
        family = self._family.get(path)
        if family is None:
            return ""
        numbers = {_parts(match.group(1)) for match in _NUMBER.finditer(question)}
        if numbered := [one.path for one in family if one.number in numbers]:
            return numbered[0] if len(numbered) == 1 else ""
        dates = [_as_text(match) for match in _DATE.finditer(question)]
        if dates:
            dated = {_valid_at(date, family) for date in dates}
            if _NOW.search(question):
                dated.add(family[-1].path)
            return dated.pop() if len(dated) == 1 else ""
        return "" if _LOOKS_BACK.search(question) else family[-1].path


def versions_among(question: str, passages: Sequence[Passage]) -> tuple[set[str], set[str]]:
    """The documents among hits of which another version is among them that a question asks for, told by their names and
    titles; and those versions."""
    versions = find_versions({(passage.path, passage.title, "") for passage in passages})
    documents = {passage.path: passage.document for passage in passages}
    asked = {path: versions.preferred(path, question) for path in documents}
    others = {path: preferred for path, preferred in asked.items() if preferred not in ("", path)}
    return {documents[path] for path in others}, {documents[path] for path in others.values()}


def find_valid_from(text: str) -> str:
    """The date from which a document says it is valid, as ``2025-03-15``, ``2025-03`` or ``2025``; "" for none."""
    head = text[:HEAD_CHARACTERS]
    for match in _VALID.finditer(head):
        dated = _DATE.search(head, match.end())
        if dated is not None and _BETWEEN.fullmatch(head, match.end(), dated.start()):
            return _as_text(dated)
    return ""


def describe_version(path: str, title: str, valid_from: str) -> Version:
    """The version of a document by its file's name, its title and the date that its text says."""
    name = unicodedata.normalize("NFC", PurePath(path).stem)
    both = f"{name} {title}".replace("_", " ")
    dates = [_as_text(match) for match in _DATE.finditer(both)]
    numbers = [_parts(match.group(1)) for match in _NUMBER.finditer(both)]
    return Version(
        path=path,
        words=_bare_words(name),
        title_words=_bare_words(title) if _DATE.search(title) or _NUMBER.search(title) else frozenset(),
        date=valid_from or max(dates, default="", key=lambda date: (date[:4], len(date), date)),
        number=max(numbers, default=()),
        old=bool(_OLD.intersection(_WORD.findall(both.lower()))),
    )


def find_versions(documents: Iterable[tuple[str, str, str]]) -> Versions:
    """The versions among documents, each given by path, title and the date from which it says it is valid."""
    named = [
        one
        for one in (describe_version(*document) for document in documents)
        if not (one.words | one.title_words) & _SERIES
    ]
    group = {one.path: {one.path: one} for one in named}
    for one, other in _candidates(named):
        if group[one.path] is not group[other.path] and _comparable(one, other):
            joined = group[one.path] | group[other.path]
            group |= dict.fromkeys(joined, joined)
    families = {id(family): tuple(family.values()) for family in group.values() if len(family) > 1}
    return Versions(families.values())


# -- internals ----------------------------------------------------------------------------------------


def _valid_at(date: str, family: Sequence[Version]) -> str:
    """The path of the version that is valid at a date; of the newest where all are later or have no date."""
    valid = [one for one in family if one.date and one.date[: len(date)] <= date]
    return (valid or family)[-1].path


def _candidates(versions: Sequence[Version]) -> Iterator[tuple[Version, Version]]:
    """Pairs of documents that have the same words but for their versions, or dates in both and half of the words."""
    same: dict[tuple[str, frozenset[str]], Version] = {}
    by_word: dict[str, list[Version]] = {}
    for one in versions:
        for key in (("name", one.words), ("title", one.title_words)):
            if len(key[1]) >= (1 if key[0] == "name" else 2):
                yield one, same.setdefault(key, one)
        for word in one.words:
            by_word.setdefault(word, []).append(one)
    for sharing in by_word.values():
        for one, other in combinations(sharing, 2) if len(sharing) <= MOST_SHARING else ():
            fewer, more = sorted((one.words, other.words), key=len)
            if one.date and other.date and fewer <= more and 2 * len(fewer) >= len(more):
                yield one, other


def _comparable(one: Version, other: Version) -> bool:
    """Whether it is known which of two versions is the later one."""
    known = one.old != other.old or (one.date and other.date) or (one.number and other.number)
    return bool(known) and one.order != other.order


def _bare_words(text: str) -> frozenset[str]:
    """The words of a name without dates, numbers of versions and marks; without accents, ``ae`` as ``ä``."""
    text = _NUMBER.sub(" ", _DATE.sub(" ", text.replace("_", " ").lower()))
    words = [word for word in _WORD.findall(text) if word not in _OLD and word not in _PASSED_OVER]
    return frozenset(_without_accents(word) for word in words)


def _without_accents(word: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)).replace("ß", "ss")
    return plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def _as_text(match: re.Match[str]) -> str:
    group = match.groupdict()
    if group["iso"]:
        return "-".join(part for part in (group["iso"], group["iso_month"], group["iso_day"]) if part)
    if group["dot"]:
        return f"{group['dot']}-{int(group['dot_month']):02}-{int(group['dot_day']):02}"
    if group["named"]:
        day = group["day"] or group["late_day"]
        month = f"{group['named']}-{_MONTHS[group['month'].lower()]:02}"
        return f"{month}-{int(day):02}" if day else month
    return group["year"]


def _parts(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))
