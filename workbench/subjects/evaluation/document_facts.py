"""The facts of a document that can be asked for: entries with a key and a value, cells of tables, values that a
sentence gives for its subject, and questions that the document answers itself.

A fact has one place: a key, a row or a subject that stands more than once in its document is left out, since a question
about it would have two answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from workbench.records.documents import DocumentText
from workbench.records.tables import DocumentTable, TableColumn
from workbench.text.normalisation.units import CURRENCIES
from workbench.text.sentences import split_sentences
from workbench.text.values import SAME_LENGTH, Value, find_values

FactKind = Literal["entry", "cell", "sentence", "answered"]
_LONGEST_VALUE, _MOST_WORDS = 60, 8

_ENTRY = re.compile(r"(?P<key>[^\W\d_][^|:\n?!]{2,48}?) ?: (?P<value>\S[^|\n]*)")
_TWO_CELLS = re.compile(r"\|? ?(?P<key>[^\W\d_][^|:\n]{2,48}?) \| (?P<value>[^|\n]*\d[^|\n]*?)(?: ?\|)?")
_ASKED = re.compile(
    r"(?:- )?(?:question: |Q: )?(?P<key>[A-ZÀ-Þ¿][^|?\n]{10,120}\?)\s+(?:answer: |A: )?(?P<value>[^\n]+)"
)
_UNFIT_KEY = re.compile(
    r"(?:.*\bhttps?|note|notes|footnote|hinweis|remarque|nota|kosten|costs?|price|preis|prix|precio|grund|reason|questions?|from|to|"
    r"cc|bcc|subject|date|sent|von|an|betreff|gesendet|de|à|objet|para|asunto|title|titel|updated|stand|sum|summe|somme|suma)",
    re.IGNORECASE,
)
"""Keys that mean nothing without what stands around them, and the head of a mail."""
_SENTENCE_VALUE = re.compile(r"[.;!?] \S|[:,;]$| - \d+ -")
_OPEN = re.compile(
    r"(?:[,(&/-]|\b(?:to|and|or|of|the|for|with|until|from|by|und|oder|bis|von|ab|der|die|das|et|ou|de|du|la|le|y|o|el|los))$",
    re.IGNORECASE,
)
"""The end of a line that goes on in the next one."""
_REMARKS = re.compile(
    r"(?:names?\b|remark|note|comment|bemerkung|hinweis|anmerkung|remarque|nota|observaci)", re.IGNORECASE
)
_VALUE_WORDS = 5
_QUESTION_WORD = re.compile(
    r"(?:what|who|whom|where|when|why|how|which|was|wer|wo|wann|warum|wie|wofür|womit|qui|quoi|où|quand|qué|quién|dónde|cuándo)\b.*",
    re.IGNORECASE,
)
"""A column that is headed by a question word names nothing."""
_ASKS = re.compile(
    r"(?:what|who|whom|whose|where|when|why|how|which|is|are|was|do|does|did|can|may|must|should|will|wer|was|wo|wohin|wann|"
    r"warum|wie|wieviel|welche[rsnm]?|ist|sind|darf|dürfen|kann|können|muss|müssen|gibt|combien|quel(?:le)?s?|quand|où|qui|que|"
    r"comment|pourquoi|est-ce|à|¿.*|cuánt[oa]s?|cuál(?:es)?|cuándo|dónde|quién|cómo|qué)\b",
    re.IGNORECASE,
)
_VALUE_COLUMN = re.compile(r"value|detail|details|entry|wert|angabe|eintrag|valeur|valor|dato", re.IGNORECASE)
"""The second column of a form: its cells are the values of what the rows name."""
_NOT_ASKED = re.compile(
    r"(?:yes|no|ja|nein|oui|non|sí|x|none|nobody|keine?r?|personne|nadie|n/?a|see|siehe|voir|véase|there|da)\b",
    re.IGNORECASE,
)
"""A cell whose words would be in answers of any kind."""
_CLAUSE_WORDS = {
    "en": r"\b(?:is|are|was|were|has|have|had|will|must|may|can|do|does|did|be|been|to|not|if)\b|"
    r"^(?:no|never|only|please)\b",
    "de": r"\b(?:ist|sind|war|waren|wird|werden|hat|haben|muss|müssen|darf|dürfen|kann|nicht|nur|wenn)\b|"
    r"^(?:keine?[rsnm]?|nie|bitte)\b",
    "fr": r"\b(?:est|sont|était|étaient|ont|doit|doivent|peut|ne|pas|si)\b|^(?:aucune?|sans)\b",
    "es": r"\b(?:es|son|era|eran|fue|ha|han|debe|deben|puede|no|si)\b|^(?:ningún|ninguna|sin)\b",
}
"""The words of a clause, an order or a negation: a key that has one is no name of a value."""
_NOISE = re.compile(r"[^\w\s.,:/()%€$£+&–-]|[_°]")
"""Signs that a value read from a picture seldom has unless it was misread."""
_CLAUSE_KEY = re.compile(
    r"(?:the|a|an|der|die|das|ein|eine|le|la|les|un|une|el|los|las|una|if|wenn|si)\b.*\s\S+\s", re.IGNORECASE
)
_NUMBERED = re.compile(r"^(?:[-*•–]|\(?\d{1,2}(?:\.\d{1,2})*[.)]?|§ ?\d+)\s+")


class Verb(Struct, frozen=True):
    """A verb between a subject and its value: ``before`` ends what stands before the value; ``question`` asks for it,
    with the subject and what follows the value in it."""

    before: str
    question: str
    kinds: tuple[str, ...] = ("amount", "date", "time")
    money: bool = False


_SUBJECTS = {
    "en": r"(?:The|A|An|Each|Every)",
    "de": r"(?:Der|Die|Das|Ein|Eine|Jede|Jeder|Jedes)",
    "fr": r"(?:Le|La|Les|Un|Une|Chaque)",
    "es": r"(?:El|La|Los|Las|Un|Una|Cada)",
}
_VERBS = {
    "en": (
        Verb(r"costs?", "how much does {subject} cost{rest}?", ("amount",)),
        Verb(
            r"(?:is|are|was|were)(?: about)?(?: EUR| USD| GBP)?",
            "how much {verb} {subject}{rest}?",
            ("amount",),
            money=True,
        ),
        Verb(r"(?:is|was)(?: on)?", "when {verb} {subject}{rest}?", ("date",)),
        Verb(r"(?:begins|began|starts|started)(?: on| at| in)?", "when does {subject} begin{rest}?", ("date", "time")),
        Verb(r"(?:ends|ended|expires|expired)(?: on| at| in)?", "when does {subject} end{rest}?", ("date", "time")),
        Verb(r"(?:lasts|lasted)(?: for)?", "how long does {subject} last{rest}?", ("amount",)),
        Verb(r"weighs", "how much does {subject} weigh{rest}?", ("amount",)),
    ),
    "de": (
        Verb(r"kostet(?: EUR)?", "Wie viel kostet {subject}{rest}?", ("amount",)),
        Verb(r"beträgt(?: rund| etwa)?(?: EUR)?", "Wie viel beträgt {subject}{rest}?", ("amount",)),
        Verb(r"dauert(?: rund| etwa)?", "Wie lange dauert {subject}{rest}?", ("amount",)),
        Verb(r"beginnt(?: am| um| im)?", "Wann beginnt {subject}{rest}?", ("date", "time")),
        Verb(r"endet(?: am| um| im)?", "Wann endet {subject}{rest}?", ("date", "time")),
        Verb(r"wiegt", "Wie viel wiegt {subject}{rest}?", ("amount",)),
    ),
    "fr": (
        Verb(r"(?:coûte|coûterait|coûtera)", "combien {verb} {subject}{rest} ?", ("amount",)),
        Verb(r"(?:dure|durera|durerait)(?: environ)?", "combien de temps {verb} {subject}{rest} ?", ("amount",)),
        Verb(r"(?:est|serait|sera) de|s'élève à", "à combien s'élève {subject}{rest} ?", ("amount",)),
        Verb(r"commence(?: le| à)", "quand commence {subject}{rest} ?", ("date", "time")),
        Verb(r"se termine(?: le| à)", "quand se termine {subject}{rest} ?", ("date", "time")),
    ),
    "es": (
        Verb(r"cuesta(?: unos)?", "¿cuánto cuesta {subject}{rest}?", ("amount",)),
        Verb(r"dura(?: unos| unas)?", "¿cuánto dura {subject}{rest}?", ("amount",)),
        Verb(r"(?:es de|asciende a)", "¿a cuánto asciende {subject}{rest}?", ("amount",)),
        Verb(r"(?:comienza|empieza)(?: el| a las)", "¿cuándo empieza {subject}{rest}?", ("date", "time")),
        Verb(r"(?:termina|vence)(?: el| a las)", "¿cuándo termina {subject}{rest}?", ("date", "time")),
    ),
}
LANGUAGES = tuple(_VERBS)
"""Languages in which questions are worded."""
_JOINING = "and|but|which|that|und|aber|et|mais|y|pero"
_REST = re.compile(rf"(?P<rest>(?: (?!(?:{_JOINING})\b)[^\s.,;:()]+){{0,5}})(?:[.,;]|$| (?:{_JOINING}) )")
"""What follows a value in its clause."""
_RELATIVE = re.compile(
    r"\. [A-ZÀ-Þ]|\d{5}|  |[,;:()\"“”„«»]|"
    r"\b(?:that|which|who|it|this|these|they|dies\w*|er|sie|es|qui|que|ce|cette|quien|esta?)\b",
    re.IGNORECASE,
)
"""What a subject or a key must not hold: the end of a sentence, a clause of its own, a reference to what is before."""


class Fact(Struct, frozen=True, kw_only=True):
    """Something that a document says once. ``key`` is what is asked for: a key, the subject of a sentence as a whole
    question, or the name of a column, whose row is ``row``. ``value`` stands in ``text[start:end]`` of the document,
    the ``evidence``."""

    kind: FactKind
    document: str
    key: str
    value: str
    evidence: str
    row: str = ""
    start: int = 0

    @property
    def about(self) -> str:
        """What the fact is about, for comparing facts of documents."""
        return f"{self.row} {self.key}".strip()


class Gap(Struct, frozen=True):
    """An empty cell: the row and the column are there, and no value. ``name_column`` is that of the row's name."""

    document: str
    row: str
    column: str
    evidence: str
    name_column: str = ""


