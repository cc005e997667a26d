"""Query rewriting: the search queries for a follow-up such as "and when was it rebuilt?".

A question that depends on the conversation (a pronoun, an "and …?", hardly a content word) is searched twice:
unchanged, and with the names and rare words of the earlier turns; both result lists are fused. No language model is
asked: a small one rewrites unreliably and a large one costs seconds before the first word. Rules of this kind are a
strong baseline: Dalton et al. 2020, "TREC CAsT 2019" (arXiv:2003.13624); term carrying as in Voskarides et al. 2020,
"Query Resolution for Conversational Search with Limited Supervision" (arXiv:2005.11723).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from workbench.records.documents import SearchResult
from workbench.records.messages import Message, Passage
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
_CARRIED = 8  # maximum words carried over
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


def search_queries(conversation: Sequence[Message]) -> list[str]:
    """The search queries, most important first: one, or two for a follow-up.

    ``conversation`` ends with the question.
    """
    question = conversation[-1].content.strip()
    earlier = [m for m in conversation[:-1] if m.role != "system"]
    if not earlier or not is_follow_up(question):
        return [question]
    carried = _carried_words(question, earlier)
    return [f"{question} {' '.join(carried)}", question] if carried else [question]


def search_all(queries: Sequence[str], search: Callable[[str, int], SearchResult], limit: int) -> tuple[Passage, ...]:
    """The hits of all queries, fused by their ranks; each passage once, best first."""
    return merged_by_rank([search(query, limit).hits for query in queries], limit)


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


def _carried_words(question: str, earlier: Sequence[Message]) -> list[str]:
    """Names and content words of the turns before the question, the last question's first."""
    vocabulary = Vocabulary.of(m.content for m in earlier)
    asked = [m.content for m in earlier if m.role == "user"]
    answers = [m.content for m in earlier if m.role == "assistant"]
    sources = [*asked[-1:], *answers[-1:]]
    # in a chain of follow-ups the last self-contained question names the topic
    if asked and is_follow_up(asked[-1]):
        sources += [q for q in reversed(asked[:-1]) if not is_follow_up(q)][:1]
    have = set(vocabulary.content_terms(question))
    carried: list[str] = []
    for text in sources:
        text = re.sub(r"\[\d+\]", " ", text)
        for word in [*vocabulary.names(text), *split_words(text)]:
            known = vocabulary.content_terms(word)
            if known and not have.issuperset(known):
                have.update(known)
                carried.append(word)
    return carried[:_CARRIED]
