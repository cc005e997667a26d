"""The short answer of a text: the number that was asked for, or the few words that the question does not say itself.

A vote compares these and not whole sentences: "She has 18 eggs left." and "18 eggs are left" are the same vote.
"""

from __future__ import annotations

import re

from workbench.rewards.values import after_answer_is, last_number
from workbench.text.language import detect_question_language, function_words
from workbench.text.metrics import normalise_answer
from workbench.text.normalisation.readings import reading_of
from workbench.text.normalisation.words import numbers_of

_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|high|big|often)\b|\bwhat (?:number|percentage|share|age)\b"
    r"|\b(?:sum|total|difference|product|average|value|result) of\b|\bcalculate\b"
    r"|\bwie ?viele?\b|\bwie (?:alt|lange|hoch|weit|groß|oft)\b|\bberechne|\bcombien\b|\bcuánt|\bcalcul|\bquant[oiae]\b"
    r"|\bhoeveel\b|\bhoe (?:lang|oud|ver|vaak)\b|多少|几[个人天年次]|幾|いくつ|いくら|何[人個円年回枚]"
    r"|\d\s*[-+*/×÷]\s*\(?\d",
    re.IGNORECASE,
)
_ASKS_OTHER = re.compile(
    r"\b(?:who|whom|whose|where|which|why|when|wer|wem|wen|wo|welche[rsnm]?|warum|wann|qui|où|quel(?:le)?s?|pourquoi"
    r"|quand|quién|quiénes|dónde|cuál|cuáles|por qué|cuándo|chi|dove|quale|quali|perché|quem|onde|qual|waar"
    r"|welke|waarom)\b"
    r"|谁|誰|哪|どこ|なぜ",
    re.IGNORECASE,
)
_ASKS_NO_VALUE = re.compile(
    r"(?:is|are|was(?! (?:ist|sind|ergibt|ergeben|macht|machen|kostet|kosten)\b)|were|do|does|did|has|have|had|can"
    r"|could|will|would|should"
    r"|ist|sind|war|waren|hat|haben|hatte|kann|können|wird|werden|soll|est-ce|è|sono|é|são|zijn|heeft|kan"
    r"|name|describe|list|compare|explain|translate|summari[sz]e|write|tell|discuss|what happened"
    r"|nenne|beschreibe|erkläre|vergleiche|übersetze|schreibe|was (?:geschah|passierte))\b",
    re.IGNORECASE,
)
"""How a last sentence begins that asks for yes or no, or for a text."""
_LAST_SENTENCE = re.compile(r"(?:^|[.!?:\n]\s+)(?=[^.!?:\n\s])")
_YES_OR_NO = re.compile(
    r"\W*(?:(?P<yes>yes|ja|oui|sí|sì|sim)|no|nein|non|não|nee)\b(?:\s*[,!;:–—]|\s*\.(?!\s*\d)|\s*$)", re.IGNORECASE
)
_NEGATIONS = frozenset(
    [
        "no",
        "not",
        "nor",
        "never",
        "none",
        "neither",
        "nicht",
        "kein",
        "keine",
        "keinem",
        "keinen",
        "keiner",
        "nie",
        "ne",
        "ni",
        "pas",
        "non",
        "jamais",
        "nunca",
        "não",
        "niet",
        "geen",
    ]
)


def asks_number(question: str) -> bool:
    """Whether a question asks for a number: in such words, or as the task of a calculation does, which has two."""
    if _ASKS_NUMBER.search(question):
        return True
    if _ASKS_OTHER.search(question):
        return False
    *_, last = _LAST_SENTENCE.finditer(question.strip())
    is_task = not _ASKS_NO_VALUE.match(question.strip(), last.end())
    return is_task and len(numbers_of(question, reading_of(question))) > 1


def short_answer(text: str, question: str) -> str:
    """The short answer, normalised as answers are compared; "" for none."""
    if asks_number(question):
        number = last_number(text)
        if number is not None:
            return str(number)
    told = after_answer_is(text).strip()
    if answered := _YES_OR_NO.match(told or text):
        return "yes" if answered["yes"] else "no"
    words = normalise_answer(told.splitlines()[0] if told else text).split()
    if not any(character.isalnum() for word in words for character in word):
        return ""
    language = detect_question_language(question, ("en", "de", "fr", "es", "it", "pt", "nl"))
    grammar = function_words().get(language or "en", frozenset()) - _NEGATIONS
    more = [word for word in words if word not in grammar]
    asked = normalise_answer(question).split()
    return " ".join([word for word in more if word not in asked] or more or words)
