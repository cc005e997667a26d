"""Reads an office's questions.txt and checks each gold against the text and the tables of the finished documents.

A question is a paragraph of lines, told apart by their first sign:

    %J041 fact de           identifier, kind, language; for an unanswerable one also why it is unanswerable
    ? wer vertritt ...      the question
    = 85 cm ; 85 centimetres    accepted strings; several such lines: every line is needed
    * first ; other words   a point of a list or a summary (four of five are needed)
    - 30 cm                 an outdated or foreign value
    @ HOURS LIFT | place    the files that hold the answer (short names), and where
    ~ note
    $ orders; sum Price; Dentist = Brandl    the query that computes the answer
    ! regexp ; regexp       must stand nowhere in the office
    !HOURS regexp           must not stand in this file, though the file is about the thing asked

Lines `:SHORT file name` at the start give the files their short names.

A query names a table (a line of the office's tables.txt), what to do and with which column, and filters, parted by
semicolons: `count`, `sum X`, `avg X`, `min X`, `max X` (the value), `row min X show Y`, `row max X show Y, Z`,
`distinct X`, `list X`, `value X` (of the only row), `most X by sum Y` (the X of the group with the greatest sum; also
`least`, and `by avg Y`, `by max Y`, `by count`), `groups X by sum Y` (the sums in the order of X's names). Filters:
`X = words`, `X != words`, `X > 3`, `X >= [Y]`, `X ~ part`, `X empty`, `X filled`. `X * Y` and `X - Y` compute a column
from two. `calc 12 * 98.5` computes from numbers, each of which must stand in a source.
"""

import csv
import datetime
import json
import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from plain_office import PlainOffice, TableAt
from read_back import read_text

LANGUAGES = ("en", "de", "fr", "es")
KINDS = ("fact", "crosslang", "two", "table", "version", "whole", "compare", "unanswerable")
REASONS = ("attribute", "year", "person", "role", "cell", "invented", "premise", "topic")
Row = dict[str, Any]


# ---------------------------------------------------------------- text


def _number(match: re.Match[str]) -> str:
    token = re.sub(r"['’\u00a0\u202f]", "", match[0])
    last = max(token.rfind("."), token.rfind(","))
    if last < 0:
        return token
    signs = [one for one in token if one in ".,"]
    before, after = re.sub("[.,]", "", token[:last]), token[last + 1 :]
    if len(set(signs)) == 1 and (len(signs) > 1 or (len(after) == 3 and before != "0")):
        return before + after if len(after) == 3 else token
    return f"{before}.{after}".rstrip("0").rstrip(".")


