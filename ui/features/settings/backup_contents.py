"""What a backup does not hold, in a sentence."""

from __future__ import annotations

from ui.components.wording import describe_bytes
from ui.features.settings import backup_texts as texts
from workbench.records.backup import BackupSummary

MOST_NAMED = 5


def describe_missing(summary: BackupSummary) -> str:
    """``Not in it: …``; "" for a backup without gaps."""
    names = [f"{one.name} ({describe_bytes(one.bytes)})" if one.bytes else one.name for one in summary.left_out]
    names += [texts.MODEL_ELSEWHERE.format(name=one.name, path=one.path) for one in summary.elsewhere]
    more = len(names) - MOST_NAMED
    if more > 0:
        names = [*names[:MOST_NAMED], texts.MORE.format(count=more)]
    return texts.NOT_IN_IT.format(names=", ".join(names)) if names else ""
