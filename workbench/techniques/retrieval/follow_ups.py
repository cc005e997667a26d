"""Follow-ups as questions of their own: "and for doubles?" after "What is the rack rent for singles?".

A question that needs the one before it is written out before anything is searched, so that each road, and the choice of
the road, reads a whole question. It is done by rules, in English, German, French and Spanish; no language model is
asked: a small one rewrites unreliably, and a large one costs seconds before the first word.

- What only names something else *replaces* its like in the earlier question: another number, the noun after the same
  preposition, another name, or else the word that is nearest in meaning by the collection's embedder.
- A question that lacks its subject ("since when?", "is he happy with it?") is *completed* by what the earlier question
  was about and, where that asked for a person or a thing, by the names in its answer.

Rules of this kind are a strong baseline: Dalton et al. 2020, "TREC CAsT 2019" (arXiv:2003.13624); carried words as in
Voskarides et al. 2020, "Query Resolution for Conversational Search with Limited Supervision" (arXiv:2005.11723).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from workbench.base.paths import RESOURCES
from workbench.records.messages import Message
from workbench.techniques.retrieval.document_choice import means_everything
from workbench.techniques.retrieval.query_rewriting import is_follow_up
from workbench.techniques.retrieval.question_terms import names_of
from workbench.text.language import detect_question_language, function_words, split_words
from workbench.text.terms import Vocabulary

Alike = Callable[[str, list[str]], Sequence[float]]
"""How near in meaning a text is to each of others."""

LANGUAGES = ("en", "de", "fr", "es")
"""Whose follow-ups are written out. In others the names and the rare words of the turn before are added."""
MOST_TURNS = 4
"""So many questions back a chain of follow-ups is followed."""
LONGEST_PHRASE = 6
"""Words of a follow-up that only names something else."""
_COMPOUND = 12
"""Letters of a word that is made of several, and tells as much as they do."""
_CARRIED = 8
"""Words that are added to a follow-up in another language."""
_ANSWER_NAMES = 2
"""Names of an answer that complete a question."""

FILE = RESOURCES / "follow_ups.toml"
_KNOWN = tomllib.loads(FILE.read_text("utf-8"))


def _words(name: str) -> frozenset[str]:
    return frozenset(_KNOWN[name].split())


def _any_of(names: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_QUESTION_WORDS, _QUANTITIES, _VERBS = _words("question_words"), _words("quantities"), _words("verbs")
_PERSONS, _THINGS, _OWNERS = _words("persons"), _words("things"), _words("owners")
_DETERMINERS, _ROMANCE, _CONTRACTED = _words("determiners"), _words("romance"), _words("contracted")
_ELLIPTIC = _words("elliptic")
_PREPOSITIONS = tuple(frozenset(one.split()) for one in _KNOWN["prepositions"])
_JOINING, _ABOUT = _any_of(_KNOWN["joining"]), _any_of(_KNOWN["what_about"])
_JOINED = re.compile(rf"^\W*(?:(?:{_JOINING})\b[\s,]*)*(?:(?:{_ABOUT})(?!\w))?\s*", re.IGNORECASE)
_YEAR = r"(?:19|20)\d\d"
_MONTHS = _any_of(_KNOWN["months"].split())
_TIMES = re.compile(
    rf"\b(?:{_any_of(_KNOWN['now'])}|(?:in |im |en |im jahr )?{_YEAR}"
    rf"|(?:in |im |en |ab |von |since |from )?(?:{_MONTHS})(?: {_YEAR})?)\b",
    re.IGNORECASE,
)
_TIME_ALONE = re.compile(rf"^\W*(?:{_any_of(_KNOWN['then'])})\W*$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[-'’./][^\W_]+)*")
_NAME = re.compile(r"[^\W\d_][^\W_]*(?:[-'’.][^\W_]+)*")
_CITATION = re.compile(r"\[\d+\]")
_THAT_OF = re.compile(
    r"^(?:celui|celle|ceux|celles|the one|that|those|el|la|los|las|der|die|das)\s+"
    r"(?=(?:de|du|of|von|vom|for|für|pour)\b)",
    re.IGNORECASE,
)
_QUOTED = '“”„«»"'


class WrittenOut(NamedTuple):
    """A follow-up as a question of its own, and the part of it that tells its road: without what only completes it."""

    question: str
    asks: str


def written_out(conversation: Sequence[Message], alike: Alike) -> WrittenOut:
    """The conversation's last message as a question of its own; as it is where it is one, or nothing was asked before.

    ``alike`` is only asked where the rules do not tell what is replaced.
    """
    asked = conversation[-1].content.strip()
    turns = _turns(conversation)
    if not turns or means_everything(asked):
        return WrittenOut(asked, asked)
    whole, answer = "", ""
    for question, answered in turns:
        whole = _written_out(question, whole, answer, alike).question if whole else question
        answer = answered
    if asked.casefold() == turns[-1][0].strip().casefold():  # asked once more, and no follow-up of itself
        return WrittenOut(whole, asked)
    written = _written_out(asked, whole, answer, alike)
    if (
        written.question == asked
        and is_follow_up(asked)
        and detect_question_language(asked, LANGUAGES) not in LANGUAGES
    ):
        return WrittenOut(" ".join((asked, *_carried_words(asked, whole, answer))), asked)
    return written


def may_stand_alone(question: str) -> bool:
    """Whether a follow-up may be a question of its own as well: it neither points back nor begins with "and", and has
    more than one word to search for, or one that says as much ("Kündigungsfrist")."""
    rest, joined = _rest(question)
    spoken = split_words(rest)
    points = any(word in _PERSONS or word in _THINGS or word in _OWNERS for word in spoken)
    content = _content(rest)
    telling = len(content) > 1 or any(len(word) >= _COMPOUND for word in content)
    return not joined and not points and telling


def _turns(conversation: Sequence[Message]) -> list[tuple[str, str]]:
    """The questions before the last message that were answered, with their answers, at most ``MOST_TURNS``; those after
    a request that speaks of all documents, which has no subject to go on with."""
    turns: list[tuple[str, str]] = []
    for message in conversation[:-1]:
        if message.role == "user" and means_everything(message.content):
            turns = []
        elif message.role == "user":
            turns.append((message.content.strip(), ""))
        elif message.role == "assistant" and turns:
            turns[-1] = turns[-1][0], _CITATION.sub("", message.content)
    return [turn for turn in turns if turn[0] and turn[1]][-MOST_TURNS:]


def _written_out(question: str, before: str, answer: str, alike: Alike) -> WrittenOut:
    rest, joined = _rest(question)
    if _names_only(rest, joined) and split_words(rest)[0] not in _OWNERS:
        replaced = _replaced(rest, before, alike)
        return WrittenOut(replaced, replaced)
    if _names_only(rest, joined) or _lacks_subject(rest, joined):
        return WrittenOut(_completed(rest, before, answer), f"{rest}?")
    return WrittenOut(question, question)


def _rest(question: str) -> tuple[str, bool]:
    """A question without its first "and", and whether it had one."""
    match = _JOINED.match(question)
    end = match.end() if match else 0
    return question[end:].strip(" ?!.¿¡") if end else question.strip(" ?!.¿¡"), bool(
        match and match.group().strip(" ¿¡")
    )


def _content(text: str) -> list[str]:
    """The words of a text that say something by themselves, in lower case."""
    known = function_words()
    passed_over = frozenset().union(*(known[code] for code in LANGUAGES)) | _QUANTITIES | _VERBS
    passed_over |= _QUESTION_WORDS | _DETERMINERS
    return [word for word in split_words(text) if word not in passed_over and (len(word) > 1 or word.isdigit())]


def _names_only(rest: str, joined: bool) -> bool:
    """Whether what is left of a question only names something else: no question word, no verb, few words."""
    spoken = split_words(rest)
    if not spoken or len(spoken) > LONGEST_PHRASE or _TIME_ALONE.match(rest):
        return bool(spoken) and bool(_TIME_ALONE.match(rest)) and joined
    if any(word in _QUESTION_WORDS or word in _VERBS or word in _PERSONS or word in _THINGS for word in spoken):
        return False
    begins = _preposition(spoken[0]) is not None or (spoken[0] in _DETERMINERS and len(spoken) <= 3)
    return joined or (begins and len(spoken) <= 4)


def _lacks_subject(rest: str, joined: bool) -> bool:
    """Whether a question has no subject of its own."""
    spoken = split_words(rest)
    asks = any(word in _QUESTION_WORDS for word in spoken[:3]) or (bool(spoken) and spoken[0] in _VERBS)
    if not asks:
        return False
    content, named = _content(rest), bool(_names(rest))
    if any(word in _PERSONS or word in _THINGS or word in _OWNERS for word in spoken):
        return len(content) <= 4
    if joined:
        return len(content) <= 3
    return len(content) <= 1 or (len(content) == 2 and not named and not re.search(r"\d", rest))


def _names(text: str) -> list[str]:
    """Capitalised words that do not begin the text, joined where they follow each other."""
    found: list[str] = []
    end = -1
    for match in _NAME.finditer(text):
        word = match.group()
        if not word[0].isupper() or not text[: match.start()].strip(f" {_QUOTED}¿¡-"):
            continue
        if found and text[end : match.start()].strip() == "":
            found[-1] += f" {word}"
        else:
            found.append(word)
        end = match.end()
    return found


# -- replaced ------------------------------------------------------------------------------------


def _replaced(rest: str, before: str, alike: Alike) -> str:
    """The earlier question with what the follow-up names in the place of its like."""
    before = before.strip()
    if _TIME_ALONE.match(rest):
        return f"{before.rstrip(' ?.!')} {rest}?"
    words = list(_WORD.finditer(before))
    rest = _THAT_OF.sub("", rest)
    spoken = [word.group() for word in _WORD.finditer(rest)]
    found = _time(rest, before) or _same_noun(spoken, words) or _number(spoken, words)
    found = found or _same_preposition(spoken, before, words, alike) or _nearest(rest, before, words, alike)
    if found is None:
        return f"{before.rstrip(' ?.!')}: {rest}?"
    start, end, filling = found
    first = filling.split()[0].lower()
    if first in _DETERMINERS or _preposition(first) is not None:
        filling = filling[0].lower() + filling[1:]
    return f"{before[:start]}{filling}{before[end:]}"


def _time(rest: str, before: str) -> tuple[int, int, str] | None:
    """A month, a year or "now" gives way to another time."""
    if not (match := _TIMES.search(rest)) or _content(rest[: match.start()] + rest[match.end() :]):
        return None
    for earlier in reversed(list(_TIMES.finditer(before))):
        digits = bool(re.fullmatch(r"\D*\d{4}", earlier.group()))
        filling = re.search(r"\d{4}", rest)
        if digits and filling:
            at = earlier.end() - 4
            return at, earlier.end(), filling.group()
        return earlier.start(), earlier.end(), rest
    return None


def _same_preposition(
    spoken: list[str], before: str, words: list[re.Match[str]], alike: Alike
) -> tuple[int, int, str] | None:
    """The phrase after the same preposition: "for doubles" takes the place of "for singles". Of several the one that is
    nearest in meaning; a preposition that the question lacks is added at its end."""
    kind = _preposition(spoken[0].lower()) if len(spoken) > 1 else None
    if kind is None:
        return None
    places = [at for at in range(1, len(words) - 1) if words[at].group().lower() in kind]
    if not places:
        end = len(before.rstrip(" ?.!"))
        return end, end, f" {' '.join(spoken)}"
    elliptic = spoken[-1].lower() in _ELLIPTIC and len(spoken) > 2
    spans = [(words[at].start(), words[_phrase_end(words, at + 1, short=elliptic)].end()) for at in places]
    near = alike(" ".join(spoken), [before[start:end] for start, end in spans]) if len(spans) > 1 else [1.0]
    start, end = spans[max(range(len(spans)), key=lambda place: near[place])]
    return start, end, " ".join(spoken[:-1] if elliptic else spoken)


def _phrase_end(words: list[re.Match[str]], at: int, *, short: bool) -> int:
    """The last word of the phrase that begins at ``at``: its determiner, a word, and one more that belongs to it, which
    is left out if ``short``; a run of capitals is one name."""
    if at + 1 < len(words) and words[at].group().lower() in _DETERMINERS:
        at += 1
    end = at
    named = words[at].group()[0].isupper()
    while end + 1 < len(words) and end - at < (2 if named else 1) and not short:
        following = words[end + 1].group()
        if words[at].string[words[end].end() : words[end + 1].start()].strip() or not _content(following):
            break
        if following[0].isdigit() or following[0].isupper() != named:
            break
        end += 1
    return end


def _same_noun(spoken: list[str], words: list[re.Match[str]]) -> tuple[int, int, str] | None:
    """A noun that both have, with what describes it: "the third draft", "team 2" for "team 1"."""
    content = [word for word in spoken if _content(word)]
    if len(content) < 2:
        return None
    stems = {word.lower()[:6] for word in content}
    for at in range(len(words) - 1, -1, -1):
        if words[at].group().lower()[:6] not in stems or not _content(words[at].group()):
            continue
        first, last = at, at
        while first > 0 and _describes(words[first - 1].group()) and at - first < 2:
            first -= 1
        if last + 1 < len(words) and spoken[-1].lower()[:6] != words[at].group().lower()[:6]:
            following = words[last + 1].group()
            if following.isdigit() or (_content(following) and not following[0].isupper()):
                last += 1
        elif last + 1 < len(words) and first < at and words[first].group().lower() in _ROMANCE:
            last += bool(_content(words[last + 1].group()))  # "la pensión completa"
        if words[first].group().lower() in _DETERMINERS and spoken[0].lower() not in _DETERMINERS and first < at:
            first += 1
        return words[first].start(), words[last].end(), " ".join(spoken)
    return None


def _describes(word: str) -> bool:
    lowered = word.lower()
    return lowered in _DETERMINERS or bool(_content(lowered))


def _number(spoken: list[str], words: list[re.Match[str]]) -> tuple[int, int, str] | None:
    """A number gives way to another one."""
    figures = [word for word in spoken if word[0].isdigit()]
    if len(figures) != 1 or len([word for word in spoken if _content(word)]) > 1:
        return None
    for word in reversed(words):
        if word.group()[0].isdigit():
            return word.start(), word.end(), figures[0]
    return None


def _nearest(rest: str, before: str, words: list[re.Match[str]], alike: Alike) -> tuple[int, int, str] | None:
    """The word of the earlier question that is nearest in meaning, of names where a name is what follows."""
    spans = _spans(before, words)
    if not spans:
        return None
    spoken = [word.group() for word in _WORD.finditer(rest)]
    describes = len(spoken) > 1 and spoken[-1].lower() in _ELLIPTIC  # "the large one": of the same noun
    if describes:
        spoken = spoken[:-1]
    closeness = alike(" ".join(_content(" ".join(spoken))) or rest, [before[start:end] for start, end in spans])
    names = set(_names(before)) if _names(f". {rest}") else set()
    counted = bool(_COUNTED.search(before))
    bare = spoken[0].lower() not in _DETERMINERS

    def fits(place: int) -> float:
        start, end = spans[place]
        text = before[start:end]
        likely = closeness[place] + _NAME_TOO * (text in names) - _FIGURE * text.isdigit()
        if describes:
            return likely
        likely += _NOUN * _is_noun(before, start)
        if counted and place == 0:
            likely += _HEAD if bare else -_HEAD
        elif place == 0 and _OF.match(before[end:]):
            likely -= _HEAD  # "the price of oak": oak, rather than the price
        return likely

    start, end = spans[max(range(len(spans)), key=fits)]
    while len(spoken) > 1 and _preposition(spoken[0].lower()) is not None:
        spoken = spoken[1:]
    return _with_determiner(before, start, end, spoken)


def _spans(before: str, words: list[re.Match[str]]) -> list[tuple[int, int]]:
    """The words of a question that another thing may take the place of; a run of capitals is one name."""
    spans: list[tuple[int, int]] = []
    times = list(_TIMES.finditer(before))
    at = 0
    while at < len(words):
        end = at
        while end + 1 < len(words) and at and words[at].group()[0].isupper() and words[end + 1].group()[0].isupper():
            end += 1
        if _content(words[at].group()) and not any(one.start() <= words[at].start() < one.end() for one in times):
            spans.append((words[at].start(), words[end].end()))
        at = end + 1
    return spans


def _with_determiner(before: str, start: int, end: int, spoken: list[str]) -> tuple[int, int, str]:
    """What is replaced, with the determiner before it where the other phrase has one as well."""
    left = before[:start].rstrip()
    first = left.rpartition(" ")[2].lower()
    if len(spoken) > 1 and spoken[0].lower() in _DETERMINERS:
        if first in _CONTRACTED:
            spoken = spoken[1:]  # "du chêne", "le noyer": "du noyer"
        elif first in _DETERMINERS:
            start = len(left) - len(first)
    return start, end, " ".join(spoken)


_NAME_TOO, _NOUN, _HEAD, _FIGURE = 0.1, 0.05, 0.02, 0.2
"""What is added to a cosine where both are names, where the word is a noun, and where it is the first of several; and
taken off for a figure."""
_OF = re.compile(r"\s+(?:of|von|vom|des|der|du|de|del)\b", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:how (?:many|much)|wie ?viele?|combien d|cuánt[oa]s?)\b", re.IGNORECASE)
"""What is counted is often what another thing takes the place of."""


def _is_noun(text: str, start: int) -> bool:
    """Whether a word is likely a noun: what stands before it is a determiner, a preposition or "how many"."""
    before = split_words(text[:start])[-1:]
    return bool(before) and (
        before[0] in _DETERMINERS or before[0] in _QUANTITIES or _preposition(before[0]) is not None
    )


def _preposition(word: str) -> frozenset[str] | None:
    """Those that mean the same in the four languages; None for another word."""
    same = [kind for kind in _PREPOSITIONS if word in kind]
    return frozenset().union(*same) if same else None


# -- completed -----------------------------------------------------------------------------------


def _completed(rest: str, before: str, answer: str) -> str:
    """The follow-up with what the earlier question was about, and with what answered it."""
    about = subject(before)
    found = _answered(before, answer)
    spoken = [word.group().lower() for word in _WORD.finditer(rest)]
    person = next((word for word in spoken if word in _PERSONS), "")
    if person and found:
        rest = re.sub(rf"\b{person}\b", found[0], rest, count=1, flags=re.IGNORECASE)
        found = found[1:]
    told = ", ".join(filter(None, (about, *found)))
    rest = rest[0].upper() + rest[1:]
    return f"{rest} ({told})?" if told else f"{rest}?"


def subject(question: str) -> str:
    """What a question is about: without its question word and the words after it that say nothing by themselves."""
    for word in _WORD.finditer(question):
        if _content(word.group()):
            return question[word.start() :].strip(" ?!.")
    return ""


_ASKS_NAME = re.compile(
    r"\b(?:who|whom|which|where|wer|wen|wem|welche\w*|wo|qui|quel\w*|où|quién\w*|quien\w*|cuál\w*|qué|dónde)\b",
    re.IGNORECASE,
)


def _answered(before: str, answer: str) -> list[str]:
    """The names in the answer to a question for a person or a thing, that the question does not have."""
    if not _ASKS_NAME.search(before):
        return []
    first = re.split(r"\n\s*\n", answer.strip(), maxsplit=1)[0]
    asked = {word.lower() for word in _NAME.findall(before)}
    language = detect_question_language(f"{before} {first}", LANGUAGES)
    known = {part.removesuffix("'s") for part in names_of(first, language)} - {"Dr", "Mr", "Ms"}
    found = [name for name in _names(f". {first}") if any(part in known for part in name.split())]
    found = [name for name in found if not any(part.lower() in asked for part in name.split())]
    return list(dict.fromkeys(found))[:_ANSWER_NAMES]


def _carried_words(question: str, before: str, answer: str) -> list[str]:
    """Names and content words of the question before and its answer, those of the question first."""
    vocabulary = Vocabulary.of((before, answer))
    have = set(vocabulary.content_terms(question))
    carried: list[str] = []
    for text in (before, answer):
        for word in [*vocabulary.names(text), *split_words(text)]:
            known = vocabulary.content_terms(word)
            if known and not have.issuperset(known):
                have.update(known)
                carried.append(word)
    return carried[:_CARRIED]
