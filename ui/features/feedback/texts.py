"""The words of the pages of preferences and of blind tests."""

from __future__ import annotations

import time

from ui.components.wording import describe_count
from workbench.base.catalogue import _
from workbench.records.judgement_reports import MeanEstimate, ShareEstimate
from workbench.records.judgements import JudgedAnswer, Judgement, PreferenceForm

PREFERENCES, BLIND_TESTS = _("Preferences"), _("Blind tests")
SECTIONS = _("Sections of preferences")
REVIEW, LABEL, LEARN, WIN_RATE = _("All preferences"), _("Compare answers"), _("What can be learnt"), _("Blind test")

# review
SEARCH = _("Search in questions and answers")
VERDICT, SOURCE, JUDGE = _("Choice"), _("From"), _("Compared by")
ANY_VERDICT, ANY_SOURCE, ANY_JUDGE = _("Any choice"), _("From anywhere"), _("By anyone")
VERDICT_FILTERS = (
    ("", ANY_VERDICT),
    ("a,b", _("One is better")),
    ("tie", _("Equally good")),
    ("bad", _("Both are bad")),
    ("good", _("Good")),
    ("poor", _("Bad")),
)
SOURCE_FILTERS = (
    ("", ANY_SOURCE),
    ("chat", _("Thumbs and edits in chats")),
    ("compare", _("Compared in chats")),
    ("label", _("Compared as pairs")),
    ("judge", _("A judge")),
    ("import", _("Imported")),
    ("verdict", _("Blind tests")),
)
JUDGE_FILTERS = (("", ANY_JUDGE), ("person", _("By people")), ("model", _("By judge models")), ("rule", _("By rules")))
SOURCES = {
    "chat": _("chat"),
    "compare": _("comparison"),
    "label": _("pairs"),
    "verdict": _("blind test"),
    "judge": _("judge"),
    "import": _("import"),
}
JUDGES = {"person": _("a person"), "model": _("a judge model"), "rule": _("a rule")}
VERDICTS = {
    "a": _("One is better"),
    "b": _("One is better"),
    "tie": _("Equally good"),
    "bad": _("Both are bad"),
    "good": _("Good"),
    "poor": _("Bad"),
    "": _("Not compared"),
}
EDITED = _("Edited")
COLUMN_VERDICT, COLUMN_SOURCE, COLUMN_QUESTION = _("Choice"), _("From"), _("Question")
COLUMN_BETTER, COLUMN_OTHER = _("Answer"), _("Other answer")
JUDGEMENTS = _("Preferences")
DROP_HERE = _("Drop a file of preferences to import it")
IMPORT, EXPORT, UNDO = _("Import…"), _("Export"), _("Undo")
UNDO_HELP = _("Undo the last change of preferences (Ctrl+Z)")
MORE = _("More")
DELETE_SHOWN = _("Delete the {count} shown…")
ASK_DELETE_SHOWN = _("Delete {count}? Chats keep their thumbs and edits.")
DELETE = _("Delete")
DELETED = _("{count} deleted.")
UNDONE = _("Undone: {title}.")
NO_ROW = _("No preference matches.")
EMPTY_TITLE = _("No preferences yet")
EMPTY_HELP = _(
    "Press Compare under an answer and choose the better one, press a thumb, or edit an answer into what you wanted. "
    "Your preferences are collected here, and a model can be trained with them."
)
EMPTY_ACTION = _("Compare answers")
COUNTS = _("{judgements} of {prompts}")

# one judgement
CLOSE = _("Close this preference")
QUESTION, BEFORE = _("Question"), _("What was said before ({count})")
ANSWER, BETTER, OTHER, FIRST, SECOND = (
    _("Answer"),
    _("Better answer"),
    _("Other answer"),
    _("First answer"),
    _("Second answer"),
)
CORRECT = _("Correct the choice")
PAIR_CHOICES = (
    ("a", _("First is better")),
    ("b", _("Second is better")),
    ("tie", _("Equally good")),
    ("bad", _("Both are bad")),
)
SINGLE_CHOICES = (("good", _("Good")), ("poor", _("Bad")))
COMPUTED_BY = _("Computed by {who}")
COMMENT, COMMENT_HELP = _("Comment"), _("Why it was preferred. It is only for you.")
EDIT, EDIT_NAME = _("Edit"), _("Edit the answer of {name}")
EDITOR, EDITOR_HELP, SAVE = _("What the answer should have been"), _("It counts as the better answer."), _("Save")
OPEN_CHAT = _("Open the chat")
UNNAMED = _("an unnamed model")
ORIGINAL = _("The model had written: {text}")
FACTS = _("Compared by {judge}, {date} · {source}")
SHOWN_FIRST = {"ab": _("The first answer was shown at the left."), "ba": _("The second answer was shown at the left.")}
CUT = _("This answer reached the maximum length.")
LOOPED = _("This answer was ended because it repeated itself.")
CUTS = {"length": CUT, "loop": LOOPED}
CONFIDENCE = _("Confidence {value:.0%}.")

