"""The words of a text that carry its meaning, in a form in which they can be compared.

Used to match an answer's sentences with passages and a question with what was found. Deliberately small: light
suffix stripping for languages with spaces, character pairs for those without. The index has tokenizers of its own.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\d[\d.,]*\d|\w+", re.UNICODE)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
_SPELLED = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_SPELLED.split())}
_SUFFIXES = (
    "ations", "ation", "ments", "ment", "ingly", "ings", "ing", "edly", "ies", "ied", "ers", "ors", "er", "or",
    "ed", "es", "ly", "al", "s", "y", "e",
)  # fmt: skip

_ENGLISH = """a about above after again against all also although am an and any are as at be became because become been
before being below between both but by came can come could did do does doing done down during each either else
ever every few for from further get gets give given goes got had has have having he her here hers him his how
however i if in into is it its itself just know known let like made make makes many may me might more most much
must my name named neither no nor not now of off often on once only or other our out over own per please said
same say says shall she should since so some still such take taken tell than that the their them then there
these they this those though through thus to too under until up upon us use used uses using very via was we
well went were what when where whether which while who whom whose why will with within without would yes yet
you your don t s re ve ll"""
_GERMAN = """aber als am an auch auf aus bei bis da dann das dass dem den der des die dies diese diesem diesen dieser
dieses doch du durch ein eine einem einen einer eines er es etwas für gegen haben hat hatte hatten hier ich ihr ihre
ihrem ihren ihrer im in ist jede jeder kann kein keine konnte können man mehr mit muss nach nicht noch nur ob
oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so über um und unter uns viel viele vom von
vor war waren warum was welche welchem welchen welcher welches wenn wer werden wie wieder wird wo wurde wurden
zu zum zur zwischen"""
STOPWORDS = frozenset(_ENGLISH.split() + _GERMAN.split())


def words(text: str) -> list[str]:
    """All words, lower case, in order; unspaced scripts as overlapping pairs of characters."""
    found: list[str] = []
    for match in _WORD.finditer(text.lower()):
        word = match.group()
        if _UNSPACED.search(word):
            found += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        else:
            found.append(word.replace(",", "") if word[0].isdigit() else word)
    return found


def stem(word: str) -> str:
    """A word without its ending: never fewer than four letters, so that short words stay apart."""
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    if word[0].isdigit() or len(word) < 4 or not word.isalpha():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            word = word[: -len(suffix)]
            break
    else:
        if word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]
    return word[:-1] if len(word) >= 4 and word[-1] == word[-2] else word


def content_terms(text: str) -> list[str]:
    """The distinct stems of the words that are no stopwords, in order."""
    return list(dict.fromkeys(stem(w) for w in words(text) if w not in STOPWORDS))


def all_stems(text: str) -> set[str]:
    """The stems of all words."""
    return {stem(w) for w in words(text)}


def numbers(text: str) -> set[str]:
    """The numbers of a text, spelled ones up to twenty included, except "one" (mostly a pronoun)."""
    return {stem(w) for w in words(text) if w[0].isdigit() or (w in _NUMBER_WORDS and w != "one")}


def names(text: str) -> list[str]:
    """Capitalised words that do not merely begin the sentence, lower case and in order."""
    found = []
    for match in re.finditer(r"\b[^\W\d_][\w'’-]*", text):
        word = match.group()
        begins = not text[: match.start()].strip(" \"'“‘(") or re.search(r"[.!?:]\s*[\"'“(]*$", text[: match.start()])
        if word[0].isupper() and not begins and word.lower() not in STOPWORDS:
            found.append(word.lower())
    return list(dict.fromkeys(found))
