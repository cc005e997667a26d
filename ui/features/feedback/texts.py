"""The words of the pages of preferences and of blind tests."""

from __future__ import annotations

import time

from ui.components.wording import describe_count
from workbench.records.judgement_reports import MeanEstimate, ShareEstimate
from workbench.records.judgements import JudgedAnswer, Judgement, PreferenceForm

PREFERENCES, BLIND_TESTS = "Preferences", "Blind tests"
SECTIONS = "Sections of preferences"
REVIEW, LABEL, LEARN, WIN_RATE = "All preferences", "Compare answers", "What can be learnt", "Blind test"

# review
SEARCH = "Search in questions and answers"
VERDICT, SOURCE, JUDGE = "Verdict", "From", "Compared by"
ANY_VERDICT, ANY_SOURCE, ANY_JUDGE = "Any verdict", "From anywhere", "By anyone"
VERDICT_FILTERS = (
    ("", ANY_VERDICT),
    ("a,b", "One is better"),
    ("tie", "Equally good"),
    ("bad", "Both are bad"),
    ("good", "Good"),
    ("poor", "Bad"),
)
SOURCE_FILTERS = (
    ("", ANY_SOURCE),
    ("chat", "Thumbs and edits in chats"),
    ("compare", "Compared in chats"),
    ("label", "Compared as pairs"),
    ("judge", "A judge"),
    ("import", "Imported"),
    ("verdict", "Blind tests"),
)
JUDGE_FILTERS = (("", ANY_JUDGE), ("person", "By people"), ("model", "By judge models"), ("rule", "By rules"))
SOURCES = {
    "chat": "chat",
    "compare": "comparison",
    "label": "pairs",
    "verdict": "blind test",
    "judge": "judge",
    "import": "import",
}
JUDGES = {"person": "a person", "model": "a judge model", "rule": "a rule"}
VERDICTS = {
    "a": "One is better",
    "b": "One is better",
    "tie": "Equally good",
    "bad": "Both are bad",
    "good": "Good",
    "poor": "Bad",
    "": "Not compared",
}
EDITED = "Edited"
COLUMN_VERDICT, COLUMN_SOURCE, COLUMN_QUESTION = "Verdict", "From", "Question"
COLUMN_BETTER, COLUMN_OTHER = "Answer", "Other answer"
JUDGEMENTS = "Preferences"
DROP_HERE = "Drop a file of preferences to import it"
IMPORT, EXPORT, UNDO = "Import…", "Export", "Undo"
UNDO_HELP = "Undo the last change of preferences (Ctrl+Z)"
MORE = "More"
DELETE_SHOWN = "Delete the {count} shown…"
ASK_DELETE_SHOWN = "Delete {count}? Chats keep their thumbs and edits."
DELETE = "Delete"
DELETED = "{count} deleted."
UNDONE = "Undone: {title}."
NO_ROW = "No preference matches."
EMPTY_TITLE = "No preferences yet"
EMPTY_HELP = (
    "Press Compare under an answer and choose the better one, press a thumb, or edit an answer into what you wanted. "
    "Your preferences are collected here, and a model can be trained with them."
)
EMPTY_ACTION = "Compare answers"
COUNTS = "{judgements} of {prompts}"

# one judgement
CLOSE = "Close this preference"
QUESTION, BEFORE = "Question", "What was said before ({count})"
ANSWER, BETTER, OTHER, FIRST, SECOND = "Answer", "Better answer", "Other answer", "First answer", "Second answer"
CORRECT = "Correct the verdict"
PAIR_CHOICES = (("a", "First is better"), ("b", "Second is better"), ("tie", "Equally good"), ("bad", "Both are bad"))
SINGLE_CHOICES = (("good", "Good"), ("poor", "Bad"))
COMPUTED_BY = "Computed by {who}"
COMMENT, COMMENT_HELP = "Comment", "Why it was preferred. It is only for you."
EDIT, EDIT_NAME = "Edit", "Edit the answer of {name}"
EDITOR, EDITOR_HELP, SAVE = "What the answer should have been", "It counts as the better answer.", "Save"
OPEN_CHAT = "Open the chat"
UNNAMED = "an unnamed model"
ORIGINAL = "The model had written: {text}"
FACTS = "Compared by {judge}, {date} · {source}"
SHOWN_FIRST = {"ab": "The first answer was shown at the left.", "ba": "The second answer was shown at the left."}
CUT = "This answer reached the maximum length."
LOOPED = "This answer was ended because it repeated itself."
CUTS = {"length": CUT, "loop": LOOPED}
CONFIDENCE = "Confidence {value:.0%}."

