"""Tokenises examples with the model's chat template, with their loss masks.

What stands before an answer is, token for token, what the engine shows the model when it asks for that answer, and an
answer's tokens begin where the prompt's end: a model that is trained on other borders learns other tokens. The token
that ends an answer is trained with it. What people wrote cannot steer: a name of a control token in it stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.engine.folding import fold_system, fold_tools, merge_adjacent
from workbench.engine.prompt import PromptWriter, Renderer
from workbench.engine.reasoning_parser import MARKS, ThoughtSplitter
from workbench.engine.segment_tokenizer import SegmentTokenizer
from workbench.engine.segments import Segment
from workbench.engine.template import TemplateError
from workbench.records.messages import Message, Role
from workbench.training.data.assistant_masks import Skeleton, Tokenizer, Transformed, make_skeleton, said_after
from workbench.training.data.examples import Example, Source

LossOn = Literal["answers", "all"]


class Piece(msgspec.Struct, frozen=True):
    """A stretch of an example as the model sees it, names of control tokens included. ``rejected``: it is of the second
    answer to the same prompt, the one that was not preferred."""

    text: str
    trained: bool
    rejected: bool = False


class WrittenExample(msgspec.Struct, frozen=True, kw_only=True):
    """``tokens`` and, of the same length, whether each is trained. ``whole_tokens`` is its length before it was cut.

    ``starts`` are the places, but for the first one, at which another answer to the same prompt begins.
    ``undesirable``: the answer was judged bad. ``notes`` say
    where the template does not show an example as the engine asks for it.
    """

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    whole_tokens: int
    source: Source = Source()
    notes: tuple[Shown, ...] = ()
    starts: tuple[int, ...] = ()
    undesirable: bool = False

    @property
    def cut_tokens(self) -> int:
        """The number of truncated tokens."""
        return self.whole_tokens - len(self.tokens)

    @property
    def trained_tokens(self) -> int:
        """0: no token is trained."""
        return sum(self.trained)

    def labels(self, ignored: int = -100) -> list[int]:
        """The trained tokens, ``ignored`` in place of the others: what a loss is computed with."""
        return [token if trained else ignored for token, trained in zip(self.tokens, self.trained, strict=True)]


def pieces_of(written: WrittenExample, tokenizer: Tokenizer) -> list[Piece]:
    """The text of an example in stretches that are trained or not."""
    pieces: list[Piece] = []
    start = 0
    for end in range(1, len(written.tokens) + 1):
        if end == len(written.tokens) or written.trained[end] != written.trained[start] or end in written.starts:
            text = tokenizer.text(written.tokens[start:end], special=True)
            rejected = bool(written.starts) and start >= written.starts[0]
            pieces.append(Piece(text, written.trained[start], rejected))
            start = end
    return pieces


@dataclass(frozen=True)
class _Run:
    """Neighbouring segments that are trained, or not."""

    segments: list[Segment]
    trained: bool


class ExampleWriter:
    """Writes examples for one model. ``template`` "": the plain form of ``engine.prompt``. One thread at a time.

    ``loss_on`` "answers" learns what the assistant says; "all" every token but a first one that every text has.
    ``max_length`` cuts the end off longer examples; 0 does not.
    """

    def __init__(
        self,
        template: str,
        tokenizer: Tokenizer,
        renderer: Renderer,
        *,
        loss_on: LossOn = "answers",
        max_length: int = 0,
    ) -> None:
        self._template = template
        self._tokenizer = tokenizer
        self._segments = SegmentTokenizer(tokenizer)
        self._prompts = PromptWriter(template, tokenizer, renderer)
        self._loss_on = loss_on
        self._longest = max_length
        self._skeletons: dict[tuple[Role, ...], Skeleton | Transformed | TemplateError] = {}

    def write(self, example: Example) -> WrittenExample:
        """Raises UserError when the template refuses the conversation, or its answers cannot be told."""
        notes: tuple[Shown, ...] = ()
        if not example.messages:
            runs = [_Run([Segment(example.text, literal=True), *self._end()], trained=True)]
        else:
            messages = _with_one_thought(merge_adjacent(example.messages))
            if messages[-1].role != "assistant":
                raise UserError("The conversation does not end with an answer.", "Leave out what follows the last one.")
            if self._template:
                runs, notes = self._conversation(messages)
            else:
                runs = self._plain(messages)
        tokens, trained = self._tokens(runs)
        if self._loss_on == "all":
            trained = [True] * len(tokens)
        whole = self._segments.with_bos(tokens)
        trained = [False] * (len(whole) - len(tokens)) + trained
        if whole[:1] == [self._tokenizer.bos]:
            trained[0] = False
        longest = self._longest or len(whole)
        return WrittenExample(
            tokens=tuple(whole[:longest]),
            trained=tuple(trained[:longest]),
            whole_tokens=len(whole),
            source=example.source,
            notes=notes,
        )

    # -- with the model's template ----------------------------------------------------------------------

    def _conversation(self, messages: list[Message]) -> tuple[list[_Run], tuple[str, ...]]:
        if any(message.role == "tool" or message.tool_calls for message in messages):
            return self._transformed(messages), ()  # a skeleton has no place for tool calls
        if any(len(self._prompts.switches(message)) > 1 for message in messages):
            return self._transformed(messages), ()
        skeleton = self._skeleton([m.role for m in messages])
        notes: tuple[Shown, ...] = ()
        if isinstance(skeleton, TemplateError) and (folded := fold_system(messages)) is not None:
            messages, skeleton = folded, self._skeleton([m.role for m in folded])
            notes = ("The template has no system role: instructions are put before the first question.",)
        if isinstance(skeleton, TemplateError):
            raise UserError(f"The model's chat template refuses this conversation: {skeleton}.") from skeleton
        if isinstance(skeleton, Transformed):
            return self._transformed(messages), notes
        return self._filled(messages, skeleton), (*notes, *skeleton.notes)

    def _skeleton(self, roles: Sequence[Role]) -> Skeleton | Transformed | TemplateError:
        key = tuple(roles)
        if key not in self._skeletons:
            try:
                self._skeletons[key] = make_skeleton(roles, self._prompts, self._tokenizer)
            except (TemplateError, Transformed) as refusal:
                self._skeletons[key] = refusal
        return self._skeletons[key]

    def _filled(self, messages: Sequence[Message], skeleton: Skeleton) -> list[_Run]:
        """The skeleton with the contents in it, up to the end of the last answer."""
        runs: list[_Run] = []
        waiting = ""  # what the template writes and the model does not say
        asked: list[Segment] = []
        following = [*(turn.before for turn in skeleton.turns[1:]), skeleton.after]
        taken = 0  # of this turn's ``before``: what the model said behind the turn before it
        last = len(messages) - 1
        for number, (message, turn, behind) in enumerate(zip(messages, skeleton.turns, following, strict=True)):
            content = message.content.lstrip() if turn.trims_start else message.content
            content = content.rstrip() if turn.trims_end else content
            if message.role != "assistant":
                asked += [Segment(turn.before[taken:], literal=False), Segment(content, literal=True)]
                taken = 0
                continue
            given = max(turn.given, taken)
            waiting, own = turn.before[taken:given], turn.before[given:]
            if number == last:
                waiting += skeleton.missing
                own, content = _thought_first(own, content, skeleton)
            ending = Segment(behind[: turn.said_after], literal=False)
            said = [Segment(own, literal=False), Segment(content, literal=True), ending]
            if number == last and not turn.said_after:
                said += self._end()
            runs += [_Run([*asked, Segment(waiting, literal=False)], trained=False), _Run(said, trained=True)]
            asked, taken = [], turn.said_after
        return runs

    def _transformed(self, messages: Sequence[Message]) -> list[_Run]:
        """For templates that change contents: the answers are what each rendering adds to the prompt for it."""
        shown = [self._prompts.turn(message) for message in messages]
        try:
            text = self._prompts.render_text(shown, answering=False)
            asked = [
                self._prompts.render_text(shown[:number], answering=True)
                for number, message in enumerate(messages)
                if message.role == "assistant"
            ]
        except TemplateError as refusal:
            raise UserError(f"The model's chat template refuses this conversation: {refusal}.") from refusal
        if not all(text.startswith(prompt) for prompt in asked):
            raise UserError(
                "The answers cannot be located in the output of the model's chat template.",
                "Train on all tokens instead.",
            )
        runs: list[_Run] = []
        end = 0
        for number, prompt in enumerate(asked):
            start, limit = len(prompt), len(asked[number + 1]) if number + 1 < len(asked) else len(text)
            runs.append(_Run([Segment(text[end:start], literal=False)], trained=False))
            said = said_after(text[start:limit], self._tokenizer)
            end = start + (said or limit - start)
            ending = self._end() if not said and limit == len(text) else []
            runs.append(_Run([Segment(text[start:end], literal=False), *ending], trained=True))
        return runs

    # -- without ------------------------------------------------------------------------------------------

    def _plain(self, messages: Sequence[Message]) -> list[_Run]:
        """The plain form of the engine's prompts. An answer in the middle ends with the engine's stop string."""
        names = {"system": "", "user": "User:"}
        messages = fold_tools(messages) or messages
        runs: list[_Run] = []
        asked = ""
        named = False  # the answer before has said the name of who speaks next
        for number, message in enumerate(messages):
            content = message.content.strip()
            if message.role != "assistant":
                name = "" if named else names[message.role]
                asked += f"{name}{' ' if message.role == 'user' else ''}{content}\n\n"
                named = False
                continue
            runs.append(_Run([Segment(f"{asked}Assistant:", literal=True)], trained=False))
            asked = ""
            if number == len(messages) - 1:
                said = [Segment(f" {content}", literal=True), *self._end()]
            else:
                named = messages[number + 1].role == "user"
                said = [Segment(f" {content}\n\n{'User:' if named else ''}", literal=True)]
            runs.append(_Run(said, trained=True))
        return runs

    def _end(self) -> list[Segment]:
        """The token with which the model says that it is done, where it has one."""
        if self._tokenizer.eos < 0:
            return []
        name = self._tokenizer.piece(self._tokenizer.eos, special=True).decode("utf-8", "replace")
        return [Segment(name, literal=False)]

    # -- tokens -------------------------------------------------------------------------------------------

    def _tokens(self, runs: Sequence[_Run]) -> tuple[list[int], list[bool]]:
        """The tokens of all runs, and which are trained. The last run is an answer, or all there is.

        What stands before it is one text, as in the engine's prompt, and so is the answer with it, unless a token
        would lie across the border. Across the border of an earlier answer it may: it counts to what it ends in.
        """
        *before, last = runs
        joined = _joined([s for run in before for s in run.segments])
        tokens = self._segments.tokenize(joined)
        trained: list[bool] = []
        # the last of what stands before ends where the tokens do; for a single question that is all
        several = len(before) > 1
        as_one = several and tokens == self._tokenizer.tokenize("".join(s.text for s in joined), special=True)
        known: list[int] = []
        since: list[Segment] = []
        so_far: list[Segment] = []
        for run in before[:-1]:
            since += run.segments
            so_far += run.segments
            found = known + self._part(since, as_one)
            if tokens[: len(found)] != found:
                found = self._part(so_far, as_one)
                found = found[: next((i for i, (a, b) in enumerate(zip(found, tokens, strict=False)) if a != b), None)]
            trained += [run.trained] * (len(found) - len(trained))
            if run.trained:  # what follows the token that ends an answer does not depend on what was before
                known, since = found, []
        trained += [False] * (len(tokens) - len(trained))
        whole = self._segments.tokenize(_joined([*joined, *last.segments]))
        if whole[: len(tokens)] != tokens:
            whole = tokens + self._segments.tokenize(_joined(last.segments))
        return whole, trained + [last.trained] * (len(whole) - len(tokens))

    def _part(self, segments: Sequence[Segment], as_one: bool) -> list[int]:
        """The tokens of a part, made as those of the whole were."""
        if as_one:
            return self._tokenizer.tokenize("".join(s.text for s in segments), special=True)
        return self._segments.tokenize_apart(_joined(segments))


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Neighbours of one kind as one, as they are in the engine's prompts: tokens do not end where they meet."""
    joined: list[Segment] = []
    for segment in segments:
        if joined and joined[-1].literal == segment.literal:
            joined[-1] = Segment(joined[-1].text + segment.text, segment.literal)
        elif segment.text:
            joined.append(segment)
    return joined


def _with_one_thought(messages: Sequence[Message]) -> list[Message]:
    """Earlier answers without their thoughts, as a chat shows them; the last one thinks aloud."""
    return [
        Message("assistant", _answer_of(m.content), m.parts) if m.role == "assistant" and m is not messages[-1] else m
        for m in messages
    ]


def _answer_of(content: str) -> str:
    if not content.lstrip().startswith(tuple(marks.opening for marks in MARKS)):
        return content
    splitter = ThoughtSplitter()
    parts = [*splitter.feed(content), *splitter.finish()]
    return "".join(text for kind, text in parts if kind == "text")


def _thought_first(own: str, content: str, skeleton: Skeleton) -> tuple[str, str]:
    """The model's text before the content, and the content: with at most one thought, opened once."""
    begun = content.lstrip()
    for marks in MARKS:
        if begun.startswith(marks.opening):
            if skeleton.opened == marks:
                return own, begun.removeprefix(marks.opening).lstrip()
            return (own if marks.opening not in own else own[: own.index(marks.opening)]), begun
    if skeleton.opened is not None and skeleton.opened.closing not in own:
        return f"\n{skeleton.opened.closing}\n\n{own.lstrip()}", content
    return own, content