def facts_of(text: DocumentText, tables: Sequence[DocumentTable], language: str) -> list[Fact]:
    """The facts of a document in their order. ``language`` is its ISO 639-1 code."""
    named = [table for table in tables if any(column.name for column in table.columns)]
    in_rows = [(row.start, row.end) for table in named for row in table.rows if row.end]
    found = [
        *cells_of(text.document.id, tables),
        *_once(_lines(text, language, in_rows, {_key(column.name) for table in tables for column in table.columns})),
        *_once(_sentences(text, language)),
    ]
    return sorted(found, key=lambda fact: fact.start)


def cells_of(document: str, tables: Sequence[DocumentTable]) -> Iterator[Fact]:
    """The cells of tables whose rows have a name of their own."""
    for table, name, names in _named(tables):
        for row, label in zip(table.rows, names, strict=True):
            if not label:
                continue
            for number, column in enumerate(table.columns):
                value = row.cells[number].strip()
                if number == name or not _is_asked(column) or not is_value(value) or value in ("0", "-", "–"):
                    continue
                if _NOT_ASKED.match(value) or ("," in value and not any(map(str.isdigit, value))):
                    continue  # yes or no, a remark, a list
                if _VALUE_COLUMN.fullmatch(column.name):
                    yield Fact(
                        kind="entry", document=document, key=label, value=value, evidence=f"{label}: {value}",
                        start=row.start,
                    )  # fmt: skip
                    continue
                evidence = f"{label} | {column.name}: {value}"
                yield Fact(
                    kind="cell", document=document, key=column.name, row=label, value=value, evidence=evidence,
                    start=row.start,
                )  # fmt: skip