# import and export
IMPORT_TITLE = "Import preferences"
IMPORT_HELP = "The file holds one row for each preference. Its format is recognised by its columns."
FILE, CHOOSE_FILE = "File", "Choose a file…"
NAME_COLUMNS = "Name the columns"
NAME_COLUMNS_HELP = (
    "Name them for a file of another format. Without a verdict, the first answer counts as the better one."
)
COLUMNS = (
    ("prompt", "Question (prompt)"),
    ("a", "First answer (a)"),
    ("b", "Second answer (b)"),
    ("verdict", "Verdict"),
    ("system", "Instructions"),
)
FILTER_FILES = "Preferences (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)"
FORM, FORM_HELP = "Format", "The format is needed only where the columns do not tell it."
FORM_AUTO = "Recognise by columns"
FORMS: dict[PreferenceForm, str] = {
    "trl": "TRL: prompt, chosen, rejected",
    "trl-chat": "TRL: the same, as messages",
    "trl-rated": "TRL: prompt, completion, label",
    "trl-rated-chat": "TRL: rated, as messages",
    "hh-rlhf": "HH-RLHF: dialogues",
    "ultrafeedback": "UltraFeedback, binarised",
    "argilla": "Argilla, flattened",
    "arena": "Arena: two conversations and a winner",
    "sharegpt": "ShareGPT (LLaMA-Factory)",
    "openai": "OpenAI preference fine-tuning",
    "candidates": "input_text, candidate1, candidate2, human_preference",
    "rewards": "prompt, response, rewards",
    "workbench": "LLM Workbench: everything",
}
COUNTS_FROM, COUNTS_FROM_HELP = (
    "First candidate is number",
    "This is for files that name the better candidate by a number.",
)
COUNTS_FROM_CHOICES = (("-1", "Recognise"), ("0", "0"), ("1", "1"))
IMPORTING = "Reading {path}"
IMPORTED = "{added} of {rows} added. {why}"
DUPLICATES_LEFT = "{count} were there before."
REFUSED = "{count} refused:"
AND_MORE = "and {more:,} more"
DONE = "Close"
EXPORT_TITLE = "Export preferences"
FILTER_JSONL = "JSON Lines (*.jsonl)"
EXPORTED = "{count} written to {path}."
LEFT_OUT = "{count} left out: {reason}"

# labelling in a row
QUEUES, NEW_QUEUE = "Comparisons", "New…"
NO_QUEUE_TITLE = "Compare answers"
NO_QUEUE_HELP = (
    "Two recipes answer many questions in the background, and you choose the better answer of each pair with one key. "
    "Fifty choices take about ten minutes."
)
QUEUE_LINE = "{judged} compared, {waiting} waiting"
QUEUE_BLIND_TEST = "blind test"
PAIR = "Two answers to one question"
LABEL_KEYS = "J, K, T or B chooses · E edits A, R edits B · S skips · U undoes the last choice"
LABEL_PROGRESS = "{judged} compared · {waiting} waiting"
LABEL_WAITS = "The next pair is being generated."
LABEL_WAITS_FOR = "The pairs wait for the run “{title}”."
LABEL_QUEUED = "The pairs wait until another run has ended."
LABEL_PAUSED = "Generating is paused."
LABEL_WAITS_HELP = "You can leave this page; finished pairs are stored."
LABEL_FEWER = (
    "{asked} were asked, and {made} can be compared: the two answers to the others were the same, empty, or could not "
    "be generated."
)
LABEL_DONE = "All pairs are compared."
LABEL_DONE_HELP = "You have compared {judged}. See what can be learnt from this, or compare more."
LABEL_RESULT = "{name}: better in {won}, worse in {lost}, equal in {tied} · {share}"
LABEL_EMPTY = "No pair was made."
LABEL_LEARN, LABEL_RESULT_BUTTON = "See what can be learnt", "See the result"
LABEL_TEST_HELP = "You have compared {judged} without knowing which recipe had answered."
SKIP, UNDO_LAST = "Skip  (S)", "Undo  (U)"
ANSWER_SIDES = ("Answer A", "Answer B")
DELETE_QUEUE, ASK_DELETE_QUEUE = "Delete this comparison", "Delete “{name}”? What you have compared stays."
MAKING_FAILED, MAKING_STOPPED = "Generating stopped: {why}", "Stopped. The pairs that are ready can be compared."
SYSTEM, USER, ASSISTANT = "Instructions", "You", "Model"

# a new set to compare
NEW_TITLE = "Compare answers"
NEW_HELP = "The same questions are answered by two recipes, in the background. You compare the pairs as they arrive."
NEW_GO = "Generate answers"
FIRST_RECIPE, SECOND_RECIPE = "First recipe", "Second recipe"
SECOND_HELP = "For preferences to learn from, take the same recipe twice: its answers differ since they are sampled."
SAME_AGAIN = "The same, sampled again"
OF_ADAPTER, OF_FILE = "{model} + {adapter}", "Saved recipe: {name}"
PROMPTS = "Questions"
PROMPTS_FROM = (
    ("chats", "Of my chats"),
    ("questions", "A question set"),
    ("documents", "About my documents"),
    ("file", "A file"),
)
SET, COLLECTION, PROMPT_FILE = "Question set", "Documents", "File of questions"
PROMPT_FILE_HELP = "The file is a text with a question in each line, or JSON Lines with a column named prompt."
FILTER_PROMPTS = "Questions (*.txt *.jsonl *.json *.csv);;All files (*)"
LIMIT = "How many"
LIMITS = ((20, "20"), (50, "50"), (100, "100"), (200, "200"), (0, "All"))
SET_NAME = "Name"
PURPOSE = "What for"
PURPOSES = (("label", "To learn from"), ("verdict", "To test only"))
PURPOSE_HELP = "Preferences of a test are never used for training."
MODEL_NEEDED, SET_NEEDED, FILE_NEEDED = "There is no chat model yet.", "Choose a question set.", "Choose a file."
COLLECTION_NEEDED, NAME_NEEDED = "Choose documents.", "Write a name."
CHATS_NEEDED = "There are no chats yet: choose a question set, documents or a file."
DEFAULT_NAME = "{model}, {date}"
TOKENS = "Longest answer"
TOKEN_CHOICES = ((64, "64 tokens"), (128, "128 tokens"), (256, "256 tokens"), (512, "512 tokens"))

