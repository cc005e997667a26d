"""Names in a text: people, organisations, places, codes, and names whose kind the text does not tell.

There is no list of names and no model. What shows that something is a name:

- a code has letters and digits, or capitals with a hyphen or stroke ("KA-77120", "O25-148");
- a title, a form of address or a company's suffix stands beside it ("Frau Kolbe", "Lamotte GmbH");
- several capitalised words stand together, within a sentence ("Bastian Krug", "Head of the Osse");
- one capitalised word stands within a sentence where only names are capitalised, and nowhere in lower case. Where all
  nouns are (German), such a word counts when it is a part of a name that the text tells otherwise ("Krug").

A word that only begins a sentence, a heading or a cell of a table is no evidence. A last name that belongs to one
person of the text is that person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import resources

from msgspec import Struct

from workbench.records.documents import NameKind
from workbench.text.language import function_words

LONGEST_TEXT = 2_000_000
"""Characters of a text that are read for names."""

MOST_NAMES = 2_000
"""Different names of one text: the most frequent are kept."""

_LONGEST_WORDS = 6
_SHORTEST = 3
_NOUNS_CAPITALISED = frozenset({"de", "lb"})

_WORD = r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_TOKEN = re.compile(
    rf"(?P<code>\b(?=[A-Z\d./-]*\d)(?=[A-Za-z\d./-]*[A-Z])[A-Z\d][A-Za-z\d]*(?:[./-][A-Z\d][A-Za-z\d]*)*\b)"
    rf"|(?P<word>{_WORD})|(?P<mark>[.](?=\s)|[^\s\w])|(?P<line>\n+)|(?P<number>\d[\d.,:/-]*)"
)
_ORGANISATION_WORDS = re.compile(
    r"(?:verein|verband|bank|versicherung|genossenschaft|stiftung|schule|universität|gesellschaft|gericht|amt|werke|"
    r"club|klub|company|association|society|university|school|insurance|council|institute|bank|trust|college|ministry|"
    r"associés|compagnie|société|mairie|banco|asociación|sociedad|universidad|ayuntamiento|compañía)$",
    re.IGNORECASE,
)
_PLACE_WORDS = re.compile(
    r"(?:straße|strasse|gasse|weg|platz|allee|ufer|damm|street|road|avenue|lane|square|bridge|island|river|lake|valley|"
    r"rue|avenue|boulevard|calle|plaza|avenida)$",
    re.IGNORECASE,
)


@cache
def _words() -> dict[str, frozenset[str]]:
    """The lists of ``name_words.txt`` by their names."""
    source = resources.files(__package__).joinpath("name_words.txt").read_text("utf-8")
    lists = (paragraph.partition(":") for paragraph in re.split(r"\n\s*\n", source) if not paragraph.startswith("#"))
    return {name.strip(): frozenset(words.split()) for name, _, words in lists}


class NameSpan(Struct, frozen=True):
    """A mention: ``text[start:end]`` tells of the name with this ``key``. ``shown``: the name as it is shown.
    ``sure``: this text shows that it is a name; else it is one if another text of the same collection shows it."""

    start: int
    end: int
    key: str
    shown: str
    kind: NameKind
    sure: bool = True


class _Token(Struct):
    kind: str
    text: str
    start: int
    end: int
    begins: bool  # a sentence, a line or a cell


class _Candidate(Struct):
    words: tuple[str, ...]
    starts: tuple[int, ...]
    end: int
    begins: bool
    kind: NameKind = "name"
    sure: bool = False
    determined: bool = False
    placed: bool = False

    @property
    def key(self) -> str:
        return name_key(" ".join(self.words))


def name_key(text: str) -> str:
    """A name in the form in which two are the same: without titles, case, the possessive ending and white space."""
    words = [word for word in re.split(r"\s+", unicodedata.normalize("NFKC", text).strip(" .,;:()\"'“”„’")) if word]
    while len(words) > 1 and words[0].rstrip(".").casefold() in _words()["titles"]:
        words = words[1:]
    return re.sub(r"(?<=\w)['’]s?$", "", " ".join(words)).casefold()


def find_names(text: str, language: str) -> tuple[NameSpan, ...]:
    """The mentions of names in a text of a language (ISO 639-1, "" where it is not known), in their order."""
    tokens = _tokens(text[:LONGEST_TEXT])
    lower = Counter(token.text for token in tokens if token.kind == "word" and token.text.islower())
    candidates = _segmented(_candidates(tokens, language))
    table = not language and not _is_prose(tokens)
    return tuple(_resolved(candidates, *_accepted(candidates, lower, language in _NOUNS_CAPITALISED, table)))


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    begins = True
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        begins = begins or (bool(tokens) and match.start() - tokens[-1].end > 1)  # a column of a table
        token = _Token(kind, match.group(), match.start(), match.end(), begins)
        tokens.append(token)
        if kind in ("word", "code") or (kind == "number" and not begins):
            begins = False
        elif kind == "line" or token.text in "!?:;|•*–—=<>":
            begins = True
        elif token.text == ".":
            before = tokens[-2] if len(tokens) > 1 else None
            short = before is not None and (before.text.casefold() in _words()["abbreviated"] or len(before.text) == 1)
            begins = not short
    return tokens


def _candidates(tokens: list[_Token], language: str) -> list[_Candidate]:
    """Runs of capitalised words, joined by small words between them, and codes."""
    passed_over = function_words().get(language, frozenset()) | function_words()["en"]
    joining = _words()["and" if language in _NOUNS_CAPITALISED else "joining"]  # "Antrag von Bastian Krug"
    found: list[_Candidate] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind == "code":
            if _is_code(token.text):
                found.append(_Candidate((token.text,), (token.start,), token.end, False, "code", True))
            place += 1
            continue
        if not _is_capitalised(token):
            place += 1
            continue
        run, after = _run(tokens, place, joining)
        following = tokens[after] if after < len(tokens) else None
        found += _from_run(run, tokens[place - 1] if place else None, following, passed_over)
        place = after
    return found


def _run(tokens: list[_Token], place: int, joining: frozenset[str]) -> tuple[list[_Token], int]:
    """The capitalised words from ``place`` on that stand together, and the place after them."""
    run, after = [tokens[place]], place + 1
    while after < len(tokens) and len(run) < 2 * _LONGEST_WORDS:
        token = tokens[after]
        follows = after + 1 < len(tokens)
        if _is_capitalised(token) and not token.begins:
            run.append(token)
        elif token.text == "." and follows and _is_short(run[-1].text) and _is_capitalised(tokens[after + 1]):
            after += 1
            continue
        elif token.text.casefold() in joining and _joins(tokens, after, joining):
            run.append(token)
        else:
            break
        after += 1
    while run[-1].text.casefold() in _words()["joining"] and run[-1].text.islower():
        run.pop()
    return run, max(after, place + 1)


def _joins(tokens: list[_Token], place: int, joining: frozenset[str]) -> bool:
    """Whether a small word leads to another capitalised one, at most one more between them."""
    following = tokens[place + 1 : place + 3]
    if following and _is_capitalised(following[0]):
        return True
    return len(following) == 2 and following[0].text.casefold() in joining and _is_capitalised(following[1])


def _is_capitalised(token: _Token) -> bool:
    return token.kind == "word" and token.text[0].isupper() and not re.fullmatch(r"[IVX]+", token.text)


def _is_short(word: str) -> bool:
    return len(word) == 1 or word.casefold() in _words()["abbreviated"]


def _is_code(text: str) -> bool:
    """Letters and digits of some length, no quantity ("20KG", "3D") and no date."""
    letters = sum(c.isalpha() for c in text)
    digits = sum(c.isdigit() for c in text)
    if len(text) < 4 or digits < 2 or not letters or len(text) > 40:
        return False
    return not re.fullmatch(r"[\d.,/-]+[A-Za-z]{1,3}|[QHT]\d[./-]?\d{2,4}|\d{4}-\d{2}-\d{2}T?[\d:]*", text)


def _from_run(
    run: list[_Token], before: _Token | None, after: _Token | None, passed_over: frozenset[str]
) -> Iterator[_Candidate]:
    """The names in a run: cut at titles and at words that are none, and at "and" where it joins no name of a firm."""
    part: list[_Token] = []
    company = any(token.text in _words()["companies"] for token in run[1:])
    for place, token in enumerate(run):
        low = token.text.casefold()
        cuts = (
            low in _words()["titles"]
            or low in _words()["firms"]
            or bool({low, low.removesuffix("s")} & _words()["calendar"])
        )
        cuts = cuts or (low in passed_over and token.text[0].isupper()) or (low in _words()["and"] and not company)
        cuts = cuts or (len(token.text) == 1 and not part and run[place + 1 : place + 2] == [])
        if cuts:
            yield from _candidate(part, before, token, company)
            part, before = [], token
        else:
            part.append(token)
    yield from _candidate(part, before, after, company)


def _candidate(part: list[_Token], before: _Token | None, after: _Token | None, company: bool) -> Iterator[_Candidate]:
    while part and (part[0].text.casefold() in _words()["joining"] or part[0].text.islower()):
        before, part = part[0], part[1:]
    while part and part[-1].text.islower():
        part = part[:-1]
    if not part or sum(token.text[0].isupper() for token in part) > _LONGEST_WORDS:
        return
    words = tuple(token.text for token in part)
    preceding = before.text.casefold() if before is not None else ""
    firm = company or preceding in _words()["firms"]
    written = after is not None and after.text == "<"  # Anna Kolbe <anna@...>
    kind: NameKind = "name"
    if preceding in _words()["titles"] or (written and len(words) > 1):
        kind = "person"
    elif firm or any(_ORGANISATION_WORDS.search(word) for word in words if word[0].isupper()):
        kind = "organisation"
    elif any(_PLACE_WORDS.search(word) for word in words):
        kind = "place"
    sure = kind == "person" or (firm and (len(words) > 1 or not company))
    yield _Candidate(
        words,
        tuple(token.start for token in part),
        part[-1].end,
        part[0].begins,
        kind,
        sure,
        preceding in _words()["determiners"],
        preceding in _words()["places"],
    )


def _segmented(candidates: list[_Candidate]) -> list[_Candidate]:
    """Runs of several names, cut where a shorter run of two words or more stands by itself elsewhere in the text."""
    alone = Counter(one.key for one in candidates if len(one.words) > 1 or one.kind == "person")
    found: list[_Candidate] = []
    for one in candidates:
        place, begin = 0, 0
        size = len(one.words)
        while size > 2 and place + 2 <= size:
            end = next((e for e in range(size, place + 1, -1) if e - place < size and alone[_key(one, place, e)]), 0)
            if not end:
                place += 1
                continue
            found += [_part(one, begin, place)] if place > begin else []
            found.append(_part(one, place, end))
            place = begin = end
        if begin < size:
            found.append(_part(one, begin, size) if begin else one)
    return found


def _key(one: _Candidate, begin: int, end: int) -> str:
    return name_key(" ".join(one.words[begin:end]))


def _part(one: _Candidate, begin: int, end: int) -> _Candidate:
    """Some words of a run. What stands before it says nothing of a later part."""
    words, starts = list(one.words[begin:end]), list(one.starts[begin:end])
    while len(words) > 1 and words[0].islower():
        del words[0], starts[0]
    while len(words) > 1 and words[-1].islower():
        del words[-1], starts[-1]
    first = begin == 0
    kind = one.kind if first and one.kind == "person" else "name"
    begins, placed = first and one.begins, first and one.placed
    return _Candidate(
        tuple(words), tuple(starts), starts[-1] + len(words[-1]), begins, kind, False, first and one.determined, placed
    )


def _is_prose(tokens: list[_Token]) -> bool:
    """Whether most words are written in small letters: in a table of entries all may be capitalised."""
    words = [token.text for token in tokens if token.kind == "word"]
    return sum(word.islower() for word in words) > len(words) / 2


def _accepted(
    candidates: list[_Candidate], lower: Counter[str], nouns: bool, table: bool
) -> tuple[dict[str, NameKind], set[str]]:
    """The keys of those that are names, with their kinds; and single words that may be one."""
    seen: dict[str, list[_Candidate]] = defaultdict(list)
    for one in candidates:
        seen[one.key].append(one)
    kept: dict[str, NameKind] = {}
    parts: Counter[str] = Counter()
    for key, mentions in seen.items():
        words = mentions[0].words
        several = sum(word[0].isupper() for word in words) > 1
        told = any(one.sure for one in mentions) or (several and _is_compound(mentions, lower, nouns, table))
        if told and len(key) > 1:
            kept[key] = _kind(mentions, several)
            if kept[key] in ("person", "name"):
                parts.update(word.casefold() for word in words if word[0].isupper() and len(word) > 1)
    perhaps: set[str] = set()
    for key, mentions in seen.items():
        word = mentions[0].words[0]
        if key in kept or len(mentions[0].words) > 1 or len(key) < _SHORTEST or lower[word.casefold()]:
            continue
        if nouns and any(one.determined for one in mentions):
            continue
        if parts[key] or (not nouns and not table and any(not one.begins for one in mentions)):
            kept[key] = _kind(mentions, False)
        else:
            perhaps.add(key)
    if len(kept) > MOST_NAMES:
        most = sorted(kept, key=lambda key: -len(seen[key]))[:MOST_NAMES]
        kept = {key: kept[key] for key in most}
    return kept, set(sorted(perhaps, key=lambda key: (-len(seen[key]), key))[:MOST_NAMES])


def _is_compound(mentions: list[_Candidate], lower: Counter[str], nouns: bool, table: bool) -> bool:
    """Whether several capitalised words are one name: not a heading in capitals, no two nouns beside each other."""
    words = mentions[0].words
    if all(word.isupper() and len(word) > _SHORTEST for word in words):
        return False
    capitals = [word for word in words if word[0].isupper()]
    plain = [word for word in capitals if lower[word.casefold()]]
    inside = any(not one.begins for one in mentions)
    if table:
        return not plain and len(mentions) > 1
    if nouns:
        joined = any(word.islower() for word in words)
        return inside and not plain and not joined and not any(one.determined for one in mentions)
    return len(plain) < len(capitals) and (inside or (len(mentions) > 1 and not plain))


def _kind(mentions: list[_Candidate], several: bool) -> NameKind:
    told = Counter(one.kind for one in mentions if one.kind != "name")
    if told:
        return told.most_common(1)[0][0]
    placed = sum(one.placed for one in mentions)
    return "place" if not several and placed * 2 > len(mentions) else "name"


def _resolved(candidates: list[_Candidate], kept: dict[str, NameKind], perhaps: set[str]) -> list[NameSpan]:
    """The mentions of names; a single first or last name as the one longer name that has it."""
    longer: dict[str, set[str]] = defaultdict(set)
    for key, kind in kept.items():
        words = key.split()
        if kind in ("person", "name") and 2 <= len(words) <= 3:
            longer[words[-1]].add(key)
            longer[words[0]].add(key)
    for key in [key for key, kind in kept.items() if kind == "person"]:
        if len(longer.get(key, ())) == 1:
            kept[next(iter(longer[key]))] = "person"
    shown: dict[str, Counter[str]] = defaultdict(Counter)
    mentions = [(one, one.key) for one in candidates]
    mentions = [(one, key) for one, key in mentions if key in kept or key in perhaps]
    for one, key in mentions:
        shown[key][re.sub(r"['’]s?$", "", " ".join(one.words))] += 1
    found: list[NameSpan] = []
    for one, key in mentions:
        if " " not in key and kept.get(key) in ("person", "name") and len(longer.get(key, ())) == 1:
            key = next(iter(longer[key]))
        name = shown[key].most_common(1)[0][0]
        found.append(NameSpan(one.starts[0], one.end, key, name, kept.get(key, "name"), key in kept))
    return found
