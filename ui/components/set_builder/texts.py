"""The words of the builder of data sets."""

from __future__ import annotations

# pair list
NO_PAIR = "No pairs yet."
PAIRS_SHOWN, PAIRS_ALL, PAIRS_TAKEN, PAIRS_LEFT_OUT = "Pairs shown", "All", "Accepted", "Rejected"
PAIRS = "Pairs"
COUNT_PAIRS = "{taken:,} accepted, {left_out:,} rejected"

# set builder
SOURCE_CHATS = "Answers from chats"
SOURCE_CHATS_HELP = (
    "The examples are answers that you rated as good, edited or selected among several, in their conversations."
)
SOURCE_PAIRS = "Generated questions"
SOURCE_PAIRS_HELP = (
    "A model generates question-answer pairs from each passage. Pairs not supported by their passage are rejected."
)
SOURCE_TEXT, SOURCE_TEXT_HELP = (
    "Document text",
    "The examples are the text of the documents, which adapts a model to their language.",
)
BUILD_DATA = "Build a data set"
BUILD = "Build"
SOURCE = "Source of the examples"
SET_NAME = "Name of the data set"
NAME_CHATS, NAME_PAIRS, NAME_TEXT = "good answers", "questions on {documents}", "text of {documents}"
NAME_FIRST = "Enter a name first"
BUILDING = "Building…"
USE_IT = "Use this data set"
TRY_AGAIN = "Change and try again"
GENERATING_PAIRS = "Generating pairs"
READING_DOCUMENTS = "Reading the documents"
BUILT = "“{name}” has {count}."
BUILD_STOPPED = "Stopped. Resume it in the list of runs (Ctrl+J)."

# set sources
RATED_GOOD = "rated good"
CHOSEN = "selected among several"
SCANNING_CHATS = "Scanning chats…"
CHATS_TO_USE = "Chats to use"
NONE = "None"
TICK_ALL, TICK_NONE = "Select all chats", "Select no chat"
NOTHING_MARKED = "No answer was rated as good, edited or selected yet"
TICK_FIRST = "Select a chat first"
SCANNING_COUNT = "Scanning chats… {done:,} of {total:,}"
NOTHING_MARKED_HELP = (
    "No answer was rated as good, edited or selected yet. Use the thumbs and Edit… below the answers of a chat to "
    "mark training examples."
)
COUNT_OF = "{count} of {of}: {reasons}."
NO_CHAT_TICKED = "No chat is selected."
DOCUMENTS = "Documents"
NONE_YET = "None yet"
PAIR_MODEL = "Model that generates the pairs"
QUESTIONS_PER_PASSAGE, QUESTIONS_HELP = (
    "Questions per passage",
    "The questions are about the most informative sentences of the passage.",
)
MOST_PASSAGES, MOST_PASSAGES_HELP = "Maximum number of passages", "The passages are spread over all documents."
NO_DOCUMENTS, NO_PAIR_MODEL = "There are no documents yet", "There is no model to generate pairs"
SMALL_MODEL = (
    "{name} is too small to generate good pairs: most of its answers are made up and will be rejected. Choose a "
    "larger model if you can."
)
TEXT_HELP = (
    "In continued pre-training the model adapts to the language of these documents and partly to their content. "
    "It does not learn to answer questions; use pairs or chats for that."
)
