"""The tiny models and their adapters, and small GGUF files."""

from tests.unit.subjects.models.conftest import gguf, make_gguf
from tests.unit.tiny_adapters import adapters

__all__ = ["adapters", "gguf", "make_gguf"]
