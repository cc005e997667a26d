"""The answer to a request: the parts of its recipe, composed.

A question over documents takes a road, which gives context: messages that hold the instructions and the passages. The
prompting technique drives one or many generations over them, each shaped by the decoding. Citations are checked at the
end, whichever the technique. All methods are found in the registry. What has no effect in a combination is in
``records/recipes/composition.py``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.messages import Citation, Message, Passage, Statement, ToolCallPart, Verification
from workbench.records.recipes import (
    AgentPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    problem_of,
    system_text,
    with_examples,
    with_question_asked,
)
from workbench.records.trust import outcome_of, reasons_in
from workbench.techniques.agents.agent import Agent, Outcome, settled
from workbench.techniques.agents.client_tools import call_or_answer
from workbench.techniques.agents.memory import recall
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.prompting.examples import choose_examples
from workbench.techniques.registry import METHODS
from workbench.techniques.retrieval.citations import citations_of, cited
from workbench.techniques.retrieval.documents import Worked
from workbench.techniques.retrieval.grounded import CLOSEST_NAMED, Grounding, abstention_text
from workbench.techniques.retrieval.live_verification import LiveVerifier
from workbench.techniques.retrieval.lookup import Lookup
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.query_rewriting import needs_no_documents
from workbench.techniques.retrieval.quoting import narrow, resolve_mode, text_to_quote_from
from workbench.techniques.retrieval.roads.cues import speaks_of_conversation
from workbench.techniques.retrieval.roads.dispatch import Way, take_road
from workbench.techniques.retrieval.shown_pages import written_with_pages
from workbench.techniques.retrieval.verification import (
    point_to_sentences,
    verify_answer,
    with_quotes,
    with_rates,
    with_sources,
)
from workbench.techniques.streaming import Unchanged, answered, edit, ending
from workbench.techniques.support import Support, support_of
from workbench.techniques.tools.opening import open_tools
from workbench.text.language import detect_language, detect_question_language, language_name


class Prefix(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of an earlier answer, to be continued: the ``prompt`` and the first tokens of the ``answer``, as
    ids, and the ``passages`` that ``query`` had found for ``question``."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    question: str
    query: str = ""
    passages: tuple[Passage, ...] = ()


OWN_WORDS_UNRELIABLE = "This model's card lists {known}, not {asked}: its own words in {asked} are less reliable."

WHOLE_SENTENCES = (
    "Whole sentences are quoted: with this decoding strategy, or on this machine, the model cannot be kept to spans."
)
LONGEST_QUOTE = 96
"""Tokens of the spans of one answer."""

CUT_OFF = (
    "The answer reached its maximum length before its form was complete, so it is not valid. Raise the maximum "
    "number of tokens of an answer."
)

LOOPED = "The answer began to repeat itself, so it was ended there."


def answer_question(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Answer the last message of a conversation, from the passages of ``context.retriever`` where there is one.

    Ends in Finished with an ``AskResult``, or in Cancelled with the answer so far.
    """
    if recipe.agent is not None:
        yield from _by_agent(conversation, recipe, recipe.agent, context)
        return
    if context.agent.client_tools or conversation[-1].role == "tool":
        yield from _with_client_tools(conversation, recipe, context)
        return
    technique = METHODS.find(recipe.prompting.technique, "technique")
    options = technique.decode(recipe.prompting.options)
    grounding: Grounding | None = None
    part = recipe.prompting
    way: Way | None = None
    if context.retriever is not None:
        way = yield from take_road(conversation, recipe, context)
        grounding = way.grounding
    own = _without_declined(conversation) if way is not None and grounding is None else conversation
    messages = with_instructions(system_text(part), with_question_asked(part, own))
    if grounding is not None:
        yield from _warn_of_language(conversation[-1].content, grounding, context)
        if grounding.quotes is not None and recipe.retrieval is not None and recipe.retrieval.quote_length == "span":
            grounding = yield from _narrowed(grounding, conversation, part, context)
        if grounding.declined:
            yield from _written(_unchanged(grounding.declined), grounding, context, way)
            return
        if grounding.write is not None:
            yield from _written(grounding.write(), grounding, context, way)
            return
        if not grounding.own_words:
            yield from _written(_unchanged(""), grounding, context, way)
            return
        messages = grounding.messages
    else:
        yield from _warn_of_language(conversation[-1].content, None, context)
    if grounding is not None:
        context = dataclasses.replace(
            context, helpers=dataclasses.replace(context.helpers, support=partial(_support, grounding))
        )
    examples = yield from choose_examples(part, conversation[-1].content, context)
    messages = with_examples(part, messages, examples)
    run: Callable[..., Generator[Event, None, Generated]] = technique.load()
    if grounding is not None and recipe.retrieval is not None and "shows images" in technique.traits:
        pages = recipe.retrieval.pictures
        written = written_with_pages(
            lambda shown: run(shown, options, context), messages, grounding.passages, pages, context
        )
    else:
        written = run(messages, options, context)
    yield from _written(written, grounding, context, way)


