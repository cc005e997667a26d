"""Recognising the text of a page with RapidOCR and the models that its wheel holds: nothing is downloaded.

Runs in the reader process only. The models are PP-OCRv6 small (Cui et al. 2025, "PaddleOCR 3.0 Technical Report",
arXiv:2507.05595) for Latin scripts, Chinese and Japanese; both are Apache-2.0.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from typing import Any

from workbench.reading.page_layout import Piece, RecognisedText, arrange

LONGEST_SIDE = 1600
"""Pixels of a drawn page: of A4 about 135 dpi. More costs memory (0.5 GB here, 0.75 GB at 2,000) and gains nothing on
print of 8 points."""
LEAST_SIDE = 400

_INK, _MARGIN = 60, 40  # difference from the paper, of 255; pixels


def is_available() -> bool:
    """Whether the optional packages are installed. Imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def recognise(picture: Any) -> RecognisedText:
    """The text of a picture, with a place for each line. ``picture`` has the shape (height, width, 3), uint8, blue
    first."""
    trimmed, across, down = trim(picture)
    found = _engine()(trimmed)
    if found.txts is None or found.boxes is None:
        return RecognisedText()
    lines = [
        Piece(
            left=float(box[:, 0].min()) + across,
            top=float(box[:, 1].min()) + down,
            right=float(box[:, 0].max()) + across,
            bottom=float(box[:, 1].max()) + down,
            text=text.strip(),
            confidence=float(score),
        )
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if text.strip()
    ]
    height, width = picture.shape[:2]
    return arrange(lines, width, height)


def trim(picture: Any) -> tuple[Any, int, int]:
    """The picture without its empty margins, ``LEAST_SIDE`` pixels or more: a single line on an empty page is not
    found otherwise. And by how much places in it are to be moved right and down for those in the picture. Needs
    numpy."""
    import numpy as np

    grey = picture.mean(axis=2)
    paper = float(np.median(grey))
    ink = np.abs(grey - paper) > _INK
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return picture, 0, 0
    kept = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(side + 2 * _MARGIN, LEAST_SIDE) for side in kept.shape[:2])
    trimmed = np.full((height, width, 3), round(paper), dtype=np.uint8)
    top, left = (height - kept.shape[0]) // 2, (width - kept.shape[1]) // 2
    trimmed[top : top + kept.shape[0], left : left + kept.shape[1]] = kept
    return trimmed, int(columns[0]) - left, int(rows[0]) - top


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
