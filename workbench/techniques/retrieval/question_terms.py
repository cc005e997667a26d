"""Figures and names that a question states: whether the passages that are shown have them.

A question that says "in 1588" or "Ms Brandl" is not answered by passages that know neither. Figures are compared in
every notation (1,234.50 and 1.234,50; 3 May 2025 and 2025-05-03; twelve and 12), names by their beginning, so that
endings do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.text.language import split_words
from workbench.text.normalisation.dates import MONTHS
from workbench.text.numbers import with_digits
from workbench.text.terms import NUMBER_WORDS, Vocabulary

_FIGURE = re.compile(r"(?<![\w.,])(?:[A-Za-zÄÖÜäöü]{0,4}[-/]?)\d[\w.,:/’'-]*\w|(?<![\w.,])\d(?!\w)")
_TITLES = r"Mr|Mrs|Ms|Dr|Prof|Frau|Herrn?|Mme|Madame|Monsieur|Señora?|Sra?|Familie|Firma"
_TITLED = re.compile(rf"\b(?:{_TITLES})\.? ([A-ZÄÖÜÉÈ][\w'’-]{{2,}})")
_TWO_NAMES = re.compile(r"(?<=[a-zäöüß,] )([A-ZÄÖÜÉÈ][a-zäöüßéèáíóúñç'’-]+) ([A-ZÄÖÜÉÈ][a-zäöüßéèáíóúñç'’-]+)\b")
LEAST_FIGURE = 13
"""Smaller figures without a letter may be spelled in some way that is not known here ("the three of us")."""

_IDENTIFIER = re.compile(
    r"(?<![^\W\d_])([^\W\d_]{3,})(?: (?:no|nr|number|nummer|numéro|número)\.?| n°)? "
    r"([A-HJ-Z]|\d{1,3}[A-Za-z]?)(?![\w.,:/’'-]*\w)"
    r"(?! (?:times|people|persons|guests|rooms|(?:working )?(?:minutes|hours|days|nights|weeks|months|years)|personnes"
    r"|chambres|minutes|heures|jours|nuits|semaines|mois|ans|personas|habitaciones|minutos|horas|días|noches|semanas"
    r"|meses|años)\b)"
)
"""A noun and the letter or number that tells one of its things from the others: "building D", "lot 12B". None is a
count: "book 3 nights"."""

_UNNAMED = """am an at by chapter de du el en for from in is la le mr mrs ms of on or than the to until und
von um vor nach about bis after before between chf dollars eur euro euros fewer gegen january february march
april may june july august september october november december januar februar märz mai juni juli oktober
dezember janvier février mars avril juin juillet août septembre octobre novembre décembre enero febrero marzo
abril mayo junio julio agosto septiembre octubre noviembre diciembre spring summer autumn winter year jahr
année año"""
_NO_IDENTIFIED = frozenset(_UNNAMED.split())
"""Words before a number that it does not tell apart: "before 9", "May 5"."""

_NO_MONTHS = frozenset(("may", "mar", "set", "out", "mag", "gen"))
"""Names of months that are mostly something else in a text."""

_BEGINNING = 0.7
_GERMAN = re.compile(
    r"\b(?:der|das|dem|ein|eine[nmrs]?|wann|wie|wer|wem|welche[rsn]?|für|und|ist|sind|nicht|von|mit|im|zum|zur|beim|wird"
    r"|gibt)\b",
    re.IGNORECASE,
)
"""Words that are not English, French or Spanish ones as well. Two of them make a short question German, whose language
is not told otherwise."""


def figures_of(question: str) -> list[str]:
    """The figures and identifiers of a question, as they are written, that an answer's passage should have."""
    found = []
    for match in _FIGURE.finditer(question):
        figure = re.sub(r"^(\d[\d.,]*)-[^\W\d].*", r"\1", match.group()).strip(".,:/’'-")
        digits = re.sub(r"\D", "", figure)
        if digits and (not figure.isdigit() or int(figure) >= LEAST_FIGURE):
            found.append(figure)
    return list(dict.fromkeys(found))


