"""Whether an answer is right by what a question accepts: spellings, groups that are all needed, points of a list.

Texts are compared by ``workbench.text.metrics``, which reads numbers, dates and units in the notations of several
languages. Two things are added for accepted answers. A number with one sign before its last three digits ("1.350 €")
may also be meant as a thousand and some, whatever the text around it looks like, since amounts of money are written
so; a full hour may be written without its minutes ("8 Uhr"); an amount may say what it is for ("31 mg je Liter"); and
a name may have a possessive ("Lorne's").

An answer can also say, in the model's own words, that the documents do not hold one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.records.evaluation import QuestionRow
from workbench.text.language import split_words
from workbench.text.metrics import contains_answer, is_exact_match

ENOUGH = 0.8
"""The least share of a question's points that a right answer names."""

SHORT_WORDS = 60
"""A number of one or two digits alone counts in an answer of at most so many words: a longer quotation may hold it by
chance."""

_THOUSANDS = re.compile(r"(?<![\w.,])([1-9]\d{0,2})[.,](\d{3})(?![\w.,]*\d)")
_FULL_HOUR = re.compile(r"(?<![\d.:,])(\d{1,2}) ?Uhr\b(?! ?\d)")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b")
_SMALL_NUMBER = re.compile(r"\s*\d{1,2}\.?\s*")
_DATE_OR_ORDINAL = re.compile(r"\d+[-./:]\d+(?:[-./:]\d+)+|\d+(?:st|nd|rd|th)\b")
_PER = re.compile(
    r"(?:(?<=[€$£])|(?<=EUR)|(?<=CHF)|(?<=euros))\s+(?:je|pro|per|par|por)\s+"
    r"|\s+(?:je|pro|per|par|por)\s+(?!hour|stunde|second|sekunde|heure|hora|segundo)",
    re.IGNORECASE,
)
"""What an amount is for: "96 € je Stunde" names 96 €, while 5 km per hour is no distance."""


_UNKNOWN = re.compile(
    r"(\bnot|n['’]t|\bnever|\bno)\b[^.]{0,40}\b(state|specif|mention|provid|contain|say|said|given|information|answer|know|found)"
    r"|\b(nicht|keine?)\b[^.]{0,40}\b(angegeben|genannt|erwähnt|enthalten|hervor|angabe|information|bekannt|beantwort)"
    r"|\bweiß (ich |es )*nicht\b|\bn(e |['’])[^.]{0,20}\b(sais|mentionn|indiqu|précis|contien)"
    r"|\bno (lo |se |está |hay )*(sé|menciona|indica|especifica|contiene|información)",
    re.IGNORECASE,
)


def says_unknown(text: str) -> bool:
    """Whether an answer in English, German, French or Spanish says that the documents do not hold it."""
    return _UNKNOWN.search(text) is not None


def is_right(question: QuestionRow, text: str) -> bool:
    """Whether an answer says what is accepted: all groups that are needed, else most of the points, else one of the
    expected texts. False for a question without an answer."""
    if not question.answerable:
        return False
    if question.need:
        return all(names(text, group) for group in question.need)
    if question.points:
        named = sum(names(text, group) for group in question.points)
        return named >= ENOUGH * len(question.points) - 1e-9
    return names(text, question.expected)


def names(text: str, accepted: Sequence[str]) -> bool:
    """Whether one of the accepted texts stands in an answer; one that begins with "=" has to be the whole answer."""
    short = len(split_words(text)) <= SHORT_WORDS
    forms = list(dict.fromkeys((text, plain := _plain(text), _PER.sub(" | ", plain))))
    for one in accepted:
        if one.startswith("="):
            if is_exact_match(text, one[1:]):
                return True
        elif _SMALL_NUMBER.fullmatch(one):
            if short and contains_answer(_DATE_OR_ORDINAL.sub(" ", text), one):
                return True
        elif any(contains_answer(form, said) for form in forms for said in dict.fromkeys((one, _plain(one)))):
            return True
    return False


def _plain(text: str) -> str:
    return _POSSESSIVE.sub("", _FULL_HOUR.sub(r"\1:00", _THOUSANDS.sub(r"\1\2", text)))
