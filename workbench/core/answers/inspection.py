"""What can be done with answers that are there: keep another one of several, look at the tokens, check a form."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.api.calls import AnswerTokens, CheckFormat, FormatCheck, InspectAnswer, KeepSequence, StoredMessage
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.backends.backend import Capabilities, require
from workbench.core.answers.resolver import HomeServices
from workbench.core.change_notifier import Changes
from workbench.core.streams import Handlers, unary
from workbench.errors import UserError
from workbench.records.recipes import DecodingPart, Recipe
from workbench.storage.chats import ChatStore
from workbench.storage.traces import Trace
from workbench.techniques.retrieval.citations import citations_of

_NEEDS = Capabilities(token_logprobs=True, continues_from_tokens=True)


class Inspecting:
    def __init__(self, store: ChatStore, services: HomeServices, changes: Changes) -> None:
        self._store = store
        self._services = services
        self._changes = changes

    def handlers(self) -> Handlers:
        return {
            KeepSequence: unary(self.keep),
            InspectAnswer: self.inspect,
            CheckFormat: unary(self.check_format),
        }

    def keep(self, call: KeepSequence) -> StoredMessage:
        message = readable(self._store.get_message(call.message))
        if message.state == "streaming":
            raise UserError("This answer is still being made.", "Wait until it is complete, or stop it.")
        if not message.sequences:
            raise UserError("There is only this one answer.", "Ask for several at once to choose from.")
        if not 0 <= call.sequence < len(message.sequences):
            last = len(message.sequences) - 1
            raise UserError(f"There is no answer {call.sequence} among these.", f"They are numbered from 0 to {last}.")
        kept = message.sequences[call.sequence]
        self._store.update_message(
            message.id,
            text=kept.text,
            thought=kept.thought,
            citations=citations_of(kept, message.passages),
            kept=call.sequence,
            original=None,
        )
        self._changes.publish("chat", message.chat)
        return self._store.get_message(message.id)

    def inspect(self, call: InspectAnswer, context: RequestContext) -> Iterator[Event]:
        message = readable(self._store.get_message(call.message))
        trace = read_trace(self._store, message)
        tokens = tokens_of(trace, call.sequence)
        recipe = message.recipe or Recipe()
        resolved = self._services.resolve_as_made(recipe, DecodingPart(), context)
        require(_NEEDS, self._services.capabilities(resolved), resolved.model.name)
        with self._services.lease(resolved, context) as loading:
            model = yield from loading
            *chosen, after = model.inspect(trace.prompt, tokens, call.alternatives, call.last)
        yield finish(AnswerTokens(tokens=tuple(chosen), next=after, first=len(tokens) - len(chosen), beams=trace.beams))

    def check_format(self, call: CheckFormat) -> FormatCheck:
        from workbench.techniques.decoding.formats import check_format  # loads the grammars' library

        return check_format(call.format, call.grammar, call.text)


def readable(message: StoredMessage) -> StoredMessage:
    """The message. Raises UserError where a part of it that is needed cannot be read."""
    if message.unreadable:
        raise UserError(message.unreadable)
    return message


def read_trace(store: ChatStore, message: StoredMessage) -> Trace:
    """The tokens of an answer. Raises UserError when they are not known."""
    if message.state == "streaming":
        raise UserError("This answer is still being made.", "Wait until it is complete, or stop it.")
    trace = store.get_trace(message.id)
    if trace is None:
        raise UserError(
            "The tokens of this answer are not known.",
            "They are kept of answers that a model made in one go: answer the question again.",
        )
    return trace


def tokens_of(trace: Trace, sequence: int) -> tuple[int, ...]:
    """The tokens of one sequence. Raises UserError when there is no such sequence."""
    if not 0 <= sequence < len(trace.sequences):
        last = len(trace.sequences) - 1
        raise UserError(f"There is no answer {sequence} among these.", f"They are numbered from 0 to {last}.")
    return trace.sequences[sequence]
