"""The words of the frame and of the parts that several pages share."""

from __future__ import annotations

# drawer
RUN_WAITING, RUN_RUNNING, RUN_FINISHED, RUN_FAILED, RUN_STOPPED = "Queued", "Running", "Finished", "Failed", "Stopped"
RUN_INTERRUPTED, RUN_PAUSED = "Interrupted", "Paused"
RUNS = "Runs"
CLOSE_RUNS = "Close the list of runs"
NO_RUNS = (
    "No runs yet. Long work, such as reading documents or training, is listed here with its progress. It continues "
    "when the window is closed."
)
RESUME = "Resume"
RESUME_HELP = "Continue from the last saved point"
STOP_RUN = "Stop {title}"
RESUME_RUN = "Resume {title}"
PAUSED_HELP = "The run is paused. Its memory stays allocated."
WAITING = "Waiting for its turn"
STOPPING = "Stopping…"
FILE_READ = "file read"
FILES_READ = "files read"
COUNT_FAILED = "{count} failed"

# finder
FIND = "Find"
FIND_PLACEHOLDER, FIND_ANYTHING = "Find a chat, document, model, page, action or setting", "Find anything"
RESULTS = "Results"
FIND_KEYS = "↑ ↓ select · Enter opens · Esc closes"
LOAD_MODEL = "Load {name}"
SETTINGS_ACTIONS = {
    ("machine", "pack"): ("Install a runtime pack", "processor"),
    ("machine", "update"): ("Check for a new version", "refresh"),
    ("machine", "report"): ("Save a report", "export"),
    ("engines", "add"): ("Add an engine", "plus"),
    ("engines", "find"): ("Look for newer engines", "download"),
    ("backup", "backup"): ("Back up", "export"),
    ("backup", "restore"): ("Restore a backup", "folder"),
}
NEW_CHAT = "New chat"
IMPORT_MODEL = "Import a model"
LIGHT_THEME = "Light theme"
DARK_THEME = "Dark theme"
SHOW_RUNS = "Show or hide the runs"
MODEL_LOADED = "{model} is loaded."
NOTHING_FOUND = "No results for “{text}”."

# main
PROGRAM_HELP = "A local model that answers from your documents."
FILE_HELP = "a model to import, such as a .gguf file"
NO_FILE = "There is no file {path}."
HOME_HELP = "the data folder (default: WORKBENCH_HOME, else the system's)"
NO_SCREEN = "There is no screen to open the window on: neither DISPLAY nor WAYLAND_DISPLAY is set."
SCREEN_FAULT = "The screen {screen} cannot be opened."
NO_SCREEN_HINT = "Start it in a desktop session; in a terminal use the command workbench."
LIBRARY_MISSING = "The window needs the system library {library}, which is not installed."
LIBRARY_HINT = (
    "On Debian and Ubuntu: sudo apt install {package}. README.md lists all that the window needs. The terminal program "
    "(workbench) works without them."
)
QT_FAULT = "Qt, which draws the window, cannot be loaded: {error}."
QT_HINT = "Install this program again, with the system packages that README.md lists."

# tabs of a group of pages
NEXT_TAB, PREVIOUS_TAB = "Next tab of the page", "Previous tab of the page"

# navigation
NAVIGATION = "Navigation"
FIND_BUTTON, FIND_HELP = "Find…", "Find chats, documents, models, pages and settings (Ctrl+K)"

# shell
STARTING_CORE = "Starting…"
CORE_STOPPED = "The background process has stopped and is being restarted. Saved data is safe."
RESTART = "Restart"
FAULT_OF = "Internal error: {value}"
INFERENCE_DIED = "The model process crashed; your chats are safe."
EMBEDDING_DIED = "The document process crashed; indexed documents are safe."
WORKER_DIED = "The {name} process crashed."

FAULT_SEEN, FAULT_SEEN_AGAIN = "This did not work: {summary}", "This did not work ({count} times): {summary}"
COPY_DETAILS, SHOW_LOG = "Copy details", "Show log"
CRASHED = "The window crashed when it was last open. What was saved is safe. The details help to find the cause."
LOG_AT = "The logs are in {folder}."

# shortcuts
SHORTCUTS, CLOSE, QUIT, OPEN_PAGE = "Keyboard shortcuts", "Close", "Quit", "Open {page}"
SHORTCUTS_WINDOW, SHORTCUTS_CHAT, SHORTCUTS_DOCUMENTS = "Everywhere", "Chat", "Documents"
KEY_SEND, KEY_NEW_LINE, KEY_STOP = "Send the question", "New line in the question", "Stop the answer"
KEY_RECIPE, KEY_HISTORY = "Show or hide the recipe", "Show or hide the history"
KEY_SEARCH_DOCUMENTS, KEY_CLOSE_DOCUMENT = "Search the documents", "Close the document"
KEY_RENAME, KEY_REMOVE = "Rename the collection", "Remove the file, or delete the collection"
SHORTCUTS_THOUGHTS = "Tree of thoughts"
KEY_EXPAND, KEY_PRUNE = "Think on from a thought", "Give up a thought and what follows it"
KEY_EDIT_THOUGHT = "Edit a thought and go on from there"
KEY_LARGER, KEY_SMALLER = "Larger", "Smaller"

