"""Prompts: a conversation rendered into the tokens that a model sees.

The model's chat template decides the form. Text of people and documents must not act as control tokens: a user who
types ``<|im_end|>`` types six characters. So the template is rendered with unguessable placeholders for the contents,
and names of control tokens count only in what the template itself wrote. A template that does something to its contents
other than trimming them (so that a placeholder does not survive) gets the contents themselves, with a word joiner in
every name of a control token. Switches that a template looks for in the text (``/no_think``) stay in their place.

A model without a template (a base model) gets a plain form::

    {system}

    User: {user}

    Assistant: {assistant}

with ``User:`` at the beginning of a line as a stop string.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

from workbench.base.errors import ContextExceeded, UserError
from workbench.engine.folding import (
    describe_tools,
    fold_system,
    fold_tools,
    mark_images,
    merge_adjacent,
    split_turns,
)
from workbench.engine.inference_calls import AssistantStart, Marker
from workbench.engine.reasoning_parser import Marks, opened_by
from workbench.engine.segment_tokenizer import SegmentTokenizer, Tokenizer
from workbench.engine.segments import PROBE, Held, HeldCalls, Segment, segments_of, split_at, split_images
from workbench.engine.template import FAULTY_HINT, TemplateError
from workbench.engine.tool_format import ToolFormat, kind_of
from workbench.engine.tool_probing import find_tool_format
from workbench.gguf.model import has_thinking_switch
from workbench.records.messages import ImagePart, Message, ToolCallPart
from workbench.records.recipes import Thinking

PLAIN_STOPS = ("\nUser:", "\n\nUser:")
LARGEST_FRAME, FRAME_PER_MESSAGE, REPEATS = 1 << 17, 512, 4
"""How many characters a template may write of its own, and how often the contents: tokenising more takes minutes."""


NO_IDS: Mapping[str, str] = MappingProxyType({})

_SWITCH = re.compile(r"(?<![\w/])/(?:no[_-]?)?think(?![\w/])")


class Renderer(Protocol):
    def render(self, template: str, variables: dict[str, Any]) -> str: ...


@dataclass(frozen=True)
class TemplateOptions:
    """The variables of a chat template beside the messages: ``enable_thinking``, and ``tools`` as JSON schemas in the
    form of transformers (``{"type": "function", "function": {"name": ..., "description": ..., "parameters":
    ...}}``)."""

    thinking: Thinking = "automatic"
    tools: tuple[dict[str, Any], ...] = ()

    def variables(self) -> dict[str, Any]:
        variables: dict[str, Any] = {"tools": list(self.tools)} if self.tools else {}
        if self.thinking != "automatic":  # DeepSeek V3.1 calls it "thinking", most others "enable_thinking"
            variables["enable_thinking"] = variables["thinking"] = self.thinking == "on"
        return variables


@dataclass(frozen=True)
class Prompt:
    """``tokens`` end where the answer begins, ``assistant_start`` included.

    ``opened`` are the thought marks that the template has opened. ``stops`` end an answer besides the recipe's stop
    strings. ``dropped_turns`` of the conversation were left out.
    """

    tokens: list[int]
    opened: Marks | None = None
    stops: tuple[str, ...] = ()
    dropped_turns: int = 0
    strips_start: bool = False


class PromptWriter:
    """Renders prompts for one model. Thread-safe. ``tool_formats`` keeps those of templates by their hash;
    ``image_tokens`` gives the tokens of an image, and raises UserError where the model cannot read it."""

    def __init__(
        self,
        template: str,
        vocabulary: Tokenizer,
        renderer: Renderer,
        tool_formats: MutableMapping[str, ToolFormat] | None = None,
        image_tokens: Callable[[ImagePart], list[int]] | None = None,
    ) -> None:
        self._template = template
        self._image_tokens = image_tokens
        self._vocabulary = vocabulary
        self._tokenizer = SegmentTokenizer(vocabulary)
        self._renderer = renderer
        self._switches = frozenset(_SWITCH.findall(template))
        self._tool_formats = {} if tool_formats is None else tool_formats
        self._hash = hashlib.sha256(template.encode("utf-8", "replace")).hexdigest()
        self.has_thinking_switch = has_thinking_switch(template)

    @property
    def tool_format(self) -> ToolFormat:
        """How the template writes tool calls; found once. Raises UserError for a template that breaks its limits."""
        if self._hash not in self._tool_formats:
            self._tool_formats[self._hash] = find_tool_format(self._probe) if self._template else ToolFormat()
        return self._tool_formats[self._hash]

    def _probe(self, messages: list[dict[str, Any]], answering: bool, tools: Sequence[dict[str, Any]]) -> str:
        return self.render_text(messages, answering=answering, options=TemplateOptions(tools=tuple(tools)))

    def write(
        self,
        messages: Sequence[Message],
        assistant_start: AssistantStart = "",
        options: TemplateOptions = TemplateOptions(),
    ) -> Prompt:
        """The whole conversation, of any length. Raises UserError when the template refuses it."""
        marked, images = mark_images(messages)
        merged = merge_adjacent(marked)
        if not merged:
            raise UserError("There is nothing to answer.", "Write a message first.")
        write = self._templated if self._template else self._plain
        prompt = write(merged, assistant_start, options, images)
        if not prompt.tokens:
            raise UserError(
                "The model sees nothing of this conversation: its chat template or vocabulary makes no tokens of it.",
                FAULTY_HINT,
            )
        return prompt

    def _templated(
        self,
        messages: Sequence[Message],
        assistant_start: AssistantStart,
        options: TemplateOptions,
        images: Mapping[str, ImagePart],
    ) -> Prompt:
        segments = self._render(messages, options)
        opened = opened_by(segments[-1].text) if segments and not segments[-1].literal else None
        if assistant_start:
            if opened is not None and not _closes(assistant_start, opened):
                segments.append(Segment(f"\n{opened.closing}\n\n", literal=False))
                opened = None
            segments += segments_of(assistant_start)
        tokens = self._tokens(segments, images, self._tokenizer.tokenize)
        return Prompt(self._tokenizer.with_bos(tokens), opened)

    def _tokens(
        self,
        segments: Sequence[Segment],
        images: Mapping[str, ImagePart],
        tokenize: Callable[[Sequence[Segment]], list[int]],
    ) -> list[int]:
        """The tokens of segments, those of images in the places of their marks. Text before and after an image is
        tokenised apart, as llama.cpp does."""
        if not images:
            return tokenize(segments)
        tokens: list[int] = []
        texts: list[Segment] = []
        found = 0
        for segment in split_images(segments, images):
            if segment.image is None:
                texts.append(segment)
                continue
            assert self._image_tokens is not None
            tokens += [*(tokenize(texts) if texts else ()), *self._image_tokens(segment.image)]
            texts = []
            found += 1
        if found < len(images):
            raise UserError(
                "The model's chat template leaves out an image of this conversation.", "Choose another vision model."
            )
        return [*tokens, *(tokenize(texts) if texts else ())]

    def write_fitting(
        self,
        messages: Sequence[Message],
        assistant_start: AssistantStart,
        context_tokens: int,
        answer_tokens: int,
        options: TemplateOptions = TemplateOptions(),
    ) -> Prompt:
        """The conversation without its oldest turns, until it fits.

        A turn is a user's message with all that follows it. The system message and the last turn are kept. Room for
        ``answer_tokens``, at most a quarter of the context, is left. Raises UserError when even that does not fit.
        """
        limit = self._longest(context_tokens, answer_tokens, assistant_start)
        head, turns = split_turns(messages)

        def attempt(dropped: int) -> Prompt:
            kept = [message for turn in turns[dropped:] for message in turn]
            return self.write([*head, *kept], assistant_start, options)

        prompt = attempt(0)
        if len(prompt.tokens) <= limit:
            return prompt
        # the fewest turns to drop, by bisection: each attempt renders and tokenises the whole
        low, high = 1, len(turns) - 1
        found: Prompt | None = None
        while low <= high:
            middle = (low + high) // 2
            prompt = attempt(middle)
            if len(prompt.tokens) <= limit:
                found, high = replace(prompt, dropped_turns=middle), middle - 1
            else:
                low = middle + 1
        if found is None:
            needed = len(attempt(max(0, len(turns) - 1)).tokens)
            raise ContextExceeded(
                f"The question with its instructions and documents has {needed:,} tokens, but only {limit:,} of "
                f"the model's context of {context_tokens:,} are available for it.",
                "Shorten the question or the documents, or set a longer context.",
                tokens=needed,
                context_tokens=context_tokens,
            )
        return found

    def _longest(self, context_tokens: int, answer_tokens: int, assistant_start: AssistantStart) -> int:
        return context_tokens - min(answer_tokens, context_tokens // 4)

    def from_tokens(self, tokens: Sequence[int]) -> Prompt:
        """An earlier prompt, from its tokens."""
        end = self._vocabulary.text(tokens[-64:], special=True)
        if not self._template:
            return Prompt(list(tokens), stops=PLAIN_STOPS, strips_start=True)
        return Prompt(list(tokens), opened_by(end))

    def continuation(self, text: str, *, begun: bool = False) -> list[int]:
        """The tokens of an answer that follows a prompt, or an answer that has ``begun``, for scoring it."""
        if text and not self._template and not begun:
            text = f" {text.lstrip()}"
        return self._vocabulary.tokenize(text, special=False)

    # -- with a chat template --------------------------------------------------------------------

    def _render(self, messages: Sequence[Message], options: TemplateOptions) -> list[Segment]:
        error: TemplateError | None = None
        if not any(one.tool_calls or one.role == "tool" for one in messages) or self.tool_format.native:
            for shown, with_tools in self._described(messages, options):
                try:
                    return self._render_as_is(shown, with_tools)
                except TemplateError as refusal:
                    error = refusal
        tools, options = options.tools, replace(options, tools=())
        plain = fold_tools(messages, tools)
        for folded in (plain, fold_system(plain or messages)):
            if folded is None:
                continue
            try:
                return self._render_as_is(folded, options)
            except TemplateError as refusal:
                error = refusal
        if error is None:
            raise TypeError("a conversation with tools that cannot be folded")
        raise _refused(error) from error

    def _described(
        self, messages: Sequence[Message], options: TemplateOptions
    ) -> Iterator[tuple[Sequence[Message], TemplateOptions]]:
        """The messages with the tools, as the template shows them, or as instructions where it shows none."""
        yield messages, options
        if options.tools and self.tool_format.native:
            described = describe_tools(messages, options.tools)
            for shown in (described, fold_system(described)):
                if shown is not None:
                    yield shown, replace(options, tools=())

    def _render_as_is(self, messages: Sequence[Message], options: TemplateOptions) -> list[Segment]:
        holders = [self._placeholder(message) for message in messages]
        calls = [self._held_calls(message, number) for number, message in _numbered(messages)]
        ids = self._call_ids(messages)
        turns = [
            self.turn(message, shown, held.calls, ids)
            for message, (shown, _), held in zip(messages, holders, calls, strict=True)
        ]
        text = self.render_text(turns, options=options)
        if options.tools and self.render_text(turns, options=replace(options, tools=())) == text:
            raise TemplateError("it leaves out the tools")
        counts = [min((text.count(mark) for mark in pieces), default=1) for _, pieces in holders]
        if counts[0] == 0 and messages[0].role == "system" and all(count == 1 for count in counts[1:]):
            raise TemplateError("it leaves out the system message")
        if any(count == 0 and m.role == "tool" for count, m in zip(counts, messages, strict=True)):
            raise TemplateError("it leaves out a tool's result")
        # some templates leave out the text beside calls
        dropped = [bool(m.tool_calls) and count == 0 for count, m in zip(counts, messages, strict=True)]
        marks = {
            mark: Held(piece, exact=False)
            for (_, pieces), is_dropped in zip(holders, dropped, strict=True)
            for mark, piece in pieces.items()
            if not is_dropped
        }
        for held in calls:
            marks |= held.values
        if all(text.count(mark) == 1 for mark in marks):
            return split_at(text, marks)
        turns = [self.turn(message, ids=ids) for message in messages]
        return [Segment(self.render_text(turns, options=options), literal=False)]

    def _call_ids(self, messages: Sequence[Message]) -> dict[str, str]:
        """The ids of calls as the template wants them."""
        names = [call for message in messages for call in message.tool_calls]
        return {call.id: self.tool_format.call_id(call.name, number) for number, call in enumerate(names)}

    def _held_calls(self, message: Message, number: int) -> HeldCalls:
        """The calls of a message, of which the first has that number, with marks for the texts of their arguments."""
        made, values = list[dict[str, Any]](), dict[str, Held]()

        def hold(text: str) -> str:
            mark = f"x{secrets.token_hex(12)}x"
            values[mark] = Held(text, exact=True)
            return mark

        for place, call in enumerate(message.tool_calls):
            arguments = _arguments(call.arguments)
            if isinstance(arguments, str) or self.tool_format.takes == "string":
                shown: Any = hold(
                    arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
                )
            else:
                shown = {self._tokenizer.escape(name): self._value(one, hold) for name, one in arguments.items()}
            made.append(self._call(call, shown, self.tool_format.call_id(call.name, number + place)))
        return HeldCalls(made, values)

    def _value(self, value: Any, hold: Callable[[str], str]) -> Any:
        """The value of an argument with marks for its texts."""
        if self.tool_format.style == "tagged":
            if isinstance(value, str):
                return hold(value)
            if kind_of(value) not in self.tool_format.spellings:
                return hold(json.dumps(value, ensure_ascii=False))
        return self._held(value, hold)

    def _held(self, value: Any, hold: Callable[[str], str]) -> Any:
        """A JSON value with marks for its texts, which stand in JSON."""
        if isinstance(value, str):
            return hold(json.dumps(value, ensure_ascii=False)[1:-1])
        if isinstance(value, dict):
            return {self._tokenizer.escape(name): self._held(one, hold) for name, one in value.items()}
        return [self._held(one, hold) for one in value] if isinstance(value, list) else value

    def _call(self, call: ToolCallPart, arguments: Any, id: str) -> dict[str, Any]:
        name = self._tokenizer.escape(call.name)
        return {"type": "function", "id": id, "function": {"name": name, "arguments": arguments}}

    def switches(self, message: Message) -> list[str]:
        """The message's content cut at the switches that the template looks for: text, switch, text, ..."""
        if not self._switches or message.role not in ("user", "system"):
            return [message.content]
        pieces, end = [], 0
        for found in _SWITCH.finditer(message.content):
            if found.group() in self._switches:
                pieces += [message.content[end : found.start()], found.group()]
                end = found.end()
        return [*pieces, message.content[end:]]

    def _placeholder(self, message: Message) -> tuple[str, dict[str, str]]:
        """The placeholder for the content of a message: unguessable marks, between them its switches; and what each
        mark stands for. White space on each side shows whether the template trims its contents."""
        shown, marks, pieces = "", {}, self.switches(message)
        for number, piece in enumerate(pieces):
            if number % 2 or (len(pieces) > 1 and not piece.strip()):
                shown += piece
                continue
            first, last, mark = number == 0, number == len(pieces) - 1, f"x{secrets.token_hex(12)}x"
            before = PROBE if first else piece[: len(piece) - len(piece.lstrip())]
            behind = PROBE if last else piece[len(piece.rstrip()) :]
            text = piece if first else piece.lstrip()
            shown += before + mark + behind
            marks[mark] = text if last else text.rstrip()
        return shown, marks

    def turn(
        self,
        message: Message,
        content: str | None = None,
        calls: Sequence[dict[str, Any]] = (),
        ids: Mapping[str, str] = NO_IDS,
    ) -> dict[str, Any]:
        """The message as chat templates take it, tool calls in the form of transformers. Names of control tokens are
        escaped, except in ``content`` and ``calls``, which stand in place of the message's own. ``ids`` are those that
        the template wants instead of the calls' own."""
        turn: dict[str, Any] = {"role": message.role}
        turn["content"] = self._tokenizer.escape(message.content) if content is None else content
        if message.tool_calls:
            turn["tool_calls"] = list(calls) or [
                self._call(call, self._tokenizer.escape_json(self._taken(call)), ids.get(call.id, call.id))
                for call in message.tool_calls
            ]
            if self.tool_format.silent:
                turn["content"] = None
        if (result := message.tool_result) is not None:
            turn |= {
                "name": self._tokenizer.escape(result.name),
                "tool_call_id": self._tokenizer.escape(ids.get(result.call, result.call)),
            }
        return turn

    def _taken(self, call: ToolCallPart) -> Any:
        """A call's arguments as the template takes them."""
        return call.arguments if self.tool_format.takes == "string" else _arguments(call.arguments)

    def render_text(
        self, messages: list[dict[str, Any]], *, answering: bool = True, options: TemplateOptions = TemplateOptions()
    ) -> str:
        """The messages rendered by the template; ``answering``: with the start of the model's next turn."""
        text = self._renderer.render(
            self._template,
            {
                "messages": messages,
                "add_generation_prompt": answering,
                "bos_token": self._tokenizer.name(self._vocabulary.bos),
                "eos_token": self._tokenizer.name(self._vocabulary.eos),
                **self._tokenizer.escape_json(options.variables()),
            },
        )
        given = sum(len(message["content"] or "") + _length(message.get("tool_calls")) for message in messages)
        given += _length(options.tools)
        if len(text) > LARGEST_FRAME + FRAME_PER_MESSAGE * len(messages) + REPEATS * given:
            raise UserError(
                f"The chat template that is stored in the model writes {len(text):,} characters for a conversation of "
                f"{given:,}.",
                FAULTY_HINT,
            )
        return text

    # -- without a chat template -----------------------------------------------------------------

    def _plain(
        self,
        messages: Sequence[Message],
        assistant_start: AssistantStart,
        options: TemplateOptions,
        images: Mapping[str, ImagePart],
    ) -> Prompt:
        names = {"system": "", "user": "User: ", "assistant": "Assistant: "}
        shown = fold_tools(messages, options.tools) or messages
        text = "".join(f"{names[m.role]}{m.content.strip()}\n\n" for m in shown) + "Assistant:"
        start = segments_of(assistant_start)
        if start and start[0].literal:
            text += f" {start.pop(0).text.lstrip()}"
        written = self._tokens([Segment(text, literal=True)], images, self._tokenizer.tokenize_apart)
        tokens = self._tokenizer.with_bos([*written, *self._tokenizer.tokenize_apart(start)])
        return Prompt(tokens, stops=PLAIN_STOPS, strips_start=not assistant_start)


def _numbered(messages: Sequence[Message]) -> Iterator[tuple[int, Message]]:
    """Each message with the number of its first call."""
    number = 0
    for message in messages:
        yield number, message
        number += len(message.tool_calls)


def _closes(start: AssistantStart, opened: Marks) -> bool:
    """Whether an answer's beginning closes the thoughts itself."""
    first = start[0] if not isinstance(start, str) and start else None
    return isinstance(first, Marker) and not first.literal and opened.closing in first.text


def _length(value: Any) -> int:
    return len(json.dumps(value)) if value else 0


def _arguments(text: str) -> Any:
    """The arguments of a tool call as templates take them: an object, or the text where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _refused(error: TemplateError) -> UserError:
    return UserError(f"The model's chat template rejects this conversation: {error}.", "Choose another model.")
