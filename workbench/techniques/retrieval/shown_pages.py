"""The pictures of pages that passages come from, shown to a vision model beside their text.

Recognised text loses what a page shows: stamps, ticks, drawings, the layout of a form. A page is drawn by the reader
process, and is there for the model during the answer only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack

from workbench.api.events import Event
from workbench.backends.backend import has_fewer_parameters
from workbench.base.counting import counted
from workbench.base.errors import ContextExceeded, UserError
from workbench.engine.inference_calls import Generate, Generated
from workbench.reading.kinds import kind_of
from workbench.records.messages import ImagePart, Message, Passage, TextPart
from workbench.records.recipes.parts import PagePictures
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS

MOST_PAGES = 2
"""Of one answer: the embeddings of a page take hundreds to thousands of tokens of the context."""
SCALE = 1.5
"""Pixels per point: 1,263 on the longer side of A4, at which small print can be read. Most models read less."""

NOT_DRAWN = "The picture of {page} was not shown to the model: {reason}"
NO_ROOM = (
    "The picture of {page} was not shown to the model: it does not fit into its context. Set a longer context, or "
    "fewer passages."
)

NONE_SHOWN = "No picture was shown to the model."

_DRAWN = ("pdf", "picture")


def pages_to_show(passages: Sequence[Passage], which: PagePictures) -> list[Passage]:
    """One passage of each page that is shown, in their order: of ``scans`` those whose text was recognised, of
    ``pages`` those of all PDF files and pictures. At most ``MOST_PAGES``."""
    if which == "off":
        return []
    pages: dict[tuple[str, int], Passage] = {}
    for passage in passages:
        if kind_of(passage.path) in _DRAWN and (which == "pages" or passage.recognised):
            pages.setdefault((passage.document, passage.page or 1), passage)
    return list(pages.values())[:MOST_PAGES]


def written_with_pages(
    write: Callable[[Sequence[Message]], Generator[Event, None, Generated]],
    messages: Sequence[Message],
    passages: Sequence[Passage],
    which: PagePictures,
    context: AnswerContext,
) -> Generator[Event, None, Generated]:
    """What is written from the messages with the pictures of the passages' pages before the question. The pictures are
    there until it is written. A page that cannot be drawn, or does not fit into the context, is named in a note."""
    wanted = pages_to_show(passages, which) if context.model.capabilities.vision else []
    if not wanted:
        return (yield from write(messages))
    step = context.step("pages", "Show the pages to the model", "\n".join(map(_named, wanted)))
    yield step.started
    with ExitStack() as held:
        drawn: list[tuple[Passage, ImagePart]] = []
        for passage in wanted:
            context.raise_if_cancelled()
            try:
                drawn.append((passage, held.enter_context(context.helpers.page_picture(passage))))
            except UserError as error:
                yield from context.note(NOT_DRAWN.format(page=_named(passage), reason=error.message))
        while drawn and (note := _problem(_with_pictures(messages, drawn, context), drawn[-1][0], context)):
            drawn.pop()
            yield from context.note(note)
        sizes = [f"{_named(passage)} ({image.width} x {image.height} pixels)" for passage, image in drawn]
        said = "\n".join((f"{counted(len(drawn), 'picture')} shown", *sizes))
        yield step.finished(said, error="" if drawn else NONE_SHOWN)
        return (yield from write(_with_pictures(messages, drawn, context) if drawn else messages))


def _problem(messages: Sequence[Message], last: Passage, context: AnswerContext) -> str:
    """Why the model cannot read these messages, and so not the picture of the ``last`` passage: they do not fit, or its
    engine reads no images. "" where it can."""
    try:
        prompt = context.model.render(Generate(messages=tuple(messages), decoding=context.decoding))
    except ContextExceeded:
        return NO_ROOM.format(page=_named(last))
    except UserError as error:
        return NOT_DRAWN.format(page=_named(last), reason=error.message)
    room = context.model.context_tokens
    limit = room - min(context.decoding.max_tokens, room // 4)  # an endpoint refuses only what it was sent
    return NO_ROOM.format(page=_named(last)) if room and prompt.tokens > limit else ""


def _with_pictures(
    messages: Sequence[Message], drawn: Sequence[tuple[Passage, ImagePart]], context: AnswerContext
) -> tuple[Message, ...]:
    *earlier, last = messages
    text = last.content
    if not has_fewer_parameters(context.model, SMALL_MODEL_PARAMETERS):
        numbers = ", ".join(f"[{passage.n}]" for passage, _ in drawn)
        text = f"The pictures show the pages of the passages {numbers}.\n\n{text}"
    return (*earlier, Message.of_parts(last.role, [*(image for _, image in drawn), TextPart(text)]))


def _named(passage: Passage) -> str:
    name = passage.title or passage.path
    return f"{name}, page {passage.page}" if passage.page else name