def gaps_of(document: str, tables: Sequence[DocumentTable]) -> Iterator[Gap]:
    """The empty cells of columns that are filled in other rows."""
    for table, name, names in _named(tables):
        for number, column in enumerate(table.columns):
            filled = sum(bool(row.cells[number].strip()) for row in table.rows)
            if number == name or not _is_asked(column) or filled * 3 < len(table.rows):
                continue
            for row, label in zip(table.rows, names, strict=True):
                is_filled = sum(bool(cell.strip()) for cell in row.cells) * 2 > len(row.cells)
                if label and is_filled and not row.cells[number].strip():
                    cells = (f"{c.name}: {v}" for c, v in zip(table.columns, row.cells, strict=True) if v.strip())
                    yield Gap(document, label, column.name, " | ".join(cells), table.columns[name].name)


def is_value(value: str) -> bool:
    """Whether it can be the whole of an expected answer: short, and no sentence."""
    return (
        2 <= len(value) <= _LONGEST_VALUE
        and len(value.split()) <= _MOST_WORDS
        and any(map(str.isalnum, value))
        and not _SENTENCE_VALUE.search(value)
        and not _OPEN.search(value)
        and value.count("(") == value.count(")")
    )


# -- parts ---------------------------------------------------------------------------------------------


def _named(tables: Sequence[DocumentTable]) -> Iterator[tuple[DocumentTable, int, list[str]]]:
    """Tables with the number of the column that names the rows, and the names: "" where two rows have one name, in
    whichever table of the document."""
    whole = [table for table in tables if not _is_broken(table)]
    chosen = [(table, number) for table in whole if (number := _naming_column(table)) is not None]
    every = Counter(_key(_label(table, number, row.cells)) for table, number in chosen for row in table.rows)
    for table, number in chosen:
        names = [_label(table, number, row.cells) for row in table.rows]
        once = [every[_key(name)] == 1 and len(name) <= 60 and not _OPEN.search(name) for name in names]
        yield table, number, [name if fits else "" for name, fits in zip(names, once, strict=True)]


