"""The parts of a question that asks for more than one thing: "who signed the lease, and when does it end?"

A question is cut at its marks, and before an interrogative that "and" joins, in English, German, French and Spanish. A
topic before a colon, or in a sentence before the question, belongs to each part; a request after the question ("Name
both.") is no part. What a later part does not say itself ("his job", "it") comes from the answer to the part before:
the road of several places adds its names.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from workbench.techniques.retrieval.query_rewriting import is_follow_up
from workbench.text.language import detect_question_language
from workbench.text.sentences import split_sentences
from workbench.text.values import find_values

_ASKING = (
    # en, de, fr, es
    r"who(?:m|se)?|what|when|where|which|why|how"
    r"|wer|wen|wem|wessen|was|wann|wo|wohin|woher|welche[rsnm]?|warum|wie|wieviele?|wofür|womit|wodurch"
    r"|qui|que|qu['’]|quoi|quel(?:le)?s?|quand|où|combien|comment|pourquoi"
    r"|quién(?:es)?|qué|cuándo|dónde|cuál(?:es)?|cuánt[oa]s?|cómo"
)
_BEFORE_ASKING = (
    r"(?:(?:in|at|on|by|to|for|from|since|until|with|of|ab|bei|bis|für|mit|nach|seit|um|von|zu|an|auf|à|de|en|par|pour|"
    r"depuis|a|con|desde|hasta|para|por|up to|bis zu|jusqu['’]à|as of)\s+)?"
)
_CUT = re.compile(
    rf"[?;]\s+|[,\s]\s*(?:and|und|et|y|sowie)\s+(?={_BEFORE_ASKING}(?:{_ASKING})\b)",
    re.IGNORECASE,
)
_JOINING = (
    r"of|with|for|at|in|on|from|under|to|by|towards|according to"
    r"|von|mit|bei|für|laut|nach|im|am|an|auf|aus|unter|gegenüber|zum|zur"
    r"|de|del|du|des|avec|pour|chez|selon|au|aux|dans|en|con|para|según"
)
_SAME_OF_TWO = re.compile(
    r"(?!.*\b(?:in common|gemeinsam|en commun|en común|side by side)\b)"
    rf"(?P<head>.{{3,80}}?\b(?P<of>{_JOINING})\s)(?P<one>.{{3,}}?),?\s(?:and|und|et|y)\s(?P=of)\s(?P<other>.{{3,}})",
    re.IGNORECASE,
)
"""One thing is asked of two: "the notice period with the gardeners and with the supplier"."""
_INTERROGATIVE = re.compile(rf"(?<!\w)(?:{_ASKING})\b", re.IGNORECASE)
_TOPIC = re.compile(r"^\s*([^:?]{3,120}):\s+(?=\S)")
_GREETING = re.compile(
    r"(?:hello|hi|hey|dear|good (?:morning|day|afternoon|evening)|thanks?|thank you|please|sorry|hallo|guten|liebe[rs]?"
    r"|danke|vielen dank|bitte|moin|grüß|servus|bonjour|bonsoir|salut|merci|hola|buen[oa]s|gracias)\b"
    r"(?: [^\W\d_]+){0,2}[.!]\s+",
    re.IGNORECASE,
)
"""A greeting, which is not the topic of the question after it."""
_FEWEST_LETTERS = 5
MOST_PARTS = 3

Combination = Literal["difference", "sum", "product", "days", ""]
_COMPARED = (
    r"more|less|fewer|cheaper|dearer|longer|shorter|faster|slower|higher|lower|later|earlier|larger|bigger|smaller"
    r"|heavier|lighter|older|younger|further|deeper|wider"
    r"|mehr|weniger|teurer|billiger|günstiger|länger|kürzer|schneller|langsamer|höher|niedriger|später|früher|größer"
    r"|kleiner|schwerer|leichter|älter|jünger|weiter|tiefer|breiter"
    r"|de plus|de moins|en plus|en moins|más|menos"
)
"""What an amount is asked of that is the difference of two."""
_CHANGE = (
    r"rise|increase|growth|drop|decrease|anstieg|zunahme|zuwachs|erhöhung|rückgang|hausse|baisse|augmentation"
    r"|diminution|subida|aumento|bajada"
)
_LESS = r"discount|reduction|saving|nachlass|rabatt|ersparnis|remise|rabais|descuento|ahorro"
_AGAINST = (
    r"compared (?:with|to)|instead of|rather than|gegenüber|statt|anstatt|im vergleich|verglichen mit|au lieu d"
    r"|par rapport à|en vez de|en lugar de|frente a|respecto a"
)
_DIFFERENCE = re.compile(
    r"\b(difference|differ|gap|minus(?! \d)"
    rf"|(?:how|so) much (?:[^\W\d_]+ )?(?:{_COMPARED})|(?:how|so) many (?:more|less|fewer)"
    rf"|(?:how|so) many (?!are |is |were |was |of |have )[^\W\d_]+ (?:{_COMPARED})"  # not "how many larger rooms"
    r"|by how (?:much|many)|too many|zu viele?|how much has .{3,60} (?:become|risen|fallen|gone)"
    r"|(?:dearer|cheaper) than|unterschied|differenz|um wie ?viele?(?! uhr)"
    rf"|wie ?viele? (?:[^\W\d_]+ )?(?:{_COMPARED})|wie ?viele? .{{0,20}}mehr"
    rf"|(?<!partir )(?<!bout )de combien(?! d(?:e |['’]).{{1,40}}\b(?:dispos|compos|besoin))"
    rf"|combien .{{1,40}}(?:de|en) (?:plus|moins)(?= que)|différence|écart"
    rf"|cuánt[oa]s? (?:[^\W\d_]+ )?(?:más|menos)|diferencia|de más"
    rf"|(?:{_CHANGE}) .{{0,60}}\b(?:from|von|de|du|desde) .{{1,30}}\b(?:to|auf|bis|zu|à|au|a|hasta)"
    rf"|(?:{_LESS}|sav(?:e|es|ed)|spar(?:t|en|e)|économis\w+|ahorra\w*) .{{3,80}}\b(?:{_AGAINST})"
    r"|zahl\w* .{0,60}\bdrauf|leg\w* .{0,60}\bdrauf|drauf(?:zu)?(?:zahl|leg)\w+"
    r"|how many .{3,60}\b(?:still|left|remain\w*)\b|wie ?viele? .{3,60}\bnoch\b"
    r"|combien .{3,60}\breste\w*\b|cuánt[oa]s .{3,60}\bqueda\w*"
    r"|how many .{3,60}\b(?:missing|lacking)|wie ?viele? .{0,60}\bfehl\w+|combien .{0,60}\bmanqu\w+"
    r"|cuánt[oa]s .{0,60}\bfaltan?|(?:what is|how much is) missing (?:after|from)|was fehlt (?:nach|von))\b",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"\b(together|in total|altogether|all in all|all told|sum of"
    r"|incl(?:uding|\.)? .{0,12}(?:postage|delivery|shipping|tax)|added up"
    # in French it is "more" after and before these; Plus is a name
    r"|(?<!\ben )(?<!\bde )(?<!\ble )(?<!\bla )(?<!\bles )(?<!\bau )(?-i:plus)(?! (?:tard|tôt|[^\W\d_]+ que)\b)"
    r"|zusammen|insgesamt|alles in allem|summe|inklusive|mitsamt|(?:samt|mit) nebenkosten"
    r"|en tout|au total|ensemble|en total"
    r"|sumad[oa]s|juntos)\b",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"\b(?:(?:number|anzahl|nombre|número) .{3,40} (?:times|mal|fois|por)|multiplied by|multipliziert mit|multiplié par"
    r"|multiplicado por|total weight|gesamtgewicht|poids total|peso total)\b",
    re.IGNORECASE,
)
_OF_NO_AMOUNT = re.compile(
    rf"^\W*{_BEFORE_ASKING}(?:who(?:m|se)?|when|where|why|wer|wen|wem|wessen|wann|wo|wohin|woher|warum|qui|quand|où|pourquoi"
    r"|quién(?:es)?|cuándo|dónde)\b"
    r"(?!.*\b(?:how|what|which|wie|wieviele?|was|welche[rsnm]?|combien|quel(?:le)?s?|cuánt[oa]s?|cuál(?:es)?|qué)\b)"
    r"|\bfass(?:e|en|t)?\b.*\bzusammen\b",
    re.IGNORECASE | re.DOTALL,
)
"""Asks for a person, a time, a place or a reason and no amount ("When does the increase from 5 to 7 take effect?"), or
for a summary ("Fass das Protokoll zusammen")."""
_DAYS = re.compile(
    r"\b(?:how many days|wie ?viele tage|combien de jours|cuántos días)\b.{0,80}\b(?:between|late|passed|elapsed|lie"
    r"|lay|zwischen|zu spät|verspätet|vergingen|vergangen|lagen|liegen|entre|retard|écoulé\w*|retraso|pasaron|tarde)\b",
    re.IGNORECASE,
)


class Factor(Struct, frozen=True):
    """A number that a question names of something, which has a price: "three nights". ``unit`` is that of the noun, ""
    where it is none."""

    number: Decimal
    noun: str
    unit: str


_NOUN = re.compile(r"\s*([^\W\d_]{2,})")
_ASKS_PRICE = re.compile(
    r"\b(?:how much|price|cost\w*|pay|paid|charge\w*|wie ?viel|was kost\w*|kost\w*|zahl\w*|bezahl\w*|preis|combien"
    r"|coût\w*|prix|pay\w+|cuánto|cuest\w+|costar\w*|precio|pag\w+)\b",
    re.IGNORECASE,
)


def split_question(question: str) -> tuple[str, ...]:
    """The parts of a question in their order, each with its topic; the whole question where it has one part."""
    topic, rest = _topic(question)
    cut = [piece.strip(" ,;?.!") for piece in _CUT.split(rest)]
    pieces = [piece for piece in cut if sum(c.isalpha() for c in piece) >= _FEWEST_LETTERS]
    pieces = [piece for place, piece in enumerate(pieces) if not place or _INTERROGATIVE.search(piece)]
    if len(pieces) == 1 and not combination(question) and (same := _SAME_OF_TWO.fullmatch(pieces[0])):
        pieces = [f"{same['head']}{same['one']}", f"{same['head']}{same['other']}"]
    if len(pieces) < 2 or len(pieces) > MOST_PARTS:
        return (question.strip(),)
    return tuple(f"{topic}: {piece}" if topic else piece for piece in pieces)


def _topic(question: str) -> tuple[str, str]:
    """What a question is about, where it says it before: a topic with a colon, or a sentence that is no question; and
    the question."""
    rest = question.strip()
    while (greeting := _GREETING.match(rest)) and greeting.end() < len(rest):
        rest = rest[greeting.end() :]
    if match := _TOPIC.match(rest):
        return match[1].strip(), rest[match.end() :]
    begin = next((start for start, _ in split_sentences(rest)[1:]), 0)
    said = rest[:begin].strip()
    if said.endswith((".", "!")) and not _INTERROGATIVE.match(said) and _INTERROGATIVE.search(rest, begin):
        return said.rstrip(".!"), rest[begin:]
    return "", rest


def leans_on_another(part: str) -> bool:
    """Whether a part of a question only points to what it is about, which the answer to the part before tells: "what is
    his job?", "wie schwer ist es?"."""
    return is_follow_up(part) or bool(_POINTING.search(part))