def _without_declined(conversation: Sequence[Message]) -> Sequence[Message]:
    """Leave out declined answers and their questions, because a small model repeats a refusal that it sees. A request
    about the previous answer ("in German") keeps them."""
    if speaks_of_conversation(conversation[-1].content):
        return conversation
    kept: list[Message] = []
    for message in conversation:
        if message.declined and kept and kept[-1].role == "user":
            kept.pop()
        elif not message.declined:
            kept.append(message)
    return kept


def _by_agent(
    conversation: Sequence[Message], recipe: Recipe, part: AgentPart, context: AnswerContext
) -> Iterator[Event]:
    """Answer with tools. The recipe's documents are a tool of the agent: what it has found is cited."""
    method = METHODS.find(part.method, "agent")
    remembered = yield from recall(conversation[-1].content, part, context)
    if context.agent.guard is not None:
        context.agent.guard.expose(remembered.exposure)
    instructions = "\n\n".join(filter(None, (system_text(recipe.prompting).strip(), remembered.text)))
    messages = with_instructions(instructions, with_question_asked(recipe.prompting, conversation))
    of_team = [one.recipe.agent.tools for one in context.agent.specialists.values() if one.recipe.agent is not None]
    every = tuple(dict.fromkeys(name for names in (part.tools, *of_team) for name in names))
    tools = yield from open_tools(msgspec.structs.replace(part, tools=every), context)
    decisions = {one.signature: one for one in context.agent.decisions}
    retriever = context.retriever
    look_up = (lambda question: Lookup(question, retriever)) if retriever is not None else None
    agent = Agent(
        part=part,
        context=context,
        tools=tools,
        decisions=decisions,
        question=conversation[-1].content,
        asked="\n".join(message.content for message in conversation),
        asks=context.agent.asks,
        verify=_statements,
        look_up=look_up,
        quotes=_quotes(conversation[-1].content, recipe, context),
        policy=context.agent.policy,
        exposure=context.agent.exposure.joined(remembered.exposure),
    )
    outcome: Outcome = yield from settled(method.load()(messages, method.decode(part.options), agent))
    if outcome.waiting is not None or outcome.write is None:
        yield finish(AskResult(answer="", notices=context.notices, waiting=outcome.waiting))
        return
    question = conversation[-1].content
    verbatim = context.decoding.format != "text"
    grounding = Grounding(question, outcome.passages, question, verbatim=verbatim) if outcome.passages else None
    if isinstance(outcome.looked_up, Lookup):
        assert retriever is not None
        grounding = _looked_up(question, outcome.looked_up, outcome.passages, retriever)
        yield from _written(_unchanged(grounding.declined), grounding, context)
        return
    yield from _written(outcome.write, grounding, context)


def _looked_up(question: str, lookup: Lookup, passages: tuple[Passage, ...], retriever: Retriever) -> Grounding:
    """What was looked up for a question, as quotes, or as an abstention where it holds no answer."""
    quotes = lookup.quotes(passages)
    if quotes is None or not lookup.suffices:
        closest = passages[:CLOSEST_NAMED]
        return Grounding(question, closest, question, declined=abstention_text(closest, retriever))
    return Grounding(
        question,
        quotes.passages,
        question,
        quotes=quotes,
        own_words=False,
        sentences=quotes.sentences,
        reasons=lookup.reasons,
    )


def _quotes(question: str, recipe: Recipe, context: AnswerContext) -> bool:
    """Whether an agent's answers from documents are quoted, as the chat's are."""
    if context.retriever is None or context.decoding.format != "text" or needs_no_documents(question):
        return False
    part = recipe.retrieval or RetrievalPart()
    return resolve_mode(part, question, context.model, context.decoding.n, context.exam) == "quoted"


