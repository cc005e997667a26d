"""The pictures of pages that passages come from, and the pictures within their documents, shown to a vision model.

Recognised text loses what a page shows: stamps, ticks, drawings, the layout of a form. The text of a document
lacks what its pictures show. A page or a picture is drawn by the reader process, and is there for the
model during the answer only.
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
"""Pictures of one answer: the embeddings of a page take hundreds to thousands of tokens of the context."""
SCALE = 1.5
"""Pixels per point: 1,263 on the longer side of A4, at which small print can be read. Most models read less."""

NOT_DRAWN = "{picture} was not shown to the model: {reason}"
NO_ROOM = (
    "{picture} was not shown to the model: it does not fit into its context. Set a longer context, or fewer passages."
)

NONE_SHOWN = "No picture was shown to the model."

_DRAWN = ("pdf", "picture")


def pictures_to_show(passages: Sequence[Passage], which: PagePictures) -> list[tuple[Passage, int]]:
    """What is shown, in the order of the passages, each with one passage: pages (0), of ``scans`` those whose text was
    recognised, of ``pages`` those of all PDF files and pictures; and by their numbers the pictures that belong to a
    passage of another document. At most ``MOST_PAGES``."""
    if which == "off":
        return []
    wanted: dict[tuple[str, int, int], Passage] = {}
    for passage in passages:
        if kind_of(passage.path) not in _DRAWN:
            for number in passage.pictures:
                wanted.setdefault((passage.document, 0, number), passage)
        elif which == "pages" or passage.recognised:
            wanted.setdefault((passage.document, passage.page or 1, 0), passage)
    return [(passage, number) for (_, _, number), passage in wanted.items()][:MOST_PAGES]


def written_with_pages(
    write: Callable[[Sequence[Message]], Generator[Event, None, Generated]],
    messages: Sequence[Message],
    passages: Sequence[Passage],
    which: PagePictures,
    context: AnswerContext,
) -> Generator[Event, None, Generated]:
    """What is written from the messages with the pictures of the passages' pages and documents before the question.
    They are there until it is written. One that cannot be drawn, or does not fit into the context, is in a note."""
    wanted = pictures_to_show(passages, which) if context.model.capabilities.vision else []
    if not wanted:
        return (yield from write(messages))
    step = context.step("pages", "Show the pages to the model", "\n".join(_named(*one) for one in wanted))
    yield step.started
    with ExitStack() as held:
        drawn: list[tuple[Passage, int, ImagePart]] = []
        for passage, number in wanted:
            context.raise_if_cancelled()
            try:
                image = held.enter_context(context.helpers.page_picture(passage, number))
                drawn.append((passage, number, image))
            except UserError as error:
                yield from context.note(NOT_DRAWN.format(picture=_described(passage, number), reason=error.message))
        while drawn and (note := _problem(_with_pictures(messages, drawn, context), drawn[-1][:2], context)):
            drawn.pop()
            yield from context.note(note)
        sizes = [
            f"{_named(passage, number)} ({image.width} x {image.height} pixels)" for passage, number, image in drawn
        ]
        said = "\n".join((f"{counted(len(drawn), 'picture')} shown", *sizes))
        yield step.finished(said, error="" if drawn else NONE_SHOWN)
        return (yield from write(_with_pictures(messages, drawn, context) if drawn else messages))


def _problem(messages: Sequence[Message], last: tuple[Passage, int], context: AnswerContext) -> str:
    """Why the model cannot read these messages, and so not the ``last`` picture: they do not fit, or its engine reads
    no images. "" where it can."""
    try:
        prompt = context.model.render(Generate(messages=tuple(messages), decoding=context.decoding))
    except ContextExceeded:
        return NO_ROOM.format(picture=_described(*last))
    except UserError as error:
        return NOT_DRAWN.format(picture=_described(*last), reason=error.message)
    room = context.model.context_tokens
    limit = room - min(context.decoding.max_tokens, room // 4)  # an endpoint refuses only what it was sent
    return NO_ROOM.format(picture=_described(*last)) if room and prompt.tokens > limit else ""


def _with_pictures(
    messages: Sequence[Message], drawn: Sequence[tuple[Passage, int, ImagePart]], context: AnswerContext
) -> tuple[Message, ...]:
    *earlier, last = messages
    text = last.content
    if not has_fewer_parameters(context.model, SMALL_MODEL_PARAMETERS):
        numbers = ", ".join(f"[{passage.n}]" for passage, *_ in drawn)
        pages_only = not any(number for _, number, _ in drawn)
        said = "show the pages of" if pages_only else "belong to"
        text = f"The pictures {said} the passages {numbers}.\n\n{text}"
    return (*earlier, Message.of_parts(last.role, [*(image for *_, image in drawn), TextPart(text)]))


def _described(passage: Passage, picture: int) -> str:
    named = _named(passage, 0)
    return f"Picture {picture} of {named}" if picture else f"The picture of {named}"


def _named(passage: Passage, picture: int) -> str:
    name = passage.title or passage.path
    if picture:
        return f"{name}, picture {picture}"
    return f"{name}, page {passage.page}" if passage.page else name
