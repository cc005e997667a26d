"""The words of the page of evaluations."""

from __future__ import annotations

from datetime import datetime

from ui.components.wording import describe_count
from workbench.records.evaluation import CellBrief, Evaluation, Part, QuestionSet

EVALUATIONS = "Evaluations"

# nothing there
NO_SETS = "No question sets yet"
NO_SETS_HELP = (
    "A question set is a list of questions with expected answers. Import one, or make one of answers that you rated as "
    "good; then compare recipes on it, and see whether the difference is real."
)

# sets and evaluations
SETS = "Question sets and evaluations"
IMPORT = "Import questions…"
NEW_EVALUATION = "New evaluation…"
SET_FIGURES = "{questions} · {tune:,} to tune on, {others:,} to measure with"
SET_FROM = "from {origin}"
DELETE, KEEP = "Delete", "Keep"
ASK_DELETE_SET = "Delete the set “{name}”? Its evaluations keep their questions."
ASK_DELETE_EVALUATION = "Delete this evaluation, with the answers that no other one shows?"
PARTS: dict[Part, str] = {"all": "All", "tune": "Tune", "held-out": "Measure"}
SPLITS = {"tune": "Tune", "held-out": "Measure"}
COLUMN_NUMBER, COLUMN_SPLIT, COLUMN_QUESTION, COLUMN_EXPECTED = "No", "Split", "Question", "Expected"
QUESTIONS_OF = "Questions of the set"
PART_OF_SET = "Part of the set"
SET_GONE = "Deleted set"

# questions from documents, and their review
SAMPLES = "Sample questions"
SAMPLES_HELP = "Add a question set that is shipped with the program."
SAMPLE, ADDING_SAMPLE = "{title} ({questions:,} questions)", "Adding the sample…"
REVIEW = "Review"
REVIEW_TITLE = "Review: {name}"
REVIEW_HELP = "Keep, edit or drop each question. Each decision is stored at once; a dropped question can be put back."
KEEP_KEY, EDIT_KEY, DROP_KEY, UNDO_KEY = "Keep (K)", "Edit (E)", "Drop (D)", "Undo (U)"
DONE = "Done"
EXPECTED_IS = "Expected: {expected}"
REVIEWED = "{kept:,} kept, {dropped:,} dropped, {left:,} left"
LAST_QUESTION = "It is the only question of the set. Delete the set instead."

# editing
EDIT_TITLE, EDIT_GO = "Question {number:,}", "Save"
EDIT_HELP = "It stays {split}. Evaluations keep the question that they asked."
EDIT_SPLITS = {"tune": "in the part for tuning", "held-out": "in the part for measuring"}
EXPECTED_LINES, EXPECTED_LINES_HELP = (
    "Expected answers",
    "Each line is one expected answer, and each of them is accepted.",
)
ALL_SCORES, OF_ANSWERS = "All scores", "of {n:,} answers"
NO_ANSWER, NO_ANSWER_HELP = (
    "The documents do not answer this question",
    "An answer that declines such a question is right.",
)
GROUPS_HELP = "This question needs several answers together, which came with its file and stay as they are."
CHOICES, CHOICES_HELP = "Choices", "Each line is one choice."
RIGHT_CHOICE = "Right choice"
REMOVE_QUESTION = "Remove from the set"

# import
IMPORT_TITLE = "Import questions"
IMPORT_HELP = (
    "The program recognises the formats of GSM8K, SQuAD and BIG-bench, questions with choices, conversations, and "
    "pairs of a question and its expected answer."
)
IMPORT_GO = "Import"
SOURCE, SOURCE_HELP = "From", ""
FROM_FILE, FROM_CHATS, FROM_DATA = "A file or folder", "Answers you rated as good", "A data set"
FILE = "File or folder"
CHOOSE_FILE, CHOOSE_FOLDER = "Choose a file…", "Choose a folder…"
FILE_KINDS = "Question sets (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)"
DATA_SET = "Data set"
NAME, NAME_HELP = "Name", "Without a name, the set is named as the file."
TUNE = "For tuning"
TUNE_HELP = (
    "The search for a better prompt sees only this part. The rest measures. The parts are drawn once and stay as they "
    "are."
)
TUNE_SHARES = (("None", "0"), ("A quarter", "0.25"), ("Half", "0.5"))
WITH_CONTEXT = "Put contexts before their questions"
WITH_CONTEXT_HELP = "Without the contexts, the recipe's documents have to be searched."
READING_ROWS = "Reading rows"
SOURCE_NEEDED = "Choose a file, a folder or a data set."

