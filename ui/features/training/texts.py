"""The texts of the Train page: states, configs, progress, outcomes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ui.components.basics import Tone
from ui.components.wording import how_far
from workbench.api import events
from workbench.records.training import TrainingConfig
from workbench.subjects.runs.calls import RunRecord

if TYPE_CHECKING:
    from ui.features.training.state import TrainingState

STATES: dict[str, tuple[str, Tone]] = {
    "queued": ("waiting", "plain"),
    "running": ("running", "accent"),
    "paused": ("paused", "attention"),
    "finished": ("finished", "success"),
    "failed": ("failed", "danger"),
    "cancelled": ("stopped", "attention"),
    "interrupted": ("interrupted", "attention"),
}


def describe_time(at: float) -> str:
    """``24 Nov, 22:10``"""
    return time.strftime("%d %b, %H:%M", time.localtime(at))


def config_of(run: RunRecord) -> TrainingConfig | None:
    """A training's config; None where it cannot be read."""
    return None if run.unreadable else msgspec.convert(run.config, TrainingConfig)


def where_it_is(story: TrainingState) -> tuple[str, float | None, str, float | None]:
    """The stage, the share of finished steps, the same in numbers, and the remaining seconds."""
    now, step = story.progress, story.step
    if now is None:
        return "", None, "", None
    words = " · ".join(part for part in (now.stage.capitalize(), now.detail) if part)
    if step is not None and (now is step or step.done < step.total):  # an evaluation is a pause between two steps
        numbers = f"step {step.done:,.0f} of {step.total:,.0f}"
        share = step.done / step.total if now.overall is None else now.overall
        return words, share, numbers, step.seconds_left if now is step else now.seconds_left
    part, numbers = how_far(now)
    return (
        words,
        part if now.overall is None else now.overall,
        numbers if now.unit not in ("bytes", "") else "",
        now.seconds_left,
    )


def outcome_words(run: RunRecord, story: TrainingState) -> tuple[str, str]:
    """The outcome of a run and what to do now, with the kind of message; empty while it runs or after success."""
    terminal = story.ended
    if run.unreadable:
        return run.unreadable, "attention"
    if run.state in ("queued", "running", "finished"):
        return "", "info"
    if run.state == "failed":
        reason = f"{terminal.message} {terminal.hint}" if isinstance(terminal, events.Failed) else run.message
        if isinstance(terminal, events.Failed) and terminal.reason in ("memory", "bug"):
            reason = terminal.message.splitlines()[0] if terminal.message else "Internal error."
        kept = " It can be resumed from its last checkpoint." if run.resumable else ""
        if run.resumable and story.checkpoint_step is None:
            kept = " It had no checkpoint yet: Resume starts from the beginning."
        return f"{reason.strip() or 'The training failed.'}{kept}", "danger"
    if not run.resumable:
        return "Stopped before the first checkpoint. Use Copy as new to start again.", "attention"
    if story.checkpoint_step is None:
        return "Ended before the first checkpoint. Resume starts from the beginning.", "attention"
    at = f" at step {story.checkpoint_step:,}"
    if run.state == "interrupted":
        why = run.message or "The program ended during the training."
        words = f"{why} Resume continues from the last checkpoint{at}."
        return words, "attention"
    return f"Stopped. Resume continues from the checkpoint{at}.", "attention"


def state_of(run: RunRecord) -> tuple[str, Tone]:
    """The word for a run's state and its tone."""
    return STATES["paused" if run.paused and run.state == "running" else run.state]


# actions
EXPORTING = "Exporting the run…"
EXPORTED = "Exported to {folder}. The README in it says how to run it elsewhere."
DELETE = "Delete"
EXPORT_FOLDER = "Export the run as a folder"
FILTER_EXAMPLES = "Examples (*.jsonl *.json *.csv *.tsv *.parquet *.arrow *.txt *.md);;All files (*)"
ONE_FILE = "A training uses one file or one folder: {basename} was chosen."
DROP_FOLDER = " Drop the folder to use all of its files."
CHOOSE_EXAMPLES, CHOOSE_EXAMPLES_FOLDER = "Choose a data file", "Choose a data folder"

