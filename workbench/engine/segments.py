"""Segments of a prompt: what a chat template wrote itself, and contents in which no control token is parsed.

A template is rendered with placeholders (marks) for the contents; ``split_at`` puts the contents in their places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.inference_calls import AssistantStart
from workbench.records.messages import ImagePart

PROBE = "\u2003"
"""White space that no template writes itself: around a placeholder it shows whether the template trims."""


@dataclass(frozen=True)
class Segment:
    """A piece of a prompt. ``literal``: plain text, in which no control token is parsed. With an ``image`` it is that
    image, and has no text."""

    text: str
    literal: bool
    image: ImagePart | None = None


def segments_of(start: AssistantStart) -> list[Segment]:
    """The beginning of an answer as segments: its markers are the template's own."""
    pieces = (start,) if isinstance(start, str) else start
    segments: list[Segment] = []
    for piece in pieces:
        literal = isinstance(piece, str) or piece.literal
        text = piece if isinstance(piece, str) else piece.text
        if segments and segments[-1].literal is literal:
            text = segments.pop().text + text
        segments.append(Segment(text, literal))
    return [segment for segment in segments if segment.text]


@dataclass(frozen=True)
class Held:
    """What a mark stands for. ``exact``: it is not trimmed."""

    text: str
    exact: bool


@dataclass(frozen=True)
class HeldCalls:
    """The tool calls of a message, with marks in place of texts, and what the marks stand for."""

    calls: list[dict[str, Any]]
    values: dict[str, Held]


def split_at(text: str, contents: Mapping[str, Held]) -> list[Segment]:
    """Replace the placeholders by the contents, trimmed as the template trimmed the white space around them."""
    places = sorted((text.index(mark), mark, held) for mark, held in contents.items())
    segments: list[Segment] = []
    position = 0
    for at, mark, held in places:
        before, end, content = text[position:at], at + len(mark), held.text
        if not held.exact:
            if before.endswith(PROBE):
                before = before[:-1]
            else:
                content = content.lstrip()
            if text[end : end + 1] == PROBE:
                end += 1
            else:
                content = content.rstrip()
        segments += [Segment(before, literal=False), Segment(content, literal=True)]
        position = end
    segments.append(Segment(text[position:], literal=False))
    return [segment for segment in segments if segment.text]


def split_images(segments: Sequence[Segment], images: Mapping[str, ImagePart]) -> list[Segment]:
    """Replace the marks of images, in whatever segment they stand, by the images."""
    if not images:
        return list(segments)
    found: list[Segment] = []
    pattern = re.compile("|".join(map(re.escape, images)))
    for segment in segments:
        end = 0
        for match in pattern.finditer(segment.text):
            found += [
                Segment(segment.text[end : match.start()], segment.literal),
                Segment("", literal=False, image=images[match.group()]),
            ]
            end = match.end()
        found.append(Segment(segment.text[end:], segment.literal))
    return [segment for segment in found if segment.text or segment.image is not None]