# import and export
IMPORT_TITLE = _("Import preferences")
IMPORT_HELP = _("The file holds one row for each preference. Its format is recognised by its columns.")
FILE, CHOOSE_FILE = _("File"), _("Choose a file…")
NAME_COLUMNS = _("Name the columns")
NAME_COLUMNS_HELP = _(
    "Name them for a file of another format. Where none is named as the better one, the first answer counts as it."
)
COLUMNS = (
    ("prompt", _("Question (prompt)")),
    ("a", _("First answer (a)")),
    ("b", _("Second answer (b)")),
    ("verdict", _("Column that says which is better")),
    ("system", _("Instructions")),
)
FILTER_FILES = _("Preferences (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)")
FORM, FORM_HELP = _("Format"), _("The format is needed only where the columns do not tell it.")
FORM_AUTO = _("Recognise by columns")
FORMS: dict[PreferenceForm, str] = {
    "trl": _("TRL: prompt, chosen, rejected"),
    "trl-chat": _("TRL: the same, as messages"),
    "trl-rated": _("TRL: prompt, completion, label"),
    "trl-rated-chat": _("TRL: rated, as messages"),
    "hh-rlhf": _("HH-RLHF: dialogues"),
    "ultrafeedback": _("UltraFeedback, binarised"),
    "argilla": _("Argilla, flattened"),
    "arena": _("Arena: two conversations and a winner"),
    "sharegpt": _("ShareGPT (LLaMA-Factory)"),
    "openai": _("OpenAI preference fine-tuning"),
    "candidates": _("input_text, candidate1, candidate2, human_preference"),
    "rewards": _("prompt, response, rewards"),
    "workbench": _("LLM Workbench: everything"),
}
COUNTS_FROM, COUNTS_FROM_HELP = (
    _("First candidate is number"),
    _("This is for files that name the better candidate by a number."),
)
COUNTS_FROM_CHOICES = (("-1", _("Recognise")), ("0", "0"), ("1", "1"))
IMPORTING = _("Reading {path}")
IMPORTED = _("{added} of {rows} added. {why}")
DUPLICATES_LEFT = _("{count} were there before.")
REFUSED = _("{count} refused:")
AND_MORE = _("and {more:,} more")
DONE = _("Close")
EXPORT_TITLE = _("Export preferences")
FILTER_JSONL = _("JSON Lines (*.jsonl)")
EXPORTED = _("{count} written to {path}.")
LEFT_OUT = _("{count} left out: {reason}")

# labelling in a row
QUEUES, NEW_QUEUE = _("Comparisons"), _("New…")
NO_QUEUE_TITLE = _("Compare answers")
NO_QUEUE_HELP = _(
    "Two recipes answer many questions in the background, and you choose the better answer of each pair with one key. "
    "Fifty choices take about ten minutes."
)
QUEUE_LINE = _("{judged} compared, {waiting} waiting")
QUEUE_BLIND_TEST = _("blind test")
PAIR = _("Two answers to one question")
LABEL_KEYS = _("J, K, T or B chooses · E edits A, R edits B · S skips · U undoes the last choice")
LABEL_PROGRESS = _("{judged} compared · {waiting} waiting")
LABEL_WAITS = _("The next pair is being generated.")
LABEL_WAITS_FOR = _("The pairs wait for the run “{title}”.")
LABEL_QUEUED = _("The pairs wait until another run has ended.")
LABEL_PAUSED = _("Generating is paused.")
LABEL_WAITS_HELP = _("You can leave this page; finished pairs are stored.")
LABEL_FEWER = _(
    "{asked} were asked, and {made} can be compared: the two answers to the others were the same, empty, or could not "
    "be generated."
)
LABEL_DONE = _("All pairs are compared.")
LABEL_DONE_HELP = _("You have compared {judged}. See what can be learnt from this, or compare more.")
LABEL_RESULT = _("{name}: better in {won}, worse in {lost}, equal in {tied} · {share}")
LABEL_EMPTY = _("No pair was made.")
LABEL_LEARN, LABEL_RESULT_BUTTON = _("See what can be learnt"), _("See the result")
LABEL_TEST_HELP = _("You have compared {judged} without knowing which recipe had answered.")
SKIP, UNDO_LAST = _("Skip  (S)"), _("Undo  (U)")
ANSWER_SIDES = (_("Answer A"), _("Answer B"))
DELETE_QUEUE, ASK_DELETE_QUEUE = _("Delete this comparison"), _("Delete “{name}”? What you have compared stays.")
MAKING_FAILED, MAKING_STOPPED = _("Generating stopped: {why}"), _("Stopped. The pairs that are ready can be compared.")
SYSTEM, USER, ASSISTANT = _("Instructions"), _("You"), _("Model")