def _with_client_tools(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Call one of the client's tools, or answer. The prompting technique is not run: it asks for an answer."""
    messages = with_instructions(system_text(recipe.prompting), conversation)
    decided = yield from call_or_answer(messages, context)
    if isinstance(decided, ToolCallPart):
        yield finish(AskResult(answer="", parts=(decided,), notices=context.notices))
        return
    yield from _written(decided, None, context)


def _statements(text: str, passages: Sequence[Passage], question: str) -> Sequence[Statement]:
    """The statements of a text, each compared with the sentences of passages."""
    verified = verify_answer(text, Grounding(question, tuple(passages), question), None)
    return verified.statements if verified is not None else ()


def _support(grounding: Grounding, text: str) -> Support | None:
    """How far the passages of an answer support a draft of it; None for a form without sentences."""
    verified = verify_answer(text, grounding, None)
    if verified is None or verified.problem:
        return None
    return support_of(verified.statements, grounding.passages, grounding.question)


def continue_answer(prefix: Prefix, context: AnswerContext) -> Iterator[Event]:
    """Continue an earlier answer from another token: nothing is searched, and no technique is run again.

    Ends as ``answer_question`` does.
    """
    grounding = None
    if prefix.passages:
        verbatim = context.decoding.format != "text"
        grounding = Grounding(prefix.query, prefix.passages, prefix.question, verbatim=verbatim)
        yield events.Retrieved(query=prefix.query, passages=prefix.passages)
    yield from _written(context.continue_from(prefix.prompt, prefix.answer), grounding, context)


def work_on_document(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Carry out a task on one whole document. Ends as ``answer_question`` does."""
    work: Callable[..., Generator[Event, None, Worked]] = METHODS.find(task.task, "task").load()
    done = yield from work(task, recipe, context)
    as_it_is = not done.states or context.decoding.format != "text"
    grounding = Grounding("", done.passages, "", verbatim=as_it_is, quotes=done.quotes)
    own = msgspec.structs.replace(done.generated, text="") if done.quotes is not None else done.generated
    verification = _verified(own, grounding, context)
    reasons = reasons_in(done.generated.text, verification)
    result = AskResult(
        outcome=outcome_of(False, reasons),
        reasons=reasons,
        road="whole",
        answer=done.generated.text,
        sequences=answered(done.generated),
        citations=_pointing(done.citations, verification),
        verification=verification,
        passages=done.passages,
        notices=context.notices,
    )
    yield ending(result, done.generated)


def with_instructions(system: str, conversation: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with the recipe's instructions before it, where there are any."""
    if not system.strip():
        return tuple(conversation)
    return (Message("system", system.strip()), *(m for m in conversation if m.role != "system"))


def _narrowed(
    grounding: Grounding, conversation: Sequence[Message], part: PromptingPart, context: AnswerContext
) -> Generator[Event, None, Grounding]:
    """The grounding with quotes that are cut to the words that the model chooses of them."""
    quotes = grounding.quotes
    assert quotes is not None
    decoding = msgspec.structs.replace(
        context.decoding, format="quote", grammar=text_to_quote_from(quotes), n=1, max_tokens=LONGEST_QUOTE
    )
    strategy = METHODS.find(decoding.strategy, "decoding")
    if not context.model.capabilities.grammars or problem_of(decoding, strategy):
        yield from context.note(WHOLE_SENTENCES)
        return grounding
    texts = (msgspec.structs.replace(s.passage, n=n, text=s.text) for n, s in enumerate(quotes.sentences, 1))
    messages = grounded_messages(tuple(texts), conversation, part, context.model)
    chosen = yield from context.generate(
        messages, title="Choose the words to quote", kind="quote", input=decoding.grammar, quiet=True, decoding=decoding
    )
    return dataclasses.replace(grounding, quotes=narrow(quotes, chosen.text, grounding.question))


def _warn_of_language(question: str, grounding: Grounding | None, context: AnswerContext) -> Iterator[Event]:
    """A note when the model is to answer in its own words, in a language that its card does not list. What is quoted,
    computed or declined does not depend on the model."""
    if grounding is not None and (grounding.declined or not grounding.own_words):
        return
    known = context.model.languages
    passages = grounding.passages if grounding is not None else ()
    if not known or (context.retriever is not None and not context.retriever.collection.documents):
        return
    asked = detect_question_language(question, (*known, detect_language("\n".join(p.text for p in passages))))
    if not asked or asked in known:
        return
    names = " and ".join(filter(None, (", ".join(map(language_name, known[:-1])), language_name(known[-1]))))
    yield from context.note(OWN_WORDS_UNRELIABLE.format(known=names, asked=language_name(asked)))


def _written(
    written: Generator[Event, None, Generated],
    grounding: Grounding | None,
    context: AnswerContext,
    way: Way | None = None,
) -> Iterator[Event]:
    """Pass on an answer with its citations checked, and end it. ``way`` is that of a question over documents."""
    result = AskResult(answer="")
    written = _thought(written)
    if grounding is None or grounding.declined:
        generated = (yield from edit(written, Unchanged)).generated
        sequences = answered(generated)
    else:
        quotes = grounding.quotes
        before = ""
        if quotes is not None:
            before = quotes.text + (quotes.separator if grounding.own_words else "")
            yield events.TextDelta(text=before)
            yield events.Verified(
                statements=quotes.statements,
                citations=point_to_sentences(quotes.citations, quotes.statements),
                quoted=len(quotes.text),
            )
        if grounding.verbatim or context.decoding.n > 1:
            checked = yield from edit(written, grounding.editor)
        else:
            live = LiveVerifier(grounding, len(before))
            checked = yield from live.watch(edit(written, live.editor))
        generated, sequences = checked.generated, cited(checked.generated, checked.editors)
        citations = citations_of(checked.editors[0], grounding.passages)
        verification = _verified(generated, grounding, context)
        if quotes is not None:
            generated = msgspec.structs.replace(generated, text=before + generated.text)
            sequences = tuple(msgspec.structs.replace(one, text=before + one.text) for one in sequences)
            citations = tuple({c.n: c for c in (*citations, *quotes.citations)}.values())
        result = msgspec.structs.replace(
            result, citations=_pointing(citations, verification), verification=verification
        )
    if grounding is not None:
        declined, found = bool(grounding.declined), grounding.passages
        reasons = (*grounding.reasons, *reasons_in(generated.text, result.verification))
        result = msgspec.structs.replace(
            result,
            declined=declined,
            query=grounding.query,
            passages=found,
            outcome=outcome_of(declined, reasons),
            reasons=reasons,
        )
    if way is not None:
        result = msgspec.structs.replace(result, road=way.road, roads=way.roads)
    if context.decoding.format != "text" and any(one.finish == "length" for one in sequences):
        yield from context.note(CUT_OFF)
    if any(one.finish == "loop" for one in sequences):
        yield from context.note(LOOPED)
    notices = context.notices
    yield ending(
        msgspec.structs.replace(result, answer=generated.text, sequences=sequences, notices=notices), generated
    )


def _verified(generated: Generated, grounding: Grounding, context: AnswerContext) -> Verification | None:
    """What the passages say of a text that was written from them, below its quotes: of every answer, and of every task
    on a document."""
    first = generated.sequences[0] if generated.sequences else GeneratedSequence(text="")
    verification = verify_answer(generated.text, grounding, first.mean_logprob, context.exam, first.spelled)
    if grounding.quotes is not None:
        verification = with_quotes(grounding.quotes, verification)
    verification = with_sources(verification, grounding.passages)
    return with_rates(verification, grounding.question, context.exam) if grounding.question else verification


def _pointing(citations: Sequence[Citation], verification: Verification | None) -> tuple[Citation, ...]:
    return point_to_sentences(citations, verification.statements if verification is not None else ())


def _thought(written: Generator[Event, None, Generated]) -> Generator[Event, None, Generated]:
    """Pass on an answer; its thought is told at its end where none has streamed."""
    streamed = False
    with closing(written):
        while True:
            try:
                event = next(written)
            except StopIteration as end:
                generated: Generated = end.value
                break
            streamed = streamed or (isinstance(event, events.Thought) and not event.step)
            yield event
    if generated.thought and not streamed:
        yield events.Thought(text=generated.thought)
    return generated


def _unchanged(text: str) -> Generator[Event, None, Generated]:
    """An answer that no model writes."""
    yield from ()
    return Generated(text=text)
