"""The road of one place: search a collection, check the evidence, abstain, quote, or put passages into the messages.

Retrieval-augmented generation: Lewis et al. 2020, "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks"
(arXiv:2005.11401), with passages in the prompt as in Ram et al. 2023, "In-Context Retrieval-Augmented Language Models"
(arXiv:2302.00083).

Packs the best passages into a token budget that fits the model's context.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.base.counting import counted
from workbench.engine.inference_calls import Generated
from workbench.records.documents import Collection
from workbench.records.messages import Message, Passage
from workbench.records.outcomes import Reason, Road
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.abstention import Evidence, Sentence, measure_evidence
from workbench.techniques.retrieval.citations import CitationEditor
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.quoting import Quotes, quote, resolve_mode
from workbench.techniques.retrieval.sentence_features import HITS_SEARCHED
from workbench.text.language import language_name
from workbench.text.sentences import split_sentences

CANDIDATES = 12  # passages that may be shown to a model
CLOSEST_NAMED = 3  # named in an abstention


@dataclass(frozen=True)
class Grounding:
    """What retrieval gives to an answer: ``messages`` that hold the numbered ``passages`` found by ``query``.

    ``declined`` is what the question is answered with where the passages do not hold the answer. With ``verbatim`` the
    text stays as it is, since a citation would break its format. The answer begins with ``quotes`` where there are any,
    and with ``own_words`` the model answers as well. ``sentences`` have the strongest evidence, the strongest first.

    ``strength`` in [0, 1] is the probability that the sentences of one place hold the answer.

    ``reasons`` to doubt the answer make it a *perhaps*; ``road`` is the one that has found it (``roads/dispatch.py``).
    ``write`` is given by a road that writes its answer itself: no technique is run then, and ``messages`` are not used.
    """

    query: str
    passages: tuple[Passage, ...]
    question: str
    messages: tuple[Message, ...] = ()
    verbatim: bool = False
    declined: str = ""
    quotes: Quotes | None = None
    own_words: bool = True
    sentences: tuple[Sentence, ...] = ()
    strength: float = 0.0
    reasons: tuple[Reason, ...] = ()
    road: Road | None = None
    write: Callable[[], Generator[Event, None, Generated]] | None = None

    def editor(self) -> CitationEditor:
        """Checks the citations of one sequence while it is written, and adds those that are missing."""
        return CitationEditor(self.passages, self.question, verbatim=self.verbatim)


def run(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Grounding]:
    """Find passages for the conversation's last message, check that they hold the answer, and put them into messages.

    Yields the steps search and check, and Retrieved. Needs ``context.retriever``.
    """
    assert context.retriever is not None
    collection = context.retriever.collection
    part = recipe.retrieval or RetrievalPart()
    question = conversation[-1].content.strip()
    if not collection.documents and not collection.unfinished:
        return Grounding(question, (), question, declined=empty_text(collection))
    search = context.step("search", "Search the documents", question)
    yield search.started
    found = context.retriever.search(question, HITS_SEARCHED).hits
    hits = found[:CANDIDATES]
    shown = tuple(pack(hits, context.model, part, context.decoding))
    yield search.finished(f"{counted(len(hits), 'passage')} found, {len(shown)} of them shown to the model")
    context.raise_if_cancelled()
    check = context.step("check", "Check the evidence", question)
    yield check.started
    evidence = measure_evidence(question, found, context.retriever)
    yield check.finished(describe_evidence(evidence), score=evidence.strength)
    if part.decline and not evidence.suffices:
        closest = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(hits[:CLOSEST_NAMED], start=1))
        yield events.Retrieved(query=question, passages=closest, step=search.id)
        declined = abstention_text(closest, context.retriever)
        return Grounding(question, closest, question, declined=declined, strength=evidence.strength)
    if collection.unfinished:
        yield from context.note(f"Not everything in {collection.name} is read yet: the answer is based on a part.")
    verbatim = context.decoding.format != "text"
    mode = "own-words" if verbatim else resolve_mode(part, question, context.model, context.decoding.n, context.exam)
    quotes = quote(evidence.sentences, shown if mode == "quoted-first" else ()) if mode != "own-words" else None
    if quotes is not None:
        shown = quotes.passages
    yield events.Retrieved(query=question, passages=shown, step=search.id)
    context.raise_if_cancelled()
    messages = grounded_messages(shown, conversation, recipe.prompting, context.model)
    return Grounding(
        question,
        shown,
        question,
        messages,
        verbatim=verbatim,
        quotes=quotes,
        own_words=quotes is None or mode == "quoted-first",
        sentences=evidence.sentences,
        strength=evidence.strength,
        reasons=evidence.reasons,
    )


def describe_evidence(evidence: Evidence) -> str:
    """The result of the check, with the sentence that decided it."""
    verdict = {"found": "Found", "perhaps": "Perhaps", "not_found": "Not found"}[evidence.outcome]
    said = f"{verdict}: the shown sentences hold the answer with a probability of {evidence.strength:.2f}."
    why = " ".join(reason.text for reason in evidence.reasons)
    return "\n".join(filter(None, (said, why, evidence.sentence)))


def empty_text(collection: Collection) -> str:
    """What a question is answered with where there is nothing to search."""
    if collection.failed:
        return f"There is no text in {collection.name}: no file could be read."
    return f"There are no documents in {collection.name} yet. Add some first."


def abstention_text(closest: Sequence[Passage], retriever: Retriever) -> str:
    """What a question is answered with that the documents do not answer: what was searched, and the closest places."""
    collection = retriever.collection
    if not closest and collection.unfinished:
        return f"Nothing in {collection.name} is read yet. Ask again when it is."
    searched = describe_searched(retriever)
    if collection.unfinished:
        said = _could_not_find(closest, searched)
        return f"Not everything in {collection.name} is read yet. In the part that is, {said}"
    return _could_not_find(closest, searched)


def _could_not_find(closest: Sequence[Passage], searched: str) -> str:
    if not closest:
        return f"I could not find anything about this in {searched}."
    titles = list(dict.fromkeys(f"{p.title or p.path}{f', page {p.page}' if p.page else ''}" for p in closest))
    return f"I could not find the answer to this in {searched}. The closest I found: {'; '.join(titles)}."


def describe_searched(retriever: Retriever) -> str:
    """The documents that are searched, in words: "the 20 documents of Housing (English and German)"."""
    collection, documents = retriever.collection, [one for _, one in retriever.documents() if one.chunks]
    if not documents:
        return "these documents"
    counts = Counter(one.language for one in documents if one.language)
    names = listed([language_name(code) for code, _ in counts.most_common(MOST_LANGUAGES)])
    of = f" of {collection.name}" if collection.name else ""
    number = "the document" if len(documents) == 1 else f"the {len(documents):,} documents"
    return f"{number}{of}{f' ({names})' if names else ''}"


MOST_LANGUAGES = 4


def listed(names: Sequence[str]) -> str:
    """Names as a person lists them: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))


