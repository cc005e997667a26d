"""The texts of the Train page: states, configs, progress, outcomes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ui.components.basics import Tone
from ui.components.wording import how_far, stage_of
from workbench.api import events
from workbench.base.catalogue import _
from workbench.records.training import TrainingConfig
from workbench.subjects.runs.calls import RunRecord

if TYPE_CHECKING:
    from ui.features.training.state import TrainingState

STATES: dict[str, tuple[str, Tone]] = {
    "queued": (_("waiting"), "plain"),
    "running": (_("running"), "accent"),
    "paused": (_("paused"), "attention"),
    "finished": (_("finished"), "success"),
    "failed": (_("failed"), "danger"),
    "cancelled": (_("stopped"), "attention"),
    "interrupted": (_("interrupted"), "attention"),
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
    words = " · ".join(part for part in (stage_of(now), now.detail) if part)
    if step is not None and (now is step or step.done < step.total):  # an evaluation is a pause between two steps
        numbers = _("step {done:,.0f} of {total:,.0f}").format(done=step.done, total=step.total)
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
            reason = terminal.message.splitlines()[0] if terminal.message else _("Internal error.")
        kept = _(" It can be resumed from its last checkpoint.") if run.resumable else ""
        if run.resumable and story.checkpoint_step is None:
            kept = _(" It had no checkpoint yet: Resume starts from the beginning.")
        return f"{reason.strip() or _('The training failed.')}{kept}", "danger"
    if not run.resumable:
        return _("Stopped before the first checkpoint. Use Copy as new to start again."), "attention"
    if story.checkpoint_step is None:
        return _("Ended before the first checkpoint. Resume starts from the beginning."), "attention"
    if run.state == "interrupted":
        why = run.message or _("The program ended during the training.")
        words = _("{why} Resume continues from the last checkpoint at step {step:,}.")
        return words.format(why=why, step=story.checkpoint_step), "attention"
    words = _("Stopped. Resume continues from the checkpoint at step {step:,}.")
    return words.format(step=story.checkpoint_step), "attention"


def state_of(run: RunRecord) -> tuple[str, Tone]:
    """The word for a run's state and its tone."""
    return STATES["paused" if run.paused and run.state == "running" else run.state]


# actions
EXPORTING = _("Exporting the run…")
EXPORTED = _("Exported to {folder}. The README in it says how to run it elsewhere.")
DELETE = _("Delete")
EXPORT_FOLDER = _("Export the run as a folder")
FILTER_EXAMPLES = _("Examples (*.jsonl *.json *.csv *.tsv *.parquet *.arrow *.txt *.md);;All files (*)")
ONE_FILE = _("A training uses one file or one folder: {basename} was chosen.")
DROP_FOLDER = _(" Drop the folder to use all of its files.")
EVALUATED_ON_SPLIT, CHOOSE_A_FILE = _("Held out of the data"), _("Choose a file…")
CHOOSE_EXAMPLES, CHOOSE_EXAMPLES_FOLDER = _("Choose a data file"), _("Choose a data folder")

# column mapping
CHOOSE_ROLES = _("Choose the role of each column. {missing}")
NOT_USED = _("Not used")
ROLE_OF_COLUMN = _("Role of the column {name}")
NEEDS_COLUMNS = _("An example needs {names}.")

# compare
EVALUATION_LOSS_CHART = _("Evaluation loss")
LOSS_CHART = _("Training loss")
LEARNING_RATE_CHART = _("Learning rate")
SPEED_CHART = _("Speed")
COLUMN_TRAINING, COLUMN_METHOD, COLUMN_STATE, COLUMN_LOSS = _("Training"), _("Method"), _("State"), _("Loss")
COLUMN_EVALUATION_LOSS, COLUMN_TIME = _("Evaluation loss"), _("Time")
COMPARED = _("Comparison")

