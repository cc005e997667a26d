"""A text as the words that are compared: casefolded, without punctuation, with numbers, dates and units in one form.

What a text does not say itself (whether 1.234 is a thousand, whether 03/05/2026 is in March, whether "e-mail" is one
word) is a ``Reading``. Two texts are compared under each reading that both allow.

The tokens of a plain text: words, numbers, signs, and the characters of scripts without spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from workbench.text.normalisation import dates, units
from workbench.text.normalisation.numbers import NUMBER, UNSPACED, shown, value_of, with_spelled_numbers
from workbench.text.normalisation.plain_text import plain_text
from workbench.text.normalisation.readings import Reading

ARTICLES = frozenset(("a", "an", "the"))
_COMPARING = frozenset("<>≤≥±~")
_NEGATING = frozenset(["non", "un", "anti", "in", "dis", "ex", "nicht", "sub", "semi"])
_AND = frozenset(("and", "und", "et", "y", "&"))
_MINUS = frozenset(["minus", "moins", "menos", "meno", "negative"])
_ONE = frozenset(
    ["one", "ein", "eine", "einen", "einem", "einer", "un", "une", "uno", "una", "um", "uma", "een", "één"]
)
_ONE_POWER = _ONE | {"a", "an"}
_TIMES = frozenset(("x", "×"))
_JOINED_KINDS = (("word", "word"), ("word", "number"), ("number", "word"))
_CODE_TOKEN = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=2048)
def words_of(text: str, reading: Reading) -> tuple[str, ...]:
    """The words of a text under a reading; of a script without spaces each character is one. A text of signs alone is
    one word."""
    plain = plain_text(text, keep_marks=reading.marks)
    if reading.code:
        found = _code_words(plain)
    else:
        tokens = _with_numbers(plain, reading)
        if reading.dates:
            tokens = _with_dates(tokens)
        found = _finished(_joined(_with_units(tokens), reading.joined))
    return found or tuple(text.casefold().split())


def numbers_of(text: str, reading: Reading) -> tuple[str, ...]:
    """The numbers of a text in their order, as 1234.5, -5 or 4/3."""
    plain = plain_text(text, keep_marks=reading.marks)
    return tuple(token.text for token in _with_numbers(plain, reading) if token.kind == "number")


def without_articles(words: Sequence[str]) -> tuple[str, ...]:
    """Without English articles, as SQuAD compares; a text that consists of such alone stays."""
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)


# -- parts ---------------------------------------------------------------------------------------------


def _code_words(plain: str) -> tuple[str, ...]:
    found = [token.casefold() for token in _CODE_TOKEN.findall(re.sub("[“”„\"'«»]", '"', plain))]
    while len(found) > 1 and found[-1] in (".", "!", "?", ":") and found[-2] not in ("?", ":", "."):
        found.pop()
    return tuple(found)


def _with_numbers(plain: str, reading: Reading) -> list[Token]:
    tokens = scanned(with_spelled_numbers(plain, reading.language), reading)
    return _with_negatives(_with_magnitudes(tokens, reading.language))


def _with_negatives(tokens: Sequence[Token]) -> list[Token]:
    """Without "minus" and its like before a number that follows no number."""
    found: list[Token] = []
    for place, token in enumerate(tokens):
        before = found[-1] if found else None
        if token.kind == "number" and before and before.kind == "word" and before.text.casefold() in _MINUS:
            earlier = tokens[place - 2].kind if place > 1 else ""
            if earlier != "number" and not token.text.startswith("-"):
                found.pop()
                token = token._replace(text=f"-{token.text}")
        found.append(token)
    return found


def _with_magnitudes(tokens: Sequence[Token], language: str) -> list[Token]:
    """3 million as 3000000, 3万5千 as 35000."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token.text.casefold() in _ONE_POWER and _factor(tokens, place, language)[0] >= 1000:
            token = Token("number", "1")
        if token.kind == "number":
            factor, place = _factor(tokens, place, language)
            if factor > 1 and _is_decimal(token.text):
                token = token._replace(text=shown(Decimal(token.text) * factor))
                before = found[-1] if found else None
                grown = Decimal(token.text)
                if before and before.kind == "myriad" and 0 < grown < 10_000 <= Decimal(before.text):
                    found.pop()
                    token = token._replace(text=shown(Decimal(before.text) + grown))
                token = token._replace(kind="myriad" if tokens[place - 1].kind == "character" else "number")
        found.append(token)
    return [one._replace(kind="number") if one.kind == "myriad" else one for one in found]


