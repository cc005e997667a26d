"""Instructions of IFEval: reading those of a row, and which of them an answer follows, strictly or loosely.

The 25 verifiable instructions of IFEval as pure functions: does a text follow one?

Zhou et al. 2023, Instruction-Following Evaluation for Large Language Models, arXiv:2311.07911, section 2 and table 1.
Where the paper leaves open what counts, such as a bullet point or a paragraph, a check follows the published reference.
It differs in four things: keywords and markers are plain texts and never regular expressions, a letter may be any sign,
sentences are split and languages are detected by this program.

The keyword-only parameters of a check are its settings, under the names of the published rows.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from workbench.base.errors import UserError
from workbench.records.evaluation import Instruction
from workbench.text.language import detect_language, guess_by_function_words, known_languages, split_words
from workbench.text.sentences import split_sentences

LONGEST_ANSWER = 100_000
"""Characters of an answer that is checked."""
_MOST_INSTRUCTIONS = 50

Reading = Literal["strict", "loose"]


def read_instructions(names: Any, settings: Any) -> tuple[Instruction, ...]:
    """The instructions of a published row: its ``instruction_id_list`` and ``kwargs``, in which settings of other
    instructions are null. Raises ValueError that names what is unknown, missing or out of range."""
    if not isinstance(names, list | tuple) or not isinstance(settings, list | tuple) or len(names) != len(settings):
        raise ValueError("instruction_id_list and kwargs are not lists of one length")
    if not 1 <= len(names) <= _MOST_INSTRUCTIONS:
        raise ValueError(f"it has {len(names)} instructions; from 1 to {_MOST_INSTRUCTIONS} can be checked")
    return tuple(_read(str(name), given) for name, given in zip(names, settings, strict=True))


def followed(instructions: Sequence[Instruction], text: str, reading: Reading) -> list[bool]:
    """Which instructions a text follows. ``loose``: as it is, or without its first line, its last one, both, or the
    asterisks, in all eight combinations (Zhou et al. 2023, section 3). An empty text follows none. Raises UserError for
    a text that is too long, and for an instruction that is not known."""
    if len(text) > LONGEST_ANSWER:
        raise UserError(f"The answer is longer than the {LONGEST_ANSWER:,} characters that are checked.")
    variants = [one for one in (loose_variants(text) if reading == "loose" else (text,)) if one.strip()]
    found = []
    for one in instructions:
        check = CHECKS.get(one.name)
        if check is None:
            raise UserError(f"There is no instruction {one.name!r}.")
        found.append(any(check(variant, **one.settings) for variant in variants))
    return found


def loose_variants(text: str) -> tuple[str, ...]:
    """The eight texts of which one has to follow an instruction."""
    lines = text.split("\n")
    cut = (text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])))
    return (*cut, *(one.replace("*", "") for one in cut))


def _read(name: str, given: Any) -> Instruction:
    if name not in CHECKS:
        raise ValueError(f"there is no instruction {name[:80]!r}")
    if not isinstance(given, dict):
        raise ValueError(f"the settings of {name} are not an object")
    try:
        present = {key: one for key, one in given.items() if one is not None}
        read = msgspec.convert(present, _settings_of(name), strict=False)  # tables hold whole numbers as 300.0
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
    settings: dict[str, Any] = msgspec.to_builtins(read)
    language = settings.get("language")
    if language is not None and not known_languages((language,)):
        raise ValueError(f"the language {language[:20]!r} of {name} is not detected by this program")
    return Instruction(name=name, settings=settings)


@cache
def _settings_of(name: str) -> type[msgspec.Struct]:
    """The keyword-only parameters of a check as a type."""
    check = CHECKS[name]
    hints = get_type_hints(check, include_extras=True)
    parameters = inspect.signature(check).parameters.values()
    fields = [(one.name, hints[one.name]) for one in parameters if one.kind is one.KEYWORD_ONLY]
    return msgspec.defstruct(check.__name__, fields, frozen=True, forbid_unknown_fields=True)


Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Relation = Literal["less than", "at least"]
Phrase = Annotated[str, Meta(min_length=1, max_length=10_000)]
Phrases = Annotated[list[Phrase], Meta(min_length=1, max_length=100)]
Letter = Annotated[str, Meta(min_length=1, max_length=1)]
Check = Callable[..., bool]

_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"[.!?…]{4,}")
_ITEM = re.compile(r"\d{1,3}\. [A-Z]")
_HIGHLIGHT = re.compile(r"\*([^*\n]*)\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*([^*\n]*)\*\*")
_POSTSCRIPTS = {"P.S.": re.compile(r"p\.\s?s\."), "P.P.S": re.compile(r"p\.\s?p\.\s?s")}
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_FENCES = ("```json", "```Json", "```JSON", "```")
_BETWEEN_TOKENS = re.compile(r"[\s;@#$%&?!()\[\]{}<>\"“”«»„‘’…]+|--+|\.{2,}|[:,](?!\d)|''|``")
_CLITIC = re.compile(r"(?:'(?:S|M|D|LL|RE|VE)|N'T)$")
_TWO_TOKENS = frozenset(("CANNOT", "GIMME", "GONNA", "GOTTA", "LEMME", "WANNA", "'TIS", "'TWAS"))


def _compare(found: int, relation: Relation, wanted: int) -> bool:
    return found < wanted if relation == "less than" else found >= wanted


# -- keywords ------------------------------------------------------------------------------------------


def keywords_exist(text: str, *, keywords: Phrases) -> bool:
    """Every keyword is in the text, in any case, also within a word."""
    lowered = text.lower()
    return all(keyword.lower() in lowered for keyword in keywords)


def keyword_frequency(text: str, *, keyword: Phrase, frequency: Count, relation: Relation) -> bool:
    return _compare(text.lower().count(keyword.strip().lower()), relation, frequency)


def words_forbidden(text: str, *, forbidden_words: Phrases) -> bool:
    """None of the words is in the text as a whole word, in any case."""
    return not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(text: str, *, letter: Letter, let_frequency: Count, let_relation: Relation) -> bool:
    return _compare(text.lower().count(letter.lower()), let_relation, let_frequency)


# -- language ------------------------------------------------------------------------------------------


def is_in_language(text: str, *, language: Phrase) -> bool:
    """A text whose language cannot be detected counts as in it, as it does in the reference."""
    found = detect_language(text) or guess_by_function_words(split_words(text), least=1)
    return found in ("", language)


# -- lengths -------------------------------------------------------------------------------------------


def number_of_sentences(text: str, *, num_sentences: Count, relation: Relation) -> bool:
    """As Punkt counts (Kiss and Strunk 2006, doi:10.1162/coli.2006.32.4.485), which the reference asks: a line break
    ends no sentence, the number of a list item does."""
    joined = _MARKS.sub("...", " ".join(text.split()))  # a long run takes the splitter quadratic time
    found = sum(1 + bool(_ITEM.match(joined, start)) for start, _ in split_sentences(joined))
    return _compare(found, relation, num_sentences)


def number_of_paragraphs(text: str, *, num_paragraphs: Count) -> bool:
    """Paragraphs are separated by ``***``; an empty one counts at neither end, and may be nowhere else."""
    first, *others = [bool(part.strip()) for part in text.split("***")]
    if not all(others[:-1]):
        return False
    return first + sum(others) == num_paragraphs


def number_of_words(text: str, *, num_words: Count, relation: Relation) -> bool:
    return _compare(sum(1 for _ in _WORD.finditer(text)), relation, num_words)


def first_word_of_paragraph(text: str, *, num_paragraphs: Count, nth_paragraph: Count, first_word: Phrase) -> bool:
    """Paragraphs are separated by empty lines; empty ones do not count, but have a place. The word is compared in any
    case, without what follows a punctuation mark."""
    paragraphs = [part.strip() for part in text.split("\n\n")]
    count = sum(map(bool, paragraphs))
    if count != num_paragraphs or not 1 <= nth_paragraph <= count or not paragraphs[nth_paragraph - 1]:
        return False
    word = paragraphs[nth_paragraph - 1].split(maxsplit=1)[0].lstrip("'").lstrip('"')
    return re.split(r"[.,?!'\"]", word, maxsplit=1)[0].lower() == first_word.lower()


# -- content and format --------------------------------------------------------------------------------


def number_of_placeholders(text: str, *, num_placeholders: Count) -> bool:
    """At least so many texts in square brackets, each within a line."""
    found = 0
    for line in text.split("\n"):
        opened = line.find("[")
        while opened >= 0 and (closed := line.find("]", opened)) >= 0:
            found += 1
            opened = line.find("[", closed)
    return found >= num_placeholders


def has_postscript(text: str, *, postscript_marker: Phrase) -> bool:
    marker, lowered = postscript_marker.strip(), text.lower()
    known = _POSTSCRIPTS.get(marker)
    return known.search(lowered) is not None if known else marker.lower() in lowered


def number_of_bullets(text: str, *, num_bullets: Count) -> bool:
    """Exactly so many lines begin with ``-`` or with ``*`` that no ``*`` follows. A line of ``*`` alone makes one point
    with the line after it."""
    lines = [line.lstrip() for line in text.split("\n")]
    found, joined = 0, False
    for place, line in enumerate(lines):
        found += line.startswith("-")
        alone = line == "*" and place + 1 < len(lines)
        starred = not joined and (alone or (line[:1] == "*" and line[1:2] not in ("", "*")))
        found += starred
        joined = starred and alone
    return found == num_bullets


def is_constrained_response(text: str) -> bool:
    return any(answer in text for answer in _ANSWERS)


def number_of_highlights(text: str, *, num_highlights: Count) -> bool:
    """At least so many texts between ``*`` or ``**``, each within a line."""
    single = sum(1 for match in _HIGHLIGHT.finditer(text) if match[1].strip())
    double = sum(1 for match in _DOUBLE_HIGHLIGHT.finditer(text) if match[1].strip())
    return single + double >= num_highlights


def number_of_sections(text: str, *, section_spliter: Phrase, num_sections: Count) -> bool:
    """At least so many times the word that begins a section, with a number after it."""
    heading = re.compile(re.escape(section_spliter.strip()) + r"\s?\d+")
    return sum(1 for _ in heading.finditer(text)) >= num_sections


def is_json(text: str) -> bool:
    """The whole text is JSON, which may be in a block of code."""
    inner = text.strip()
    for fence in _FENCES:
        inner = inner.removeprefix(fence)
    try:
        json.loads(inner.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def has_title(text: str) -> bool:
    """A line has a text in double angular brackets."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end - 2 and line[start:end].lstrip("<").rstrip(">").strip():
            return True
    return False