# column mapping
CHOOSE_ROLES = "Choose the role of each column. {missing}"
NOT_USED = "Not used"
ROLE_OF_COLUMN = "Role of the column {name}"
NEEDS_COLUMNS = "An example needs {names}."

# compare
EVALUATION_LOSS_CHART = "Evaluation loss"
LOSS_CHART = "Training loss"
LEARNING_RATE_CHART = "Learning rate"
SPEED_CHART = "Speed"
COLUMN_TRAINING, COLUMN_METHOD, COLUMN_STATE, COLUMN_LOSS = "Training", "Method", "State", "Loss"
COLUMN_EVALUATION_LOSS, COLUMN_TIME = "Evaluation loss", "Time"
COMPARED = "Comparison"

# data report
SHAPE_PAIRS, SHAPE_JUDGED, SHAPE_PROMPTS = "Pairs of answers", "Judged answers", "Prompts"
SHAPE_MESSAGES, SHAPE_SHAREGPT = "Conversations", "Conversations (ShareGPT)"
SHAPE_ALPACA, SHAPE_COLUMNS, SHAPE_TEXT = "Instruction and answer (Alpaca)", "Question and answer", "Plain text"
SHAPE_MAPPED, SHAPE_UNKNOWN = "Columns", "Not recognised"
CHOOSE_BOTH = "Choose a model and data to preview the training examples."
MAP_COLUMNS = "Map columns"
READING_DATA = "Reading the data…"
MAP_AGAIN = "Map columns again"
MAPPED_BY_HAND = "Columns as mapped by hand."
COLUMNS_UNUSED = "Not used: {names}."
ROW_LEFT_OUT = "row is skipped"
ROWS_LEFT_OUT = "rows are skipped"
SAMPLED_LEGEND = "The model's own answers follow these prompts; they are sampled while it trains."
PAIRS_LEGEND = (
    "The preferred answer is tinted green, and the rejected one, which follows the same prompt, red. The model learns "
    "to make the first more probable than the second."
)
REJECTED_ANSWER = "— the rejected answer to the same prompt —"
LEGEND = "Tinted text is trained (loss mask); the rest is context."
KEPT_APART = ", {examples:,} {part}"
NONE_HELD_OUT = ", none held out"
LENGTHS = "about {median:,} tokens each, {shortest:,} to {longest:,}"
TRAINED_TOKENS = "{trained_tokens:,} of {tokens:,} tokens are trained"
SIDES = "{count} for training{held} · {lengths}"
AT_TOKENS = " at {max_length:,} tokens"
IS_CUT = "is truncated{at}"
ARE_CUT = "are truncated{at}"
IS_DUPLICATE = "is a duplicate"
ARE_DUPLICATES = "are duplicates"
IS_EMPTY = "has no trained tokens"
ARE_EMPTY = "have no trained tokens"
IS_LEAKED = "is evaluated on and also in the training data"
ARE_LEAKED = "are evaluated on and also in the training data"
AND_MORE = "and {more:,} more"

# example view
PREVIOUS_EXAMPLE = "Previous example"
NEXT_EXAMPLE = "Next example"
EXAMPLE = "Training example as the model sees it"
FIRST_EXAMPLE = "This is the first example"
LAST_EXAMPLE = "This is the last example"
OF_TOTAL = "{value:,} of {_total:,}"
READING = "Reading…"
TRAINED_ON, EVALUATED_ON = "training", "evaluation"
CUT_FROM = ", truncated from {whole_tokens:,}"
PROMPT_TOKENS = "{tokens:,} tokens{cut}"
EXAMPLE_TOKENS = "{tokens:,} tokens{cut}, {trained_tokens:,} trained"

# length histogram
HISTOGRAM_BIN = "{count} of {low} to {value} tokens"
HISTOGRAM = "Lengths of the examples: {words}"
HISTOGRAM_HELP = "Distribution of example lengths. {replace}"
COUNT_TOKENS = "{high:,} tokens"
CUT_AT = "truncated at {_cut:,}"