# statusbar
STATUS = "Status"
STARTING = "Starting…"
MODEL_HELP = "The loaded model; opens the models"
RUNS_HELP = "Running work; opens the list of runs (Ctrl+J)"
STOP = "Stop"
STOP_HELP = "Stop the running work"
NOT_CONNECTED = "Not connected"
NO_MODEL = "No model loaded"
OFFLINE, NETWORK_OFF, NETWORK_ON = "Offline", "Network off", "Network on"
NOTHING_RUNNING = "Nothing running"
TIME_LEFT = "{seconds} left"
STOP_ALL = "Stop all"
SHOW_ENGINES = "Show engines"
OFFLINE_WORDS = "Offline is on in Settings · General: nothing uses the network, whatever else is switched on."
NETWORK_OFF_WORDS = "No use of the network is switched on in Settings · Network: nothing leaves this machine."
NETWORK_ON_WORDS = "Switched on in Settings · Network: {uses}. Nothing else leaves this machine."
NETWORK_USES = {
    "hub": "searching and downloading models",
    "allow_mcp": "MCP servers over the network",
    "endpoints": "remote endpoints",
    "updates": "looking for new versions when you ask",
    "packages": "installing packages when you ask",
}

# basics
CLOSE_MESSAGE = "Close this message"

# choice box
NOT_HERE = "{value} (missing)"
CHOOSE = "Choose…"
CHOOSE_FOLDER = "Choose: {title}"

# code view
COPY = "Copy"
COPY_CODE = "Copy code"
CODE_IN = "Code, {language}"
CODE = "Code"
COPIED = "Copied"

# config form
ADVANCED = "Advanced"
RESET = "Reset {title} to {value}"
ON = "On"
FROM_UP, FROM_TO = "{minimum:g} or more.", "{minimum:g} to {maximum:g}{value}."

# curves
NOTHING_MEASURED = "No values yet."
STEP_AXIS = "step"

# dialog
CANCEL = "Cancel"
RUN_IN_BACKGROUND = "Run in background"

# document pane
FILE_CHANGED = (
    "The file has changed since it was read, or is no longer there. This is the text as it was read. “Read "
    "again” on the page Documents brings it up to date."
)
NO_PLACES = "This scan was read before the places of its words were kept, so passages cannot be marked on its pages."
READ_ANEW, READING_ANEW = "Read again", "The file is being read again. Open it anew when it has been read."
DOCUMENT_FILES, EVERY_FILE = "Documents", "All files"
DOCUMENT_CHANGED = "The document has changed since this answer. This is the passage as it was."
DOCUMENT_GONE = "The document is no longer in the collection. This is the stored passage."
FILE_UNREADABLE = "This file could not be read."
TEXT = "Text"
PAGES = "Pages"
CLOSE_DOCUMENT = "Close the document"
DOCUMENT = "Document {name}"
OPENING = "Opening…"
PAGE = "Page {page}"
PAGE_PROBLEM = "The original file cannot be shown; this is its stored text. {error}"
COUNT_PAGES, COUNT_CHUNKS = "{pages:,} page{value}", "{chunks:,} passage{value}"
ADVICE_LOCKED = "Enter its password in its row."
ADVICE_PASSWORD = "Save a copy without the password and add it."
ADVICE_OCR = "Settings, This machine, says which text recognition (OCR) there is. Then choose “Read again”."
ADVICE_MISSING = "Restore the file, or remove it from the list."
ADVICE_PERMISSION = "Allow your account to read the file, then add it again."
ADVICE_LARGE = "Split the file, or raise the limits under Settings, Documents."
ADVICE_RESAVE = "Open the file in its own program, save it again, and add it again."

# fact card
BEFORE = "Before"
AFTER = "After"
CHANGE = "Change"
CHANGED_BY = "{name} changed by {change}{better}"

# notices
KEEP = "Keep"

# page view
DRAWING_PAGE = "Loading page {page}…"
PAGE_BACK, PAGE_FORWARD = "Previous page", "Next page"
SMALLER = "Zoom out"
LARGER = "Zoom in"
FIT_WIDTH = "Fit width"
DOCUMENT_PAGE = "Page of the document"
PAGE_OF = "Page {page} of {pages}"

# passages panel
BY_WORDS, BY_MEANING, BY_BOTH = "by words", "by meaning", "by words and meaning"
SCORE_HELP = "Relevance scores can be compared within one search only."
FOUND_BY = "found {value}"
NEWER_VERSION = "There is a newer version: {name}"
SIMILARITY = "similarity {similarity:.2f}"
PASSAGE_NAME = "{place}, score {score:.3f}, found {value}: {text}"
CLOSE_PASSAGES = "Close the passages"
PASSAGES = "Retrieved passages"
SEARCHED_FOR = "Search query: {query}"

