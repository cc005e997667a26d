"""The words of the builder of data sets."""

from __future__ import annotations

from workbench.base.catalogue import _

# pair list
NO_PAIR = _("No pairs yet.")
PAIRS_SHOWN, PAIRS_ALL, PAIRS_TAKEN, PAIRS_LEFT_OUT = _("Pairs shown"), _("All"), _("Accepted"), _("Rejected")
PAIRS = _("Pairs")
COUNT_PAIRS = _("{taken:,} accepted, {left_out:,} rejected")

# set builder
SOURCE_CHATS = _("Answers from chats")
SOURCE_CHATS_HELP = _(
    "The examples are answers that you rated as good, edited or selected among several, in their conversations."
)
SOURCE_PAIRS = _("Generated questions")
SOURCE_PAIRS_HELP = _(
    "A model generates question-answer pairs from each passage. Pairs not supported by their passage are rejected."
)
SOURCE_TEXT, SOURCE_TEXT_HELP = (
    _("Document text"),
    _("The examples are the text of the documents, which adapts a model to their language."),
)
BUILD_DATA = _("Build a data set")
BUILD = _("Build")
SOURCE = _("Source of the examples")
SET_NAME = _("Name of the data set")
NAME_CHATS, NAME_PAIRS, NAME_TEXT = _("good answers"), _("questions on {documents}"), _("text of {documents}")
NAME_FIRST = _("Enter a name first")
BUILDING = _("Building…")
USE_IT = _("Use this data set")
TRY_AGAIN = _("Change and try again")
GENERATING_PAIRS = _("Generating pairs")
READING_DOCUMENTS = _("Reading the documents")
BUILT = _("“{name}” has {count}.")
BUILD_STOPPED = _("Stopped. Resume it in the list of runs (Ctrl+J).")

# set sources
RATED_GOOD, EDITED = _("rated good"), _("edited")
CHOSEN = _("selected among several")
SCANNING_CHATS = _("Scanning chats…")
CHATS_TO_USE = _("Chats to use")
NONE = _("None")
TICK_ALL, TICK_NONE = _("Select all chats"), _("Select no chat")
NOTHING_MARKED = _("No answer was rated as good, edited or selected yet")
TICK_FIRST = _("Select a chat first")
SCANNING_COUNT = _("Scanning chats… {done:,} of {total:,}")
NOTHING_MARKED_HELP = _(
    "No answer was rated as good, edited or selected yet. Use the thumbs and Edit… below the answers of a chat to "
    "mark training examples."
)
COUNT_OF = _("{count} of {of}: {reasons}.")
NO_CHAT_TICKED = _("No chat is selected.")
DOCUMENTS = _("Documents")
ALL = _("all")
NEW_CHAT = _("New chat")
NONE_YET = _("None yet")
PAIR_MODEL = _("Model that generates the pairs")
QUESTIONS_PER_PASSAGE, QUESTIONS_HELP = (
    _("Questions per passage"),
    _("The questions are about the most informative sentences of the passage."),
)
MOST_PASSAGES, MOST_PASSAGES_HELP = _("Maximum number of passages"), _("The passages are spread over all documents.")
NO_DOCUMENTS, NO_PAIR_MODEL = _("There are no documents yet"), _("There is no model to generate pairs")
SMALL_MODEL = _(
    "{name} is too small to generate good pairs: most of its answers are made up and will be rejected. Choose a "
    "larger model if you can."
)
TEXT_HELP = _(
    "In continued pre-training the model adapts to the language of these documents and partly to their content. "
    "It does not learn to answer questions; use pairs or chats for that."
)