def _factor(tokens: Sequence[Token], place: int, language: str) -> tuple[int, int]:
    factor = 1
    while True:
        for length in (units.LONGEST_MAGNITUDE, 1):
            spelling = tuple(token.text.casefold() for token in tokens[place : place + length])
            power = units.LONG_SCALE.get(spelling) if language in ("de", "fr", "nl", "es", "it") else None
            power = power or units.MAGNITUDES.get(spelling)
            if power and len(spelling) == length:
                factor, place = factor * power, place + length
                break
        else:
            return factor, place


def _is_decimal(text: str) -> bool:
    return "/" not in text and "e" not in text.casefold()


def _with_dates(tokens: Sequence[Token]) -> list[Token]:
    """Day, month and year in this order where the month is a name."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        month = dates.MONTHS.get(tokens[place].text.casefold(), 0) if tokens[place].kind == "word" else 0
        alone = len(tokens) == 1
        if month:
            day, back = _day_before(found)
            year, ahead = _year_after(tokens, place + 1)
            if not day and not (year and ahead == place + 2):
                day, ahead_of_day = _day_after(tokens, place + 1)
                if day:
                    year, ahead = _year_after(tokens, ahead_of_day)
                    ahead = ahead if year else ahead_of_day
            if day or year or alone:
                del found[len(found) - back :]
                found += [Token("done", part) for part in dates.date_words(day, month, year)]
                place = ahead if year or (day and ahead > place + 1) else place + 1
                continue
        found.append(tokens[place])
        place += 1
    return found


def _day_before(tokens: Sequence[Token]) -> tuple[int, int]:
    """The day at the end of the tokens, and how many of them it takes; 0 for none."""
    back = 0
    while back < 2 and len(tokens) > back and tokens[-1 - back].text.casefold() in dates.LINKS:
        back += 1
    day = _day_of(tokens[-1 - back]) if len(tokens) > back else 0
    return (day, back + 1) if day else (0, 0)


def _day_after(tokens: Sequence[Token], place: int) -> tuple[int, int]:
    while place < len(tokens) and tokens[place].text.casefold() == "the":
        place += 1
    day = _day_of(tokens[place]) if place < len(tokens) else 0
    return day, place + 1


def _day_of(token: Token) -> int:
    ordinal = dates.ORDINAL.fullmatch(token.text.casefold()) if token.kind == "word" else None
    text = ordinal[1] if ordinal else token.text if token.kind == "number" else ""
    return int(text) if re.fullmatch(r"0?[1-9]|[12]\d|3[01]", text) else 0


def _year_after(tokens: Sequence[Token], place: int) -> tuple[int, int]:
    """The year from a place on, behind at most one link, and the place after it; 0 for none."""
    if place < len(tokens) and tokens[place].text.casefold() in dates.LINKS:
        place += 1
    if place < len(tokens) and tokens[place].kind == "number" and re.fullmatch(r"[12]\d{3}", tokens[place].text):
        return int(tokens[place].text), place + 1
    return 0, place


def _with_units(tokens: Sequence[Token]) -> list[Token]:
    """Units after a number in one spelling, those of money too, which may stand before it."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if following and following.kind == "number" and token.text.casefold() in units.CURRENCY_BEFORE:
            [unit] = {units.UNITS[(token.text.casefold(),)]}
            if found and token.text == "$" and found[-1].text.casefold() == "us":
                found.pop()
            place += 2
            unit, place = _rate(tokens, place, unit)
            found += [following, Token("done", unit)]
            continue
        place += 1
        is_one = token.kind == "word" and token.text.casefold() in _ONE
        if token.kind == "number" or is_one:
            start = place
            if (
                start < len(tokens) - 1
                and token.kind == "number"
                and tokens[start].text.casefold() in ("de", "di", "d")
            ):
                start += 1  # "3 millones de euros"
            unit, after = _unit(tokens, start)
            if unit and not (is_one and len(tokens[place].text) < 2):
                unit, place = _rate(tokens, after, unit)
                found += [Token("number", "1") if is_one else token, Token("done", unit)]
                continue
        found.append(token)
    return found


