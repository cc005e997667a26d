"""Which documents a request means: by their names, titles and kinds, by dates and years, and by what is found in them.

People name a document loosely ("the agreement with Veldstra", "das Merkblatt", "le compte rendu de septembre"): words
are compared by their beginnings, as parts of compounds and with small mistakes, kinds of documents across languages,
and months with the dates of file names. What a search for the request finds decides among those that are left.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import msgspec

from workbench.records.documents import Document
from workbench.records.messages import Passage
from workbench.text.language import function_words

LEAST_SCORE = 0.5
"""Below it no document is meant."""

LEAST_NAMED = 1.0
"""A document whose name says so much of the request is meant by its name."""

_PAIRED, _KIN_WEIGHT, _APART_WEIGHT = 8, 4.0, 2.0

_KINDS = tuple(
    frozenset(line.split())
    for line in """
contract agreement subcontract vertrag nutzungsvertrag mietvertrag contrat convention contrato acuerdo convenio lease
minutes protokoll meeting sitzung versammlung compte-rendu acta reunión réunion board committee vorstand
offer quotation quote bid angebot offre devis oferta presupuesto cotización
price prices preisliste preise tarif tarifs tarifa tarifas charges gebühren eintritt beiträge fees rates terms
manual handbook handbuch anleitung betriebsanleitung manuel guide guía leitfaden kursheft
rules regulations ordnung lagerordnung bootsordnung hausordnung satzung statutes règlement reglamento normas statuten
report bericht rapport informe parte reporte survey gutachten
notes notizen notes notas log diary tagebuch journal gesprächsnotizen telefonnotizen
newsletter zeitung clubzeitung mitgliederbrief rundbrief bulletin boletín magazine heft blatt
letter brief schreiben lettre carta courrier
invoice rechnung facture factura bill
mail email e-mail mails thread nachricht correo courriel
slides presentation präsentation folien diapositives presentación présentation vortrag
checklist checkliste
telephone telefon phone call calls anruf anrufe appels llamadas telefonnotizen
plan schedule zeitplan trainingsplan calendrier horario programme
""".strip().splitlines()
)
"""Words for one kind of document in several languages."""

_FILE_KINDS = {
    "eml": "mail", "pptx": "slides", "xlsx": "spreadsheet tabelle table sheet", "csv": "tabelle table",
    "pdf": "pdf", "docx": "word",
}  # fmt: skip
_MONTHS = tuple(
    frozenset(names.split())
    for names in (
        "january januar jänner janvier enero", "february februar février febrero", "march märz mars marzo",
        "april avril abril", "may mai mayo", "june juni juin junio", "july juli juillet julio",
        "august août agosto", "september septembre septiembre", "october oktober octobre octubre",
        "november novembre noviembre", "december dezember décembre diciembre",
    )
)  # fmt: skip
_VERSIONS = (
    "v version fassung stand alt old neu new draft entwurf rev revision édition edition ausgabe from ab copy kopie"
)
_VERSION_WORDS = frozenset(_VERSIONS.split())
_EVERYTHING = re.compile(
    r"\b(?:all|every|each|these(?= \w+s\b)|alle[nmr]?|jede[mnrs]?|sämtliche[nmr]?|diesen?(?= \w+en?\b)"
    r"|toutes? les|tous les|chaque|ces|tod[oa]s l[oa]s|cada|estos)\s+"
    r"(?:(?:the|my|our|of|these|those|meine[nr]?|unsere[nr]?|diese[nr]?|der|den|mes|nos|mis|nuestr[oa]s)\s+)*"
    r"(?:documents?|files?|texts?|dokumente?n?|dateien|unterlagen|fichiers?|documentos?|archivos?|papers)\b"
    r"|\b(?:whole|entire|gesamte[nr]?|ganze[nr]?|toute la|toda la)\s+"
    r"(?:collection|folder|sammlung|ordner|colecci[oó]n|carpeta)\b",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_FOUND_WEIGHT = 2.0
_SHORTEST_ALIKE = 5


class Candidate(msgspec.Struct, frozen=True):
    """A document with its ``score``; ``named`` is the part of it that the words of its name give, and ``words`` are
    the words of the request, in lower case, that name it."""

    document: Document
    collection: str
    score: float
    named: float
    words: frozenset[str]


def means_everything(request: str) -> bool:
    """Whether a request speaks of all documents."""
    return bool(_EVERYTHING.search(request))


def rank_documents(request: str, documents: Sequence[tuple[str, Document]], hits: Sequence[Passage]) -> list[Candidate]:
    """The documents, each with the id of its collection, that a request may mean, the likeliest first. ``hits`` are
    what a search for the request has found, the best first."""
    readable = [(collection, one) for collection, one in documents if one.state == "indexed"]
    names = {one.id: _name_words(one) for _, one in readable}
    seen_in = Counter(word for words in names.values() for word in set(words))
    rarity = {word: math.log(1 + len(readable) / count) for word, count in seen_in.items()}
    asked = _request_words(request)
    found = _found(hits)
    ranked: list[Candidate] = []
    for collection, one in readable:
        named, words = _match_name(asked, names[one.id], rarity)
        score = named + _FOUND_WEIGHT * found.get(one.id, 0.0)
        ranked.append(Candidate(one, collection, score, named, words))
    return sorted(ranked, key=lambda one: -one.score)


def choose_pair(candidates: Sequence[Candidate]) -> tuple[Candidate, Candidate] | None:
    """The two documents that a request compares, None where one at most is meant: two that it names by different
    words ("the offers of Miller and Lorne"), or two versions of one document."""
    best: tuple[float, Candidate, Candidate] | None = None
    likely = [one for one in candidates if one.score > 0][:_PAIRED]
    for place, first in enumerate(likely):
        for second in likely[place + 1 :]:
            kin = _kinship(first.document, second.document)
            apart = bool(first.words - second.words) and bool(second.words - first.words)
            value = first.score + second.score + _KIN_WEIGHT * kin + _APART_WEIGHT * apart
            if (kin or apart or second.named >= LEAST_NAMED) and (best is None or value > best[0]):
                best = value, first, second
    if best is None or best[1].score < LEAST_SCORE:
        return None
    return best[1], best[2]


def _kinship(one: Document, other: Document) -> float:
    """How far the names of two documents differ in figures and words of versions only, in [0, 1]; 0 below a half."""
    words, others = _bare_words(one), _bare_words(other)
    if len(words) > len(others):
        words, others = others, words
    shared = sum(max((_alike(word, known) for known in others), default=0.0) >= 0.8 for word in words)
    share = shared / max(1, len(words))
    return share if share >= 0.5 else 0.0


def _found(hits: Sequence[Passage]) -> dict[str, float]:
    """What the ranks of its passages say for each document, at most 1 for the best."""
    sums: defaultdict[str, float] = defaultdict(float)
    for rank, hit in enumerate(hits):
        sums[hit.document] += 1 / (2 + rank)
    most = max(sums.values(), default=1.0)
    return {document: value / most for document, value in sums.items()}


def _fold(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()


def _name_words(document: Document) -> list[str]:
    stem = PurePath(document.path).stem
    text = f"{stem} {document.title} {_FILE_KINDS.get(document.kind, '')}"
    return [_fold(word) for word in _WORD.findall(text)]


def _bare_words(document: Document) -> list[str]:
    words = (_fold(word) for word in _WORD.findall(f"{PurePath(document.path).stem} {document.title}"))
    return [
        word for word in dict.fromkeys(words) if not word.isdigit() and word not in _VERSION_WORDS and len(word) > 2
    ]


def _request_words(request: str) -> list[str]:
    little = frozenset().union(*(function_words().get(code, frozenset()) for code in ("en", "de", "fr", "es")))
    words = [_fold(word) for word in _WORD.findall(request)]
    return [word for word in dict.fromkeys(words) if word.isdigit() or (len(word) > 1 and word not in little)]


def _match_name(asked: Sequence[str], name: Sequence[str], rarity: Mapping[str, float]) -> tuple[float, frozenset[str]]:
    total = 0.0
    words: set[str] = set()
    for word in asked:
        best = max(((_alike(word, one) * rarity[one], one) for one in name), default=(0.0, ""))
        if best[0] > 0:
            total += best[0]
            words.add(word)
    return total, frozenset(words)


def _alike(word: str, other: str) -> float:
    """How far a word of a request means a word of a name, in [0, 1]."""
    if word == other:
        return 1.0 if not word.isdigit() or len(word) != 1 else 0.6
    if word.isdigit() or other.isdigit():
        return 0.8 if _same_month(word, other) or _same_month(other, word) else 0.0
    shorter, longer = sorted((word, other), key=len)
    beginning = 0
    while beginning < len(shorter) and shorter[beginning] == longer[beginning]:
        beginning += 1
    if beginning >= max(4, 0.75 * len(longer)):
        return 0.9
    if any(word in kind and other in kind for kind in _KINDS) or any(word in m and other in m for m in _MONTHS):
        return 0.7
    if len(shorter) >= _SHORTEST_ALIKE and shorter in longer:
        return 0.7
    if len(shorter) >= _SHORTEST_ALIKE and difflib.SequenceMatcher(None, word, other).ratio() >= 0.85:
        return 0.8
    if _kind_in(word) is not None and _kind_in(word) == _kind_in(other):
        return 0.5
    return 0.0


def _kind_in(word: str) -> int | None:
    """The kind of document that a word, or the end of a compound, is for."""
    for number, kind in enumerate(_KINDS):
        if word in kind or any(len(one) >= _SHORTEST_ALIKE and word.endswith(one) for one in kind):
            return number
    return None


def _same_month(digits: str, word: str) -> bool:
    return len(digits) == 2 and digits.isdigit() and 1 <= int(digits) <= 12 and word in _MONTHS[int(digits) - 1]
