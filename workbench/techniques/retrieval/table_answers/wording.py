"""The answer of a query in words: the value with its unit, and the calculation in one sentence, in four languages."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from workbench.techniques.retrieval.table_answers.query import Condition, Query, Result, rows_of
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.text.normalisation.units import CURRENCIES

MOST_LISTED = 12
MOST_LINES = 40
"""Entries of a list that has a line for each."""
FEWEST_LINES = 4
MOST_BARE = 5
"""Cells of a row that are shown without the names of their columns."""
SPREADSHEETS = (".xlsx", ".xls", ".xlsm")
_PLAIN = re.compile(r"-?\d+(?:\.(\d+))?")

_SIGNS = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "es": (".", ",")}
_TEXTS = {
    "en": {
        "count": "Number of rows in {table}{where}.",
        "distinct": "Number of different values of {column} in {rows} of {table}{where}.",
        "sum": "Sum of {column} over {rows} of {table}{where}.",
        "average": "Average of {column} over {rows} of {table}{where}.",
        "minimum": "Lowest {column} in {table}{where}.",
        "maximum": "Highest {column} in {table}{where}.",
        "highest": "Row with the highest {column} in {table}{where}.",
        "lowest": "Row with the lowest {column} in {table}{where}.",
        "list": "{column} of {rows} of {table}{where}.",
        "value": "{column} in {table}{where}.",
        "difference": "{column} in {table}{where}.",
        "apart": "Difference of {column} between {rows} of {table}{where}.",
        "times": "{factor} times {column} in {table}{where}.",
        "most": "{by} with the {measure} in {table}{where}.",
        "least": "{by} with the {measure} in {table}{where}.",
        "groups": "{measure} for each {by} in {table}{where}.",
        "most count": "most rows", "least count": "fewest rows", "groups count": "Number of rows",
        "most sum": "highest sum of {column}", "least sum": "lowest sum of {column}", "groups sum": "Sum of {column}",
        "most average": "highest average of {column}", "least average": "lowest average of {column}",
        "groups average": "Average of {column}", "minus": "{column} less {other}",
        "where": " where {conditions}", "and": " and ", "or": " or ", "row": "1 row", "rows": "{n} rows",
        "is": "{column} is {value}", "not": "{column} is not {value}", "above": "{column} is over {low}",
        "at least": "{column} is at least {low}", "below": "{column} is under {high}",
        "at most": "{column} is at most {high}",
        "before": "{column} is before {high}", "from": "{column} is on or after {low}",
        "between": "{column} is from {low} to {high}", "month": "the month of {column} is {low}",
        "empty": "{column} is empty", "filled": "{column} is not empty", "over column": "{column} is more than {other}",
        "later column": "{column} is later than {other}", "sheet": "{file}, sheet {name}", "more": "and {n} more",
        "this": "column {n}", "days": "days", "cell empty": "The cell is empty: {column} in {table}{where}.",
    },
    "de": {
        "count": "Anzahl der Zeilen in {table}{where}.",
        "distinct": "Anzahl der verschiedenen Werte von {column} in {rows} von {table}{where}.",
        "sum": "Summe von {column} über {rows} von {table}{where}.",
        "average": "Durchschnitt von {column} über {rows} von {table}{where}.",
        "minimum": "Niedrigster Wert von {column} in {table}{where}.",
        "maximum": "Höchster Wert von {column} in {table}{where}.",
        "highest": "Zeile mit dem höchsten Wert von {column} in {table}{where}.",
        "lowest": "Zeile mit dem niedrigsten Wert von {column} in {table}{where}.",
        "list": "{column} aus {rows} von {table}{where}.",
        "value": "{column} in {table}{where}.",
        "difference": "{column} in {table}{where}.",
        "apart": "Unterschied von {column} zwischen {rows} von {table}{where}.",
        "times": "{factor} mal {column} in {table}{where}.",
        "most": "{by} mit {measure} in {table}{where}.",
        "least": "{by} mit {measure} in {table}{where}.",
        "groups": "{measure} je {by} in {table}{where}.",
        "most count": "den meisten Zeilen", "least count": "den wenigsten Zeilen", "groups count": "Anzahl der Zeilen",
        "most sum": "der höchsten Summe von {column}", "least sum": "der niedrigsten Summe von {column}",
        "groups sum": "Summe von {column}", "most average": "dem höchsten Durchschnitt von {column}",
        "least average": "dem niedrigsten Durchschnitt von {column}", "groups average": "Durchschnitt von {column}",
        "minus": "{column} minus {other}", "where": ", wo {conditions}", "and": " und ", "or": " oder ",
        "row": "1 Zeile", "rows": "{n} Zeilen",
        "is": "{column} gleich {value} ist", "not": "{column} nicht {value} ist",
        "above": "{column} über {low} liegt", "at least": "{column} mindestens {low} ist",
        "below": "{column} unter {high} liegt", "at most": "{column} höchstens {high} ist",
        "before": "{column} vor dem {high} liegt", "from": "{column} am oder nach dem {low} liegt",
        "between": "{column} von {low} bis {high} liegt", "month": "der Monat von {column} {low} ist",
        "empty": "{column} leer ist", "filled": "{column} nicht leer ist",
        "over column": "{column} größer als {other} ist",
        "later column": "{column} später als {other} ist", "sheet": "{file}, Blatt {name}", "more": "und {n} weitere",
        "this": "Spalte {n}", "days": "Tage", "cell empty": "Die Zelle ist leer: {column} in {table}{where}.",
    },
    "fr": {
        "count": "Nombre de lignes de {table}{where}.",
        "distinct": "Nombre de valeurs différentes de {column} dans {rows} de {table}{where}.",
        "sum": "Somme de {column} sur {rows} de {table}{where}.",
        "average": "Moyenne de {column} sur {rows} de {table}{where}.",
        "minimum": "Plus petite valeur de {column} dans {table}{where}.",
        "maximum": "Plus grande valeur de {column} dans {table}{where}.",
        "highest": "Ligne avec la plus grande valeur de {column} dans {table}{where}.",
        "lowest": "Ligne avec la plus petite valeur de {column} dans {table}{where}.",
        "list": "{column} de {rows} de {table}{where}.",
        "value": "{column} dans {table}{where}.",
        "difference": "{column} dans {table}{where}.",
        "apart": "Écart de {column} entre {rows} de {table}{where}.",
        "times": "{factor} fois {column} dans {table}{where}.",
        "most": "{by} avec {measure} dans {table}{where}.",
        "least": "{by} avec {measure} dans {table}{where}.",
        "groups": "{measure} par {by} dans {table}{where}.",
        "most count": "le plus de lignes", "least count": "le moins de lignes", "groups count": "Nombre de lignes",
        "most sum": "la plus grande somme de {column}", "least sum": "la plus petite somme de {column}",
        "groups sum": "Somme de {column}", "most average": "la plus grande moyenne de {column}",
        "least average": "la plus petite moyenne de {column}", "groups average": "Moyenne de {column}",
        "minus": "{column} moins {other}", "where": " où {conditions}", "and": " et ", "or": " ou ",
        "row": "1 ligne", "rows": "{n} lignes", "is": "{column} est {value}", "not": "{column} n'est pas {value}",
        "above": "{column} dépasse {low}", "at least": "{column} est au moins {low}",
        "below": "{column} est inférieur à {high}", "at most": "{column} est au plus {high}",
        "before": "{column} est avant le {high}", "from": "{column} est à partir du {low}",
        "between": "{column} va du {low} au {high}", "month": "le mois de {column} est {low}",
        "empty": "{column} est vide", "filled": "{column} n'est pas vide", "over column": "{column} dépasse {other}",
        "later column": "{column} est après {other}", "sheet": "{file}, feuille {name}", "more": "et {n} autres",
        "this": "la colonne {n}", "days": "jours", "cell empty": "La cellule est vide : {column} dans {table}{where}.",
    },
    "es": {
        "count": "Número de filas de {table}{where}.",
        "distinct": "Número de valores distintos de {column} en {rows} de {table}{where}.",
        "sum": "Suma de {column} en {rows} de {table}{where}.",
        "average": "Promedio de {column} en {rows} de {table}{where}.",
        "minimum": "Valor más bajo de {column} en {table}{where}.",
        "maximum": "Valor más alto de {column} en {table}{where}.",
        "highest": "Fila con el valor más alto de {column} en {table}{where}.",
        "lowest": "Fila con el valor más bajo de {column} en {table}{where}.",
        "list": "{column} de {rows} de {table}{where}.",
        "value": "{column} en {table}{where}.",
        "difference": "{column} en {table}{where}.",
        "apart": "Diferencia de {column} entre {rows} de {table}{where}.",
        "times": "{factor} por {column} en {table}{where}.",
        "most": "{by} con {measure} en {table}{where}.",
        "least": "{by} con {measure} en {table}{where}.",
        "groups": "{measure} por {by} en {table}{where}.",
        "most count": "más filas", "least count": "menos filas", "groups count": "Número de filas",
        "most sum": "la mayor suma de {column}", "least sum": "la menor suma de {column}",
        "groups sum": "Suma de {column}",
        "most average": "el mayor promedio de {column}", "least average": "el menor promedio de {column}",
        "groups average": "Promedio de {column}", "minus": "{column} menos {other}", "where": " donde {conditions}",
        "and": " y ", "or": " o ", "row": "1 fila", "rows": "{n} filas", "is": "{column} es {value}",
        "not": "{column} no es {value}", "above": "{column} supera {low}", "at least": "{column} es al menos {low}",
        "below": "{column} es menor que {high}", "at most": "{column} es como máximo {high}",
        "before": "{column} es antes del {high}", "from": "{column} es desde el {low}",
        "between": "{column} va del {low} al {high}", "month": "el mes de {column} es {low}",
        "empty": "{column} está vacío", "filled": "{column} no está vacío", "over column": "{column} supera {other}",
        "later column": "{column} es posterior a {other}", "sheet": "{file}, hoja {name}", "more": "y {n} más",
        "this": "la columna {n}", "days": "días", "cell empty": "La celda está vacía: {column} en {table}{where}.",
    },
}  # fmt: skip


class Wording:
    """Words in the language of a question; English where it is none of the four."""

    def __init__(self, language: str) -> None:
        self.language = language if language in _TEXTS else "en"
        self._texts = _TEXTS[self.language]

    def answer(self, table: LoadedTable, query: Query, result: Result) -> tuple[str, str]:
        """The value, and the sentence that says how it comes about."""
        return self._value(table, query, result), self.calculation(table, query, len(result.rows))

    def calculation(self, table: LoadedTable, query: Query, rows: int) -> str:
        column = self._measure(table, query)
        measure = ""
        if query.by >= 0:
            measure = self._texts[f"{query.kind} {query.measure}"].format(column=column)
        return self._texts[query.kind].format(
            table=self.table(table),
            where=self._where(table, query.conditions),
            column=column,
            measure=measure,
            by=self._name(table, query.by) if query.by >= 0 else "",
            factor=self.number(query.factor),
            rows=self._texts["row"] if rows == 1 else self._texts["rows"].format(n=self.number(rows)),
        )

    def empty_cell(self, table: LoadedTable, query: Query) -> str:
        """That the cell which a question asks for has no value."""
        return self._texts["cell empty"].format(
            column=self._name(table, query.column),
            table=self.table(table),
            where=self._where(table, query.conditions),
        )

    def table(self, table: LoadedTable) -> str:
        """The file, and the sheet of one that has several tables."""
        name = table.content.name
        if not name or table.source.path.lower().endswith((".csv", ".tsv")):
            return table.source.file
        if table.source.path.lower().endswith(SPREADSHEETS):
            return self._texts["sheet"].format(file=table.source.file, name=name)
        return f"{table.source.file}, {name}"

    def number(self, value: float, unit: str = "", decimals: int | None = None) -> str:
        """In the style of the language, with so many ``decimals``; without that with two at most."""
        group, point = _SIGNS[self.language]
        rounded = round(value, 2)
        if decimals is None and unit.partition("/")[0] in CURRENCIES and not rounded.is_integer():
            decimals = 2
        if decimals is not None:
            shown = f"{value:,.{decimals}f}"
        else:
            shown = f"{rounded:,.2f}".rstrip("0").rstrip(".") if abs(rounded) >= 0.01 or not value else f"{value:.3g}"
        shown = shown.replace(",", "\0").replace(".", point).replace("\0", group)
        if len(shown) == 5 and shown[1] == group:
            shown = shown.replace(group, "") if self.language in ("fr", "es") else shown
        return f"{shown} {unit}".strip() if unit != "%" else f"{shown} %"

    # -- parts ----------------------------------------------------------------------------------------

    def _value(self, table: LoadedTable, query: Query, result: Result) -> str:
        if query.kind in ("count", "distinct"):
            assert isinstance(result.value, float)
            return self.number(result.value)
        if query.kind in ("list", "value"):
            assert isinstance(result.value, tuple)
            if query.show:
                named = query.kind == "value"
                shown_rows = dict.fromkeys(self._row(table, query.show, row, named=named) for row in result.rows)
                return self._in_lines(list(shown_rows), "; ")
            cells = [self._cell(table, query.column, row) for row in result.rows]
            return self._in_lines(list(dict.fromkeys(cells)))
        if query.kind in ("most", "least"):
            assert isinstance(result.value, tuple)
            worth = self._worth(table, query, dict(result.groups).get(result.value[0], 0.0))
            return f"{self._listed(result.value)} ({worth})"
        if query.kind == "groups":
            return self._in_lines([f"{name}: {self._worth(table, query, value)}" for name, value in result.groups])
        shown = self._amount(table, query, result)
        if query.kind == "difference" and len(result.rows) == 1:
            first, second = (self._term(table, number, result.rows[0]) for number in (query.column, query.minus))
            return f"{first} − {second} = {shown}"
        if query.kind in ("highest", "lowest") and query.show:
            rows = [self._row(table, query.show, row) for row in result.rows[:MOST_LISTED]]
            return f"{'; '.join(rows)} ({self._measure(table, query)}: {shown})"
        return shown

    def _row(self, table: LoadedTable, columns: Sequence[int], row: int, *, named: bool = False) -> str:
        """Cells of a row, with the names of their columns where there are many or where each is asked for, then with
        the empty ones."""
        shown = [(table.columns[number].name, self._cell(table, number, row)) for number in columns]
        if named or len(columns) > MOST_BARE:
            filled = [(name, cell or "–") for name, cell in shown if cell or (named and name)]
            return ", ".join(f"{name}: {cell}" if name else cell for name, cell in filled)
        return ", ".join(dict.fromkeys(cell for _, cell in shown if cell))

    def _cell(self, table: LoadedTable, column: int, row: int) -> str:
        """A cell as it stands, with its column's unit where it is a bare number; of a spreadsheet, whose numbers have
        no style of their own, in that of the language."""
        of = table.columns[column]
        bare = of.cells[row].strip()
        number = _PLAIN.fullmatch(bare)
        is_measure = of.kind == "number" and not of.comma and bool(of.unit)
        if number is None or not is_measure:
            return _with_unit(bare, of)
        decimals = len(number[1] or "")
        if decimals == 1 and of.decimals == 2 and of.unit.partition("/")[0] in CURRENCIES:
            bare, decimals = f"{bare}0", 2
        if not table.source.path.lower().endswith(SPREADSHEETS):
            return _with_unit(bare, of)
        return self.number(float(bare), of.unit, decimals)

    def _term(self, table: LoadedTable, column: int, row: int) -> str:
        """A cell that is computed with, without its unit; of a spreadsheet in the style of the language."""
        of = table.columns[column]
        bare = of.cells[row].strip()
        number = _PLAIN.fullmatch(bare)
        is_stored = table.source.path.lower().endswith(SPREADSHEETS)
        if number is None or of.kind != "number" or of.comma or not is_stored:
            return bare
        return self.number(float(bare), "", len(number[1] or ""))

    def _amount(self, table: LoadedTable, query: Query, result: Result) -> str:
        column = table.columns[query.column]
        if isinstance(result.value, datetime.date):
            return column.cells[result.rows[0]]
        assert isinstance(result.value, float)
        if column.kind == "date" and (query.minus >= 0 or query.kind == "apart"):
            return f"{self.number(result.value)} {self._texts['days']}"
        if column.kind == "time":
            hours, minutes = divmod(round(result.value), 60)
            return f"{hours}:{minutes:02}"
        if query.kind in ("minimum", "maximum", "highest", "lowest") and query.minus < 0:
            return self._cell(table, query.column, result.rows[0])
        if query.minus >= 0:
            return self.number(result.value, column.unit, max(column.decimals, table.columns[query.minus].decimals))
        return self.number(result.value, column.unit)

    def _worth(self, table: LoadedTable, query: Query, value: float) -> str:
        if query.measure == "count" or query.column < 0:
            rows = self._texts["row"] if value == 1 else self._texts["rows"].format(n=self.number(value))
            return rows
        return self.number(value, table.columns[query.column].unit)

    def _in_lines(self, texts: Sequence[str], separator: str = ", ") -> str:
        """A list with a line for each entry where they are several; else a sentence's part."""
        if len(texts) < FEWEST_LINES:
            return self._listed(texts, separator)
        more = len(texts) - MOST_LINES
        rest = [self._texts["more"].format(n=more)] if more > 0 else []
        return "\n".join(f"- {text}" for text in (*texts[:MOST_LINES], *rest))

    def _listed(self, texts: Sequence[str], separator: str = ", ") -> str:
        shown = separator.join(texts[:MOST_LISTED])
        more = len(texts) - MOST_LISTED
        return f"{shown} {self._texts['more'].format(n=more)}" if more > 0 else shown

    def _measure(self, table: LoadedTable, query: Query) -> str:
        if query.column < 0:
            return ""
        name = self._name(table, query.column)
        if query.minus >= 0:
            return self._texts["minus"].format(column=name, other=self._name(table, query.minus))
        return name

    def _name(self, table: LoadedTable, column: int) -> str:
        return table.columns[column].name or self._texts["this"].format(n=column + 1)

    def _where(self, table: LoadedTable, conditions: Sequence[Condition]) -> str:
        if not conditions:
            return ""
        telling = [one for one in conditions if len(rows_of(table, [one])) < len(table.rows)]  # not "in July" of July
        said = self._texts["and"].join(self._condition(table, one) for one in telling or conditions)
        return self._texts["where"].format(conditions=said)

    def _condition(self, table: LoadedTable, one: Condition) -> str:
        column = table.columns[one.column]
        test: str = one.test
        if column.kind == "date" and test == "below":
            test = "before"
        elif column.kind == "date" and test == "at least":
            test = "from"
        elif test == "over column" and column.kind == "date":
            test = "later column"
        values = [column.cells[column.distinct[text][0]] for text in one.texts if text in column.distinct]
        return self._texts[test].format(
            column=self._name(table, one.column),
            value=self._texts["or"].join(values[:4]),
            low=self._bound(one.low, column),
            high=self._bound(one.high, column),
            other=self._name(table, one.other) if one.other >= 0 else "",
        )

    def _bound(self, bound: float | datetime.date | None, column: LoadedColumn) -> str:
        if isinstance(bound, datetime.date):
            return bound.isoformat()
        if bound is None:
            return ""
        return str(int(bound)) if column.is_ordinal or column.kind == "date" else self.number(bound, column.unit)


def _with_unit(bare: str, column: LoadedColumn) -> str:
    if (
        column.kind != "number"
        or not column.unit
        or not bare
        or not bare[-1].isdigit()
        or bare[0] not in "-+0123456789"
    ):
        return bare
    return f"{bare} {column.unit}"
