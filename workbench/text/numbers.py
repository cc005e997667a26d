"""Numbers written as words, as the same numbers in digits, in English, German and Chinese, below a million.

A lone "one" stays as it is, since it is mostly a pronoun or an article ("ein", "一"); in Chinese ``counted_once`` tells
what it counts. So do Chinese numerals of one character that no measure word follows: they are often a part of another
word.
"""

from __future__ import annotations

import re

_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
}
_BELOW_TWENTY = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn",
}
SIMPLE = {
    language: {
        **{word: number for number, word in enumerate(words.split())},
        **{word: 20 + 10 * number for number, word in enumerate(_TENS[language].split())},
    }
    for language, words in _BELOW_TWENTY.items()
}
"""Language -> the words of the numbers up to twenty and of the tens."""

_POWERS = {"en": (("thousand", 1000), ("hundred", 100)), "de": (("tausend", 1000), ("hundert", 100))}
_POWERS_ZH = (("千", 1000), ("百", 100), ("十", 10))
_DIGITS_ZH = {**{digit: number for number, digit in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "兩": 2}

_WORD_EN = "(?:" + "|".join(sorted([*SIMPLE["en"], "hundred", "thousand"], key=len, reverse=True)) + ")"
_SPELLED = {
    "en": re.compile(rf"\b{_WORD_EN}(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and ){_WORD_EN})*\b", re.IGNORECASE),
    "de": re.compile(r"\b[a-zäöüß]{3,}\b", re.IGNORECASE),
    "zh": re.compile("[〇零一二两兩三四五六七八九十百千]+(?!分之|分(?!钟))"),
}
_MEASURE_ZH = re.compile(
    "[个個年月日天周週星小名位次元块塊美欧歐英公米里斤吨噸度岁歲倍万萬亿億種种层層座条條届屆支队隊場场]|分[钟鐘]"
)
_PERCENT_ZH = re.compile(r"百分之(\S*?\d)(?![\d.])")
_ONE_ZH = re.compile(r"(?:一|(?<!\d)1)[个個]?([公英美欧歐平立小千百]?[^\W\d_])")


def with_digits(text: str, language: str) -> str:
    """The text with its spelled numbers in digits: "twelve months" as "12 months". Unchanged in other languages."""
    pattern = _SPELLED.get(language)
    if pattern is None:
        return text
    found = pattern.sub(lambda match: _in_digits(match, language), text)
    return _PERCENT_ZH.sub(r"\1%", found) if language == "zh" else found


def counted_once(text: str) -> list[str]:
    """The measures of which a Chinese text says that there is one: "年" of "一年", "1年"."""
    return _ONE_ZH.findall(text)


def _in_digits(match: re.Match[str], language: str) -> str:
    spelled = match.group()
    if language == "zh":
        return _in_digits_zh(match)
    value = _value(spelled.lower(), language)
    if value is not None:
        return spelled if value == 1 else str(value)
    if language == "de":
        return spelled
    century, _, rest = (_value(part, "en") if part else None for part in spelled.lower().partition(" "))
    if century is not None and rest is not None and 10 < century <= 20 and 10 <= rest < 100:
        return f"{century}{rest}"  # a year
    return re.sub("[a-z]+(?:-[a-z]+)?", lambda word: _word_in_digits(word.group()), spelled, flags=re.IGNORECASE)


def _word_in_digits(word: str) -> str:
    value = _value(word.lower(), "en")
    return word if value in (None, 1) else str(value)


def _value(spelled: str, language: str) -> int | None:
    """The number that is spelled, None when it is none."""
    for word, power in _POWERS[language]:
        before, found, after = spelled.partition(word)
        if found:
            least = _value(_joined(before), language) if _joined(before) else 1
            more = _value(_joined(after), language) if _joined(after) else 0
            return None if least is None or more is None or more >= power or least >= 1000 else least * power + more
    simple = SIMPLE[language]
    if language == "de":
        spelled = "ein" if spelled == "eins" else spelled.replace("dreissig", "dreißig")
        unit, found, ten = spelled.partition("und")
    else:
        ten, found, unit = spelled.replace(" ", "-").partition("-")
    if not found:
        return simple.get(spelled)
    both = simple.get(unit, 0), simple.get(ten, 0)
    return sum(both) if 0 < both[0] < 10 and both[1] >= 20 else None


def _joined(part: str) -> str:
    """A part of a number without what joins it to the rest: " and ", "und", spaces and hyphens."""
    return re.sub(r"^(?:and\b|und)", "", part.strip(" -")).strip(" -")


def _in_digits_zh(match: re.Match[str]) -> str:
    spelled = match.group()
    if len(spelled) == 1:
        measured = spelled not in "一零〇" and _MEASURE_ZH.match(match.string, match.end())
        return str(_value_zh(spelled)) if measured else spelled
    if not any(power in spelled for power, _ in _POWERS_ZH):  # digit by digit, as in years
        return "".join(str(_DIGITS_ZH[digit]) for digit in spelled) if len(spelled) > 2 else spelled
    value = _value_zh(spelled)
    return spelled if value is None else str(value)


def _value_zh(spelled: str) -> int | None:
    for word, power in _POWERS_ZH:
        before, found, after = spelled.partition(word)
        if found:
            least = _value_zh(before) if before else 1
            more = _value_zh(after.lstrip("零〇")) if after.lstrip("零〇") else 0
            return None if least is None or more is None or more >= power or least >= 10 else least * power + more
    return _DIGITS_ZH.get(spelled)
