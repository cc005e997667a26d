"""Actions on stored answers: select another candidate, inspect tokens, check a format."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import FormatCheck, StoredMessage
from workbench.records.capabilities import Capabilities, require
from workbench.records.messages import Beam, Message
from workbench.records.recipes import DecodingPart, Recipe
from workbench.records.trace import TokenIds, Trace
from workbench.subjects.answering.preview import preview
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.calls import (
    AnswerTokens,
    CheckFormat,
    GetTrace,
    InspectAnswer,
    SelectSequence,
    ShowPrompt,
)
from workbench.subjects.chats.store import ChatStore
from workbench.techniques.retrieval.citations import citations_of
from workbench.techniques.retrieval.verification import point_to_sentences, verify_statements

_NEEDS = Capabilities(token_logprobs=True, continues_from_tokens=True)


class Inspecting:
    def __init__(self, store: ChatStore, services: HomeServices, changes: ChangeNotifier) -> None:
        self._store = store
        self._services = services
        self._changes = changes

    def handlers(self) -> Handlers:
        return {
            SelectSequence: unary(self.keep),
            InspectAnswer: self.inspect,
            GetTrace: unary(self.trace),
            CheckFormat: unary(self.check_format),
            ShowPrompt: self.show_prompt,
        }

    def keep(self, call: SelectSequence) -> StoredMessage:
        message = readable(self._store.get_message(call.message))
        if message.state == "streaming":
            raise UserError("This answer is still being generated.", "Wait until it is complete, or stop it.")
        if not message.sequences:
            raise UserError("There is only one answer.", "Ask for several answers to choose from.")
        if not 0 <= call.sequence < len(message.sequences):
            last = len(message.sequences) - 1
            raise UserError(f"There is no answer number {call.sequence}.", f"They are numbered from 0 to {last}.")
        kept = message.sequences[call.sequence]
        verification = None
        if message.passages and message.parent is not None:
            question = self._store.get_message(message.parent).text
            verification = verify_statements(kept.text, message.passages, question)
        self._store.update_message(
            message.id,
            text=kept.text,
            thought=kept.thought,
            citations=point_to_sentences(
                citations_of(kept, message.passages), verification.statements if verification is not None else ()
            ),
            verification=verification,
            selected_sequence=call.sequence,
            original=None,
        )
        self._changes.publish("chat", message.chat)
        return self._store.get_message(message.id)

    def inspect(self, call: InspectAnswer, context: RequestContext) -> Iterator[Event]:
        message = readable(self._store.get_message(call.message))
        known, beams = read_tokens(self._store, message, call.step)
        tokens = tokens_of(known, call.sequence)
        recipe = message.recipe or Recipe()
        resolved = self._services.resolve_as_made(recipe, DecodingPart(), context)
        require(_NEEDS, self._services.capabilities(resolved), resolved.model.name)
        with self._services.lease(resolved, context) as loading:
            model = yield from loading
            *chosen, after = model.inspect(known.prompt, tokens, call.alternatives, call.last)
        yield finish(AnswerTokens(tokens=tuple(chosen), next=after, first=len(tokens) - len(chosen), beams=beams))

    def show_prompt(self, call: ShowPrompt, context: RequestContext) -> Iterator[Event]:
        request = AnswerRequest(recipe=call.recipe, conversation=(Message("user", call.question),))
        return preview(request, self._services, context)

    def trace(self, call: GetTrace) -> Trace:
        trace = self._store.get_trace(call.message)
        if trace is None:
            raise UserError("No steps are stored for this answer.", "Answer the question again to see them.")
        return trace

    def check_format(self, call: CheckFormat) -> FormatCheck:
        from workbench.techniques.decoding.formats import check_format  # loads the grammars' library

        return check_format(call.format, call.grammar, call.text)


def readable(message: StoredMessage) -> StoredMessage:
    """The message. Raises UserError where a part of it that is needed cannot be read."""
    if message.unreadable:
        raise UserError(message.unreadable)
    return message


def read_tokens(
    store: ChatStore, message: StoredMessage, step: str = ""
) -> tuple[TokenIds, tuple[tuple[Beam, ...], ...]]:
    """The token ids of an answer, or of one of its steps, and the steps of its beam search. Raises UserError when they
    are not stored."""
    if message.state == "streaming":
        raise UserError("This answer is still being generated.", "Wait until it is complete, or stop it.")
    trace = store.get_trace(message.id)
    generation = trace.generation if trace is not None else None
    if step:
        generation = next((one for one in trace.steps if one.id == step), None) if trace is not None else None
        if generation is None or generation.tokens is None:
            raise UserError(f"Step {step} of this answer has no tokens.", "Steps that generate text have tokens.")
    if generation is None or generation.tokens is None:
        raise UserError(
            "The tokens of this answer are not stored.",
            "An answer that one generation wrote has tokens of its own; of others, name a step that generated text.",
        )
    return generation.tokens, generation.beams


def tokens_of(known: TokenIds, sequence: int) -> tuple[int, ...]:
    """The tokens of one sequence. Raises UserError when there is no such sequence."""
    if not 0 <= sequence < len(known.sequences):
        last = len(known.sequences) - 1
        raise UserError(f"This answer has no sequence {sequence}.", f"They are numbered from 0 to {last}.")
    return known.sequences[sequence]