# memory bar
MEMORY_BAR = "Memory: {said}; free: {bytes}"

# page
TRAINING = "Training"
NO_MODEL = "A model is needed first"
NO_MODEL_HELP = "Training adapts a chat model to your data. Add the starter model or import one under Models."
GO_TO_MODELS = "Go to Models"
NEW_TRAINING = "New training"
TRAINING_MISSING = "This training no longer exists."
COPIED_SETTINGS = "Settings copied from “{title}”."
DROP_EXAMPLES = "Drop to train on this data"

# plan view
FACT_TRAINABLE, FACT_RESULT, FACT_STEPS, FACT_MEMORY, FACT_DISK = "Trainable", "Result", "Steps", "Memory", "Disk"
NEEDS_PACKAGES = "Training needs PyTorch and what is built on it, which this program is installed without."
PLAN_NEEDS_PACKAGES = "The plan needs the packages of training. Set up training first."
PLAN_NEEDS_BOTH = "The plan is shown once a model and data are chosen."
PLANNING = "Estimating memory and time…"
STEPS_AND_TOKENS = "{steps:,}, {tokens:,} tokens in total"
OF_FREE = "{bytes} of {bytes2} free"
ALL_WEIGHTS = "all {weights} parameters"
SOME_WEIGHTS = "{weights} of {weights2} parameters ({percent})"
TIME_UNKNOWN = "The time is unknown before the first training on this machine, which measures it."
ABOUT_SECONDS, ABOUT_MINUTES = "about {seconds} ({floor} to {ceil} s)", "about {seconds} ({value} to {ceil} min)"
ABOUT = "about {seconds} ({seconds2} to {seconds3})"

# planning
PLAN_NEEDS_DATA = "The plan is shown once the data can be used."
PLAN_NEEDS_COLUMNS = "The plan is shown once the columns are mapped."
STOPPED_READING = "Stopped. Change a setting, or choose the data again, to continue."
STARTING = "Starting…"
NO_TRAINABLE_MODEL = "There is no trainable model yet. Add one under Models."
CHOOSE_MODEL_FIRST, CHOOSE_DATA_FIRST = "Choose a model first.", "Choose data first."
DATA_UNUSABLE = "The data cannot be used; the reason is shown above."
MAP_COLUMNS_FIRST = "Map the columns of the data first."
PLANNING_NOW = "Preparing the plan…"

# run list
TRAININGS = "Trainings"
TRAININGS_HELP = "Trainings: press space to select one for comparison"
TICK_HELP = "Select several to compare their curves."
NO_TRAININGS = "Your trainings appear here."
STOP_BEFORE_DELETE = "Stop this training before deleting it."
COPY_AS_NEW = "Copy as new"
DELETE_MENU = "Delete…\tDel"
ASK_DELETE = "Delete “{title}”? Its curves and checkpoints are deleted; its adapter or model is kept."

# run view
STOPPING_WITH_CHECKPOINT = "Stopping: saving a checkpoint to resume from…"
PAUSE = "Pause"
CONTINUE = "Resume"
STOP = "Stop"
RESUME = "Resume"
EXPORT_RUN = "Export run…"
DELETE_BUTTON = "Delete…"
TRY_IN_CHAT = "Try in chat"
MERGE = "Merge…"
BLIND_TEST = "Blind test…"
BLIND_TEST_HELP = "Choose between answers of the base model and of the result, without knowing which is which"
BY_TRL = "computed by TRL"
RESULT_DELETED = "The result was deleted."
LOG_NAME = "Training log"
LOG = "Log"
IS_STOPPING = "Stopping…"
STOP_HELP = "A checkpoint is saved, so that the training can be resumed"
RESUME_HELP = "Resume from the last checkpoint"
DELETE_HELP = "Delete its curves and checkpoints; the adapter or model is kept"
STOP_FIRST = "Stop it before deleting it"
QUEUED = "The training waits until the one before it ends."
PAUSED = "The training is paused. Its memory stays allocated."
SAMPLE_ANSWERS = "Sample answers"

