"""The fingerprint of a training's questions: enough to find one of them again, and not to read it."""

from __future__ import annotations

import msgspec

from workbench.base.stored import Stored


class QuestionFingerprints(msgspec.Struct, frozen=True, kw_only=True):
    """Of each of ``questions`` questions a sketch, up to the limit of ``left_out`` more that have none. ``sketches``
    are the shingles' hashes of all of them, 32 bits each and little-endian, one question after the other in ascending
    order; ``lengths`` is the number of hashes of each question, 16 bits; ``numbers`` a hash of the numbers in it, 32
    bits."""

    questions: int = 0
    left_out: int = 0
    sketches: bytes = b""
    lengths: bytes = b""
    numbers: bytes = b""


FINGERPRINTS_FILE = "questions.fingerprints"
FINGERPRINTS = Stored("fingerprint of this adapter's training data", QuestionFingerprints, packed=True)
