"""What a message is, told by its words: small talk, or a question that needs what was said before; and the hits of
several searches as one list.

How a follow-up is written out is in ``follow_ups``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from workbench.records.messages import Passage
from workbench.text.language import split_words
from workbench.text.terms import Vocabulary

_POINTING_WORDS = """it its itself he him his himself she her hers herself they them their theirs themselves this that
these those there then one ones former latter same such er ihn ihm sein seine sie ihr ihre ihnen
es dies diese dieser dieses dessen deren dort dabei davon dazu damit dafür daran darin darüber 它 他
她 他们 她们 它们 这 那"""
_POINTING = frozenset(_POINTING_WORDS.split())
_SMALL_TALK_WORDS = """hi hello hey good morning afternoon evening night day thanks thank you very much a lot so ok okay
great bye goodbye cheers please nice perfect hallo guten tag morgen abend danke vielen dank schön tschüss 你好 谢谢"""
_SMALL_TALK = frozenset(_SMALL_TALK_WORDS.split())
_JOINING = re.compile(
    r"^\s*(and|but|so|or|also|(what|how) about|why not|(what|who|where) else|und|aber|auch|oder|was ist mit)\b"
    r"|^\s*(那|还有|那么)",
    re.IGNORECASE,
)
_FUSION = 60  # the constant of reciprocal rank fusion, Cormack et al. 2009


def is_follow_up(question: str) -> bool:
    """Whether a question is likely unintelligible without the earlier turns."""
    vocabulary = Vocabulary.of([question])
    if _JOINING.search(question):
        return True
    spoken = split_words(question)
    if any(w in _POINTING for w in spoken):
        return not vocabulary.names(question) or any(w in _POINTING for w in spoken[-3:])
    return len(vocabulary.content_terms(question)) <= 1 and not vocabulary.names(question)


def needs_no_documents(message: str) -> bool:
    """Whether a message is a greeting or thanks, which no document answers."""
    spoken = split_words(message)
    return bool(spoken) and len(spoken) <= 6 and _SMALL_TALK.issuperset(spoken)


def merged_by_rank(results: Sequence[Sequence[Passage]], limit: int) -> tuple[Passage, ...]:
    """The hits of several searches by reciprocal rank fusion, those of the first search before equal ones."""
    if len(results) == 1:
        return tuple(results[0])
    scores: dict[tuple[str, int], float] = {}
    passages: dict[tuple[str, int], Passage] = {}
    for nth, hits in enumerate(results):
        for rank, hit in enumerate(hits):
            key = hit.document, hit.start
            passages.setdefault(key, hit)
            scores[key] = scores.get(key, 0.0) + 1 / (_FUSION + rank + nth)
    order = sorted(scores, key=lambda key: -scores[key])
    return tuple(msgspec.structs.replace(passages[key], score=scores[key]) for key in order[:limit])
