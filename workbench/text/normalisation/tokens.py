"""The tokens of a plain text: words, numbers, signs, and the characters of scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from workbench.text.normalisation import dates, units
from workbench.text.normalisation.numbers import NUMBER, UNSPACED, shown, value_of
from workbench.text.normalisation.readings import Reading


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