_POINTING = re.compile(
    r"\b(?:this|that|the same) (?:person|man|woman|one)|\bdies\w* (?:person|mann|frau|gerät)"
    r"|\b(?:sein|(?-i:ihr))(?:e[mnrs]?)?\b"
    r"|\b(?:cette|cet|ce) \w+|\b(?:il|elle|ils|elles|lui|leur|son|sa|ses)\b"
    r"|\b(?:est[ea]|es[ea]) \w+|\b(?:él|ella|ellos|ellas|su|sus)\b",
    re.IGNORECASE,
)


def combination(question: str) -> Combination:
    """How a question asks to put two values together; "" where it does not."""
    if _OF_NO_AMOUNT.search(question):
        return ""
    if _DAYS.search(question):
        return "days"
    if _PRODUCT.search(question):
        return "product"
    if _DIFFERENCE.search(question):
        return "difference"
    return "sum" if _SUM.search(question) else ""


def factor_of(question: str) -> Factor | None:
    """The number of things whose price a question asks for ("what do three nights cost?"), None where it names none."""
    if not _ASKS_PRICE.search(question):
        return None
    text, values = find_values(question, detect_question_language(question, ("en", "de", "fr", "es")))
    for value in values:
        if value.kind != "amount" or len(value.readings) != 1:
            continue
        number = Decimal(next(iter(value.readings)))
        noun = _NOUN.search(value.text) or _NOUN.match(text, value.end)
        if 1 < number < LARGEST_FACTOR and noun is not None and not _ASKS_PRICE.match(noun[1]):  # "the Gannet 300 cost"
            return Factor(number, noun[1], value.unit)
    return None


LARGEST_FACTOR = 1_000
"""A larger number of a question is a year or a price."""