def plain(text: str) -> str:
    """Lower case, without accents, one space, numbers in one style."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).casefold().replace("€", " eur "))
    text = "".join(one for one in text if not unicodedata.combining(one))
    text = re.sub(r"[\u2010-\u2015]", "-", re.sub(r"[„“”\"«»*]", " ", text.replace("’", "'")))
    text = re.sub(r"(?<![\w.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\w.])", lambda one: re.sub(r"\s", "", one[0]), text)
    text = re.sub(r"(?<![\w.,])\d[\d.,'’]*\d(?!\w)", _number, text)
    return re.sub(r"\s+", " ", text).strip()


def contains(text: str, words: str) -> bool:
    """The words stand in the (plain) text as whole words."""
    return bool(re.search(rf"(?<![\w]){re.escape(plain(words))}(?!\w)(?![.,]\d)", text))


def value_of(cell: Any, decimal: str = ".") -> Any:
    """A cell as number, date or text."""
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    bare = re.sub(r"^(EUR|€|£) ?| ?(EUR|€|%|min|kg|m²|m|h|km)$", "", text)
    if re.fullmatch(r"-?\d[\d.,]*", bare) and not re.fullmatch(r"0\d+|\d+\.\d+\.\d+", bare):
        other = "," if decimal == "." else "."
        return float(bare.replace(other, "").replace(decimal, "."))
    if day := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        return datetime.date(int(day[3]), int(day[2]), int(day[1]))
    if day := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
        return datetime.date(int(day[1]), int(day[2]), int(day[3]))
    return text or None


# ---------------------------------------------------------------- tables


def rows_of(table: TableAt, folder: Path) -> list[Row]:
    path = folder / table.file
    if path.suffix == ".csv":
        lines = read_text(path).splitlines(keepends=True)
        cells: list[list[Any]] = [list(row) for row in csv.reader(lines, delimiter=table.delimiter)]
    else:
        sheet = openpyxl.load_workbook(path, data_only=True)[table.sheet]
        cells = [list(row) for row in sheet.iter_rows(values_only=True)]
        for area in sheet.merged_cells.ranges:
            for r in range(area.min_row - 1, area.max_row):
                for c in range(area.min_col - 1, area.max_col):
                    cells[r][c] = cells[area.min_row - 1][area.min_col - 1]
    cells = cells[table.skip :]
    names = []
    for column in zip(*cells[: table.head], strict=True):
        parts = dict.fromkeys(str(one).strip() for one in column if one not in (None, ""))
        names.append(" ".join(parts))
    found = []
    for row in cells[table.head :]:
        if table.last and str(row[0]).startswith(table.last):
            break
        if any(one not in (None, "") for one in row):
            found.append({name: value_of(one, table.decimal) for name, one in zip(names, row, strict=False)})
    return found


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}


def _column(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    for sign, compute in ((" * ", operator.mul), (" - ", operator.sub), (" + ", operator.add)):
        if sign in name:
            left, right = (_column(row, one) for one in name.split(sign, 1))
            if left is None or right is None:
                return None
            result = compute(left, right)
            return result.days if isinstance(result, datetime.timedelta) else result
    raise KeyError(f"no column {name!r} in {list(row)}")


def _keep(row: Row, condition: str) -> bool:
    if condition.endswith((" empty", " filled")):
        name, word = condition.rsplit(" ", 1)
        return (_column(row, name) is None) == (word == "empty")
    if " ~ " in condition:
        name, part = condition.split(" ~ ", 1)
        return part.casefold() in str(_column(row, name) or "").casefold()
    match = re.fullmatch(r"(.+?) (>=|<=|!=|=|>|<) (.+)", condition)
    if not match:
        raise ValueError(f"no condition: {condition}")
    left = _column(row, match[1])
    wanted = match[3]
    right = _column(row, wanted[1:-1]) if wanted.startswith("[") else value_of(wanted)
    if left is None or right is None:
        return False
    if isinstance(left, str) or isinstance(right, str):
        left, right = str(_cell(left)).casefold(), str(_cell(right)).casefold()
    return COMPARE[match[2]](left, right)


def _cell(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def compute(query: str, rows: list[Row]) -> list[Any]:
    """The values that answer the query."""
    _, what, *conditions = [one.strip() for one in query.split(";")]
    rows = [row for row in rows if all(_keep(row, one) for one in conditions)]
    if what == "count":
        return [len(rows)]
    word, rest = what.split(" ", 1)
    if word == "row":
        which, rest = rest.split(" ", 1)
        name, show = rest.split(" show ")
        filled = [row for row in rows if _column(row, name) is not None]
        best = (min if which == "min" else max)(_column(row, name) for row in filled)
        rows = [row for row in filled if _column(row, name) == best]
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows have the {which} {best}: {query}")
        return [_column(rows[0], one.strip()) for one in show.split(",")]
    if word in ("most", "least", "groups"):
        name, by = rest.split(" by ")
        parts: dict[Any, list[Row]] = {}
        for row in rows:
            if (key := _column(row, name)) is not None:
                parts.setdefault(key, []).append(row)
        worth = {key: compute(f";{by}", part)[0] for key, part in parts.items()}
        if word == "groups":
            return [worth[key] for key in sorted(worth, key=str)]
        best = (min if word == "least" else max)(worth.values())
        keys = [key for key, value in worth.items() if value == best]
        if len(keys) != 1:
            raise ValueError(f"{len(keys)} groups have {best}: {query}")
        return keys
    values = [value for row in rows if (value := _column(row, rest)) is not None]
    if word == "value":
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows instead of one: {query}")
        return values
    if word == "list":
        return values
    if word == "distinct":
        return [len(set(values))]
    if word in ("sum", "avg"):
        total = sum(values)
        return [round(total / len(values) if word == "avg" else total, 2)]
    return [{"min": min, "max": max}[word](values)]


def calculated(terms: str) -> float:
    """The value of terms such as `12 * (98.5 - 89)`."""
    if not re.fullmatch(r"[\d.+*/() -]+", terms):
        raise ValueError(f"no calculation: {terms}")
    return round(float(eval(terms, {"__builtins__": {}})), 2)


def same(value: Any, accepted: str) -> bool:
    """A computed value is the one that the accepted string gives."""
    if isinstance(value, datetime.date):
        return value.isoformat() in accepted
    if isinstance(value, int | float):
        return contains(plain(accepted), f"{value:.2f}".rstrip("0").rstrip("."))
    return contains(plain(accepted), str(value)) or contains(plain(str(value)), accepted)


# ---------------------------------------------------------------- questions


@dataclass
class Question:
    id: str
    kind: str
    language: str
    reason: str = ""
    question: str = ""
    groups: list[list[str]] = field(default_factory=list)
    points: list[list[str]] = field(default_factory=list)
    reject: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    place: str = ""
    note: str = ""
    query: str = ""
    absent: list[tuple[str, str]] = field(default_factory=list)  # file or "" for all, pattern

    def record(self, office: str) -> dict[str, Any]:
        out: dict[str, Any] = {"id": self.id, "office": office, "question": self.question, "language": self.language}
        out |= {"kind": self.kind, "answers": self.groups[0] if len(self.groups) == 1 else []}
        if len(self.groups) > 1:
            out["need"] = self.groups
        if self.points:
            out["points"] = self.points
        if self.reject:
            out["reject"] = self.reject
        out |= {"sources": self.sources, "place": self.place, "note": self.note}
        if self.kind == "unanswerable":
            out |= {"reason": self.reason, "absent": [pattern for _, pattern in self.absent]}
            if files := sorted({file for file, _ in self.absent if file}):
                out["absent_in"] = files
        if self.query:
            out |= {"computed": True, "query": self.query}
        if self.query and len(self.groups) == 1 and re.fullmatch(r"\d{1,3}", self.groups[0][0]):
            out["max_words"] = 40
            if len(self.groups[0][0]) == 1:
                out["max_numbers"] = 4
        return out


def _parts(text: str) -> list[str]:
    return [one.strip() for one in text.split(" ; ")]


def read_questions(path: Path) -> list[Question]:
    names: dict[str, str] = {}
    found: list[Question] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        sign, rest = line[:1], line[1:].strip()
        try:
            if sign == ":":
                short, name = rest.split(" ", 1)
                names[short] = name.strip()
            elif sign == "%":
                name, kind, language, *why = rest.split()
                found.append(Question(name, kind, language, " ".join(why)))
            elif sign == "?":
                found[-1].question = rest
            elif sign == "=":
                found[-1].groups.append(_parts(rest))
            elif sign == "*":
                found[-1].points.append(_parts(rest))
            elif sign == "-":
                found[-1].reject += _parts(rest)
            elif sign == "@":
                files, _, found[-1].place = (one.strip() for one in rest.partition("|"))
                found[-1].sources = [names[one] for one in files.split()]
            elif sign == "~":
                found[-1].note = rest
            elif sign == "$":
                found[-1].query = rest
            elif sign == "!":
                file = ""
                if not line.startswith("! "):
                    short, rest = rest.split(" ", 1)
                    file = names[short]
                found[-1].absent += [(file, one) for one in _parts(rest)]
            elif line.strip() and sign != "#":
                raise ValueError("unknown sign")
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: {line!r} ({error})") from error
    return found


class Office:
    """An office's folder with its documents made in `documents`, and the questions of a file of it."""

    def __init__(self, folder: Path, documents: Path, questions: str = "questions.txt") -> None:
        self.folder, self.documents = folder, documents
        self.made = PlainOffice(folder)
        self.made.write(documents)
        self.text = {one.name: read_text(one) for one in sorted(documents.iterdir())}
        self.problems: list[str] = []
        for name, text in self.made.PICTURES.items():
            if self.text[name].strip():
                self.problems.append(f"{name} has a text layer")
            self.text[name] = text
        self.plain = {name: plain(text) for name, text in self.text.items()}
        if set(self.text) != set(self.made.LANGUAGE):
            self.problems.append(f"LANGUAGE differs from the files: {set(self.text) ^ set(self.made.LANGUAGE)}")
        self.tables = {name: rows_of(one, documents) for name, one in self.made.TABLES.items()}
        self.questions = read_questions(folder / questions)

    def check(self) -> list[str]:
        for one in self.questions:
            self.problems += [f"{one.id}: {problem}" for problem in self._problems(one)]
        for what in ("id", "question"):
            for value, times in Counter(getattr(one, what) for one in self.questions).items():
                if times > 1:
                    self.problems.append(f"{times} times the same {what}: {value}")
        return self.problems

    def unasked(self) -> list[str]:
        used = {name for one in self.questions for name in one.sources}
        return [f"no question has its answer in {name}" for name in self.text if name not in used]

    def _problems(self, one: Question) -> list[str]:
        bad = []
        if one.kind not in KINDS or one.language not in LANGUAGES or not one.question:
            bad.append(f"kind {one.kind}, language {one.language}, question {one.question!r}")
        if one.query:
            bad += self._computed(one)
        if one.kind == "unanswerable":
            if one.reason not in REASONS:
                bad.append(f"why unanswerable: {one.reason!r}")
            if one.groups or one.points:
                bad.append("unanswerable with a gold")
            if not one.absent and not one.query:
                bad.append("no absent words")
            for file, pattern in one.absent:
                for name, text in self.text.items():
                    if (not file or name == file) and (hit := re.search(pattern, text, re.IGNORECASE)):
                        bad.append(f"{pattern} is in {name}: {hit[0]!r}")
            return bad
        if not one.sources or bool(one.groups) == bool(one.points):
            bad.append("needs sources, and either accepted strings or points")
        if one.kind == "crosslang" and all(self.made.LANGUAGE[name] == one.language for name in one.sources):
            bad.append("the documents are in the question's language")
        if not one.query:
            for group in one.groups + one.points:
                if not any(contains(self.plain[name], group[0]) for name in one.sources):
                    bad.append(f"{group[0]!r} is in no source")
        for value in one.reject:
            if not any(contains(text, value) for text in self.plain.values()):
                bad.append(f"rejected {value!r} is nowhere")
            if any(contains(plain(value), good) for group in one.groups for good in group):
                bad.append(f"rejected {value!r} is accepted as well")
        return bad

    def _computed(self, one: Question) -> list[str]:
        name = one.query.split(";")[0].strip()
        try:
            if name.startswith("calc "):
                values = [calculated(name[5:])]
                for number in re.findall(r"[\d.]+", name[5:]):
                    if not any(contains(self.plain[source], number) for source in one.sources):
                        return [f"{number} of {name} is in no source"]
            else:
                values = compute(one.query, self.tables[name])
        except (KeyError, ValueError, TypeError, SyntaxError) as error:
            return [f"{one.query}: {error!r}"]
        if one.kind == "unanswerable":
            return [f"the cell holds {values}"] if values and values != [0] else []
        if len(one.groups) == 1 and len(values) > 1:
            return [f"computed {values} for one group"]
        if one.points:
            groups = one.points
        else:
            groups = one.groups
        if len(groups) != len(values):
            return [f"computed {values} for {len(groups)} groups"]
        wrong = [v for v, group in zip(values, groups, strict=True) if not any(same(v, good) for good in group)]
        return [f"computed {wrong}, accepted {groups}"] if wrong else []

    def written(self) -> str:
        records = [one.record(self.folder.name) for one in self.questions]
        for record in records:
            if at := self.made.TABLES.get(record.get("query", "").partition(";")[0]):
                record["table"] = [at.file, at.sheet]
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