# run follower
READING = "Reading {newest}"
PREPARING = "Preparing…"
SCANNING = "Scanning files…"
READING_FAILED, READING_STOPPED = "Reading stopped: {message} {hint}", "Stopped. Files read so far are available."
NOTHING_KEPT = "A file that was not read to its end is read anew."
NOTHING_TO_READ = "Nothing was found there that can be read, such as a PDF, Word, text or HTML file."
COUNT_READ, COUNT_UNREADABLE = "{count} read", "{count:,} failed"

# strength
STRENGTH_HELP = "At 0 the base model answers alone, and at 1 the adapter acts as trained. Above 1 it is exaggerated."
STRENGTH_OF, STRENGTH_NUMBER = "Strength of {name}", "Strength of {name}, as a number"
STRENGTH_RANGE = "Enter a number from {value:g} to {_MOST_TYPED:g}."

# text view
DOCUMENT_TEXT = "Text of the document"
CHUNKS = "Passages of the document"

# wording
OUT_OF_MEMORY = "Memory ran out. Close other programs, or use a smaller model."
FAULT = "Internal error: {message}"

# questions from documents
FROM_DOCUMENTS = "Questions from documents"
FROM_DOCUMENTS_HELP = "Make questions with answers from the documents of a collection. No model is needed."
NO_DOCUMENTS_YET = "Add documents first, on the page Documents."
READING_DOCUMENTS = "Reading the documents"

# a file with a password
PASSWORD_NEEDED, PASSWORD_WRONG = "Password (not stored)", "Wrong password"
PASSWORD_OF = "Password of {name}"
PASSWORD_HELP = "{reason} The password is used for this reading and not stored; pages are shown as text."
UNLOCK = "Unlock"

# verdict bar
LEFT_BETTER, RIGHT_BETTER, TIE, BOTH_BAD = "A is better", "B is better", "Equally good", "Both are bad"
WHICH_BETTER = "Which answer is better? Names are shown once you have chosen."
SHOW_NAMES = "Show names"
SHOW_NAMES_HELP = "Show which recipe wrote which answer. The pair is then not counted."
UNDO_VERDICT = "Undo"
SAME_TEXTS = "Both answers are the same, word for word."

# keys of feedback
SHORTCUTS_FEEDBACK = "Preferences"
KEY_EDIT_LEFT, KEY_EDIT_RIGHT = "Edit answer A into what you wanted", "Edit answer B into what you wanted"
KEY_SKIP, KEY_UNDO_VERDICT = "Skip this pair", "Take the last choice back"
KEY_UNDO_JUDGEMENT, KEY_DELETE_JUDGEMENT = "Undo the last change of judgements", "Delete the selected judgement"

# feedback buttons
GOOD_ANSWER = "Good answer"
BAD_ANSWER = "Bad answer"
EDIT_BUTTON, EDIT_ANSWER = "Edit…", "Edit answer"
EDIT_ANSWER_HELP = "Write the answer as it should be; the conversation continues from it"
RATED = "Rated as {words}; click to undo"
RATE = "Rate as {words}"
RATE_HELP = " Data sets can be built from good answers."

# rewards
REWARDS_HELP = "The reward of an answer is the sum of these, each multiplied by its weight."
ADD_REWARD, REMOVE_REWARD, WEIGHT = "Add a reward", "Remove this reward", "Weight"

# downloads
DOWNLOADING = "Downloading {name}"
DOWNLOAD_WAITS = "Waiting to download {name}"
DOWNLOAD_STOPPED = "{name} is stopped at {share:.0%}. Resume continues there."
DOWNLOAD_FAILED = "{name} could not be downloaded. {message}"
DOWNLOADED = "{model} is downloaded and verified."
ASK_MODEL = "Ask it something"

# agents in words
AGENT_OFF, NO_TOOLS = "off", "no tools"
NOT_AVAILABLE = "Not available: {reason}"

# setting up training
SET_UP_TRAINING = "Set up training"
SET_UP_SIZE = (
    "The packages are installed once: about 1 GB on the disk for the processor, or 6 GB for an NVIDIA GPU. The exact "
    "sizes are asked for first."
)
SET_UP_COMPUTER = "What training computes on"
SET_UP_AUTO, SET_UP_CPU, SET_UP_CUDA = "What this machine has", "Processor", "NVIDIA GPU"
SET_UP_FOLDER, SET_UP_PACK = "From a folder of wheels…", "From a pack…"
SET_UP_PACK_FILES = "Packs (*.pack);;All files (*)"
SET_UP_INSTALL = "Install"
SET_UP_OFF = "The network is off for installing packages: nothing is asked before you allow it."
SET_UP_OFFLINE_TOO = "This also ends Offline."
SET_UP_ALLOW = "Allow and ask"
SET_UP_ASKING = "Finding out what is needed: {stage}"
SET_UP_OFFER = "{packages}: {bytes} to download from {host}, and {disk} on the disk, of which {free} are free."
SET_UP_OFFER_HERE = "The packages take {disk} on the disk, of which {free} are free. Nothing is downloaded."
SET_UP_RUNS = "Setting up training"
SET_UP_STAGE = "Setting up training: {stage}"
SET_UP_STOPPING = "Stopping…"
SET_UP_STOPPED = "The set-up was stopped, and nothing was installed. What was downloaded is kept for the next one."
