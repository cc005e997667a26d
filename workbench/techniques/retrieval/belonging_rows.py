"""Finds table rows about an accessory or a part of the product that a question asks about.

"What does the AquaLift 300 cost?" is not answered by the row "Impeller for AquaLift 300 | 27.90", although the row
contains all the words of the question. A row is about another thing if the name appears only after a preposition such
as "for", never at the start of a cell, and the row contains no other word of the question. Two cases are excluded: the
words before the preposition may name the value itself ("Rent of Flat 3"), and the name may be the person who pays
("Ticket for children").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.techniques.retrieval.answer_types import TOLD, AnswerType, asked_types, cue_words
from workbench.techniques.retrieval.sentence_units import Unit
from workbench.text.terms import Vocabulary

_NAME = re.compile(r"(?<![^\W_])([A-ZÄÖÜÉÈ](?:[\w’'-]*[^\W_])?(?: (?:[A-ZÄÖÜÉÈ]|\d)(?:[\w’'-]*[^\W_])?)*)")
_FOR = (
    r"(?:for|fits|suits|of|für|zu|zum|zur|von|vom|pour|de|du|para|del)"
    r"(?: (?:the|an?|our|die|der|das|den|dem|une?|la|le|les|el|los|las))?"
)
_BEHIND = re.compile(rf"(?:(?<![^\W\d_])([^\W\d_]+) )?(?<!\w){_FOR} $", re.IGNORECASE)
_LONGEST_BEHIND = 60  # characters of a word and such a preposition
_CELL = re.compile(r"(?:^|\|)\s*(?:[^\W\d_][^:|]{0,40}: )?([^|]*)")
_LISTED = r"(?:[\w-]+(?:, | and | und | et | y | or | oder | ?[/&+] ?))*"
_ASKING_WORDS = """what which who whose when where how is are does do did can was were welche welcher welches wie wer
wann wo wieviel wessen kann ist sind hat haben quel quelle quels quelles combien qui quand où cuánto cuánta cuántos qué
cuál quién cuándo dónde"""
_ASKING = frozenset(_ASKING_WORDS.split())
_PAYS = re.compile(r"\b(?:pays?|paid|(?:be)?zahl(?:en|t|te|ten)|paie(?:nt)?|payent|pagan?)\b", re.IGNORECASE)
_VALUE_ITSELF: tuple[tuple[re.Pattern[str], frozenset[AnswerType]], ...] = (
    (
        re.compile(
            r"\b(?:hire|rental|use|entry|admission|entrance|tickets?|eintritt|\w*nutzung|\w*verleih|beitr[aä]ge?|entrée|location"
            r"|cotisation|entrada|alquiler|cuota)\b",
            re.IGNORECASE,
        ),
        frozenset({"money"}),
    ),
    (
        re.compile(
            r"\b(?:begin\w*|start|end|birth|opening|hours|\w*beginn|\w*ende|\w*termin|\w*frist|\w*zeiten|geburts\w*"
            r"|début|fin|naissance|horaires?|inicio|final|nacimiento)\b",
            re.IGNORECASE,
        ),
        frozenset({"date", "time"}),
    ),
)
"""Words of a row that call a value of those types, where a question for it has others: "Hire of the hall"."""
_BESIDE = re.compile(
    r"\b(?:deposit|shipping|delivery|repairs?|cleaning|service|maintenance|cancel\w*|late|insurance"
    r"|\w*(?:kaution|versand|liefer|reparatur|reinigung|wartung|storno|mahn|versicherung)\w*"
    r"|caution|livraison|réparation|nettoyage|entretien|assurance|fianza|envío|reparación|limpieza|seguro)\b",
    re.IGNORECASE,
)
"""Words of a row whose amount comes on top of the price of the thing itself."""


def asked_names(question: str) -> tuple[str, ...]:
    """The names whose value a question asks for, not that of something for them ("the seal for the AquaLift 300"); ()
    where it asks for no value, or for what somebody pays."""
    kinds = asked_types(question)
    if _PAYS.search(question) or not any(kind in TOLD and kind != "person" for kind in kinds):
        return ()
    found = []
    for match in _NAME.finditer(question):
        begin, name = match.start(), match.group()
        first, _, rest = name.partition(" ")
        if first.lower() in _ASKING:
            begin, name = begin + len(first) + 1, rest
        behind = _behind(question[:begin])
        of_value = behind is not None and bool(asked_types(behind.group(1) or ""))  # "the price of the AquaLift 300"
        if len(name) > 2 and (behind is None or of_value):
            found.append(name)
    return tuple(dict.fromkeys(found))


def name_behind(row: str, question: str, names: Sequence[str], vocabulary: Vocabulary) -> str:
    """That of the ``names`` which a row has only as what its own thing is for; "" where there is none."""
    cells = [match.group(1).strip() for match in _CELL.finditer(row)]
    for name in names:
        pattern = re.compile(rf"(?<!\w){rf' {_LISTED}'.join(map(re.escape, name.split()))}(?!\w)", re.IGNORECASE)
        places = [(cell, match.start()) for cell in cells for match in pattern.finditer(cell)]
        heads = [cell[:start] for cell, start in places]
        if not heads or not all(_behind(head) for head in heads) or any(_is_value(head, question) for head in heads):
            continue
        cues = {word for kind in asked_types(question) for word in cue_words(question, kind)}
        own = set(vocabulary.stems(name)) | {vocabulary.stem(word) for word in cues}
        told = set(vocabulary.stems(" | ".join(cells)))
        if not any(term in told for term in vocabulary.content_terms(question) if term not in own):
            return name
    return ""


def _behind(text: str) -> re.Match[str] | None:
    """The preposition that ends a text, with the word before it."""
    return _BEHIND.search(text[-_LONGEST_BEHIND:])


def _is_value(head: str, question: str) -> bool:
    """Whether what a row says before a name is the value itself that a question asks for: "Salary of", "Rent for"."""
    if _BESIDE.search(head):
        return False
    asked = {kind for kind in asked_types(question) if kind in TOLD}
    told = {kind for pattern, kinds in _VALUE_ITSELF if pattern.search(head) for kind in kinds}
    return not asked.isdisjoint({*asked_types(head), *told})


def belonging_rows(question: str, units: Sequence[Unit], vocabulary: Vocabulary) -> dict[tuple[int, int], str]:
    """The rows among the ``units``, by the rank of their passage and their number in it, that are of another thing for
    the one whose value is asked for, each with the name of this one."""
    if not (names := asked_names(question)):
        return {}
    found: dict[tuple[int, int], str] = {}
    for unit in units:
        if unit.kind == "row" and (name := name_behind(unit.text, question, names, vocabulary)):
            found[unit.rank, unit.number] = name
    return found
