"""The words of the page *What pays*."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ui.components.wording import describe_bytes, describe_count, describe_seconds
from workbench.base.catalogue import _
from workbench.records.evaluation import ColumnScore
from workbench.records.ladder import Ladder, RungCost, RungEstimate, RungReport, RungState, Standing, TaskKind

WHAT_PAYS = _("What pays")

# beginning one
BEGIN = _("Which way of adapting pays for your questions?")
BEGIN_HELP = _(
    "Choose questions with answers. Every technique then answers the same questions, from the cheapest to the dearest, "
    "and the result names the cheapest one that is enough."
)
QUESTIONS, MODEL, DOCUMENTS, TASK, RUNGS = (
    _("Questions"),
    _("Model"),
    _("Documents"),
    _("What is asked for"),
    _("Techniques to try"),
)
CHOOSE_SET = _("Choose questions…")
SAMPLES = _("Or try a set that is ready")
FROM_FILE, FROM_CHATS = _("From a file…"), _("From my rated chats")
CHOOSE_FILE = _("Choose a file with questions")
FILE_KINDS = _("Questions (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)")
MINUTES = _("about {minutes} min")
ADDING, READING_FILE, READING_CHATS = _("Adding {title}"), _("Reading {name}"), _("Looking through the rated chats")
CHATS_NAME = _("Rated chats of {date}")
NO_DOCUMENTS = _("No documents")
EDIT_START, EDITED_START = _("Edit the recipe…"), _("Every technique starts from the edited recipe.")
NO_MODEL, GO_TO_MODELS = _("No model yet. A model is needed first."), _("Go to Models")
TASKS: dict[TaskKind, str] = {
    "choice": _("One of several answers"),
    "number": _("A number"),
    "short": _("A few words"),
    "text": _("A text"),
    "documents": _("What documents say"),
}
RECOGNISED = _("Recognised from the questions")
TASK_HELP = _("What an answer is decides which techniques suit. Change it where it was not recognised rightly.")
PLANNING = _("Working out what each technique takes here…")
MEASURING = _("Measuring the times with a few answers. You can start now.")
SPLIT = _("Tuning and training use {tune}, and measuring uses {held_out}.")
MEMORY, TOKENS, TO_PAY = _("{size} memory"), _("{tokens} tokens"), _("{price} to pay")
ESTIMATED = _("about {time}")
LIMIT = _("Time limit")
LIMITS = (
    ("10", _("At most 10 minutes")),
    ("40", _("At most 40 minutes")),
    ("120", _("At most 2 hours")),
    ("0", _("No limit")),
)
TOTAL = _("{rungs}: about {time}.")
TOTAL_OVER = _("{rungs}: about {time}, more than the limit. The dearest ones are left out when the time is up.")
CHOOSE_RUNGS = _("Tick at least one technique besides the one as it is.")
CHOOSE_QUESTIONS = _("Choose questions first.")
START = _("Start")
BACK = _("Back to the results")
NOT_PLANNED = _("The techniques are still being worked out.")

# one that runs, or has ended
NEW, LADDERS = _("New comparison"), _("Comparisons")
DELETE, EXPORT, ADD_RUNGS = _("Delete"), _("Export"), _("Add techniques…")
ASK_DELETE = _("Delete this comparison with its answers? Adapters and prompts that it made stay.")
RUNNING, WAITING, STOPPING = _("Measuring"), _("Waiting for its turn"), _("Stopping…")
STAGE = _("Now: {stage}")
STOPPED_WORDS = _("It was stopped. Answers so far are kept.")
INTERRUPTED_WORDS = _("It was interrupted. Answers so far are kept.")
CONTINUE = _("Continue")
WHILE_RUNNING = _("Stop the comparison first, or wait for its end.")
FACTS = _("{model} · {task} · {held_out} held out, {tune} to learn from")
NO_SENTENCE = _("The first answers are being made. The result stands here once two techniques have answered.")
NO_SENTENCE_STOPPED = _("There are too few answers yet to say what pays.")
RULE = _(
    "“Enough” means: not shown to be worse than the best one on the same {held_out} (with 95 % confidence for all "
    "techniques together). It is no proof that it is as good, nor that its answers are reliable. Of those that are "
    "enough, the one that takes the least time for {asked} is named; where times are about the same, the one with more "
    "right answers."
)
RULE_BEST = _(
    "Every other technique that was measured is shown to be worse on the same {held_out} (with 95 % confidence for all "
    "of them together). It does not mean that the answers are reliable."
)
AGAINST_AS_IT_IS = _("{title}: between {low} and {high} {unit} against “As it is”")
NOT_BETTER_THAN_AS_IT_IS = _("{against}, so not shown to be better than it")
PREPARED, NOT_PREPARED = _("prepared once in {time}"), _("nothing to prepare")
TOKENS_A_RIGHT = _("{tokens} tokens (parts of words) read and written for each right answer")
NO_MODEL_ASKED = _("no model is asked for its answers")
POINTS = _("points")
DIFFERENCE, DIFFERENCE_OF_ONE = _("{value} points"), _("{value} point")
MORE = _("More questions needed: about {count} more would probably show whether the first two differ.")
LEAK = "{title}: {leak}"

# the chart
CHART = _("Quality and time of each technique")
CHART_TITLE = _("How many answers are right, and the time that they take")
AXIS_COST = _("Time for {questions}, preparing included (logarithmic scale)")
AXIS_QUALITY = _("Share of right answers")
AXIS_VALUE = _("Value in {unit}")
POINT = "{title}: {quality}, {time}"
NOTHING_MEASURED = _("Nothing is measured yet.")
READING = _(
    "A point that is higher is right more often; one further to the left takes less time. The upright lines are "
    "intervals of 95 %. The dashed line is the best that is reached within a time."
)
OTHERS = _("As it is, or several together")
SLIDER = _("Questions that I will ask")
SLIDER_ENDS = (_("10"), _("100,000"))
SLIDER_WORDS = _("I will ask about {questions}")
CHEAPEST = _("For {questions}, the technique that is enough in the least time is “{title}”: {time}.")

# the table
TABLE = _("Results of the techniques")
HEAD_RUNG, HEAD_QUALITY, HEAD_DIFFERENCE = _("Technique"), _("Right"), _("Against “As\u00a0it\u00a0is”")
HEAD_PREPARING, HEAD_SECONDS, HEAD_TOKENS = _("Preparing once"), _("Time per answer"), _("Tokens per answer")
HEAD_PER_RIGHT, HEAD_STANDING = _("Tokens for each right answer"), _("Against the best")
HEAD_HELP = {
    HEAD_QUALITY: _(
        "This is the share of right answers to the held-out questions. The intervals of 95 % hold for all techniques "
        "at once."
    ),
    HEAD_DIFFERENCE: _(
        "The technique has this many points more or fewer than the model as it is, on the same questions, with the "
        "interval of 95 %."
    ),
    HEAD_PREPARING: _("Preparing the technique took this time once, before the first answer."),
    HEAD_SECONDS: _(
        "An answer took this time on average when it was measured. Other programs that ran then made it longer."
    ),
    HEAD_TOKENS: _(
        "So many tokens are read and written for an answer on average. Where the model is at an endpoint with prices, "
        "the price of an answer stands below."
    ),
    HEAD_PER_RIGHT: _(
        "A token is a part of a word. Those that were read and written for all answers are divided by the number of "
        "right answers."
    ),
    HEAD_STANDING: _("It says whether the technique is shown to be worse than the one with the most right answers."),
}
HEAD_VALUE = _("Mean")
NO_TOKENS, BASELINE, NOTHING = "–", _("baseline"), _("nothing")
USE, USE_HELP = _("Use in chat"), _("Begin a new chat with {title}")
ANSWERS_HELP = _("{sentence}\nShow the answers of {title}")
STATES: dict[RungState, str] = {
    "waiting": _("Waiting"),
    "racing": _("Trying on tuning questions"),
    "preparing": _("Preparing"),
    "answering": _("Answering"),
    "measured": _("Measured"),
    "skipped": _("Left out"),
    "failed": _("Failed"),
}
STANDINGS: dict[Standing, str] = {
    "best": _("Best"),
    "not worse": _("Not worse"),
    "worse": _("Worse"),
    "open": _("Undecided"),
}
STANDINGS_BELOW: dict[Standing, str] = {
    "best": _("Better than all others"),
    "not worse": _("Not shown to be worse"),
    "worse": _("Worse than the best"),
    "open": _("Too few answers to say"),
}
HIGHEST, HIGHEST_BELOW = _("Highest"), _("Right most often")
STANDING_HELP: dict[Standing, str] = {
    "best": _("Its interval is above that of every other technique."),
    "not worse": _("It is not shown to be worse than the best one."),
    "worse": _("It is shown to be worse than the best one."),
    "open": _("There are too few answers to say."),
}
ENOUGH_BELOW, ENOUGH_HIGHEST_BELOW = _("Enough, in the least time"), _("Enough, right most often")
ENOUGH, ENOUGH_HELP = _("Enough"), _("The cheapest technique that is not shown to be worse than the best one.")
TECHNIQUES = {
    "prompting": _("Prompting"),
    "decoding": _("Decoding"),
    "retrieval": _("Retrieval"),
    "agents": _("Agents"),
    "finetuning": _("Fine-tuning"),
    "preference": _("Preferences"),
}

# adding
EXTEND, EXTEND_GO = _("Add techniques"), _("Add")
EXTEND_HELP = _("What is measured already stays as it is. What was left out or has failed can be tried again.")
EXTEND_LIMIT = _("More time")
CHOOSE_MORE = _("Tick at least one technique.")
NOTHING_TO_ADD = _("Every technique that fits was tried.")

# export
EXPORTS = (
    ("png", _("Picture of the chart (PNG)…"), _("PNG (*.png)")),
    ("svg", _("Picture of the chart (SVG)…"), _("SVG (*.svg)")),
    ("html", _("Report in one file (HTML)…"), _("HTML (*.html)")),
    ("csv", _("Table (CSV)…"), _("CSV (*.csv)")),
    ("markdown", _("Table (Markdown)…"), _("Markdown (*.md)")),
    ("latex", _("Table (LaTeX)…"), _("LaTeX (*.tex)")),
    ("recipes", _("Recipes (a folder)…"), ""),
)
ENDINGS = {"markdown": "md", "latex": "tex"}
CHOOSE_FOLDER = _("Choose a folder for the recipes")
EXPORTED = _("Written to {path}.")


def amount(value: float, unit: str) -> str:
    """``62 %``, ``12.5 words``"""
    if unit:
        return f"{value:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{100 * value:.0f} %"


def interval(low: float, high: float, unit: str) -> str:
    """``55 to 69``, in the unit of the value before it."""
    ends = (round(low, 1) + 0.0, round(high, 1) + 0.0)  # no −0
    parts = [f"{one:,.1f}".removesuffix(".0") for one in ends] if unit else [f"{round(100 * x)}" for x in (low, high)]
    return _("{low} to {high}").format(low=parts[0], high=parts[1])


def quality(score: ColumnScore, unit: str) -> str:
    return f"{amount(score.value, unit)} ({interval(score.low, score.high, unit)})"


def difference(score: ColumnScore, unit: str) -> str:
    """``+12``: points of a share, else the unit."""
    value = score.value if unit else 100 * score.value
    digits = 1 if unit else 0
    return f"{value:+,.{digits}f}".replace("-", "−")


def difference_with_unit(score: ColumnScore, unit: str) -> str:
    """``+12 points``, ``−1 point``, ``+1.5 words``"""
    value = difference(score, unit)
    if unit:
        return f"{value} {unit}"
    return (DIFFERENCE_OF_ONE if value[1:] == "1" else DIFFERENCE).format(value=value)


def chosen(rung: RungReport, unit: str) -> str:
    """``LoRA: between +29 and +46 points against “As it is” · nothing to prepare · 240 tokens (parts of words) read and
    written for each right answer``"""
    parts, change, cost = [], rung.difference, rung.cost
    if change is not None:
        ends = [msgspec.structs.replace(change, value=end) for end in (change.low, change.high)]
        low, high = (difference(end, unit) for end in ends)
        against = AGAINST_AS_IT_IS.format(title=rung.offer.title, low=low, high=high, unit=unit or POINTS)
        parts.append(against if change.low > 0 else NOT_BETTER_THAN_AS_IT_IS.format(against=against))
    preparing = PREPARED.format(time=describe_seconds(cost.preparing_s)) if cost.preparing_s >= 1 else NOT_PREPARED
    parts.append(preparing if parts else preparing.capitalize())
    if cost.tokens_per_right == 0:
        parts.append(NO_MODEL_ASKED)
    elif cost.tokens_per_right is not None:
        parts.append(TOKENS_A_RIGHT.format(tokens=number(cost.tokens_per_right)))
    return " · ".join(parts)


def seconds(value: float) -> str:
    """``0.8 s`` and what is longer as ``describe_seconds`` says it."""
    return f"{value:.2g} s" if 0 < value < 1 else f"{value:.1f} s" if value < 10 else describe_seconds(value)


def preparing(cost: RungCost) -> str:
    return describe_seconds(cost.preparing_s) if cost.preparing_s >= 1 else NOTHING


def number(value: float | None) -> str:
    """``1,240``; a dash for none."""
    return NO_TOKENS if value is None else f"{value:,.0f}"


def money(value: float) -> str:
    """``12.40``, ``0.0031``: in the currency of the endpoint's prices."""
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"


