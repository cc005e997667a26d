"""The words of the page of evaluations."""

from __future__ import annotations

from datetime import datetime

from ui.components.wording import describe_count
from workbench.base.catalogue import _
from workbench.records.evaluation import CellBrief, Evaluation, Part, QuestionSet

EVALUATIONS = _("Evaluations")

# nothing there
NO_SETS = _("No question sets yet")
NO_SETS_HELP = _(
    "A question set is a list of questions with expected answers. Import one, or make one of answers that you rated as "
    "good; then compare recipes on it, and see whether the difference is real."
)

# sets and evaluations
SETS = _("Question sets and evaluations")
IMPORT = _("Import questions…")
NEW_EVALUATION = _("New evaluation…")
SET_FIGURES = _("{questions} · {tune:,} to tune on, {others:,} to measure with")
SET_FROM = _("from {origin}")
DELETE, KEEP = _("Delete"), _("Keep")
ASK_DELETE_SET = _("Delete the set “{name}”? Its evaluations keep their questions.")
ASK_DELETE_EVALUATION = _("Delete this evaluation, with the answers that no other one shows?")
PARTS: dict[Part, str] = {"all": _("All"), "tune": _("To tune on"), "held-out": _("To measure with")}
SPLITS = {"tune": _("To tune on"), "held-out": _("To measure with")}
COLUMN_NUMBER, COLUMN_SPLIT, COLUMN_QUESTION, COLUMN_EXPECTED = _("No"), _("Split"), _("Question"), _("Expected")
QUESTIONS_OF = _("Questions of the set")
PART_OF_SET = _("Part of the set")
SET_GONE = _("Deleted set")

# questions from documents, and their review
SAMPLES = _("Sample questions")
SAMPLES_HELP = _("Add a question set that is shipped with the program.")
SAMPLE, ADDING_SAMPLE = _("{title} ({questions:,} questions)"), _("Adding the sample…")
REVIEW = _("Review")
REVIEW_TITLE = _("Review: {name}")
REVIEW_HELP = _(
    "Keep, edit or drop each question. Each decision is stored at once; a dropped question can be put back."
)
KEEP_KEY, EDIT_KEY, DROP_KEY, UNDO_KEY = _("Keep (K)"), _("Edit (E)"), _("Drop (D)"), _("Undo (U)")
DONE = _("Done")
EXPECTED_IS = _("Expected: {expected}")
REVIEWED = _("{kept:,} kept, {dropped:,} dropped, {left:,} left")
LAST_QUESTION = _("It is the only question of the set. Delete the set instead.")

# editing
EDIT_TITLE, EDIT_GO = _("Question {number:,}"), _("Save")
EDIT_HELP = _("It stays {split}. Evaluations keep the question that they asked.")
EDIT_SPLITS = {"tune": _("in the part for tuning"), "held-out": _("in the part for measuring")}
EXPECTED_LINES, EXPECTED_LINES_HELP = (
    _("Expected answers"),
    _("Each line is one expected answer, and each of them is accepted."),
)
ALL_SCORES, OF_ANSWERS = _("All scores"), _("of {n:,} answers")
NO_ANSWER, NO_ANSWER_HELP = (
    _("The documents do not answer this question"),
    _("An answer that declines such a question is right."),
)
GROUPS_HELP = _("This question needs several answers together, which came with its file and stay as they are.")
CHOICES, CHOICES_HELP = _("Choices"), _("Each line is one choice.")
RIGHT_CHOICE = _("Right choice")
REMOVE_QUESTION = _("Remove from the set")

# import
IMPORT_TITLE = _("Import questions")
IMPORT_HELP = _(
    "The program recognises the formats of GSM8K, SQuAD and BIG-bench, questions with choices, conversations, and "
    "pairs of a question and its expected answer."
)
IMPORT_GO = _("Import")
SOURCE, SOURCE_HELP = _("From"), ""
FROM_FILE, FROM_CHATS, FROM_DATA = _("A file or folder"), _("Answers you rated as good"), _("A data set")
FILE = _("File or folder")
CHOOSE_FILE, CHOOSE_FOLDER = _("Choose a file…"), _("Choose a folder…")
FILE_KINDS = _("Question sets (*.jsonl *.json *.csv *.tsv *.parquet *.arrow);;All files (*)")
DATA_SET = _("Data set")
NAME, NAME_HELP = _("Name"), _("Without a name, the set is named as the file.")
TUNE = _("Share for tuning")
TUNE_HELP = _(
    "A search for a better prompt uses this part of the questions, and the others measure. Chance decides once which "
    "part a question is in, and it stays there."
)
TUNE_SHARES = ((_("None"), "0"), (_("A quarter"), "0.25"), (_("Half"), "0.5"))
WITH_CONTEXT = _("Put the context of a question before it")
WITH_CONTEXT_HELP = _("Without its context, a question is answered from the documents of the recipe.")
READING_ROWS = _("Reading rows")
SOURCE_NEEDED = _("Choose a file, a folder or a data set.")