# a new set to compare
NEW_TITLE = _("Compare answers")
NEW_HELP = _("Two recipes answer the same questions in the background. You compare the pairs as they arrive.")
NEW_GO = _("Generate answers")
FIRST_RECIPE, SECOND_RECIPE = _("First recipe"), _("Second recipe")
SECOND_HELP = _("For preferences to learn from, take the same recipe twice: its answers differ since they are sampled.")
SAME_AGAIN = _("The same, sampled again")
OF_ADAPTER, OF_FILE = "{model} + {adapter}", _("Saved recipe: {name}")
PROMPTS = _("Questions")
PROMPTS_FROM = (
    ("chats", _("From my chats")),
    ("questions", _("A question set")),
    ("documents", _("About my documents")),
    ("file", _("A file")),
)
PROMPTS_HELP = {
    "chats": _("The questions that you asked in your chats are asked again."),
    "questions": _("A question set is a list of questions that you have imported or made under Measure."),
    "documents": _("The model writes questions about the passages of your documents."),
    "file": _("The questions of a file are asked."),
}
SET, COLLECTION, PROMPT_FILE = _("Question set"), _("Documents"), _("File of questions")
PROMPT_FILE_HELP = _("The file is a text with a question in each line, or JSON Lines with a column named prompt.")
FILTER_PROMPTS = _("Questions (*.txt *.jsonl *.json *.csv);;All files (*)")
LIMIT = _("Number of questions")
LIMITS = ((20, "20"), (50, "50"), (100, "100"), (200, "200"), (0, _("All")))
SET_NAME = _("Name")
SET_NAME_HELP = _("The test is listed by this name.")
PURPOSE = _("Purpose")
PURPOSES = (("label", _("To learn from")), ("verdict", _("To test only (blind test)")))
PURPOSE_HELP = _("Your choices in a test are never used for training.")
MODEL_NEEDED, SET_NEEDED, FILE_NEEDED = (
    _("There is no chat model yet."),
    _("Choose a question set."),
    _("Choose a file."),
)
TWO_NEEDED = _("Choose two different recipes.")
COLLECTION_NEEDED, NAME_NEEDED = _("Choose documents."), _("Write a name.")
CHATS_NEEDED = _("There are no chats yet: choose a question set, documents or a file.")
DEFAULT_NAME = "{model}, {date}"
TOKENS = _("Longest answer")
TOKEN_CHOICES = (
    (64, _("64 tokens (about 48 words)")),
    (128, _("128 tokens (about 96 words)")),
    (256, _("256 tokens (about 192 words)")),
    (512, _("512 tokens (about 384 words)")),
)

# what can be learnt
LEARN_TITLE = _("What can be learnt from {judgements}")
LEARN_NEEDS_PACKAGES = _(
    "Learning from preferences needs PyTorch and what is built on it, which this program is installed without."
)
LEARN_COUNTS = _(
    "There are {pairs} of a better and a worse answer and {rated} single ratings ({good} good), about {prompts}."
)
LEARN_EMPTY = _("There is nothing to learn from yet.")
TRAIN, TRAIN_WITH = _("Set up training"), _("Set up training: {title}")
KEPT_APART = _(
    "{usable:,} of them can be used. {kept:,} of these measure the result, which is then known to within {width:.0%} "
    "either way."
)
ADVISED, NOT_YET = _("recommended"), _("Needs more preferences")
LEFT_OUT_TITLE = _("Not used")
WARNINGS = _("Problems in the preferences")
SKIP_CONFLICTS = _("Leave out contradictory preferences")
MAKING_SET = _("Making the data set…")
SET_NAME_DEFAULT = _("Preferences {date}")
STATISTICS = _("Statistics")
LONGER, LONGER_HELP = (
    _("The longer answer was preferred"),
    _(
        "Only pairs whose answers differ in length are counted. Where length does not matter, this share is near "
        "one half."
    ),
)
POSITION, POSITION_HELP = (
    _("The answer at the left was preferred"),
    _("Only pairs whose order is known are counted. Where the position does not matter, this share is near one half."),
)
POSITION_BY = _("The same, compared by {judge}")
LENGTH_LONGER = _("The preferred answer is {value:.0f} characters longer ({low:.0f} to {high:.0f}).")
LENGTH_SHORTER = _("The preferred answer is {value:.0f} characters shorter ({low:.0f} to {high:.0f}).")
LENGTH_SAME = _("The preferred answer is neither clearly longer nor shorter ({low:+.0f} to {high:+.0f} characters).")
SHARE = _("{value:.0%} of {n:,} (95 % interval: {low:.0%} to {high:.0%})")
NO_SHARE = _("no pairs yet")
BIASED, UNBIASED = _("this is more than chance"), _("this may be chance")
REPEATED = _("{count} repeat an earlier one.")
CONFLICTS, CYCLES = _("Contradictions"), _("Cycles")
CONFLICT_HELP = _("Of the same two answers each was preferred once. Look at them and correct one.")
CYCLE_HELP = _("Each of these answers was preferred to the next, and the last to the first.")
SHOW = _("Show")
WHO_WON = _("Who won")

