"""The named values of the design: distances, sizes of type, radii and the colours of both themes.

All lengths are device-independent pixels. Text colours reach WCAG AA (4.5:1) on every surface they are used on
and the edges of controls 3:1; ``tests/ui/test_theme.py`` computes it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

ICONS = Path(__file__).resolve().parents[2] / "resources" / "icons"

SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_5, SPACE_6 = 4, 8, 12, 16, 24, 32

TEXT_SMALL, TEXT_BODY, TEXT_READING, TEXT_TITLE, TEXT_DISPLAY = 12, 14, 16, 20, 28

RADIUS_CONTROL, RADIUS_DIALOG = 8, 12

ICON_SIZE = 20
SCROLL_BAR = 12
"""Its width: a part that is made before it stands in the window is not told of the stylesheet."""
READING_WIDTH = 760

TECHNIQUES = ("prompting", "decoding", "retrieval", "agents", "finetuning", "preference")


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as ``#rrggbb``. ``x_soft`` is a quiet background on which ``x`` can be read."""

    window: str
    surface: str
    sunken: str
    hover: str
    border: str
    edge: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    attention: str
    attention_soft: str
    danger: str
    danger_hover: str
    on_danger: str
    danger_soft: str
    success: str
    success_soft: str
    mark: str
    on_mark: str
    shadow: str
    prompting: str
    decoding: str
    retrieval: str
    agents: str
    finetuning: str
    preference: str
    code_keyword: str
    code_string: str
    code_comment: str
    code_number: str
    code_name: str

    def __getitem__(self, token: str) -> str:
        """The colour of a token. Raises KeyError for a name that is none."""
        if token not in TOKENS:
            raise KeyError(token)
        value: str = getattr(self, token)
        return value


TOKENS = frozenset(field.name for field in fields(Palette))

LIGHT = Palette(
    window="#f6f5f2",
    surface="#ffffff",
    sunken="#edebe6",
    hover="#e7e4de",
    border="#dcd8d0",
    edge="#857f75",
    text="#201e1b",
    muted="#5c5750",
    accent="#0e6868",
    accent_hover="#0a5252",
    on_accent="#ffffff",
    accent_soft="#d9ecea",
    attention="#7d4b00",
    attention_soft="#fbefd5",
    danger="#a8251d",
    danger_hover="#8a1c15",
    on_danger="#ffffff",
    danger_soft="#fae6e3",
    success="#27623a",
    success_soft="#e0f0e3",
    mark="#ffe7a0",
    on_mark="#201e1b",
    shadow="#201e1b",
    prompting="#4f53a0",
    decoding="#7d5410",
    retrieval="#1a638c",
    agents="#82437d",
    finetuning="#94432b",
    preference="#47652c",
    code_keyword="#7a3b8f",
    code_string="#3c6320",
    code_comment="#5f6a66",
    code_number="#94432b",
    code_name="#1a5f8a",
)

DARK = Palette(
    window="#1a1917",
    surface="#24221f",
    sunken="#141311",
    hover="#33302b",
    border="#3b3832",
    edge="#857f75",
    text="#edeae4",
    muted="#b3ada3",
    accent="#5fc6c1",
    accent_hover="#80d6d2",
    on_accent="#06201f",
    accent_soft="#1c3938",
    attention="#ecb95f",
    attention_soft="#3a2d15",
    danger="#f39a91",
    danger_hover="#f7b4ad",
    on_danger="#2c0a07",
    danger_soft="#44211d",
    success="#8fce9b",
    success_soft="#1d3523",
    mark="#5a4a12",
    on_mark="#fbf3da",
    shadow="#000000",
    prompting="#a9adf0",
    decoding="#dcb26a",
    retrieval="#84bfe6",
    agents="#d9a0d3",
    finetuning="#eaa28b",
    preference="#a8cb86",
    code_keyword="#d3a3e6",
    code_string="#abd08b",
    code_comment="#9ba5a1",
    code_number="#eaa28b",
    code_name="#8cc4ea",
)


def mixed(front: str, back: str, share: float) -> str:
    """``share`` (0..1) of ``front`` laid over ``back``."""
    pairs = zip(_channels(front), _channels(back), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def contrast(a: str, b: str) -> float:
    """WCAG 2.1 contrast ratio of two colours, 1..21."""
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if (c := v / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for v in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
