"""Plain text: from bytes in any encoding to clean characters."""

from __future__ import annotations

import codecs
import re
import unicodedata

from workbench.base.errors import UserError
from workbench.reading.content import signature_of

SAMPLE_BYTES = 128 * 1024
"""Length of the sample from which an unknown encoding is guessed."""

LARGEST_CONTROL_SHARE = 0.005
LARGEST_BROKEN_SHARE = 0.001

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# the real encodings of pages that declare these (https://encoding.spec.whatwg.org/#names-and-labels)
_REALLY = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}

_LINE_ENDS = re.compile(r"\r\n?")
_UNWANTED = re.compile(r"[\x00\ud800-\udfff\ufeff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_EURO = re.compile(rb"(?<![A-Za-z\x80-\xff])\x80(?![A-Za-z\x80-\xff])")
"""The byte of "€" in the encodings of Windows; in others it is a letter, which seldom stands alone."""
_IN_WORD = re.compile(r"(?<=[^\W\d_])[^\x00-\x7f]|[^\x00-\x7f](?=[^\W\d_])")
_INNER_LETTER = re.compile(r"(?<=[^\W\d_])([^\x00-\x7f])(?=([^\W\d_]))")
_CONTROLS = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")


def clean(text: str) -> str:
    """The text with ``\\n`` line ends, without NULs, lone surrogates and byte order marks."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def decode_text(data: bytes, declared: str = "") -> str:
    """The characters of a text file; ``declared`` is the encoding that it declares.

    In this order: a byte order mark; UTF-8, which nothing else resembles; UTF-16 without a mark; the declared one; a
    guess from the frequency of byte pairs. Raises UserError when it is not text in any of them.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _checked(_decoded_whole(data[len(mark) :], encoding))
    meaning = signature_of(data)
    if meaning is not None and b"\x00" in data[:4096]:
        raise UserError(f"The file is not text but {meaning}.", "Rename it with the extension of its type.")
    wide = _wide_encoding(data)
    if wide:
        return _checked(_decoded_whole(data, wide))
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    if declared:
        try:
            return _checked(data.decode(_known_encoding(declared)))
        except UnicodeDecodeError:
            pass  # the declaration is wrong
    return _checked(_decoded_whole(data, "utf-8" if _is_mostly_utf8(data) else _guessed_encoding(data)))


def _known_encoding(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip()).name
    except LookupError:
        return "utf-8"
    return _REALLY.get(name, name)


def _wide_encoding(data: bytes) -> str:
    """UTF-16 without its mark: text of which one byte in two is mostly zero."""
    sample = data[: SAMPLE_BYTES & ~1]
    half = len(sample) // 2
    if half == 0:
        return ""
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.6 and even < 0.05:
        return "utf-16-le"
    if even > 0.6 and odd < 0.05:
        return "utf-16-be"
    return ""


def _is_mostly_utf8(data: bytes) -> bool:
    """UTF-8 with a few invalid bytes, or cut off: this much is not valid by chance."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    valid = sum(1 for _ in _NOT_ASCII.finditer(text)) - broken
    return valid > 2 * broken


def _guessed_encoding(data: bytes) -> str:
    import charset_normalizer

    sample = data[:SAMPLE_BYTES]
    if len(data) > SAMPLE_BYTES:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    matches = charset_normalizer.from_bytes(sample)
    matches.best()  # sorts them
    found = list(matches)
    if len(_EURO.findall(sample)) > sample.count(0x80) / 2:
        found = [match for match in found if "€" in str(match)] or found
    if not found:
        return "utf-8"  # mostly ASCII may still be read; other text is refused for its invalid bytes
    # of those that fit equally well the ones without capitals within words ("Süderau", not "SŘderau"), of these those
    # with the most letters in words ("Küste", not "K³ste"), and of these the one that is by far the most common
    fitting = [match for match in found if match.chaos <= found[0].chaos]
    fewest = min(map(_inner_capitals, fitting))
    fitting = [match for match in fitting if _inner_capitals(match) == fewest]
    most = max(map(_letters, fitting))
    best = next(match for match in fitting if _letters(match) == most)
    common = any("cp1252" in match.could_be_from_charset for match in fitting if _letters(match) == most)
    return "cp1252" if common else str(best.encoding)


def _letters(text: object) -> int:
    """The letters of a decoded text that are not ASCII, and stand beside another one: "Preis Ä" was "Preis €"."""
    found = (match.group() for match in _IN_WORD.finditer(str(text)))
    return sum(sign.isalpha() and unicodedata.category(sign) != "Lm" for sign in found)  # "Kˆln" was "Köln"


def _inner_capitals(text: object) -> int:
    """The letters that are not ASCII, and capital between a letter and a small one."""
    found = _INNER_LETTER.findall(str(text))
    return sum(letter.isupper() and after.islower() for letter, after in found)


def _decoded_whole(data: bytes, encoding: str) -> str:
    """The text, with a few invalid bytes replaced. Raises UserError when there are more than a few."""
    text = data.decode(encoding, errors="replace")
    broken = text.count("\ufffd")
    if broken > max(2, len(text) * LARGEST_BROKEN_SHARE):
        raise UserError(
            f"The file is not text: {broken:,} places are not valid {encoding.upper()}.", "Save it as UTF-8 text."
        )
    return text


def _checked(text: str) -> str:
    """The text, if it has few control characters. Raises UserError for binary data that happened to decode."""
    most = max(2, int(len(text) * LARGEST_CONTROL_SHARE))
    for count, _ in enumerate(_CONTROLS.finditer(text), 1):
        if count > most:
            raise UserError(
                "The file is not text: it contains binary data.", "Rename it with the extension of its type."
            )
    return text
