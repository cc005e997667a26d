"""Values and calls of records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records import origins as provenance
from workbench.records.agents import Approval
from workbench.records.endpoints import MadeBy
from workbench.records.messages import Candidate, Citation, Finish, Message, Part, Passage, Usage, Verification
from workbench.records.methods import MethodInfo
from workbench.records.outcomes import Outcome, Reason, Road
from workbench.records.recipes import Recipe
from workbench.records.trace import Trace


class DocumentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task on one whole document, section by section when it is longer than the context.

    ``document`` is its id or path in the recipe's collection, ``task`` the name of a document task. ``language`` is the
    target of a translation, ``columns`` are those of a table.
    """

    document: str
    task: str
    language: str = ""
    columns: tuple[str, ...] = ()

    def describe(self, method: MethodInfo) -> str:
        """The request in words; ``method`` is the task's row."""
        name, columns = PurePath(self.document).name, ", ".join(self.columns)
        return method.phrase.format(document=name, language=self.language, columns=columns)


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """The grounds of an answer: the passages that the model was shown and those that are cited, whether it was
    declined for want of any, what was said beside it, and how it was verified.

    ``outcome`` is None where no documents were asked, and in answers of earlier versions. ``reasons`` to doubt the
    answer belong to *perhaps*. ``road`` is how the question was answered, and ``roads`` are the others that are
    offered beside it, the likeliest first."""

    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    declined: bool = False
    outcome: Outcome | None = None
    reasons: tuple[Reason, ...] = ()
    road: Road | None = None
    roads: tuple[Road, ...] = ()
    notices: tuple[Shown, ...] = ()
    verification: Verification | None = None


class StoredMessage(Grounds, frozen=True, kw_only=True):
    """A message of a chat. Messages form a tree: an edited question or a regenerated answer is a sibling.

    ``parts`` holds a message that is more than text, as in ``Message``; ``text`` is then the text of its parts.
    ``state``: ``done``; ``streaming`` while it is generated; ``stopped`` by the person; ``failed`` (``error`` is the
    reason); ``interrupted`` when the program ended meanwhile; ``waiting`` for the person's decision on the call
    ``waiting`` (``Decide``). ``document`` is the task of a question that asks for one;
    regenerating its answer repeats the task. ``sequences`` are all answers of one generation, () for a single one;
    ``selected_sequence`` is the index of the one with this text. ``steps`` counts the steps of the answer's trace
    (``GetTrace``). ``traced``: the token ids of its text are stored, so that ``InspectAnswer`` can be called.
    ``tainted``: text of strangers was read for it. ``rating``: 1 good, -1 bad, 0 none. ``original`` is the model's text
    where a person has edited ``text``. ``finish``: why a single answer ended, None where it is not known.
    ``unreadable`` says which fields this program cannot read, and why (so do the notices): they are left out here and
    stay as they are stored.
    """

    id: str
    chat: str
    parent: str | None
    role: Literal["user", "assistant", "tool"]
    text: str
    parts: tuple[Part, ...] = ()
    state: Literal["done", "streaming", "stopped", "failed", "interrupted", "waiting"] = "done"
    thought: str = ""
    error: Shown = ""
    created: float = 0.0
    query: str = ""
    usage: Usage | None = None
    recipe: Recipe | None = None
    document: DocumentTask | None = None
    sequences: tuple[Candidate, ...] = ()
    selected_sequence: int = 0
    steps: int = 0
    traced: bool = False
    rating: int = 0
    original: str | None = None
    waiting: Approval | None = None
    tainted: bool = False
    finish: Finish | None = None
    unreadable: Shown = ""

    @property
    def looped(self) -> bool:
        """Whether this text was ended since it repeated itself."""
        finish = self.sequences[self.selected_sequence].finish if self.sequences else self.finish
        return finish == "loop"

    def as_message(self, text: str | None = None) -> Message:
        """The message as a model sees it. With another ``text`` than the model's own its parts are left out."""
        text = self.text if text is None else text
        parts = self.parts if text == self.text and self.original is None else ()
        return Message(self.role, text, parts, declined=self.outcome == "not_found")

    def origins(self, *, whole_document: bool = False) -> tuple[str, ...]:
        """The sources that an answer was made from, beside the messages above it (``records/origins.py``).
        ``whole_document``: its question was a task on one."""
        if self.role == "tool":
            return (provenance.AGENT,)
        if self.role == "user":
            return ()
        if self.unreadable:
            return (provenance.UNKNOWN,)
        return provenance.origins_of_answer(
            self.recipe, self.passages, tainted=self.tainted or self.state != "done", whole_document=whole_document
        )


def origins_in(messages: Sequence[StoredMessage]) -> tuple[str, ...]:
    """The sources of messages, all together."""
    tasks = {message.id for message in messages if message.document is not None}
    return provenance.joined(*(message.origins(whole_document=message.parent in tasks) for message in messages))


class FormatCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking a constraint and a text. ``problem`` is what is wrong with the constraint, with ``line``
    (from 1) where it is known. ``text_problem`` is why the text does not match; "" when it does or none was given."""

    problem: Shown = ""
    line: int | None = None
    text_problem: Shown = ""


class AskResult(Grounds, frozen=True, kw_only=True):
    """An answer. ``chat`` and ``message`` are the ids under which it is stored; ``usage`` is of all its generations.
    ``waiting``: there is no answer yet, since a call of a tool waits for the person. ``tainted``: text of strangers was
    read for it. ``made_by``: an endpoint that computed it."""

    answer: str
    sequences: tuple[Candidate, ...] = ()
    usage: Usage = Usage()
    recipe: Recipe = Recipe()
    chat: str = ""
    message: str = ""
    query: str = ""
    context_tokens: int = 0
    parts: tuple[Part, ...] = ()
    trace: Trace | None = None
    waiting: Approval | None = None
    tainted: bool = False
    made_by: MadeBy | None = None

    @property
    def is_cut_off(self) -> bool:
        """Whether an answer was to have a form and reached its maximum length before it was complete."""
        return self.recipe.decoding.format != "text" and any(one.finish == "length" for one in self.sequences)


class PromptText(msgspec.Struct, frozen=True, kw_only=True):
    """The prompt of a question's first generation, as the model reads it: its control tokens have their names.

    ``together`` generations begin at once, of which this is the first. Without a generation, as for a question that is
    declined or answered by quotes, ``text`` is empty and ``answer`` is what is answered.
    """

    text: str
    tokens: int
    context_tokens: int
    together: int = 1
    answer: str = ""