def _is_broken(table: DocumentTable) -> bool:
    """Whether cells end in the middle of what they say, as those of a PDF whose lines were taken for rows."""
    return any(_OPEN.search(cell.strip()) for row in table.rows for cell in row.cells if len(cell) > 3)


def _naming_column(table: DocumentTable) -> int | None:
    """The column whose cells name the rows: the first whose cells differ and are words, or the first that differ. None
    where a date or a time comes before it: the rows are events."""
    if len(table.rows) < 2 or len(table.columns) < 2:
        return None
    fit = []
    for number, column in enumerate(table.columns[:4]):
        cells = [row.cells[number].strip() for row in table.rows]
        if column.kind in ("date", "time"):
            break
        if not column.name or not all(cells) or len(set(cells)) < len(cells):
            continue
        worded = sum(len(re.findall(r"[^\W\d_]", cell)) >= 3 for cell in cells) >= 0.8 * len(cells)
        names = worded and not _QUESTION_WORD.fullmatch(column.name) and sum(map(_is_name, cells)) >= 0.8 * len(cells)
        if names or number == 0:
            fit.append((not worded, number))
    return min(fit)[1] if fit else None


def _is_name(cell: str) -> bool:
    """Whether a cell can be the name of a row though another column stands before it."""
    return not cell[0].islower() and len(cell.split()) <= 4


