"""The words of the dialog that measures a model's speed."""

from __future__ import annotations

from workbench.base.catalogue import _

TITLE = _("Measure the speed of {name}")
EXPLANATION = _(
    "This measures how many tokens per second the machine computes with the model. Other answers wait meanwhile."
)
MEASURE, AGAIN, CLOSE = _("Measure"), _("Measure again"), _("Close")
PROMPT_TOKENS, NEW_TOKENS = _("Tokens of the prompt"), _("Tokens of each answer")
SEQUENCES, ROUNDS = _("Answers in parallel"), _("Repetitions (medians are shown)")
MEASURING = _("Measuring")
RESULT = _("Measured speed")
PROMPT, ALONE, TOGETHER = _("Reading a prompt of {count}"), _("One answer of {count}"), _("{count} in parallel")
SPEED = _("{speed:,.1f} tokens/s")
GAIN = _("{gain:.1f} times one answer")
MACHINE = _("{device}, {threads} threads, {engine}. Loading took {seconds:.1f} s.")
