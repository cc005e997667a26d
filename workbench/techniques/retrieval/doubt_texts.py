"""The reasons to doubt an answer in words, in the language of the question: English, German, French, Spanish.

A question in another language gets them in English.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.records.outcomes import Reason

Said = Literal[
    "nowhere", "all_nowhere", "untold", "unnamed", "weak", "language", "uncomputed", "belonging", "earlier",
    "calculated", "two_steps", "part", "part_unsure",
]  # fmt: skip

_TEXTS: dict[str, dict[Said, str]] = {
    "en": {
        "nowhere": "{} is in none of these passages.",
        "all_nowhere": "{} and {} are in none of these passages.",
        "untold": "The passages have what you ask about, but tell {}.",
        "unnamed": "The passages have what you ask about, but nothing of “{}”.",
        "weak": "The passages have only a part of what you asked for.",
        "language": "The passages are in another language than the question: few words could be compared.",
        "uncomputed": "The rows do not tell this: it has to be computed from them.",
        "belonging": "The row is of another thing, which only belongs to {}.",
        "earlier": "This comes from an earlier email that a newer one quotes.",
        "calculated": "The result is calculated from values of the documents: check that they are the right ones.",
        "two_steps": "The answer is put together from two places: check that they belong together.",
        "part": "Nothing here answers this part of the question: “{}”.",
        "part_unsure": "Nothing here surely answers this part of the question: “{}”.",
    },
    "de": {
        "nowhere": "{} steht in keiner dieser Stellen.",
        "all_nowhere": "{} und {} stehen in keiner dieser Stellen.",
        "untold": "Die Stellen handeln von dem, wonach gefragt ist, nennen aber {}.",
        "unnamed": "Die Stellen handeln von dem, wonach gefragt ist, sagen aber nichts zu „{}“.",
        "weak": "Die Stellen enthalten nur einen Teil dessen, wonach gefragt ist.",
        "language": "Die Stellen sind in einer anderen Sprache als die Frage: Wenige Wörter ließen sich vergleichen.",
        "uncomputed": "Die Zeilen sagen das nicht: Es muss aus ihnen berechnet werden.",
        "belonging": "Die Zeile handelt von etwas anderem, das nur zu {} gehört.",
        "earlier": "Das steht in einer früheren Mail, die eine neuere zitiert.",
        "calculated": "Das Ergebnis ist aus Werten der Dokumente berechnet: Prüfen Sie, ob es die richtigen sind.",
        "two_steps": "Die Antwort ist aus zwei Stellen zusammengesetzt: Prüfen Sie, ob sie zusammengehören.",
        "part": "Nichts hier beantwortet diesen Teil der Frage: „{}“.",
        "part_unsure": "Nichts hier beantwortet diesen Teil der Frage sicher: „{}“.",
    },
    "fr": {
        "nowhere": "{} ne figure dans aucun de ces passages.",
        "all_nowhere": "{} et {} ne figurent dans aucun de ces passages.",
        "untold": "Les passages traitent du sujet de la question, mais ne donnent {}.",
        "unnamed": "Les passages traitent du sujet de la question, mais ne disent rien de « {} ».",
        "weak": "Les passages ne contiennent qu'une partie de ce qui est demandé.",
        "language": "Les passages sont dans une autre langue que la question : peu de mots ont pu être comparés.",
        "uncomputed": "Les lignes ne le disent pas : il faut le calculer à partir d'elles.",
        "belonging": "La ligne porte sur autre chose, qui va seulement avec {}.",
        "earlier": "Cela figure dans un message antérieur, cité par un plus récent.",
        "calculated": "Le résultat est calculé à partir de valeurs des documents : vérifiez que ce sont les bonnes.",
        "two_steps": "La réponse réunit deux passages : vérifiez qu'ils vont ensemble.",
        "part": "Rien ici ne répond à cette partie de la question : « {} ».",
        "part_unsure": "Rien ici ne répond sûrement à cette partie de la question : « {} ».",
    },
    "es": {
        "nowhere": "{} no aparece en ninguno de estos pasajes.",
        "all_nowhere": "{} y {} no aparecen en ninguno de estos pasajes.",
        "untold": "Los pasajes tratan de lo que se pregunta, pero no indican {}.",
        "unnamed": "Los pasajes tratan de lo que se pregunta, pero no dicen nada de «{}».",
        "weak": "Los pasajes solo contienen una parte de lo que se pregunta.",
        "language": "Los pasajes están en otro idioma que la pregunta: se pudieron comparar pocas palabras.",
        "uncomputed": "Las filas no lo dicen: hay que calcularlo a partir de ellas.",
        "belonging": "La fila trata de otra cosa, que solo va con {}.",
        "earlier": "Esto figura en un mensaje anterior, citado por uno más reciente.",
        "calculated": "El resultado se calcula con valores de los documentos: compruebe que son los correctos.",
        "two_steps": "La respuesta une dos lugares: compruebe que van juntos.",
        "part": "Nada de aquí responde a esta parte de la pregunta: «{}».",
        "part_unsure": "Nada de aquí responde con seguridad a esta parte de la pregunta: «{}».",
    },
}  # fmt: skip

_UNTOLD: dict[str, tuple[str, str, str, str]] = {
    "age": ("no age", "kein Alter", "aucun âge", "ninguna edad"),
    "extent": (
        "no size or distance", "keine Größe oder Entfernung", "aucune taille ni distance", "ningún tamaño ni distancia",
    ),
    "weight": ("no weight", "kein Gewicht", "aucun poids", "ningún peso"),
    "speed": ("no speed", "keine Geschwindigkeit", "aucune vitesse", "ninguna velocidad"),
    "colour": ("no colour", "keine Farbe", "aucune couleur", "ningún color"),
    "brand": ("no brand", "keine Marke", "aucune marque", "ninguna marca"),
    "reason": ("no reason", "keinen Grund", "aucune raison", "ningún motivo"),
    "person": ("no person", "keine Person", "aucune personne", "ninguna persona"),
    "date": ("no date", "kein Datum", "aucune date", "ninguna fecha"),
    "time": ("no time of day", "keine Uhrzeit", "aucune heure", "ninguna hora"),
    "duration": ("no duration", "keine Dauer", "aucune durée", "ninguna duración"),
    "frequency": ("no interval", "keinen Abstand", "aucun intervalle", "ningún intervalo"),
    "money": ("no amount of money", "keinen Betrag", "aucun montant", "ningún importe"),
    "percent": ("no percentage", "keinen Prozentsatz", "aucun pourcentage", "ningún porcentaje"),
    "contact": (
        "no number or address", "keine Nummer oder Adresse", "aucun numéro ni adresse", "ningún número ni dirección",
    ),
    "volume": ("no volume", "kein Volumen", "aucun volume", "ningún volumen"),
    "temperature": ("no temperature", "keine Temperatur", "aucune température", "ninguna temperatura"),
    "power": (
        "no power or voltage", "keine Leistung oder Spannung", "aucune puissance ni tension",
        "ninguna potencia ni tensión",
    ),
    "area": ("no area", "keine Fläche", "aucune surface", "ninguna superficie"),
}  # fmt: skip
"""What is not told, as it follows a verb in each of the languages of ``_TEXTS``."""


def missing_reason(terms: Sequence[str], language: str) -> Reason:
    """Names or figures, one at least, are in no passage."""
    *others, last = terms
    said = _said("all_nowhere", language, ", ".join(others), last) if others else _said("nowhere", language, last)
    return Reason(kind="missing", text=said)


def untold_reason(kind: str, language: str) -> Reason:
    """A value of a ``kind`` of ``answer_types`` is asked for and not told."""
    named = _UNTOLD[kind][list(_TEXTS).index(_known(language))]
    return Reason(kind="attribute", text=_said("untold", language, named))


def unnamed_reason(word: str, language: str) -> Reason:
    """A word of the question that is nowhere in the collection."""
    return Reason(kind="attribute", text=_said("unnamed", language, word))


def weak_reason(language: str) -> Reason:
    return Reason(kind="weak", text=_said("weak", language))


def language_reason(language: str) -> Reason:
    """The passages are in another language than the question, which is in ``language``."""
    return Reason(kind="language", text=_said("language", language))


def uncomputed_reason(language: str) -> Reason:
    """What is asked for has to be computed from the rows that are shown."""
    return Reason(kind="table", text=_said("uncomputed", language))


def belonging_reason(name: str, language: str) -> Reason:
    """The row that is shown is of another thing for the one that is asked for."""
    return Reason(kind="table", text=_said("belonging", language, name))


def earlier_reason(language: str) -> Reason:
    """The best sentence comes from an earlier email that is quoted in a newer one."""
    return Reason(kind="version", text=_said("earlier", language))


def calculated_reason(language: str) -> Reason:
    """The answer is a result of values that may be the wrong ones."""
    return Reason(kind="weak", text=_said("calculated", language))


def two_steps_reason(language: str) -> Reason:
    """The answer is put together from two places, which may have nothing to do with each other."""
    return Reason(kind="weak", text=_said("two_steps", language))


def part_reason(part: str, language: str, *, unsure: bool) -> Reason:
    """A part of the question has no answer, or an ``unsure`` one."""
    return Reason(kind="partial", text=_said("part_unsure" if unsure else "part", language, part))


def _said(said: Said, language: str, *given: str) -> str:
    return _TEXTS[_known(language)][said].format(*given)


def _known(language: str) -> str:
    return language if language in _TEXTS else "en"
