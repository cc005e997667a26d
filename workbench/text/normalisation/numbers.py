"""Numbers in the notations of several languages: grouped and decimal signs, signs of negative numbers, spelled words.

``1.234`` is a thousand and some in German, and one and some in English. A text says itself how it writes numbers, by
an unambiguous one (``1.234,50``) or by its language; where it does not, the text that it is compared with does, and
where neither does, both readings count, the same for both texts.
"""

from __future__ import annotations

import re
from decimal import Decimal

from workbench.text.numbers import with_digits

GROUPS = ".,'_ \u202f"
NUMBER = (
    rf"(?:[1-9]\d{{0,2}}(?:(?P<group>[{GROUPS}])\d{{3}})(?:(?P=group)\d{{3}})*(?:(?!(?P=group))[.,]\d+)?(?![\d])"
    r"|[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?(?!\d)|\d+[.,]\d+(?:[eE][-+]?\d{1,2}(?!\d))?|\d+(?:[eE][-+]?\d{1,2}(?!\d))?"
    r"|(?<!\w)[.,]\d+)"
)
"""A number without its sign. A space groups digits too: what follows such a number is looked at where it is read."""

_RAW = re.compile(rf"(?<![\w.,'])(?:{NUMBER})(?![\w]|[.,]\d)")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_HAN = re.compile("[\u4e00-\u9fff]")
UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u3099-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U000323af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
"""Characters of scripts that put no spaces between words, and of Korean, whose particles are written to the word."""
_UNSPACED = re.compile(f"[{UNSPACED}]")

_COMMON_WORDS = {
    "en": "the of is was were are and with by has have it its this that from at which there be for they can must",
    "de": "der die das ist und mit für von dem den des ein eine einen sind wurde beträgt nicht auf im zum zur bei es",
    "fr": "le la les des est et une un dans pour avec sur du au aux sont il elle ce qui c'est l d",
    "es": "el la los las es y una un con por del que en su al fue son tiene de hay",
    "it": "il lo la gli le è una un con della del che di nel sono ha dal al dell",
    "pt": "o os as é uma um com da do que em no na dos são tem foi de há",
    "nl": "het een de van en met op is zijn voor dat heeft er dit bij",
}
_LANGUAGES_OF = {
    word: tuple(language for language, words in _COMMON_WORDS.items() if word in words.split())
    for word in " ".join(_COMMON_WORDS.values()).split()
}
_WORD = re.compile(r"[^\W\d_]+(?:'est)?")

_BELOW_TWENTY = {
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve",
    "it": "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove",
    "pt": "um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete "
    "dezoito dezenove",
    "nl": "een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien "
    "achttien negentien",
}
"""The numbers from one of languages that ``workbench.text.numbers`` does not know."""
_TENS = {
    "fr": "vingt trente quarante cinquante soixante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
}
_IRREGULAR = {
    "fr": {"vingt et un": 21, "trente et un": 31, "quarante et un": 41, "cinquante et un": 51, "soixante et un": 61,
           "soixante et onze": 71, "quatre-vingts": 80, "septante": 70, "huitante": 80, "nonante": 90},
    "es": {"veintidós": 22, "veintitrés": 23, "veintiséis": 26, "veintiún": 21},
    "it": {"ventitré": 23, "trentatré": 33},
    "pt": {"duas": 2, "dezasseis": 16, "dezassete": 17, "dezanove": 19, "quatorze": 14},
    "nl": {},
}  # fmt: skip
_OTHER_MEANING = frozenset(["six", "once", "dix", "due", "tre", "sei", "sette", "neuf", "acht", "elf"])
"""Words that mean something else in another language, or another number: they count where the language is known."""


def _spelled(language: str) -> dict[str, int]:
    """The words of the numbers from two to ninety-nine. One alone is mostly an article or a pronoun."""
    units = _BELOW_TWENTY[language].split()
    found = {word: number for number, word in enumerate(units, 1) if number > 1}
    for number, ten in enumerate(_TENS[language].split(), 2):
        found[ten] = 10 * number
        for unit, word in enumerate(units[:9], 1):
            found[_compound(language, ten, word)] = 10 * number + unit
    if language == "fr":
        for start, ten in ((60, "soixante"), (80, "quatre-vingt")):
            found |= {f"{ten}-{word}": start + number for number, word in enumerate(units, 1)}
    return {**found, **_IRREGULAR[language]}


def _compound(language: str, ten: str, word: str) -> str:
    if language == "es":
        return f"veinti{word}" if ten == "veinte" else f"{ten} y {word}"
    if language == "it":
        return (ten[:-1] if word[0] in "uo" else ten) + word
    if language == "nl":
        return f"{word}{'ën' if word.endswith('e') else 'en'}{ten}"
    return f"{ten} e {word}" if language == "pt" else f"{ten}-{word}"


