"""The number formats that a model can be written in by llama.cpp; light, so that a wish can be refused at once."""

from __future__ import annotations

from workbench.errors import UserError

NEEDS_IMPORTANCE = ("IQ1_M", "IQ1_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ3_XS", "IQ3_XXS", "Q2_K_S")
"""Formats that llama.cpp writes only with an importance matrix, or badly without one."""

TYPES = (
    "F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
    "IQ4_NL", "IQ4_XS", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K",
)  # fmt: skip
"""What a model can be written as, the largest first."""


def check_type(type_name: str) -> None:
    """Raises UserError for a type that is not in ``TYPES``."""
    if type_name not in TYPES:
        why = (
            " needs an importance matrix, which there is none of." if type_name in NEEDS_IMPORTANCE else " is unknown."
        )
        raise UserError(f"The format {type_name}{why}", f"Choose one of {', '.join(TYPES)}.")