# new evaluation
NEW_TITLE = _("New evaluation")
NEW_HELP = _(
    "Recipes answer the same questions; a recipe is a model with its instructions and settings. Scorers, which are "
    "rules or models, compare the answers with the expected ones."
)
NEW_GO = _("Evaluate")
SET = _("Question set")
PART, PART_HELP = (
    _("Questions"),
    _(
        "A search for a better prompt uses the questions to tune on. Those to measure with are kept apart from it, so "
        "that what they measure is fair."
    ),
)
LIMIT = _("Number of questions")
LIMITS = ((0, _("All of them")), (20, "20"), (50, "50"), (100, "100"), (200, "200"), (500, "500"))
RECIPES, RECIPES_HELP = (
    _("Recipes"),
    _(
        "Each recipe answers the same questions. Where a scorer compares answers, it compares each recipe with the "
        "first one."
    ),
)
ADD_RECIPE = _("Add a recipe")
FROM_MODEL, FROM_CHAT, FROM_RECIPE_FILE = _("A model as it is"), _("The recipe of a chat"), _("A recipe file…")
FROM_SAVED = _("A saved recipe")
FROM_LIBRARY = _("A prompt of the library")
VERSION, LATEST_VERSION = _("Version {number}"), _("Version {number}, the latest")
SOURCE_OF = _("prompt library: {name}, version {number}")
EXAMPLES_OF, DOCUMENTS_OF, ADAPTER_OF = _("examples: {name}"), _("documents: {name}"), _("adapter: {name}")
TEMPERATURE_OF = _("temperature {temperature:g}")
AT_MOST = _("answers of at most {tokens:,} tokens (about {words:,} words)")
WITHOUT_CHANCE = _("always the same answer (temperature 0)")
OF_VERSION = _("{name}, version {number}")
COPY, REMOVE = _("Copy"), _("Remove")
RECIPE_FILES = _("Recipes (*.toml);;All files (*)")
RECIPE_NAME, MODEL, INSTRUCTIONS = _("Name of the recipe"), _("Model"), _("Instructions")
NO_INSTRUCTIONS = _("none")
REMOVE_RECIPE = _("Remove {name}")
COPY_RECIPE = _("Copy {name}")
COPY_OF = "{name} {number}"
SCORERS, SCORERS_HELP = (
    _("Scorers"),
    _(
        "The scorers that suit the set are chosen already. Others can be added later without generating any answer "
        "again."
    ),
)
ADD_SCORER = _("Add a scorer")
JUDGE_MODEL = _("The judge's model")
REMOVE_SCORER = _("Remove {name}")
SCORERS_TITLE, SCORERS_GO = _("Add scorers"), _("Score")
SCORERS_ONLY_HELP = _("The answers stay as they are: nothing is generated again.")
RECIPE_NEEDED, SCORER_NEEDED, SET_NEEDED = _("Add a recipe."), _("Add a scorer."), _("Choose a question set.")

# the search for a better prompt
OPTIMISE = _("Optimise the prompt…")
OPTIMISE_TITLE, OPTIMISE_GO = _("Optimise the prompt"), _("Search")
OPTIMISE_HELP = _(
    "The search uses only the questions to tune on. The recipe is then measured before and after on the other "
    "questions."
)
METHOD = _("Method")
FIRST_RECIPE = _("Recipe")
WRITER, WRITER_HELP = (
    _("Writing model"),
    _("This model writes instructions, or makes the answers that become examples."),
)
WRITER_SAME = _("The recipe's own model")
COMPARED_BY, COMPARED_BY_HELP = (
    _("Compared by"),
    _("This scorer decides which candidate is best and which answers become examples."),
)
ONE_RECIPE, ONE_SCORER = _("Keep one recipe."), _("Keep one scorer.")
SEARCHING, WRITING = _("Searching: {name}"), _("Writing an instruction")
SEARCH_OF = _("Search: {candidates}")
FOUND = _("{candidate}: {before} before, {after} after on {questions:,} tuning questions. Other questions: {sentence}")
SAVED_AS = _("Saved in the prompt library: {name}, version {number}.")
FOUND_NOTHING = _("None of {candidates:,} candidates was better on the {questions:,} tuning questions compared.")
USE_RECIPE, COMPARE_RECIPES = _("Use"), _("Compare")
USE_HELP = _("Begin a chat with the recipe that was found: {path}")
COMPARE_HELP = _("Show both recipes on the questions that the search did not see")

