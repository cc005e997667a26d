"""The words of the dialog that measures a model's speed."""

from __future__ import annotations

TITLE = "Measure the speed of {name}"
EXPLANATION = (
    "This measures how many tokens per second the machine computes with the model. Other answers wait meanwhile."
)
MEASURE, AGAIN, CLOSE = "Measure", "Measure again", "Close"
PROMPT_TOKENS, NEW_TOKENS = "Tokens of the prompt", "Tokens of each answer"
SEQUENCES, ROUNDS = "Answers in parallel", "Repetitions (medians are shown)"
MEASURING = "Measuring"
RESULT = "Measured speed"
PROMPT, ALONE, TOGETHER = "Reading a prompt of {count}", "One answer of {count}", "{count} in parallel"
SPEED = "{speed:,.1f} tokens/s"
GAIN = "{gain:.1f} times one answer"
MACHINE = "{device}, {threads} threads, {engine}. Loading took {seconds:.1f} s."