# new evaluation
NEW_TITLE = "New evaluation"
NEW_HELP = "Each recipe answers each question; scorers compare the answers with what is expected."
NEW_GO = "Evaluate"
SET = "Question set"
PART = "Questions"
LIMIT = "How many"
LIMITS = ((0, "All"), (20, "20"), (50, "50"), (100, "100"), (200, "200"), (500, "500"))
RECIPES, RECIPES_HELP = "Recipes", "A judge compares each of the others with the first one."
ADD_RECIPE = "Add a recipe"
FROM_MODEL, FROM_CHAT, FROM_RECIPE_FILE = "Of a model", "Of a chat", "From a file…"
FROM_SAVED = "A saved recipe"
FROM_LIBRARY = "From the prompt library"
VERSION, LATEST_VERSION = "Version {number}", "Version {number}, the latest"
SOURCE_OF = "prompt library: {name}, version {number}"
RECIPE_FILES = "Recipes (*.toml);;All files (*)"
RECIPE_NAME, MODEL, INSTRUCTIONS = "Name of the recipe", "Model", "Instructions"
REMOVE_RECIPE = "Remove {name}"
COPY_RECIPE = "Copy {name}"
COPY_OF = "{name} {number}"
SCORERS, SCORERS_HELP = (
    "Scorers",
    "Those that suit the set are chosen already. More can be added later without generating any answer again.",
)
ADD_SCORER = "Add a scorer"
JUDGE_MODEL = "The judge's model"
REMOVE_SCORER = "Remove {name}"
SCORERS_TITLE, SCORERS_GO = "Add scorers", "Score"
SCORERS_ONLY_HELP = "The answers stay as they are: nothing is generated again."
RECIPE_NEEDED, SCORER_NEEDED, SET_NEEDED = "Add a recipe.", "Add a scorer.", "Choose a question set."

# the search for a better prompt
OPTIMISE = "Optimise the prompt…"
OPTIMISE_TITLE, OPTIMISE_GO = "Optimise the prompt", "Search"
OPTIMISE_HELP = (
    "The search uses the questions for tuning alone. Then the recipe is measured before and after on the other "
    "questions."
)
METHOD = "Method"
FIRST_RECIPE = "Recipe"
WRITER, WRITER_HELP = "Writer", "This model writes instructions, or makes the answers that become examples."
WRITER_SAME = "The recipe's own model"
COMPARED_BY, COMPARED_BY_HELP = "Compared by", "This scorer chooses the best candidate and accepts examples."
ONE_RECIPE, ONE_SCORER = "Keep one recipe.", "Keep one scorer."
SEARCHING, WRITING = "Searching: {name}", "Writing an instruction"
SEARCH_OF = "Search: {candidates}"
FOUND = "{candidate}: {before} before, {after} after on {questions:,} tuning questions. Other questions: {sentence}"
SAVED_AS = "Saved in the prompt library: {name}, version {number}."
FOUND_NOTHING = "None of {candidates:,} candidates was better on the {questions:,} tuning questions compared."
USE_RECIPE, COMPARE_RECIPES = "Use", "Compare"
USE_HELP = "Begin a chat with the recipe that was found: {path}"
COMPARE_HELP = "Show both recipes on the questions that the search did not see"