def _label(table: DocumentTable, number: int, cells: Sequence[str]) -> str:
    """How a row is called: ``Guest flat``, or with its column where the name is a number: ``Flat 2.07``."""
    cell = cells[number].strip()
    return cell if len(re.findall(r"[^\W\d_]", cell)) >= 3 else f"{readable(table.columns[number].name)} {cell}"


def readable(name: str) -> str:
    """The name of a column in words: ``delivery_days`` as ``delivery days``."""
    return " ".join(name.replace("_", " ").split())


def _is_asked(column: TableColumn) -> bool:
    """Whether the name of a column says what its cells are."""
    return (
        len(re.findall(r"[^\W\d_]", column.name)) >= 2
        and len(column.name) <= 50
        and not _REMARKS.match(column.name)
        and not _QUESTION_WORD.fullmatch(column.name)
        and not (column.kind in ("date", "time") and re.search(r"\b(?:EUR|USD|GBP|CHF|kg)\b|[€$£]", column.name))
    )


def _lines(
    text: DocumentText, language: str, in_rows: Sequence[tuple[int, int]], columns: Container[str]
) -> Iterator[Fact]:
    """Entries of lines, and questions that the next words answer. ``columns`` are names of columns of its tables."""
    mail = text.document.kind == "eml"
    in_picture = [(chunk.start, chunk.end) for chunk in text.chunks if chunk.recognised]
    for match in re.finditer(r"[^\n]+", text.text):
        line = match.group()
        start = match.start()
        if any(a <= start < b for a, b in in_rows) or (mail and line.startswith(">")):
            continue
        line = _NUMBERED.sub("", line.strip()).replace("**", "")
        following = text.text[match.end() : match.end() + 300].strip().split("\n")[0]
        if line.endswith("?") and following.startswith("answer: "):
            line = f"{line} {following}"
        if asked := _ASKED.fullmatch(line):
            value = re.split(r"(?<=[.!?]) ", asked["value"].strip(), maxsplit=1)[0].rstrip(".!")
            if is_value(value) and not re.search(",|^(?:Yes|No)$", value) and _is_whole_question(asked["key"]):
                yield _fact("answered", text, asked["key"], value, line, start)
            continue
        entry = _ENTRY.fullmatch(line) or _TWO_CELLS.fullmatch(line)
        if entry is None:
            continue
        key, value = entry["key"].strip(" *_"), entry["value"].strip(" *_").rstrip(".")
        wraps = text.document.kind == "pdf" and following[:1].islower()
        misread = any(a <= start < b for a, b in in_picture) and bool(_NOISE.search(key) or _NOISE.search(value))
        if wraps or misread or _key(key) in columns:
            continue
        if _NOT_ASKED.match(value):
            continue
        if _is_key(key, language) and is_value(value) and _is_stated(value, language):
            yield _fact("entry", text, key, value, line, start)


def _is_stated(value: str, language: str) -> bool:
    """Whether it is one thing that a form would hold: a number, a date, a code or a name, and no remark."""
    if len(value.split()) > _VALUE_WORDS:
        return False
    _, values = find_values(value, language)
    between = value
    for one in reversed(values):
        between = between[: one.start] + between[one.end :]
    amounts = [one for one in values if one.kind == "amount" and one.unit]
    if re.search(r"[,;]|\b(?:and|und|et|y)\b", between) or len({one.unit for one in amounts}) > 1:
        return False
    return all(word[0].isupper() for word in re.findall(r"[^\W\d_]+", between) if len(word) > 3)


def _is_whole_question(key: str) -> bool:
    """Whether a line with a question mark asks for something, and is no check of a list ("Walls: out of plumb?")."""
    return ":" not in key and len(key.split()) >= 3 and _ASKS.match(key) is not None


