"""What a technique is handed when it answers: a model, perhaps documents, and whether to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench import errors
from workbench.engine.protocol import LanguageModel
from workbench.techniques.retrieval.protocol import Retriever


@dataclass(frozen=True)
class AnswerContext:
    """``retriever`` is the recipe's collection, None without one. ``cancelled`` may be asked at any time."""

    model: LanguageModel
    retriever: Retriever | None
    cancelled: Callable[[], bool]

    def raise_if_cancelled(self) -> None:
        """Raises errors.Cancelled once the request was cancelled."""
        if self.cancelled():
            raise errors.Cancelled