# data report
SHAPE_PAIRS, SHAPE_JUDGED, SHAPE_PROMPTS = _("Pairs of answers"), _("Rated answers"), _("Prompts")
SHAPE_MESSAGES, SHAPE_SHAREGPT = _("Conversations"), _("Conversations (ShareGPT)")
SHAPE_ALPACA, SHAPE_COLUMNS, SHAPE_TEXT = (
    _("Instruction and answer (Alpaca)"),
    _("Question and answer"),
    _("Plain text"),
)
SHAPE_MAPPED, SHAPE_UNKNOWN = _("Columns"), _("Not recognised")
CHOOSE_BOTH = _("Choose a model and data to preview the training examples.")
MAP_COLUMNS = _("Map columns")
READING_DATA = _("Reading the data…")
MAP_AGAIN = _("Map columns again")
MAPPED_BY_HAND = _("Columns as mapped by hand.")
COLUMNS_UNUSED = _("Not used: {names}.")
AND, OR = _(" and "), _(", or ")
SAMPLED_LEGEND = _("The model's own answers follow these prompts; they are sampled while it trains.")
PAIRS_LEGEND = _(
    "The preferred answer is tinted green, and the rejected one, which follows the same prompt, red. The model learns "
    "to make the first more probable than the second."
)
REJECTED_ANSWER = _("— the rejected answer to the same prompt —")
LEGEND = _("The model learns to write the tinted text. The rest is context (loss mask).")
KEPT_APART = ", {examples:,} {part}"
NONE_HELD_OUT = _(", none held out")
LENGTHS = _("about {median:,} tokens each, {shortest:,} to {longest:,}")
TRAINED_TOKENS = _("the model learns to write {trained_tokens:,} of these {tokens:,} tokens")
SIDES = _("{count} for training{held} · {lengths}")
AT_TOKENS = _(" at {max_length:,} tokens")
IS_CUT = _("is truncated{at}")
ARE_CUT = _("are truncated{at}")
IS_DUPLICATE = _("is a duplicate")
ARE_DUPLICATES = _("are duplicates")
IS_EMPTY = _("has nothing to be learnt")
ARE_EMPTY = _("have nothing to be learnt")
IS_LEAKED = _("is evaluated on and also in the training data")
ARE_LEAKED = _("are evaluated on and also in the training data")
AND_MORE = _("and {more:,} more")

# example view
PREVIOUS_EXAMPLE = _("Previous example")
NEXT_EXAMPLE = _("Next example")
EXAMPLE = _("Training example as the model sees it")
FIRST_EXAMPLE = _("This is the first example")
LAST_EXAMPLE = _("This is the last example")
OF_TOTAL = _("{value:,} of {_total:,}")
READING = _("Reading…")
TRAINED_ON, EVALUATED_ON = _("training"), _("evaluation")
CUT_FROM = _(", truncated from {whole_tokens:,}")
PROMPT_TOKENS = _("{tokens:,} tokens{cut}")
EXAMPLE_TOKENS = _("{tokens:,} tokens{cut}, {trained_tokens:,} of them to be learnt")

# length histogram
HISTOGRAM_BIN = _("{count} of {low} to {value} tokens")
HISTOGRAM = _("Lengths of the examples: {words}")
HISTOGRAM_HELP = _("Distribution of example lengths. {replace}")
COUNT_TOKENS = _("{high:,} tokens")
CUT_AT = _("truncated at {_cut:,}")

# memory bar
MEMORY_BAR = _("Memory: {said}; free: {bytes}")

# page
TRAINING = _("Training")
NO_MODEL = _("A model is needed first")
NO_MODEL_HELP = _("Training adapts a chat model to your data. Add the starter model or import one under Models.")
GO_TO_MODELS = _("Go to Models")
NEW_TRAINING = _("New training")
TRAINING_MISSING = _("This training no longer exists.")
COPIED_SETTINGS = _("Settings copied from “{title}”.")
DROP_EXAMPLES = _("Drop to train on this data")

