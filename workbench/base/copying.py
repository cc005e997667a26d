"""Records that have fields in common."""

from __future__ import annotations

from typing import Any

import msgspec


def shared(source: object, into: type[msgspec.Struct]) -> dict[str, Any]:
    """The values of those fields of ``into`` that ``source`` has too, by their names."""
    return {name: getattr(source, name) for name in into.__struct_fields__ if hasattr(source, name)}