# More context hurts a small model: measured with benchmarks/answers.py, see docs/benchmarks.md
_SHOWN_BY_PARAMETERS = ((400_000_000, 1), (1_200_000_000, 3), (5_000_000_000, 5))
_SHOWN_BY_LARGE_MODELS = 8
_LEFT_FOR_CONVERSATION = 0.25


def passages_for(model: ModelBackend, part: RetrievalPart) -> int:
    """Number of passages for the model: the recipe's, or one that suits its size."""
    if part.passages:
        return part.passages
    for parameters, shown in _SHOWN_BY_PARAMETERS:
        if has_fewer_parameters(model, parameters):
            return shown
    return _SHOWN_BY_LARGE_MODELS


def token_budget(model: ModelBackend, part: RetrievalPart, decoding: DecodingPart) -> int:
    """Maximum tokens of the passages, with room for question and answer."""
    answer = min(decoding.max_tokens, model.context_tokens // 4)
    room = int(model.context_tokens * (1 - _LEFT_FOR_CONVERSATION)) - answer
    wanted = part.token_budget or model.context_tokens // 2
    return max(64, min(wanted, room))


def pack(hits: Sequence[Passage], model: ModelBackend, part: RetrievalPart, decoding: DecodingPart) -> list[Passage]:
    """The best hits that fit, numbered from 1. The first one is cut at a sentence when it does not fit."""
    budget = token_budget(model, part, decoding)
    best = list(hits[: passages_for(model, part)])
    if not best:
        return []
    shown: list[Passage] = []
    for passage, tokens in zip(best, model.count_tokens([p.text for p in best]), strict=True):
        if tokens > budget and not shown:
            passage = _cut(passage, tokens, budget)
        elif tokens > budget:
            continue
        budget -= min(tokens, budget)
        shown.append(msgspec.structs.replace(passage, n=len(shown) + 1))
    return shown


def _cut(passage: Passage, tokens: int, budget: int) -> Passage:
    """The beginning of a passage, in whole sentences where possible, about ``budget`` tokens long."""
    characters = max(1, int(len(passage.text) * budget / tokens * 0.9))
    ends = [end for _, end in split_sentences(passage.text) if end <= characters]
    keep = ends[-1] if ends else characters
    return msgspec.structs.replace(passage, text=passage.text[:keep], end=passage.start + keep)