# plan view
FACT_TRAINABLE, FACT_RESULT, FACT_STEPS, FACT_MEMORY, FACT_DISK = (
    _("Trainable"),
    _("Result"),
    _("Steps"),
    _("Memory"),
    _("Disk"),
)
NEEDS_PACKAGES = _("Training needs PyTorch and what is built on it, which this program is installed without.")
PLAN_NEEDS_PACKAGES = _("The plan needs the packages of training. Set up training first.")
PLAN_NEEDS_BOTH = _("The plan is shown once a model and data are chosen.")
PLANNING = _("Estimating memory and time…")
STEPS_AND_TOKENS = _("{steps:,} changes of the weights; {tokens:,} tokens are read (a token is about ¾ of a word)")
OF_FREE = _("{bytes} of {bytes2} free")
ALL_WEIGHTS = _("all {weights} parameters")
SOME_WEIGHTS = _("{weights} of {weights2} parameters ({percent})")
TIME_UNKNOWN = _("The time is unknown before the first training on this machine, which measures it.")
ABOUT_SECONDS, ABOUT_MINUTES = _("about {seconds} ({floor} to {ceil} s)"), _("about {seconds} ({value} to {ceil} min)")
ABOUT = _("about {seconds} ({seconds2} to {seconds3})")

# planning
PLAN_NEEDS_DATA = _("The plan is shown once the data can be used.")
PLAN_NEEDS_COLUMNS = _("The plan is shown once the columns are mapped.")
STOPPED_READING = _("Stopped. Change a setting, or choose the data again, to continue.")
STARTING = _("Starting…")
NO_TRAINABLE_MODEL = _("There is no trainable model yet. Add one under Models.")
CHOOSE_MODEL_FIRST, CHOOSE_DATA_FIRST = _("Choose a model first."), _("Choose data first.")
DATA_UNUSABLE = _("The data cannot be used; the reason is shown above.")
MAP_COLUMNS_FIRST = _("Map the columns of the data first.")
PLANNING_NOW = _("Preparing the plan…")

# run list
TRAININGS = _("Trainings")
TRAININGS_HELP = _("Trainings: press space to select one for comparison")
TICK_HELP = _("Select several to compare how their errors fell (loss).")
NO_TRAININGS = _("Your trainings appear here.")
STOP_BEFORE_DELETE = _("Stop this training before deleting it.")
COPY_AS_NEW = _("Copy as new")
DELETE_MENU = _("Delete…\tDel")
ASK_DELETE = _("Delete “{title}”? Its curves and checkpoints are deleted; its adapter or model is kept.")

# run view
STOPPING_WITH_CHECKPOINT = _("Stopping: saving a checkpoint to resume from…")
PAUSE = _("Pause")
CONTINUE = _("Resume")
STOP = _("Stop")
RESUME = _("Resume")
EXPORT_RUN = _("Export run…")
DELETE_BUTTON = _("Delete…")
TRY_IN_CHAT = _("Try in chat")
MERGE = _("Merge…")
BLIND_TEST = _("Blind test…")
BLIND_TEST_HELP = _("Choose between answers of the base model and of the result, without knowing which is which")
BY_TRL = _("computed by TRL")
RESULT_DELETED = _("The result was deleted.")
LOG_NAME = _("Training log")
LOG = _("Log")
IS_STOPPING = _("Stopping…")
STOP_HELP = _("A checkpoint is saved, so that the training can be resumed")
RESUME_HELP = _("Resume from the last checkpoint")
DELETE_HELP = _("Delete its curves and checkpoints; the adapter or model is kept")
STOP_FIRST = _("Stop it before deleting it")
QUEUED = _("The training waits until the one before it ends.")
PAUSED = _("The training is paused, and keeps its memory until it goes on or is stopped.")
SAMPLE_ANSWERS = _("Sample answers")

# sample answers
NO_SAMPLES = _("Sample answers appear after the first evaluation.")
STEP_HELP = _("Step whose answers are shown in the middle column")
ON_THE_WAY = _("At step:")
STEP_CHOICE = _("step {step:,}")
BEFORE = _("Before")
STEP_HEADING = _("Step {middle:,}")
AT_THE_END = _("Final")
MORE_QUESTIONS = _("Show {left:,} more questions")
QUESTION = _("Question")
EXPECTED = _("Expected")

