"""What an answer cost, in one line: the most telling parts as far as there is room, all of them in its tooltip."""

from __future__ import annotations

from collections.abc import Sequence

from ui.components.basics import ElidedLabel
from ui.components.wording import describe_count, describe_speed
from ui.features.chat import texts
from workbench.records.messages import Usage
from workbench.records.recipes import PromptSource

_BETWEEN = " · "


class UsageLine(ElidedLabel):
    """Drops whole parts from the end rather than cutting a word."""

    _parts: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        super().__init__("", "small")
        self.setFixedHeight(18)  # reserved from the start

    def show_usage(self, usage: Usage | None, sources: Sequence[PromptSource] = ()) -> None:
        """None, or an answer without a token, shows nothing. ``sources``: what of the library made the answer."""
        named = [(texts.MADE_WITH.format(name=one.name, number=one.version), one.name) for one in sources]
        self._parts = (*describe_usage(usage), *named)
        self.set_full_text(_BETWEEN.join(full for full, _ in self._parts))
        said = [full[:1].upper() + full[1:] + "." for full, _ in named]
        self.setToolTip("\n".join([describe_usage_fully(usage), *said]).strip() if self._parts else "")

    def show_pace(self, parts: Sequence[str]) -> None:
        """How fast an answer is being written, and what is left of it."""
        self._parts = tuple((part, part) for part in parts)
        self.set_full_text(_BETWEEN.join(parts))
        self.setToolTip("")

    def _fit(self) -> None:
        if self._room_for(self.full_text):
            self.setText(self.full_text)
            return
        shown = [short for _, short in self._parts]
        while len(shown) > 1 and not self._room_for(self._joined(shown)):
            shown.pop()
        self.setText(self._joined(shown))

    def _joined(self, shown: list[str]) -> str:
        return _BETWEEN.join(shown) + (" …" if len(shown) < len(self._parts) else "")

    def _room_for(self, text: str) -> bool:
        return self.fontMetrics().horizontalAdvance(text) <= self.width()


def describe_usage(usage: Usage | None) -> tuple[tuple[str, str], ...]:
    """The parts of the line, each in full and short, the most telling one first; none while nothing was generated."""
    if usage is None or not usage.new_tokens:
        return ()
    speed = texts.TOKENS_PER_S.format(speed=describe_speed(usage.tokens_per_s))
    written = describe_count(usage.new_tokens, "token")
    parts = [
        (
            texts.FIRST_AFTER.format(first_token_s=usage.first_token_s),
            texts.FIRST.format(first_token_s=usage.first_token_s),
        ),
        (written, written),
    ]
    if usage.tokens_per_s:  # a single token has no speed
        parts.insert(0, (speed, speed))
    if usage.cached_tokens:
        reused = texts.CACHED_OF.format(cached=usage.cached_tokens, all=usage.prompt_tokens)
        parts.append((texts.PROMPT_REUSED.format(reused=reused), texts.REUSED.format(reused=reused)))
    if usage.drafted_tokens:
        right = texts.DRAFTED.format(accepted_tokens=usage.accepted_tokens, drafted_tokens=usage.drafted_tokens)
        parts.append((texts.ACCEPTED.format(right=right), right))
    return tuple(parts)


def describe_usage_fully(usage: Usage | None) -> str:
    """The same in sentences."""
    if usage is None:
        return ""
    said = texts.USAGE_HELP.format(
        tokens_per_s=usage.tokens_per_s,
        first_token_s=usage.first_token_s,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        new_tokens=usage.new_tokens,
    )
    if usage.drafted_tokens:
        said += texts.DRAFT_HELP.format(drafted_tokens=usage.drafted_tokens, accepted_tokens=usage.accepted_tokens)
    return said