# -- combinations, beginning and end -------------------------------------------------------------------


def has_two_responses(text: str) -> bool:
    """Two different answers, separated by ``******``; empty parts only at the ends."""
    parts = [part.strip() for part in text.split("******")]
    answers = [part for part in parts if part]
    return all(parts[1:-1]) and len(answers) == 2 and answers[0] != answers[1]


def repeats_prompt(text: str, *, prompt_to_repeat: Phrase) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def ends_with(text: str, *, end_phrase: Phrase) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def is_quoted(text: str) -> bool:
    stripped = text.strip()
    return len(stripped) > 1 and stripped[0] == stripped[-1] == '"'


# -- case and punctuation ------------------------------------------------------------------------------


def capital_word_frequency(text: str, *, capital_frequency: Count, capital_relation: Relation) -> bool:
    """Words in capital letters, counted as tokens of the Penn Treebank: a hyphenated word is one, ``DON'T`` is two."""
    return _compare(sum(map(_capital_tokens, _BETWEEN_TOKENS.split(text))), capital_relation, capital_frequency)


def _capital_tokens(word: str) -> int:
    if not word.isupper():
        return 0
    clitic = _CLITIC.search(word)
    return 1 + (word in _TWO_TOKENS or (clitic is not None and clitic.start() > 0))