def names_of(question: str, language: str) -> list[str]:
    """The names of a question, as they are written. In German, where every noun is capitalised, only those after a
    title and those of two parts."""
    if language == "de" or len(_GERMAN.findall(question)) > 1:
        found = [match.group(1) for match in _TITLED.finditer(question)]
        found += [part for match in _TWO_NAMES.finditer(question) for part in match.groups()]
    else:
        known = set(Vocabulary(language).names(question))
        words = re.findall(r"(?<![¿¡])[^\W\d_]{3,}", question)
        found = [word for word in words if word[0].isupper() and word.lower() in known]
    return [name for name in dict.fromkeys(found) if not re.fullmatch(_TITLES, name)]


def identified_of(question: str, language: str) -> list[tuple[str, str]]:
    """The nouns of a question that a letter or a number tells apart, each with it: ("building", "D")."""
    vocabulary = Vocabulary(language)
    found = [
        (noun, identifier)
        for noun, identifier in _IDENTIFIER.findall(question)
        if noun.lower() not in _NO_IDENTIFIED
        and not vocabulary.is_function_word(noun.lower())
        and (language != "de" or noun[0].isupper())  # "was kosten 2 Nächte?"
    ]
    return list(dict.fromkeys(found))


def missing_identified(identified: Sequence[tuple[str, str]], texts: Sequence[str]) -> list[str]:
    """Those that none of the texts has, as they are written: beside the noun stand other letters or numbers. Where no
    text tells the noun's things apart, and where the letter or number stands somewhere else, nothing is known."""
    missing = []
    whole = "\n".join(texts)
    for noun, identifier in identified:
        beginning = noun[: max(3, int(_BEGINNING * len(noun) + 0.5))]
        kind = r"\d{1,3}[A-Za-z]?" if identifier[0].isdigit() else "[A-Z]"
        listed = rf"(?:{kind}(?:, | and | or | und | oder | et | ou | y | o |/| ?[-–] ?))*"
        beside = re.compile(
            rf"\b(?i:{re.escape(beginning)})[^\W\d_]*(?::| no\.?| nr\.?| \||)? ?{listed}({kind})(?![\w.,])"
        )
        others = {match.group(1).upper() for match in beside.finditer(whole)}
        if others and identifier.upper() not in others and not _stands(identifier, whole):
            missing.append(f"{noun} {identifier}")
    return missing


def _stands(identifier: str, text: str) -> bool:
    """Whether a text contains an identifier, alone or as a part of a code ("D1", "2-D")."""
    if identifier.isdigit():
        return bool(re.search(rf"(?<!\d){identifier}(?!\d)", text))
    return bool(re.search(rf"(?<![^\W\d_]){re.escape(identifier)}(?![^\W\d_]|\. ?[A-Z])", text))


def missing_figures(figures: Sequence[str], texts: Sequence[str], language: str) -> list[str]:
    """Those of the ``figures`` that none of the texts has."""
    if not figures:
        return []
    whole = with_digits("\n".join(texts), language)
    runs = {_stripped(run) for run in re.findall(r"\d+", whole)}
    joined = {re.sub(r"\W", "", one).lower() for one in re.findall(r"\w[\w.,:/’'-]*\w|\w", whole)}
    spelled = {NUMBER_WORDS[word] for word in split_words(whole) if word in NUMBER_WORDS}
    missing = []
    for figure in figures:
        plain = re.sub(r"\W", "", figure).lower()
        parts = [_stripped(run) for run in re.findall(r"\d+", figure)]
        there = plain in joined or plain in spelled or any(plain in one for one in joined if len(plain) > 3)
        if not there and not re.search(r"[^\W\d_]", figure):
            there = all(part in runs for part in parts)
        if not there:
            missing.append(figure)
    return missing


def missing_names(names: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Those of the ``names`` that none of the texts has, with another ending either. A month is the same in each
    language."""
    words = {word for text in texts for word in split_words(text)}
    months = {MONTHS[word] for word in words if word in MONTHS and word not in _NO_MONTHS}
    whole = "".join(words)
    missing = []
    for name in names:
        lowered = name.lower()
        beginning = lowered[: max(4, int(_BEGINNING * len(lowered) + 0.5))]
        if MONTHS.get(lowered) in months:
            continue
        if not any(word.startswith(beginning) for word in words) and lowered not in whole:
            missing.append(name)
    return missing


def _stripped(run: str) -> str:
    return run.lstrip("0") or "0"