_SPELLED = {language: _spelled(language) for language in _BELOW_TWENTY}
_CERTAIN = {
    word: number
    for spelled in _SPELLED.values()
    for word, number in spelled.items()
    if word not in _OTHER_MEANING and all(other.get(word, number) == number for other in _SPELLED.values())
}
_PERCENT = re.compile("百分之([〇零一二两兩三四五六七八九十百]{1,7})")
_LETTERS = re.compile(r"[^\W\d_]+")
_PATTERNS = {
    language: re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, known), key=len, reverse=True))})\b", re.IGNORECASE)
    for language, known in {**_SPELLED, "": _CERTAIN}.items()
}
_FIRST_WORDS = {
    language: frozenset(_LETTERS.findall(word)[0] for word in known)
    for language, known in {**_SPELLED, "": _CERTAIN}.items()
}


def language_of(text: str) -> str:
    """The language whose common words are the most frequent; "" for none, or several that are."""
    counts = dict.fromkeys(_COMMON_WORDS, 0)
    for word in _WORD.findall(text.casefold().replace("’", "'")):
        for language in _LANGUAGES_OF.get(word, ()):
            counts[language] += 1
    most = max(counts.values())
    best = [language for language, count in counts.items() if count == most]
    return best[0] if most and len(best) == 1 else ""


def decimal_commas(text: str, language: str) -> bool | None:
    """Whether a plain text writes decimal numbers with a comma; None where it does not say."""
    weak: set[bool] = set()
    for found in _RAW.finditer(text):
        signs = [sign for sign in found[0] if sign in ".,"]
        if len(set(signs)) == 2:
            return signs[-1] == ","
        if len(signs) > 1:
            return signs[0] == "."
        if signs and not _AMBIGUOUS.fullmatch(found[0]):
            weak.add(signs[0] == ",")
    if language:
        return language != "en"
    if len(weak) == 1:
        return weak.pop()
    words = set(_WORD.findall(text.casefold()))
    known = {language for word in words for language in _LANGUAGES_OF.get(word, ())}
    if known and "en" not in known:
        return True  # it is not known which of them, but each of them writes a comma
    return False if _UNSPACED.search(text) else None


def is_ambiguous(text: str) -> bool:
    """Whether a plain text has a number that English and German read differently."""
    return any(_AMBIGUOUS.fullmatch(found[0]) for found in _RAW.finditer(text))


def value_of(raw: str, commas: bool) -> str:
    """A number in one form: 1234.5 for "1,234.50" and "1.234,50". One that begins with 0, as a code or a telephone
    number does, stays as it is."""
    body, _, exponent = raw.replace("E", "e").partition("e")
    signs = [sign for sign in body if not sign.isdigit()]
    if not signs and body.startswith("0") and len(body) > 1:
        return raw
    decimal = ""
    if len(set(signs)) > 1 or body[0] in ".,":
        decimal = signs[-1]
    elif len(signs) == 1 and signs[0] in ".,":
        grouped = _AMBIGUOUS.fullmatch(body) is not None and (signs[0] == ",") != commas
        decimal = "" if grouped else signs[0]
    whole, _, part = body.rpartition(decimal) if decimal else (body, "", "")
    digits = re.sub(r"\D", "", whole) or "0"
    text = f"{digits}.{part}" if decimal else digits
    return shown(Decimal(f"{text}e{exponent}" if exponent else text))


def shown(value: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    if not value:
        return "0"
    text = format(value, "f") if abs(value.adjusted()) < 100 else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_spelled_numbers(text: str, language: str) -> str:
    """The text with its spelled numbers in digits; where its ``language`` is not known, those that no other language
    writes alike."""
    if language in ("", "en", "nl"):
        text = with_digits(text, "en")
    if language in ("", "de"):
        text = with_digits(text, "de")
    if _HAN.search(text):
        text = _PERCENT.sub(lambda found: f"{with_digits(f'{found[1]}个', 'zh').removesuffix('个')}%", text)
        text = with_digits(text, "zh")
    pattern, known = _PATTERNS.get(language), _SPELLED.get(language, _CERTAIN)
    if pattern is None:
        return text
    begins = _FIRST_WORDS[language]
    found: list[str] = []
    end = 0
    for word in _LETTERS.finditer(text):
        if word.start() >= end and word[0].casefold() in begins and (spelled := pattern.match(text, word.start())):
            found += [text[end : word.start()], str(known[spelled[0].casefold()])]
            end = spelled.end()
    return "".join([*found, text[end:]])