def short_count(value: float) -> str:
    """``840``, ``12 k``, ``1.4 M``"""
    if value < 1_000:
        return f"{value:.0f}"
    if value < 1_000_000:
        return f"{value / 1_000:.1f} k" if value < 10_000 else f"{value / 1_000:.0f} k"
    return f"{value / 1_000_000:.1f} M"


def estimate(one: RungEstimate) -> str:
    """``about 3 min · 12 k tokens · 240 MB memory``"""
    parts = [ESTIMATED.format(time=describe_seconds(one.seconds))]
    if one.tokens:
        parts.append(TOKENS.format(tokens=short_count(one.tokens)))
    if one.price:
        parts.append(TO_PAY.format(price=money(one.price)))
    if one.memory_bytes:
        parts.append(MEMORY.format(size=describe_bytes(one.memory_bytes)))
    return " · ".join(parts)


def questions(count: int) -> str:
    return describe_count(count, "question")


def techniques(count: int) -> str:
    return describe_count(count, "technique")


def state_of(rung: RungReport) -> str:
    """The state of a rung without a result, and why it has none."""
    words = STATES[rung.state]
    if rung.state == "waiting" and not rung.reason and rung.offer.estimate.seconds:
        return f"{words}: {ESTIMATED.format(time=describe_seconds(rung.offer.estimate.seconds))}"
    return f"{words}: {rung.reason}" if rung.reason else words


def moment(created: float) -> str:
    """``26 Nov, 09:42``"""
    at = datetime.fromtimestamp(created)
    return f"{at.day} {at:%b, %H:%M}"


def title_of(ladder: Ladder) -> str:
    """``One-step sums · 26 Nov, 09:42``"""
    return f"{ladder.set_name} · {moment(ladder.created)}"