def is_english_in_capitals(text: str) -> bool:
    return text.isupper() and is_in_language(text, language="en")


def is_english_in_lower_case(text: str) -> bool:
    return text.islower() and is_in_language(text, language="en")


def has_no_comma(text: str) -> bool:
    return "," not in text


CHECKS: dict[str, Check] = {
    "keywords:existence": keywords_exist,
    "keywords:frequency": keyword_frequency,
    "keywords:forbidden_words": words_forbidden,
    "keywords:letter_frequency": letter_frequency,
    "language:response_language": is_in_language,
    "length_constraints:number_sentences": number_of_sentences,
    "length_constraints:number_paragraphs": number_of_paragraphs,
    "length_constraints:number_words": number_of_words,
    "length_constraints:nth_paragraph_first_word": first_word_of_paragraph,
    "detectable_content:number_placeholders": number_of_placeholders,
    "detectable_content:postscript": has_postscript,
    "detectable_format:number_bullet_lists": number_of_bullets,
    "detectable_format:constrained_response": is_constrained_response,
    "detectable_format:number_highlighted_sections": number_of_highlights,
    "detectable_format:multiple_sections": number_of_sections,
    "detectable_format:json_format": is_json,
    "detectable_format:title": has_title,
    "combination:two_responses": has_two_responses,
    "combination:repeat_prompt": repeats_prompt,
    "startend:end_checker": ends_with,
    "startend:quotation": is_quoted,
    "change_case:capital_word_frequency": capital_word_frequency,
    "change_case:english_capital": is_english_in_capitals,
    "change_case:english_lowercase": is_english_in_lower_case,
    "punctuation:no_comma": has_no_comma,
}
"""By the names of the published rows."""