# an evaluation
FIGURES = _("{questions}, {part} · {answered:,} of {cells:,} answers · {date}")
PART_WORDS: dict[Part, str] = {"all": _("all"), "tune": _("to tune on"), "held-out": _("to measure with")}
ADD_SCORERS, EXPORT = _("Add scorers…"), _("Export")
EXPORTS = (
    ("png", _("Picture of the scores (PNG)…"), _("PNG (*.png)")),
    ("svg", _("Picture of the scores (SVG)…"), _("SVG (*.svg)")),
    ("html", _("Report in one file (HTML)…"), _("HTML (*.html)")),
    ("scores", _("Scores as a table (CSV)…"), _("CSV (*.csv)")),
    ("markdown", _("Scores as a table (Markdown)…"), _("Markdown (*.md)")),
    ("latex", _("Scores as a table (LaTeX)…"), _("LaTeX (*.tex)")),
    ("csv", _("All answers (CSV)…"), _("CSV (*.csv)")),
    ("jsonl", _("All answers (JSON Lines)…"), _("JSON Lines (*.jsonl)")),
)
SLIDE_TITLE = "{set}: {score}"
ENDINGS = {"scores": "csv", "markdown": "md", "latex": "tex"}
EXPORTED = _("Written to {path}.")
ANSWERING = _("Answering with {name}")
SCORING = _("Scoring: {name}")
STAGE_NAMES = {"answering": ANSWERING, "scoring": SCORING, "searching": SEARCHING, "writing": WRITING}
WAITING, STOPPING = _("Waiting for its turn"), _("Stopping…")
UNFINISHED = _("{missing} missing: the run was stopped or interrupted.")
RESUME = _("Resume")
SCORED_BY = _("Scored by")
FILTERS = (
    ("all", _("All")), ("disagreement", _("Recipes disagree")), ("wrong", _("Wrong")), ("declined", _("Declined")),
    ("failed", _("Failed")),
)  # fmt: skip
FILTER = _("Questions to show")
NO_ROW = _("No question matches this filter.")
GRID = _("Answers by question and recipe")
NO_ANSWER_YET = _("not answered yet")
NOTHING_SCORED = _("No answer is scored yet.")
COSTS = _("{prompt:,.0f} read, {new:,.0f} written · {seconds:.1f} s")
LOOPS = _("{name}: {looped:,} of {answers:,} answers were ended because they repeated themselves.")
COSTS_HELP = _("The mean of an answer: the tokens that are read and written, and the seconds that it takes")
BARS = _("Means with intervals of 95 %")

# a cell
CLOSE_CELL = _("Close the answer")
ANSWER_OF = _("Answer of")
QUESTION, EXPECTED, ANSWER, SCORES, SOURCES, STEPS = (
    _("Question"),
    _("Expected"),
    _("Answer"),
    _("Scores"),
    _("Sources"),
    _("Steps"),
)
COMPARE_WITH = _("Compare with")
COMPARE_NOTHING, COMPARE_EXPECTED = _("Nothing"), _("The expected answer")
CELL_FIGURES = _("{prompt:,} tokens read, {new:,} written · {seconds:.1f} s")
DECLINED = _("Declined")
CELL_STATES = {"declined": _("declined"), "failed": _("failed")}
SET_KIND = _("question set")


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
    return _("({low} to {high})").format(low=parts[0], high=parts[1])


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
    if evaluation.part_of and not evaluation.unreadable:
        return evaluation.part_of
    if evaluation.search and not evaluation.unreadable:
        return SEARCH_OF.format(candidates=describe_count(len(evaluation.columns), "prompt"))
    return evaluation.unreadable or ", ".join(column.name for column in evaluation.columns)


def describe_cell(cell: CellBrief, scorer: int) -> str:
    """The text of a cell for a screen reader."""
    if cell.state == "missing" and not cell.scores:
        return NO_ANSWER_YET
    score = cell.scores[scorer] if scorer < len(cell.scores) else None
    said = _(", score {score:.2f}").format(score=score) if score is not None else ""
    state = "" if cell.state in ("answered", "missing") else f"{CELL_STATES[cell.state]}: "
    return f"{state}{cell.text}{said}".removeprefix(", ")