# sample answers
NO_SAMPLES = "Sample answers appear after the first evaluation."
STEP_HELP = "Step whose answers are shown in the middle column"
ON_THE_WAY = "At step:"
STEP_CHOICE = "step {step:,}"
BEFORE = "Before"
STEP_HEADING = "Step {middle:,}"
AT_THE_END = "Final"
MORE_QUESTIONS = "Show {left:,} more questions"
QUESTION = "Question"
EXPECTED = "Expected"

# scores
AFTER = "After"
GENERAL_LOSS = "Loss on general texts: {loss:.2f} before, {loss2:.2f} after."
UNVERIFIED = "The result can be used. Its exported file was not compared with the trained model."
VERIFYING = "The result can be used. Its exported file is being compared with the trained model."
VERIFIED = "The exported file answers as the trained model does. {found}"
VERIFICATION_FAILED = "The exported file does not answer as the trained model does. {reasons} {found}"

# settings
SECTION_WEIGHTS, SECTION_OPTIMISER, SECTION_DATA = "Trainable weights", "Optimiser", "Data"
SECTION_EVALUATION, SECTION_RUN = "Evaluation", "Run"
RESULT_NAME = "Name of the result"
RESULT_NAME_HELP = "The result has this name in the list of adapters. Without a name, model and data name it."
NAME = "Name"
AUTO_NAME = "automatic"
CHOSEN_VALUE = "auto: {value}"

# setup
INTRODUCTION = (
    "Training adapts a model to your data. It runs in the background: you can keep chatting, and nothing leaves "
    "this machine."
)
MODEL = "Model"
DATA = "Data"
FILE = "File…"
FOLDER = "Folder…"
REMOVE_SET, SET_REMOVED = "Delete this data set…", "The data set {name} was deleted."

# data
DATA = "Data"
NO_DATA = "No training data yet"
NO_DATA_HELP = (
    "A data set holds the examples that a model is trained on. It can be built from rated answers of your chats or "
    "from your documents. Files are chosen on the tab Training."
)
BUILD_SET = "Build a data set…"
DATA_HELP = "The examples that models are trained on. Questions that models are measured by are under Measure."
TRAIN_ON = "Train on it"
DELETE_SET = "Delete"
DATA_FACTS = "{count} · {size} · {date}"
ASK_REMOVE_SET = "Delete the data set {name} ({count})? Adapters that were trained on it are kept."
NEW_SET, NEW_SET_HELP = "New set…", "Build a data set from your chats or documents"
OBJECTIVE = "Objective"
START = "Start training"
CHOOSE_MODEL = "Choose a model"
NO_MODEL_TO_TRAIN = "No trainable model yet"
MODEL_AND_DATA = "Model and data"
OR_DROP = "or drop them here"
PREVIEW = "Training examples"
SETTINGS = "Settings"
PLAN = "Plan"
FILE_IN = "{name}   in {folder}"
CARD_UNREADABLE = "   card unreadable"
NO_SETS = "No data sets yet: choose a file or folder, or build a new set"

# state
EVALUATED = "Step {step:,}: evaluation loss {value:.3f}"
CHECKPOINT = "Checkpoint written at step {step:,}"

# method picker, by the kind of artifact
MORE_METHODS = "More methods"
MADE = {
    "lora": "file, any strength",
    "merged": "new model",
    "soft-prompt": "tiny file",
    "prefix": "tiny file",
    "reward": "scores answers",
}
MAKES = {
    "lora": "The result is a file that is switched on and off in the chat, at any strength.",
    "merged": "The result is a new model of the same size, selected like any other. Its strength is fixed.",
    "soft-prompt": "The result is a tiny file that is switched on and off in the chat. It has no strength, uses "
    "some of the context, and cannot be merged.",
    "prefix": "The result is a tiny file that is switched on and off in the chat. It has no strength, uses some of the "
    "context, cannot be merged, and does not work with sliding-window models.",
    "reward": "The result is a reward model, which writes no answers: it scores those of evaluations, of best-of-n "
    "and of policy training.",
}
