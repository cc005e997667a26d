"""Recognising the text of a drawn page (OCR), with the models that RapidOCR's wheel holds: nothing is downloaded.

Runs in the reader process only. The models are PP-OCRv6 small (Cui et al. 2025, "PaddleOCR 3.0 Technical Report",
arXiv:2507.05595) for Latin scripts, Chinese and Japanese; both are Apache-2.0.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.errors import UserError

INSTALL = 'Install text recognition (OCR): pip install "llm-workbench[ocr]".'
LONGEST_SIDE = 1600
"""Pixels of a drawn page: of A4 about 135 dpi. More costs memory (0.5 GB here, 0.75 GB at 2,000) and gains nothing on
print of 8 points."""
LEAST_SIDE = 400
LEAST_CONFIDENCE = 0.8
"""Of a page whose lines are surer than this on average nothing is said."""

_INK, _MARGIN = 60, 40  # difference from the paper, of 255; pixels
_COLUMN_GAP = 1.5  # of the height of a line: so wide a stripe without text parts columns
_PARAGRAPH_GAP = 0.9


@dataclass(frozen=True)
class Line:
    """A recognised line in pixels from the top left; ``confidence`` is between 0 and 1."""

    left: float
    top: float
    right: float
    bottom: float
    text: str
    confidence: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def is_available() -> bool:
    """Whether the optional packages of text recognition are installed. Imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def recognise(picture: Any) -> tuple[str, float]:
    """The text of a picture and the mean confidence of its lines, 0 without any. ``picture`` has the shape (height,
    width, 3), uint8, blue first. Raises UserError when text recognition is not installed."""
    if not is_available():
        raise UserError("Text recognition (OCR) is not installed.", INSTALL)
    found = _engine()(trim(picture))
    if found.txts is None or found.boxes is None:
        return "", 0.0
    lines = [
        Line(
            left=float(box[:, 0].min()),
            top=float(box[:, 1].min()),
            right=float(box[:, 0].max()),
            bottom=float(box[:, 1].max()),
            text=text.strip(),
            confidence=float(score),
        )
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if text.strip()
    ]
    if not lines:
        return "", 0.0
    return arrange(lines), sum(line.confidence for line in lines) / len(lines)


def trim(picture: Any) -> Any:
    """The picture without its empty margins, ``LEAST_SIDE`` pixels or more: a single line on an empty page is not
    found otherwise. Needs numpy."""
    import numpy as np

    grey = picture.mean(axis=2)
    paper = float(np.median(grey))
    ink = np.abs(grey - paper) > _INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return picture
    kept = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(side + 2 * _MARGIN, LEAST_SIDE) for side in kept.shape[:2])
    trimmed = np.full((height, width, 3), round(paper), dtype=np.uint8)
    top, left = (height - kept.shape[0]) // 2, (width - kept.shape[1]) // 2
    trimmed[top : top + kept.shape[0], left : left + kept.shape[1]] = kept
    return trimmed


def arrange(lines: Sequence[Line]) -> str:
    """The lines as text in the order of reading: columns from left to right, each from top to bottom, paragraphs apart
    (a recursive XY cut: Nagy and Seth 1984, "Hierarchical representation of optically scanned documents")."""
    height = sorted(line.height for line in lines)[len(lines) // 2]
    return "\n\n".join(_paragraphs(block, height) for block in _blocks(list(lines), height))


def _blocks(lines: list[Line], height: float) -> list[list[Line]]:
    """Cut where a horizontal or vertical stripe is free of text; the vertical cut parts columns of several lines."""
    columns = _cut(lines, _COLUMN_GAP * height, sideways=True)
    if len(columns) > 1 and all(len(column) > 1 for column in columns):
        return [block for column in columns for block in _blocks(column, height)]
    rows = _cut(lines, _PARAGRAPH_GAP * height, sideways=False)
    if len(rows) > 1:
        return [block for row in rows for block in _blocks(row, height)]
    return [lines]


def _cut(lines: list[Line], gap: float, *, sideways: bool) -> list[list[Line]]:
    spans = [(one.left, one.right, one) if sideways else (one.top, one.bottom, one) for one in lines]
    spans.sort(key=lambda span: span[0])
    parts: list[list[Line]] = []
    reached = float("-inf")
    for start, end, line in spans:
        if start - reached >= gap or not parts:
            parts.append([])
        parts[-1].append(line)
        reached = max(reached, end)
    return parts


def _paragraphs(lines: list[Line], height: float) -> str:
    """Pieces on one height are one line."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: (one.top + one.bottom) / 2):
        middle = (line.top + line.bottom) / 2
        if rows and middle < rows[-1][0].bottom - 0.25 * height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return "\n".join("  ".join(one.text for one in sorted(row, key=lambda one: one.left)) for row in rows)


@functools.cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": LONGEST_SIDE,
            "Det.limit_side_len": LEAST_SIDE,
            "Global.use_cls": False,  # turns upright lines over: 4 of 22 on a clean page
            "EngineConfig.onnxruntime.intra_op_num_threads": max(1, (os.cpu_count() or 2) // 2),
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
        }
    )
