"""The words of the page *What pays*."""

from __future__ import annotations

from datetime import datetime

from ui.components.wording import describe_bytes, describe_count, describe_seconds
from workbench.records.evaluation import ColumnScore
from workbench.records.ladder import Ladder, RungCost, RungEstimate, RungReport, RungState, Standing, TaskKind

WHAT_PAYS = "What pays"

# beginning one
BEGIN = "Which way of adapting pays for your questions?"
BEGIN_HELP = (
    "Choose questions with answers. Every technique then answers the same questions, from the cheapest to the dearest, "
    "and the result names the cheapest one that is enough."
)
QUESTIONS, MODEL, DOCUMENTS, TASK, RUNGS = "Questions", "Model", "Documents", "What is asked for", "Techniques to try"
CHOOSE_SET = "Choose questions…"
SAMPLES = "Or try a set that is ready"
FROM_FILE, FROM_CHATS = "From a file…", "From my rated chats"
CHOOSE_FILE = "Choose a file with questions"
FILE_KINDS = "Questions (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)"
ADDING, READING_FILE, READING_CHATS = "Adding {title}", "Reading {name}", "Looking through the rated chats"
CHATS_NAME = "Rated chats of {date}"
NO_DOCUMENTS = "No documents"
EDIT_START, EDITED_START = "Edit the recipe…", "Every technique starts from the edited recipe."
MODEL_HELP = "Every technique starts from this model."
NO_MODEL, GO_TO_MODELS = "No model yet. A model is needed first.", "Go to Models"
TASKS: dict[TaskKind, str] = {
    "choice": "One of several answers",
    "number": "A number",
    "short": "A few words",
    "text": "A text",
    "documents": "What documents say",
}
RECOGNISED = "Recognised from the questions"
TASK_HELP = "What an answer is decides which techniques suit. Change it where it was not recognised rightly."
PLANNING = "Working out what each technique takes here…"
SPLIT = "{tune} tune and train, {held_out} are held out and measure."
MEMORY, TOKENS = "{size} memory", "{tokens} tokens"
ESTIMATED = "about {time}"
LIMIT = "Time limit"
LIMITS = (("10", "At most 10 minutes"), ("40", "At most 40 minutes"), ("120", "At most 2 hours"), ("0", "No limit"))
TOTAL = "{rungs}: about {time}."
TOTAL_OVER = "{rungs}: about {time}, more than the limit. The dearest ones are left out when the time is up."
CHOOSE_RUNGS = "Tick at least one technique besides the one as it is."
CHOOSE_QUESTIONS = "Choose questions first."
START = "Start"
BACK = "Back to the results"
NOT_PLANNED = "The techniques are still being worked out."

# one that runs, or has ended
NEW, LADDERS = "New comparison", "Comparisons"
DELETE, EXPORT, ADD_RUNGS = "Delete", "Export", "Add techniques…"
ASK_DELETE = "Delete this comparison with its answers? Adapters and prompts that it made stay."
RUNNING, WAITING, STOPPING = "Measuring", "Waiting for its turn", "Stopping…"
STAGE = "Now: {stage}"
STOPPED_WORDS = "It was stopped. Answers so far are kept."
INTERRUPTED_WORDS = "It was interrupted. Answers so far are kept."
CONTINUE = "Continue"
WHILE_RUNNING = "Stop the comparison first, or wait for its end."
FACTS = "{questions} · {task} · {model}"
NO_SENTENCE = "The first answers are being made. The result stands here once two techniques have answered."
NO_SENTENCE_STOPPED = "There are too few answers yet to say what pays."
MORE = "More questions needed: about {count} more would show whether the first two differ."
UNREADABLE = "This comparison cannot be read: {why}"
LEAK = "{title}: {leak}"

# the chart
CHART = "Quality and time of each technique"
AXIS_COST = "Time for {questions}, with preparing"
AXIS_QUALITY = "Right answers"
AXIS_VALUE = "Value in {unit}"
POINT = "{title}: {quality}, {time}"
NOTHING_MEASURED = "Nothing is measured yet."
SLIDER = "Questions that I will ask"
SLIDER_WORDS = "I will ask about {questions}"
CHEAPEST = "For {questions}, “{title}” takes the least time of those that are good enough: {time}."

