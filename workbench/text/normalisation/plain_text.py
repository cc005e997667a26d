"""A text without its layout: Markdown, marks of citations, numbers of lists; signs that are written in one way."""

from __future__ import annotations

import html
import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from workbench.text.normalisation.dates import MONTHS

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,20});")
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TO_SUPERSCRIPT = str.maketrans("0123456789-", f"{_SUPERSCRIPT}⁻")
_FROM_SUPERSCRIPT = {ord(sign): str(digit) for digit, sign in enumerate(_SUPERSCRIPT)} | {ord("⁻"): "-"}
_RAISED = re.compile(r"<sup>\s*\[?(-?\d{1,3})\]?\s*</sup>", re.IGNORECASE)
_EXPONENT = re.compile(rf"(?<![^\W_])([^\W\d_]{{1,2}}|[\d.,]{{0,20}}\d)(⁻?[{_SUPERSCRIPT}]+)")
_NOTE_NUMBER = re.compile(rf"(?<=\S)(?:[{_SUPERSCRIPT}]+|[①-⑳])")
_VULGAR = re.compile(r"(\d{1,9})?[ \u00a0\u202f]?([¼½¾⅐-⅞])")

_LATEX = (
    (re.compile(r"\\[dt]?frac\{(\d{1,9})\}\{(\d{1,9})\}"), r"\1/\2"),
    (re.compile(r"\\(?:boxed|text|mathrm|mathbf|mathit|textbf)\s?\{([^{}\n]*)\}"), r"\1"),
    (re.compile(r"\\\[(\d{1,3})\\\]"), r"[\1]"),
    (re.compile(r"\\(?:times|cdot)\b"), "×"),
    (re.compile(r"\\[()\[\]]"), " "),
    (re.compile(r"\\,"), "\u2009"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"(?<![\w$])\$(?![\s$])([^$\n]{1,200})(?<!\s)\$(?![\w$])"), r"\1"),
)
_MARKDOWN = (
    (re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)"), r"\1"),
    (re.compile(r"</?su[bp]>", re.IGNORECASE), ""),
    (re.compile(r"</?(?:a|b|br|code|del|div|em|h[1-6]|i|li|mark|ol|p|s|small|span|strong|table|td|th|tr|u|ul)"
                r"(?:\s[^<>\n]*)?/?>", re.IGNORECASE), " "),
    (re.compile(r"^[ \t]*(?:>[ \t]*)+(?![\d=.,])", re.MULTILINE), ""),
    (re.compile(r"~~"), " "),
    (re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*[-*+•‣◦▪·–—][ \t]+(?:\[[ xX]\][ \t]+)?", re.MULTILINE), ""),
    (re.compile(r"(?<=[^\W\d_])\*\*(?=[^\W\d_])"), ""),
    (re.compile(r"(?<![\w*])\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}(?![\w*])"), " "),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~$%&])"), r"\1"),
)  # fmt: skip
_NUMBERED = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n`]*$\n?", re.MULTILINE)
_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|``[^`\n]+``|`[^`\n]+`)", re.DOTALL)

_NAMED = "doc|document|source|passage|ref|page|pp?|quelle|dokument|seite|s|fuente|fonte|bron|来源|資料|出典"
_MARK = re.compile(
    rf"[\[【〔](?:\^|(?:{_NAMED})\.?\s?)?\d{{1,3}}(?:\s?[,;–-]\s?\d{{1,3}})*(?:[,†:]\s?[^\[\]【】\n]{{0,60}})?[\]】〕]"
    r"|\[citation needed\]",
    re.IGNORECASE,
)

_SAME = {
    **dict.fromkeys(map(ord, "’‘‛ʼʹ′´`＇"), "'"),
    **dict.fromkeys(map(ord, "‐‑‒–−﹣－"), "-"),
    **dict.fromkeys(map(ord, "—―⸺"), " - "),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), "\u202f"),
    ord("⁄"): "/",
    ord("·"): " ",
    ord("٬"): "'",
    ord("٫"): ".",
}
_VARIATIONS = range(0xFE00, 0xFE10)


@lru_cache(maxsize=1024)
def plain_text(text: str, *, keep_marks: bool = False) -> str:
    """The words of a text in NFKC, with one apostrophe, one hyphen and ASCII digits, without Markdown, list numbers and
    citation marks; ``keep_marks`` keeps those, for a text that is compared with one that has brackets itself."""
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text.replace("\r\n", "\n"))
    text = _VULGAR.sub(_fraction, _RAISED.sub(lambda raised: raised[1].translate(_TO_SUPERSCRIPT), text))
    text = _EXPONENT.sub(_exponent, text)
    if not keep_marks:
        text = _NOTE_NUMBER.sub("", text)
    text = _composed(text)
    parts = _CODE.split(text)
    text = "".join(_code(part) if place % 2 else _prose(part, keep_marks) for place, part in enumerate(parts))
    return text.translate(_SAME)


def is_mark(text: str) -> bool:
    """Whether a text is nothing but marks of citations."""
    return bool(text.strip()) and not _MARK.sub("", text).strip(" .,")


def _composed(text: str) -> str:
    """In NFKC, which makes no-break spaces spaces: those that group digits are kept. Without invisible signs."""
    text = re.sub(r"(?<=\d)[\u00a0\u2007\u2009\u202f](?=\d)", "\u2063", text)
    text = unicodedata.normalize("NFKC", text)
    signs = []
    for sign in text:
        if sign == "\u2063":
            signs.append("\u202f")
        elif sign.isascii():
            signs.append(sign)
        elif sign.isdecimal():
            signs.append(str(unicodedata.decimal(sign)))
        elif unicodedata.category(sign) != "Cf" and ord(sign) not in _VARIATIONS:
            signs.append(sign)
    return "".join(signs)


def _prose(text: str, keep_marks: bool) -> str:
    for pattern, by in _LATEX:
        text = pattern.sub(by, text)
    text = _MARKDOWN[0][0].sub(_MARKDOWN[0][1], text)
    if not keep_marks:
        text = _MARK.sub(" ", text)
    for pattern, by in _MARKDOWN[1:]:
        text = pattern.sub(by, text)
    return _without_list_numbers(text)


def _code(text: str) -> str:
    return _FENCE.sub("", text).replace("```", " ") if text.startswith(("```", "~~~")) else text.strip("`")


def _without_list_numbers(text: str) -> str:
    """A list counts from 1: what only looks like its number, as in "5. März" or "18. Jahrhundert", stays."""
    numbers = [int(found[1]) for found in _NUMBERED.finditer(text)]
    if not numbers or numbers != list(range(1, len(numbers) + 1)) or _is_date(text, numbers):
        return text
    return _NUMBERED.sub("", text)


def _is_date(text: str, numbers: list[int]) -> bool:
    found = _NUMBERED.search(text)
    word = re.match(r"[^\W\d_]+", text[found.end() :]) if found and len(numbers) == 1 else None
    return word is not None and word[0].casefold() in MONTHS


def _fraction(found: re.Match[str]) -> str:
    """1½ as 1.5, and ⅓, which has no end as a decimal number, as 1/3."""
    value = Fraction(unicodedata.numeric(found[2])).limit_denominator(10) + int(found[1] or 0)
    ends = value.denominator in (2, 4, 5, 8, 10)
    return f"{float(value):g}" if ends else f"{value.numerator}/{value.denominator}"


def _exponent(found: re.Match[str]) -> str:
    """10³ as 10^3 and m² as m^2."""
    return f"{found[1]}^{found[2].translate(_FROM_SUPERSCRIPT)}"