# what can be learnt
LEARN_TITLE = "What can be learnt from {judgements}"
LEARN_NEEDS_PACKAGES = (
    "Learning from preferences needs PyTorch and what is built on it, which this program is installed without."
)
LEARN_COUNTS = "{pairs} of a better and a worse answer, {rated} single ({good} good), on {prompts}."
LEARN_EMPTY = "There is nothing to learn from yet."
TRAIN, TRAIN_WITH = "Set up training", "Set up training: {title}"
KEPT_APART = "{usable:,} usable · {kept:,} of them to measure with · a result would be known to ±{width:.0%}"
ADVISED, NOT_YET = "recommended", "Needs more preferences"
LEFT_OUT_TITLE = "Not used"
WARNINGS = "Problems in the preferences"
SKIP_CONFLICTS = "Leave out contradictory preferences"
MAKING_SET = "Making the data set…"
SET_NAME_DEFAULT = "Preferences {date}"
STATISTICS = "Statistics"
LONGER, LONGER_HELP = "The longer answer was preferred", "These are the pairs whose answers differ in length."
POSITION, POSITION_HELP = (
    "The answer at the left was preferred",
    "Only pairs with a known order are counted. Without a bias this share is one half.",
)
POSITION_BY = "The same, compared by {judge}"
LENGTH_LONGER = "The preferred answer is {value:.0f} characters longer ({low:.0f} to {high:.0f})."
LENGTH_SHORTER = "The preferred answer is {value:.0f} characters shorter ({low:.0f} to {high:.0f})."
LENGTH_SAME = "The preferred answer is neither clearly longer nor shorter ({low:+.0f} to {high:+.0f} characters)."
SHARE = "{value:.0%} ({low:.0%} to {high:.0%}, n = {n:,})"
NO_SHARE = "no pairs yet"
BIASED, UNBIASED = "differs from half", "no clear difference from half"
REPEATED = "{count} repeat an earlier one."
CONFLICTS, CYCLES = "Contradictions", "Circles"
CONFLICT_HELP = "Of the same two answers each was preferred once. Look at them and correct one."
CYCLE_HELP = "Each of these answers was preferred to the next, and the last to the first."
SHOW = "Show"
WHO_WON = "Who won"

# blind tests
NEW_TEST = "New blind test…"
TEST_TITLE, TEST_NEW_HELP = (
    "New blind test",
    (
        "The same questions are answered by two recipes. Take questions that nothing was trained on. You compare them "
        "without seeing the names, and the share of wins says whether the training was worth it."
    ),
)
NO_TEST_TITLE = "Was the training worth it?"
NO_TEST_HELP = (
    "In a blind test you choose between answers of the base model and of your adapter to new questions, without "
    "seeing the names. The win rate comes with its interval."
)
TEST_HELP = "How often the second recipe won, a tie counted half, with the 95% interval. The dashed line is one half."
JUDGE_PAIRS = "Compare the pairs"
# a judge
JUDGE_TITLE, JUDGE_GO = "Let a judge judge", "Start"
JUDGE_HELP = (
    "A judge model is first measured on pairs that you have compared yourself, each asked in both orders. Where it "
    "agrees with you no more than chance would, it is refused, with its figures. Rules are not measured."
)
JUDGE_KINDS = (("recipe", "A judge model"), ("rewards", "Rules and reward models"))
JUDGE_RECIPE, JUDGE_RECIPE_HELP = (
    "Judge",
    "It should be a larger model than the one that is compared. Small models are mostly refused.",
)
CONSTITUTION, CONSTITUTION_HELP = "Constitution", "Describe in your own words what makes an answer the better one."
RULES_HELP = "The answer with the higher sum of these is the better one."
REWARD_NEEDED = "Add a reward first."
LET_JUDGE = "Let a judge judge…"
JUDGING = "A judge is at work. You can continue: pairs that you judge keep your verdict."
JUDGED = "The judge has compared {judged}."
JUDGE_DROPPED = "It contradicted itself on {dropped}, which wait for you."
JUDGE_STOPPED, JUDGE_REFUSED = "The judge was stopped.", "Nothing was compared. {why}"
LENGTH_CONTROLLED = "At equal lengths: {share}. Mean length: {first:.0f} and {second:.0f} characters."
JUDGED_BY = "Compared by {names}."
TEST_FIGURES = "{second} against {first}: {won} won, {lost} lost, {tied} equal or both bad"


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
