"""Counts with their noun in the singular or the plural."""

from __future__ import annotations

from workbench.base.catalogue import ngettext


def counted(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``1,204 files``; ``many`` is the plural where it is more than an s. The catalogue has both as
    ``{count} file`` and ``{count} files``, so the nouns are written where this is called."""
    text = ngettext(f"{{count}} {one}", f"{{count}} {many or one + 's'}", count)
    return text.format(count=f"{count:,}")