def _is_key(key: str, language: str) -> bool:
    """Whether it names what its value is, and means something without what stands around it."""
    if re.search(_CLAUSE_WORDS.get(language, r"(?!)"), key, re.IGNORECASE):
        return False
    if language == "de" and len(key.split()) > 1 and key.split()[-1][0].islower():
        return False  # a noun ends the name of a value
    if any(value.kind in ("date", "time") or value.unit for value in find_values(key, language)[1]):
        return False
    return (
        not _UNFIT_KEY.fullmatch(key)
        and not _RELATIVE.search(key)
        and not _CLAUSE_KEY.match(key)
        and len(key.split()) <= 6
        and len(re.findall(r"[^\W\d_]", key)) >= 4
    )


def _sentences(text: DocumentText, language: str) -> Iterator[Fact]:
    """Values that a sentence gives for its subject."""
    if language not in _VERBS:
        return
    plain = text.text
    for block in re.finditer(r"(?:[^\n]+\n?)+", plain):
        joined = block.group().replace("\n", " ")
        for a, b in split_sentences(joined):
            sentence = _NUMBERED.sub("", joined[a:b].strip())
            if " | " not in sentence and len(sentence) <= 300:
                start = block.start() + a
                yield from (
                    _fact("sentence", text, question, value, sentence, start)
                    for question, value in _asked_of(sentence, language)
                )


def _asked_of(sentence: str, language: str) -> Iterator[tuple[str, str]]:
    """Questions for the values of a sentence, each with its value as it is written."""
    said, values = find_values(sentence, language)
    if said != sentence.translate(SAME_LENGTH):
        return  # numbers in words move the places
    for value in values:
        subject, verb, question = _verb_before(sentence[: value.start].rstrip(), value, language)
        rest = _REST.match(sentence[value.end :])
        if not subject or rest is None or _RELATIVE.search(subject) or len(subject.split()) > 9:
            continue
        if any(other.kind == "date" for other in values if other.end <= len(subject)) or _changes(value, values):
            continue  # a clause of its own stands before the value's, or it holds for a time only
        lowered = subject[0].lower() + subject[1:]
        unit = re.match(r"(?:EUR|USD|GBP|[€$£])\s*$", sentence[value.start - 4 : value.start].lstrip())
        shown = f"{unit[0].strip()} {value.text}" if unit and not value.text.startswith(unit[0].strip()) else value.text
        yield question.format(subject=lowered, rest=rest["rest"], verb=verb), shown.strip()


def _changes(value: Value, values: Sequence[Value]) -> bool:
    """Whether another value of its unit follows from a date on ("is 5,150 euros, from 1 March 2025 it is 5,480")."""
    after = [other for other in values if other.start > value.start]
    dates = [other.start for other in after if other.kind == "date"]
    return bool(dates) and any(
        other.kind == value.kind and other.unit == value.unit and other.start > dates[0] for other in after
    )


def _verb_before(before: str, value: Value, language: str) -> tuple[str, str, str]:
    for verb in _VERBS[language]:
        if value.kind not in verb.kinds or (verb.money and value.unit not in CURRENCIES):
            continue
        match = re.fullmatch(rf"(?P<subject>{_SUBJECTS[language]} .{{2,70}}?) (?P<verb>{verb.before})", before)
        if match:
            return match["subject"], match["verb"].split()[0], verb.question
    return "", "", ""


def _fact(kind: FactKind, text: DocumentText, key: str, value: str, evidence: str, start: int) -> Fact:
    one_line = " ".join(evidence.split())
    return Fact(kind=kind, document=text.document.id, key=key, value=value, evidence=one_line, start=start)


def _once(facts: Iterator[Fact]) -> list[Fact]:
    """Those whose key stands once."""
    found = list(facts)
    counts = Counter(_key(fact.about) for fact in found)
    return [fact for fact in found if counts[_key(fact.about)] == 1]


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
