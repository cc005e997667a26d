"""The reasons to doubt a table's answer in words, in the language of the question: English, German, French, Spanish."""

from __future__ import annotations

from typing import Literal

from workbench.records.outcomes import Reason

Said = Literal["left", "second", "ties", "incomplete", "units", "unlike", "backwards", "rival", "empty", "unsure"]

_TEXTS: dict[str, dict[Said, str]] = {
    "en": {
        "left": "No cell and no column of the table is called {words}.",
        "second": "Another reading of the question gives {value}.",
        "ties": "Several rows have this value.",
        "incomplete": "Not all of this table could be read, as the document's warning says.",
        "units": "The rows have values of several units.",
        "unlike": "The two columns are not known to have the same unit.",
        "backwards": "A later reading is lower than the earlier one.",
        "rival": "The question may mean the column {column} as well.",
        "empty": "A cell that may be asked for is empty.",
        "unsure": "The question can be read in several ways; the calculation says which one this is.",
    },
    "de": {
        "left": "Keine Zelle und keine Spalte der Tabelle heißt {words}.",
        "second": "Anders gelesen ergibt die Frage {value}.",
        "ties": "Mehrere Zeilen haben diesen Wert.",
        "incomplete": "Nicht die ganze Tabelle konnte gelesen werden, wie die Warnung des Dokuments sagt.",
        "units": "Die Zeilen haben Werte in verschiedenen Einheiten.",
        "unlike": "Es ist nicht bekannt, ob beide Spalten dieselbe Einheit haben.",
        "backwards": "Ein späterer Zählerstand ist niedriger als der frühere.",
        "rival": "Die Frage kann auch die Spalte {column} meinen.",
        "empty": "Eine Zelle, nach der gefragt sein kann, ist leer.",
        "unsure": "Die Frage lässt sich verschieden lesen; die Rechnung sagt, wie sie hier gelesen wurde.",
    },
    "fr": {
        "left": "Aucune cellule ni colonne du tableau ne s'appelle {words}.",
        "second": "Lue autrement, la question donne {value}.",
        "ties": "Plusieurs lignes ont cette valeur.",
        "incomplete": "Ce tableau n'a pas pu être lu en entier, comme le dit l'avertissement du document.",
        "units": "Les lignes ont des valeurs dans plusieurs unités.",
        "unlike": "On ne sait pas si les deux colonnes ont la même unité.",
        "backwards": "Un relevé plus récent est inférieur au précédent.",
        "rival": "La question peut aussi désigner la colonne {column}.",
        "empty": "Une cellule que la question peut désigner est vide.",
        "unsure": "La question peut se lire de plusieurs façons ; le calcul dit laquelle est retenue ici.",
    },
    "es": {
        "left": "Ninguna celda ni columna de la tabla se llama {words}.",
        "second": "Leída de otro modo, la pregunta da {value}.",
        "ties": "Varias filas tienen este valor.",
        "incomplete": "No se pudo leer toda esta tabla, como dice la advertencia del documento.",
        "units": "Las filas tienen valores en varias unidades.",
        "unlike": "No se sabe si las dos columnas tienen la misma unidad.",
        "backwards": "Una lectura posterior es menor que la anterior.",
        "rival": "La pregunta también puede referirse a la columna {column}.",
        "empty": "Una celda a la que puede referirse la pregunta está vacía.",
        "unsure": "La pregunta se puede leer de varias maneras; el cálculo dice cuál es esta.",
    },
}  # fmt: skip
_MARKS = {"en": "“{}”", "de": "„{}“", "fr": "« {} »", "es": "«{}»"}


def table_reason(language: str, said: Said, **given: str) -> Reason:
    """A reason in a language; in English where the language has no words here."""
    return Reason(kind="table", text=_TEXTS.get(language, _TEXTS["en"])[said].format(**given))


def quoted(words: str, language: str) -> str:
    """Words in the quotation marks of a language."""
    return _MARKS.get(language, _MARKS["en"]).format(words)