# the table
TABLE = "Results of the techniques"
HEAD_RUNG, HEAD_QUALITY, HEAD_DIFFERENCE = "Technique", "Right", "Difference"
HEAD_PREPARING, HEAD_SECONDS, HEAD_TOKENS, HEAD_PER_RIGHT = "Preparing", "Per answer", "Tokens", "Tokens per right"
HEAD_HELP = {
    HEAD_QUALITY: "The share of right answers to the held-out questions, with its interval of 95 % for all techniques.",
    HEAD_DIFFERENCE: "Points more or fewer than the model as it is, on the same questions, with the interval of 95 %.",
    HEAD_PREPARING: "The time that it took once, before the first answer.",
    HEAD_SECONDS: "The time of an answer, on the mean.",
    HEAD_TOKENS: "Tokens that are read and written for an answer, on the mean.",
    HEAD_PER_RIGHT: "Tokens of all answers, divided by the right ones.",
}
HEAD_VALUE = "Mean"
NO_TOKENS = "–"
USE, USE_HELP = "Use in chat", "Begin a new chat with {title}"
ANSWERS_HELP = "Show the answers of {title}"
STATES: dict[RungState, str] = {
    "waiting": "Waiting",
    "racing": "Trying on tuning questions",
    "preparing": "Preparing",
    "answering": "Answering",
    "measured": "Measured",
    "skipped": "Left out",
    "failed": "Failed",
}
STANDINGS: dict[Standing, str] = {"best": "Best", "not worse": "Not worse", "worse": "Worse", "open": "Open"}
STANDING_HELP: dict[Standing, str] = {
    "best": "Its interval is above that of every other technique.",
    "not worse": "It is not shown to be worse than the best one.",
    "worse": "It is shown to be worse than the best one.",
    "open": "There are too few answers to say.",
}
ENOUGH, ENOUGH_HELP = "Enough", "The cheapest technique that is not shown to be worse than the best one."
TECHNIQUES = {
    "prompting": "Prompting",
    "decoding": "Decoding",
    "retrieval": "Retrieval",
    "agents": "Agents",
    "finetuning": "Fine-tuning",
    "preference": "Preferences",
}

# adding
EXTEND, EXTEND_GO = "Add techniques", "Add"
EXTEND_HELP = "What is measured already stays as it is. What was left out or has failed can be tried again."
EXTEND_LIMIT = "More time"
CHOOSE_MORE = "Tick at least one technique."
NOTHING_TO_ADD = "Every technique that fits was tried."

# export
EXPORTS = (
    ("png", "Picture of the chart (PNG)…", "PNG (*.png)"),
    ("svg", "Picture of the chart (SVG)…", "SVG (*.svg)"),
    ("html", "Report in one file (HTML)…", "HTML (*.html)"),
    ("csv", "Table (CSV)…", "CSV (*.csv)"),
    ("markdown", "Table (Markdown)…", "Markdown (*.md)"),
    ("latex", "Table (LaTeX)…", "LaTeX (*.tex)"),
    ("recipes", "Recipes (a folder)…", ""),
)
ENDINGS = {"markdown": "md", "latex": "tex"}
CHOOSE_FOLDER = "Choose a folder for the recipes"
EXPORTED, NOT_WRITTEN = "Written to {path}.", "{path} could not be written. Choose another folder."


def amount(value: float, unit: str) -> str:
    """``62 %``, ``12.5 words``"""
    if unit:
        return f"{value:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{100 * value:.0f} %"


def interval(low: float, high: float, unit: str) -> str:
    """``55 to 69``, in the unit of the value before it."""
    parts = [f"{one:,.1f}".removesuffix(".0") if unit else f"{100 * one:.0f}" for one in (low, high)]
    return f"{parts[0]} to {parts[1]}"


def quality(score: ColumnScore, unit: str) -> str:
    return f"{amount(score.value, unit)} ({interval(score.low, score.high, unit)})"


def difference(score: ColumnScore, unit: str) -> str:
    """``+12``: points of a share, else the unit."""
    value = score.value if unit else 100 * score.value
    digits = 1 if unit else 0
    return f"{value:+,.{digits}f}".replace("-", "−")


def seconds(value: float) -> str:
    """``0.8 s`` and what is longer as ``describe_seconds`` says it."""
    return f"{value:.2g} s" if 0 < value < 1 else f"{value:.1f} s" if value < 10 else describe_seconds(value)


def preparing(cost: RungCost) -> str:
    return describe_seconds(cost.preparing_s) if cost.preparing_s >= 1 else NO_TOKENS


def number(value: float | None) -> str:
    """``1,240``; a dash for none."""
    return NO_TOKENS if value is None else f"{value:,.0f}"


def short_count(value: float) -> str:
    """``840``, ``12 k``, ``1.4 M``"""
    if value < 1_000:
        return f"{value:.0f}"
    if value < 1_000_000:
        return f"{value / 1_000:.1f} k" if value < 10_000 else f"{value / 1_000:.0f} k"
    return f"{value / 1_000_000:.1f} M"


def estimate(one: RungEstimate) -> str:
    """``about 3 min · 12 k tokens · 240 MB memory``"""
    parts = [ESTIMATED.format(time=describe_seconds(one.preparing_s + one.answering_s))]
    if one.tokens:
        parts.append(TOKENS.format(tokens=short_count(one.tokens)))
    if one.memory_bytes:
        parts.append(MEMORY.format(size=describe_bytes(one.memory_bytes)))
    return " · ".join(parts)


def questions(count: int) -> str:
    return describe_count(count, "question")


def techniques(count: int) -> str:
    return describe_count(count, "technique")


def state_of(rung: RungReport) -> str:
    """What a rung without a result is doing, and why it has none."""
    words = STATES[rung.state]
    return f"{words}: {rung.reason}" if rung.reason else words


def moment(created: float) -> str:
    """``26 Nov, 09:42``"""
    at = datetime.fromtimestamp(created)
    return f"{at.day} {at:%b, %H:%M}"


def title_of(ladder: Ladder) -> str:
    """``One-step sums · 26 Nov, 09:42``"""
    return f"{ladder.set_name} · {moment(ladder.created)}"
