"""Requests that are made of the phrases in router_phrases.txt, to fit the classifier of roads on."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".txt")
TIMES = 5
"""Requests of each phrase."""

_FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {"doc": ("doc", "doc_acc", "doc_in", "doc_gen"), "coll": ("coll", "coll_in")},
    "fr": {"doc": ("doc", "doc_gen")},
    "es": {"doc": ("doc", "doc_gen")},
}
"""By language and filling: the names of its forms, in the order in which they are written."""
_JOINED = {
    "es": ((r"\bde el ", "del "), (r"\ba el ", "al ")),
    "fr": ((r"\bde les ", "des "), (r"\bde le ", "du "), (r"\bà le ", "au ")),
}
_PLEASE = {"en": "please", "de": "bitte", "fr": "s'il te plaît", "es": "por favor"}

Fillings = dict[str, dict[str, list[list[str]]]]


def made_requests(seed: int = 0) -> list[dict[str, Any]]:
    """Requests of a text, a road and a language: with or without capitals, marks, *please* and slips of typing."""
    fillings: Fillings = {}
    made: list[dict[str, Any]] = []
    road = language = ""
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("= "):
            language = line[2:]
            fillings[language] = {}
        elif line.startswith("# ") and len(line.split()) == 3:
            _, road, language = line.split()
        elif road and line.strip():
            rng = random.Random(f"{seed} {line}")
            typed = (_as_typed(_filled(line, fillings, language, rng), language, rng) for _ in range(TIMES))
            texts = dict.fromkeys(typed)
            made += [{"text": text, "road": road, "language": language} for text in texts]
        elif language and ":" in line:
            name, _, values = line.partition(":")
            forms = [[form.strip() for form in one.split(";")] for one in values.split("|")]
            fillings[language][name.strip()] = forms
    return made


def _filled(phrase: str, fillings: Fillings, language: str, rng: random.Random) -> str:
    while found := re.search(r"\[([^\[\]]*)\]", phrase):
        phrase = phrase[: found.start()] + rng.choice(found[1].split("|")) + phrase[found.end() :]

    def filling(found: re.Match[str]) -> str:
        base = found[1].partition("_")[0]
        forms = _FORMS.get(language, {}).get(base, (base,))
        return rng.choice(fillings[language][base])[forms.index(found[1])]

    text = " ".join(re.sub(r"\{(\w+)\}", filling, phrase).split())
    for pattern, joined in _JOINED.get(language, ()):
        text = re.sub(pattern, joined, text)
    return text


def _as_typed(text: str, language: str, rng: random.Random) -> str:
    if rng.random() < 0.35:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.12:
        text = f"{_PLEASE[language]} {text}"
    if rng.random() < 0.3 and text[-1] not in "?.!":
        text += rng.choice("??.")
    elif rng.random() < 0.2:
        text = text.rstrip(" ?").lstrip("¿")
    if rng.random() < 0.06 and len(text) > 12:
        at = rng.randrange(1, len(text) - 2)
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text
