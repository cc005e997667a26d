"""The outcome of an answer from documents: found, perhaps or not found, with its reasons, and the road that it took."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown

Outcome = Literal["found", "perhaps", "not_found"]
"""``perhaps``: an answer is shown, and the program has a reason to doubt it. ``not_found``: none is shown."""

Road = Literal["chat", "place", "places", "whole", "compare", "table", "other"]
"""How a question is answered: from the conversation alone, from one place of the documents, from several places that
are put together, from whole documents, from documents that are compared, by a query of a table, from other
collections."""

ReasonKind = Literal["missing", "weak", "attribute", "language", "version", "partial", "table", "statement"]
"""Why an answer may not be right: words, names or figures of the question are in no shown passage; the evidence is
weak; the documents name the thing and not what is asked of it; question and passages are in different languages; a
newer version exists; a part of the question is not answered; the query of a table is not certain, or rows of
one do not tell what has to be computed of them; a statement of the answer is not what the passages say."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to doubt an answer. ``text`` is one sentence for a person."""

    kind: ReasonKind
    text: Shown