# blind tests
NEW_TEST = _("New blind test…")
TEST_TITLE, TEST_NEW_HELP = (
    _("New blind test"),
    _(
        "Two recipes answer the same questions; a recipe is a model with its instructions and settings. You choose the "
        "better answer of each pair without seeing which recipe wrote it, and the share of wins says which recipe is "
        "better. Take questions that no model was trained on. Your choices in a test are never used for training."
    ),
)
NO_TEST_TITLE = _("Was the training worth it?")
NO_TEST_HELP = _(
    "In a blind test you choose between answers of the base model and of your adapter to new questions, without "
    "seeing the names. The result is how often the adapter won, with an interval of 95 %."
)
TEST_HELP = _(
    "A bar shows how often the second recipe won, where a tie counts half, with the interval of 95 %. The dashed "
    "line is one half."
)
JUDGE_PAIRS = _("Compare the pairs")
# a judge
JUDGE_TITLE, JUDGE_GO = _("Let a judge compare"), _("Start")
JUDGE_HELP = _(
    "A judge model is first measured on pairs that you have compared yourself, each asked in both orders. Where it "
    "agrees with you no more than chance would, it is refused, with its figures. Rules are not measured."
)
JUDGE_KINDS = (("recipe", _("A judge model")), ("rewards", _("Rules and reward models")))
JUDGE_RECIPE, JUDGE_RECIPE_HELP = (
    _("Judge"),
    _("It should be a larger model than the one that is compared. Small models are mostly refused."),
)
CONSTITUTION, CONSTITUTION_HELP = (
    _("Constitution"),
    _("Describe in your own words what makes an answer the better one."),
)
RULES_HELP = _("The answer with the higher sum of these is the better one.")
REWARD_NEEDED = _("Add a reward first.")
LET_JUDGE = _("Let a judge compare…")
JUDGING = _("A judge is comparing the pairs. You can go on comparing, and your own choices stay.")
JUDGED = _("The judge has compared {judged}.")
JUDGE_DROPPED = _("It contradicted itself on {dropped}, which wait for you.")
JUDGE_STOPPED, JUDGE_REFUSED = _("The judge was stopped."), _("Nothing was compared. {why}")
LENGTH_CONTROLLED = _("At equal lengths: {share}. Mean length: {first:.0f} and {second:.0f} characters.")
JUDGED_BY = _("Compared by {names}.")
TEST_FIGURES = _("{second} against {first}: {won} won, {lost} lost, {tied} equal or both bad")


def describe_moment(at: float) -> str:
    """``26 Nov 2026, 16:40``; "" where it is not known."""
    return time.strftime("%d %b %Y, %H:%M", time.localtime(at)) if at else ""


def describe_share(share: ShareEstimate) -> str:
    """``71% (58% to 82%, n = 41)``"""
    return SHARE.format(value=share.value, low=share.low, high=share.high, n=share.n) if share.n else NO_SHARE


def describe_difference(mean: MeanEstimate) -> str:
    """The difference of lengths with its interval; "" for fewer than two pairs, which give none."""
    if mean.n < 2:
        return ""
    if mean.low > 0:
        return LENGTH_LONGER.format(value=mean.value, low=mean.low, high=mean.high)
    if mean.high < 0:
        return LENGTH_SHORTER.format(value=-mean.value, low=-mean.high, high=-mean.low)
    return LENGTH_SAME.format(low=mean.low, high=mean.high).replace("(-", "(−")


def describe_verdict(judgement: Judgement) -> str:
    return EDITED if judgement.edited else VERDICTS[judgement.verdict]


def describe_source(judgement: Judgement) -> str:
    words = SOURCES.get(judgement.source, judgement.source)
    return f"{words}, {JUDGES[judgement.judge]}" if judgement.judge != "person" else words


def name_answer(answer: JudgedAnswer) -> str:
    return answer.name or (answer.recipe.model.name if answer.recipe is not None else "") or UNNAMED


def describe_counts(judgements: int, prompts: int) -> str:
    return COUNTS.format(
        judgements=describe_count(judgements, "preference"), prompts=describe_count(prompts, "question")
    )