# an evaluation
FIGURES = "{questions}, {part} · {answered:,} of {cells:,} answers · {date}"
PART_WORDS: dict[Part, str] = {"all": "all", "tune": "to tune on", "held-out": "to measure with"}
ADD_SCORERS, EXPORT = "Add scorers…", "Export"
EXPORT_FORMS = (("html", "Report (HTML)…"), ("csv", "Table (CSV)…"), ("jsonl", "JSON Lines…"))
EXPORT_FILES = {"html": "HTML (*.html)", "csv": "CSV (*.csv)", "jsonl": "JSON Lines (*.jsonl)"}
EXPORTED = "Written to {path}."
ANSWERING = "Answering with {name}"
SCORING = "Scoring: {name}"
STAGE_NAMES = {"answering": ANSWERING, "scoring": SCORING, "searching": SEARCHING, "writing": WRITING}
WAITING, STOPPING = "Waiting for its turn", "Stopping…"
UNFINISHED = "{missing} missing: the run was stopped or interrupted."
RESUME = "Resume"
SCORED_BY = "Scored by"
FILTERS = (
    ("all", "All"), ("disagreement", "Disagreement"), ("wrong", "Wrong"), ("declined", "Declined"),
    ("failed", "Failed"),
)  # fmt: skip
FILTER = "Questions to show"
NO_ROW = "No question matches this filter."
GRID = "Answers by question and recipe"
NO_ANSWER_YET = "not answered yet"
NOTHING_SCORED = "No answer is scored yet."
COSTS = "{prompt:,.0f} + {new:,.0f} tokens · {seconds:.1f} s"
LOOPS = "{name}: {looped:,} of {answers:,} answers were ended because they repeated themselves."
COSTS_HELP = "Tokens read and written, and seconds, per answer"
BARS = "Means with intervals of 95 %"

# a cell
CLOSE_CELL = "Close the answer"
ANSWER_OF = "Answer of"
QUESTION, EXPECTED, ANSWER, SCORES, SOURCES, STEPS = "Question", "Expected", "Answer", "Scores", "Sources", "Steps"
COMPARE_WITH = "Compare with"
COMPARE_NOTHING, COMPARE_EXPECTED = "Nothing", "The expected answer"
CELL_FIGURES = "{prompt:,} tokens read, {new:,} written · {seconds:.1f} s"
DECLINED = "Declined"


def amount(value: float | None, unit: str) -> str:
    """``62 %``, ``12.5 words``; empty for none."""
    if value is None:
        return ""
    if unit:
        return f"{value:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{100 * value:.0f} %" if value in (0, 1) or value * 100 >= 10 else f"{100 * value:.1f} %"


def describe_interval(low: float, high: float, unit: str) -> str:
    """``55 to 69``, in the unit of the mean before it."""
    parts = [f"{one:,.1f}".removesuffix(".0") if unit else f"{100 * one:.0f}" for one in (low, high)]
    return f"({parts[0]} to {parts[1]})"


def describe_set(found: QuestionSet) -> str:
    if found.unreadable:
        return found.unreadable
    questions = describe_count(found.questions, "question")
    return SET_FIGURES.format(questions=questions, tune=found.tune, others=found.questions - found.tune)


def describe_moment(created: float) -> str:
    """``26 Nov, 09:42``"""
    moment = datetime.fromtimestamp(created)
    return f"{moment.day} {moment:%b, %H:%M}"


def describe_evaluation(evaluation: Evaluation) -> str:
    """The recipes that it compares."""
    if evaluation.search and not evaluation.unreadable:
        return SEARCH_OF.format(candidates=describe_count(len(evaluation.columns), "prompt"))
    return evaluation.unreadable or ", ".join(column.name for column in evaluation.columns)


def describe_cell(cell: CellBrief, scorer: int) -> str:
    """What a cell says to a screen reader."""
    if cell.state == "missing" and not cell.scores:
        return NO_ANSWER_YET
    score = cell.scores[scorer] if scorer < len(cell.scores) else None
    said = f", score {score:.2f}" if score is not None else ""
    state = "" if cell.state in ("answered", "missing") else f"{cell.state}: "
    return f"{state}{cell.text}{said}".removeprefix(", ")