def _unit(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """The unit that is spelled from a place on, and the place after it; "" for none."""
    if place >= len(tokens) or tokens[place].text.casefold() not in units.FIRST_OF_UNITS:
        return "", place
    for length in range(min(units.LONGEST_UNIT, len(tokens) - place), 0, -1):
        said = tuple(token.text for token in tokens[place : place + length])
        unit = units.UNITS.get(said) or units.UNITS.get(tuple(text.casefold() for text in said))
        if unit:
            return unit, place + length
    return "", place


def _rate(tokens: Sequence[Token], place: int, unit: str) -> tuple[str, int]:
    """``unit`` with one that it is divided by, where such follows."""
    for per in units.PER:
        said = tuple(token.text.casefold() for token in tokens[place : place + len(per)])
        if said == per:
            below, after = _unit(tokens, place + len(per))
            if below:
                return f"{unit}/{below}", after
    return unit, place


def _joined(tokens: Sequence[Token], joined: bool) -> list[Token]:
    """Parts with a hyphen between them as one word, where they are read so, and always after a part that negates."""
    found: list[Token] = []
    for token in tokens:
        before = found[-1] if found else None
        if (
            token.glued
            and before
            and (before.kind, token.kind) in _JOINED_KINDS
            and (joined or before.text.casefold() in _NEGATING)
        ):
            found[-1] = Token("word", before.text + token.text, before.glued)
            continue
        found.append(token)
    return found


def _finished(tokens: Sequence[Token]) -> tuple[str, ...]:
    found: list[str] = []
    for place, token in enumerate(tokens):
        before = tokens[place - 1].kind if place else ""
        after = tokens[place + 1].kind if place + 1 < len(tokens) else ""
        if token.text in _TIMES and before == after == "number":
            found.append("×")
            continue
        if token.kind == "sign" and token.text not in "%‰€$£¥₩₹":
            if token.text == "&":
                found.append("&")
            elif token.text == "^" and before == after == "number":
                found.append(token.text)
            elif token.text == "+" and before == "number" and after != "number":
                found.append("+")
            elif token.text in _COMPARING and after == "number":
                found.append(token.text)
            continue
        word = token.text if token.kind == "done" else unicodedata.normalize("NFKC", token.text.casefold())
        found.append("&" if word in _AND else word)
    return tuple(found)


class Token(NamedTuple):
    """``kind``: number, word, character (of a script without spaces), sign; "done" is in its last form. ``glued``: only
    a hyphen or an underscore is between it and the token before it."""

    kind: str
    text: str
    glued: bool = False


_MARKS = "".join(chr(c) for c in range(0x300, 0x3100) if unicodedata.category(chr(c)).startswith("M"))
_LETTER = rf"(?:[^\W\d_{UNSPACED}]|[{_MARKS}])"
_ALNUM = rf"(?:[^\W_{UNSPACED}]|[{_MARKS}])"
_CURRENCY_CODES = "|".join(sorted(code for code in units.CURRENCY_BEFORE if re.fullmatch("[a-z]{3}", code)))
_SCAN = re.compile(
    r"(?P<space>\s+)"
    rf"|(?P<acronym>(?<!{_ALNUM})(?:{_LETTER}\.){{2,}}{_LETTER}?(?!{_ALNUM}))"
    rf"|(?P<marked>(?<!{_ALNUM})[A-Za-z]{{1,2}}(?:\+\+|[+#])(?![\w+#]))"
    rf"|(?P<code>(?<!{_ALNUM})(?i:{_CURRENCY_CODES})(?=\d))"
    rf"|(?P<version>{_LETTER}{_ALNUM}*(?<=\d)(?:\.\d+)+(?!\w))"
    rf"|(?P<word>{_LETTER}{_ALNUM}*(?:'{_ALNUM}+)*)"
    rf"|(?P<character>[{UNSPACED}])"
    rf"|(?P<date>(?:(?<![\w.,/-])|(?<=[{UNSPACED}])(?=\d{{1,4}}\s?[年년月월]))(?:{dates.NUMERIC})(?:(?=T\d)T)?)"
    rf"|(?P<time>(?:(?<![\w.,:/-])|(?<=[{UNSPACED}]))(?:{dates.TIME}))"
    r"|(?P<dotted>(?<![\w.,])\d+(?:\.\d+){2,}(?!\w))"
    r"|(?P<minus>(?<![\w)\]%°'\"”])-(?=[€$£¥]?\s?[.,]?\d))"
    r"|(?P<fraction>(?<![\w.,/])(?:(?P<whole>[1-9]\d{0,2})[ -])?(?P<above>[1-9]\d{0,2})/(?P<below>[1-9]\d{0,2})"
    r"(?![\w/]|[.,]\d))"
    rf"|(?P<number>(?:{NUMBER})(?:(?={_LETTER})(?=(?:{units.ATTACHED})(?!{_ALNUM}))|(?!{_LETTER})))"
    rf"|(?P<digits>{_ALNUM}+(?:'{_ALNUM}+)*)"
    r"|(?P<joiner>(?<=[^\W])[-_](?=[^\W]))"
    r"|(?P<sign>.)",
    re.DOTALL,
)
"""One token each. ``code`` is a currency that is written to its amount. ``version``: a letter directly before a number
with points, as in v2.10, makes it a name, which ends in zeros that count. ``dotted`` is a number of thousands, or else
a version or an address; ``digits`` is a word that begins with digits, as "18th" does."""
_DOTTED = re.compile(r"\d+(?:\.\d+){2,}(?!\w)")
_NUMERIC, _GROUPED = re.compile(dates.NUMERIC), re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_KEPT_SIGNS = frozenset("%‰°€$£¥₩₹/^+<>≤≥±×&~")
_ELISIONS = frozenset(
    [
        "l",
        "d",
        "j",
        "m",
        "n",
        "s",
        "t",
        "c",
        "qu",
        "jusqu",
        "lorsqu",
        "puisqu",
        "dell",
        "nell",
        "all",
        "sull",
        "dall",
        "un",
        "quest",
        "quell",
        "bell",
        "sant",
        "gl",
    ]
)
_ENGLISH_ENDINGS = frozenset(["t", "s", "d", "m", "re", "ve", "ll"])


def scanned(plain: str, reading: Reading) -> list[Token]:
    """The tokens of a text that ``plain_text`` has made. Signs that say nothing are left out."""
    return _Scanner(plain, reading).tokens


class _Scanner:
    def __init__(self, plain: str, reading: Reading) -> None:
        self.tokens: list[Token] = []
        self._plain, self._reading = _CELSIUS.sub(r"\1°C", plain), reading
        self._glued = self._negative = False
        place = 0
        while place < len(self._plain):
            found = _SCAN.match(self._plain, place)
            assert found is not None  # every character is a sign at least
            place = self._take(found)

    def _take(self, found: re.Match[str]) -> int:
        """Take what a match is, and return the place after it."""
        text, kind = found[0], found.lastgroup or ""  # of groups within each other the outer one
        if kind in ("date", "time"):
            return self._take_moment(found, kind)
        if kind in ("word", "digits"):
            for part in _word_parts(text):
                self._add("word", part)
        elif kind == "code":
            self._add("word", text)
        elif kind == "character":
            self._add("character", text)
        elif kind == "number" or (kind == "dotted" and _GROUPED.fullmatch(text)):
            if " " in text and re.match(r"[ ]\d", self._plain[found.end() : found.end() + 2]):
                text = text.split(" ")[0]  # further groups, of another length: the spaces separate numbers
            self._add("number", value_of(text, self._reading.commas))
            return found.start() + len(text)
        elif kind == "fraction":
            self._add("number", _quotient(found))
        elif kind == "acronym":
            self._add("word", text.replace(".", ""))
        elif kind in ("dotted", "marked", "version"):
            self._add("done", text.casefold())
        elif kind == "minus":
            self._negative = True
        elif kind == "joiner":
            self._glued = True
        elif kind == "sign":
            self._take_sign(text)
        return found.end()

    def _take_moment(self, found: re.Match[str], kind: str) -> int:
        """A date or a time; where it is none, its first number."""
        if kind == "time":
            parts: tuple[str, ...] = tuple(filter(None, (dates.time_word(found),)))
        else:
            date = _NUMERIC.match(self._plain, found.start())
            parts = dates.parts_of(date, self._reading.dates) if date and self._reading.dates else ()
        for part in parts:
            self._add("done", part)
        if parts:
            return found.end()
        if dotted := _DOTTED.match(self._plain, found.start()):
            self._add("done", dotted[0])
            return dotted.end()
        digits = re.split(r"\D", found[0], maxsplit=1)[0]
        self._add("number", digits)
        return found.start() + len(digits)

    def _take_sign(self, text: str) -> None:
        if text in _KEPT_SIGNS:
            self.tokens.append(Token("sign", text))
        elif unicodedata.category(text)[0] not in "PSCM":
            self._add("word", text)
        if text not in "€$£¥₩₹":  # -€5 is negative
            self._negative = False

    def _add(self, kind: str, text: str) -> None:
        negative = self._negative and kind == "number"
        self.tokens.append(Token(kind, f"-{text}" if negative else text, self._glued))
        self._glued = self._negative = False


_CELSIUS = re.compile(r"(?:摄氏|攝氏|摂氏)([\d.,]{1,20})度")


def _quotient(found: re.Match[str]) -> str:
    """1/2 as 0.5 and 1 1/2 as 1.5; a quotient without an end stays one."""
    above, below = int(found["above"]), int(found["below"])
    above += int(found["whole"] or 0) * below
    value = Decimal(above) / Decimal(below)
    return shown(value) if value * below == above and len(str(value)) < 12 else f"{above}/{below}"


def _word_parts(word: str) -> list[str]:
    """ "dell'Italia" as two words, "don't" as one."""
    first, apostrophe, rest = word.partition("'")
    if apostrophe and first.casefold() in _ELISIONS and rest.casefold() not in _ENGLISH_ENDINGS:
        return [first, *_word_parts(rest)]
    return [word.replace("'", "")]