# scores
AFTER = _("After")
GENERAL_LOSS = _("Loss on general texts: {loss:.2f} before, {loss2:.2f} after.")
UNVERIFIED = _("The result can be used. Its exported file was not compared with the trained model.")
VERIFYING = _("The result can be used. Its exported file is being compared with the trained model.")
VERIFIED = _("The exported file answers as the trained model does. {found}")
VERIFICATION_FAILED = _("The exported file does not answer as the trained model does. {reasons} {found}")

# settings
SECTION_WEIGHTS, SECTION_OPTIMISER, SECTION_DATA = _("Trainable weights"), _("Optimiser"), _("Data")
SECTION_EVALUATION, SECTION_RUN = _("Evaluation"), _("Run")
RESULT_NAME = _("Name of the result")
RESULT_NAME_HELP = _(
    "The result has this name in the list of adapters. Without one, it is named by the model and the data."
)
NAME = _("Name")
AUTO_NAME = _("automatic")

# setup
INTRODUCTION = _(
    "Training adapts a model to your data. It runs in the background: you can keep chatting, and nothing leaves "
    "this machine."
)
MODEL = _("Model")
DATA = _("Data")
FILE = _("File…")
FOLDER = _("Folder…")
REMOVE_SET, SET_REMOVED = _("Delete this data set…"), _("The data set {name} was deleted.")

# data
DATA = _("Data")
NO_DATA = _("No training data yet")
NO_DATA_HELP = _(
    "A data set holds the examples that a model is trained on. It can be built from rated answers of your chats or "
    "from your documents. Files are chosen on the tab Training."
)
BUILD_SET = _("Build a data set…")
DATA_HELP = _("The examples that models are trained on. Questions that models are measured by are under Measure.")
TRAIN_ON = _("Train on it")
DELETE_SET = _("Delete")
DATA_FACTS = "{count} · {size} · {date}"
ASK_REMOVE_SET = _("Delete the data set {name} ({count})? Adapters that were trained on it are kept.")
NEW_SET, NEW_SET_HELP = _("New set…"), _("Build a data set from your chats or documents")
OBJECTIVE = _("Objective")
BEGUN_ANEW = _("The settings are the proposed ones again. Those that were not started are put aside.")
PUT_BACK = _("Put them back")
START = _("Start training")
CHOOSE_MODEL = _("Choose a model")
NO_MODEL_TO_TRAIN = _("No trainable model yet")
MODEL_AND_DATA = _("Model and data")
OR_DROP = _("or drop them here")
PREVIEW = _("Training examples")
SETTINGS = _("Settings")
PLAN = _("Plan")
FILE_IN = _("{name}   in {folder}")
CARD_UNREADABLE = _("   card unreadable")
NO_SETS = _("No data sets yet: choose a file or folder, or build a new set")

# state
EVALUATED = _("Step {step:,}: evaluation loss {value:.3f}")
CHECKPOINT = _("Checkpoint written at step {step:,}")

# method picker, by the kind of artifact
MORE_METHODS = _("More methods")
MADE = {
    "lora": _("file, any strength"),
    "merged": _("new model"),
    "soft-prompt": _("tiny file"),
    "prefix": _("tiny file"),
    "reward": _("scores answers"),
}
MAKES = {
    "lora": _("The result is a file that is switched on and off in the chat, at any strength."),
    "merged": _("The result is a new model of the same size, selected like any other. Its strength is fixed."),
    "soft-prompt": _(
        "The result is a tiny file that is switched on and off in the chat. It has no strength, uses "
        "some of the context, and cannot be merged."
    ),
    "prefix": _(
        "The result is a tiny file that is switched on and off in the chat. It has no strength, uses some of the "
        "context, cannot be merged, and does not work with sliding-window models."
    ),
    "reward": _(
        "The result is a reward model, which writes no answers: it scores those of evaluations, of best-of-n "
        "and of policy training."
    ),
}

# sample answers
RECOMMENDED, NOW = _("recommended"), _("now")
NOTHING_ANSWERED, EXACT, AS_EXPECTED = _("(nothing)"), _("exact"), _(", exactly as expected")
