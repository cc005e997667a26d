"""The tiny models and their adapters."""

from tests.unit.tiny_adapters import adapters

__all__ = ["adapters"]
