"""The words of the frame and of the parts that several pages share."""

from __future__ import annotations

from workbench.base.catalogue import _

# drawer
RUN_WAITING, RUN_RUNNING, RUN_FINISHED, RUN_FAILED, RUN_STOPPED = (
    _("Queued"),
    _("Running"),
    _("Finished"),
    _("Failed"),
    _("Stopped"),
)
RUN_INTERRUPTED, RUN_PAUSED = _("Interrupted"), _("Paused")
RUNS = _("Runs")
CLOSE_RUNS = _("Close the list of runs")
NO_RUNS = _(
    "No runs yet. Long work, such as reading documents or training, is listed here with its progress. It continues "
    "when the window is closed."
)
RESUME = _("Resume")
RESUME_HELP = _("Continue from the last saved point")
STOP_RUN = _("Stop {title}")
RESUME_RUN = _("Resume {title}")
PAUSED_HELP = _("The run is paused, and keeps its memory until it goes on or is stopped.")
WAITING = _("Waiting for its turn")
STOPPING = _("Stopping…")
COUNT_UNCHANGED, COUNT_REMOVED = _("{count:,} unchanged"), _("{count:,} removed")
COUNT_FAILED = _("{count} failed")
TOOK = _(" · took {time}")

# finder
KINDS = {
    "page": _("page"),
    "documents": _("documents"),
    "document": _("document"),
    "model": _("model"),
    "adapter": _("adapter"),
    "action": _("action"),
    "setting": _("setting"),
    "recipe": _("recipe"),
    "term": _("term"),
    "chat": _("chat"),
}
FIND = _("Find")
FIND_PLACEHOLDER, FIND_ANYTHING = _("Find a chat, document, model, page, action or setting"), _("Find anything")
RESULTS = _("Results")
FIND_KEYS = _("↑ ↓ select · Enter opens · Esc closes")
LOAD_MODEL = _("Load {name}")
SETTINGS_ACTIONS = {
    ("machine", "pack"): (_("Install a runtime pack"), "processor"),
    ("machine", "update"): (_("Check for a new version"), "refresh"),
    ("machine", "report"): (_("Save a report"), "export"),
    ("engines", "add"): (_("Add an engine"), "plus"),
    ("engines", "find"): (_("Look for newer engines"), "download"),
    ("backup", "backup"): (_("Back up"), "export"),
    ("backup", "restore"): (_("Restore a backup"), "folder"),
    ("trash", "open"): (_("Trash"), "trash"),
    ("chats", "import"): (_("Import chats of another program"), "upload"),
}
NEW_CHAT = _("New chat")
IMPORT_MODEL = _("Import a model")
LIGHT_THEME = _("Light theme")
DARK_THEME = _("Dark theme")
SHOW_RUNS = _("Show or hide the runs")
MODEL_LOADED = _("{model} is loaded.")
NOTHING_FOUND = _("No results for “{text}”.")

# main
PROGRAM_HELP = _("A local model that answers from your documents.")
FILE_HELP = _("a model to import, such as a .gguf file")
NO_FILE = _("There is no file {path}.")
HOME_HELP = _("the data folder (default: WORKBENCH_HOME, else the system's)")
NO_SCREEN = _("There is no screen to open the window on: neither DISPLAY nor WAYLAND_DISPLAY is set.")
SCREEN_FAULT = _("The screen {screen} cannot be opened.")
NO_SCREEN_HINT = _("Start it in a desktop session; in a terminal use the command workbench.")
LIBRARY_MISSING = _("The window needs the system library {library}, which is not installed.")
LIBRARY_HINT = _(
    "On Debian and Ubuntu: sudo apt install {package}. README.md lists all that the window needs. The terminal program "
    "(workbench) works without them."
)
QT_FAULT = _("Qt, which draws the window, cannot be loaded: {error}.")
QT_HINT = _("Install this program again, with the system packages that README.md lists.")

# tabs of a group of pages
NEXT_TAB, PREVIOUS_TAB = _("Next tab of the page"), _("Previous tab of the page")

# navigation
NAVIGATION = _("Navigation")
ZOOM_IN, ZOOM_OUT, ZOOM_RESET = _("Zoom in"), _("Zoom out"), _("Zoom to 100 %")
ZOOM = _("Zoom: {percent} %. Ctrl and 0 goes back to 100 %.")
ZOOM_NO_ROOM = _("Zoom: {percent} %. This screen has no room for a larger one.")
ZOOM_LATER = _("The window has a zoom of {percent} % when it is opened next.")
SHOW_ALL = _("Show all techniques")
SHOW_ALL_HELP = _("Adds Adapt, Measure and Tools to the navigation. Settings can hide them again.")
FIND_BUTTON, FIND_HELP = _("Find…"), _("Find chats, documents, models, pages and settings (Ctrl+K)")

# shell
STARTING_CORE = _("Starting…")
CORE_STOPPED = _("The background process has stopped and is being restarted. Saved data is safe.")
RESTART = _("Restart")
FAULT_OF = _("Internal error: {value}")
INFERENCE_DIED = _("The model process crashed; your chats are safe.")
EMBEDDING_DIED = _("The document process crashed; indexed documents are safe.")
WORKER_DIED = _("The {name} process crashed.")

FAULT_SEEN, FAULT_SEEN_AGAIN = _("This did not work: {summary}"), _("This did not work ({count} times): {summary}")
COPY_DETAILS, SHOW_LOG = _("Copy details"), _("Show log")
CRASHED = _("The window crashed when it was last open. What was saved is safe. The details help to find the cause.")
LOG_AT = _("The logs are in {folder}.")

# shortcuts
SHORTCUTS, CLOSE, QUIT, OPEN_PAGE = _("Keyboard shortcuts"), _("Close"), _("Quit"), _("Open {page}")
SHORTCUTS_WINDOW, SHORTCUTS_CHAT, SHORTCUTS_DOCUMENTS = _("Everywhere"), _("Chat"), _("Documents")
KEY_SEND, KEY_NEW_LINE, KEY_STOP = _("Send the question"), _("New line in the question"), _("Stop the answer")
KEY_RECIPE, KEY_HISTORY = _("Show or hide the recipe"), _("Show or hide the history")
KEY_FIND_IN_SOURCE = _("Find in the source")
KEY_SEARCH_DOCUMENTS, KEY_CLOSE_DOCUMENT = _("Search the documents"), _("Close the document")
KEY_RENAME, KEY_REMOVE = _("Rename the collection"), _("Remove the file, or delete the collection")
SHORTCUTS_THOUGHTS = _("Tree of thoughts")
KEY_EXPAND, KEY_PRUNE = _("Think on from a thought"), _("Give up a thought and what follows it")
KEY_EDIT_THOUGHT = _("Edit a thought and go on from there")
KEY_LARGER, KEY_SMALLER = _("Larger"), _("Smaller")

# statusbar
STATUS = _("Status")
STARTING = _("Starting…")
MODEL_HELP = _("The loaded model; opens the models")
RUNS_HELP = _("Running work; opens the list of runs (Ctrl+J)")
STOP = _("Stop")
STOP_HELP = _("Stop the running work")
NOT_CONNECTED = _("Not connected")
NO_MODEL = _("No model loaded")
OFFLINE, NETWORK_OFF, NETWORK_ON = _("Offline"), _("No network use"), _("Network allowed")
NOTHING_RUNNING = _("Nothing running")
TIME_LEFT = _("{seconds} left")
STOP_ALL = _("Stop all")
SHOW_ENGINES = _("Show engines")
OFFLINE_WORDS = _("“Work offline” is on in Settings · General: nothing uses the network, whatever else is switched on.")
NETWORK_OFF_WORDS = _("No use of the network is allowed in Settings · Network, so nothing leaves this machine.")
NETWORK_ON_WORDS = _("Settings · Network allows: {uses}. Nothing else leaves this machine.")
NETWORK_USES = {
    "hub": _("searching and downloading models"),
    "allow_mcp": _("MCP servers over the network"),
    "endpoints": _("remote endpoints"),
    "updates": _("looking for new versions when you ask"),
    "packages": _("installing packages when you ask"),
}
NETWORK_SERVED = _("answers to other machines of your network that have a code")

# basics
CLOSE_MESSAGE = _("Close this message")

# choice box
NOT_HERE = _("{value} (missing)")
CHOOSE = _("Choose…")
CHOOSE_FOLDER = _("Choose: {title}")

# code view
COPY = _("Copy")
COPY_CODE = _("Copy code")
CODE_IN = _("Code, {language}")
CODE = _("Code")
COPIED = _("Copied")

# config form
ADVANCED = _("Advanced")
FILE_NOT_WRITTEN = _("{path} could not be written. Choose another folder.")
AUTO, AUTO_VALUE = _("automatic"), _("automatic: {value}")
RESET = _("Reset {title} to {value}")
ON, OFF = _("On"), _("Off")
FROM_UP, FROM_TO = _("The value is at least {minimum:g}."), _("The value is from {minimum:g} to {maximum:g}{value}.")

# curves
NOTHING_MEASURED, NOTHING_MEASURED_YET = _("No values yet."), _("nothing measured yet")
STEP_AXIS = _("step")

# dialog
CANCEL = _("Cancel")
RUN_IN_BACKGROUND = _("Run in background")

# document pane
FILE_CHANGED = _("The file has changed since it was read. This is the text as it was read.")
FILE_GONE = _("The file is no longer there. This is the text as it was read.")
READ_BEFORE = _("An earlier version of the program read this file and kept less of its structure.")
NO_PLACES = _("This scan was read before the places of its words were kept, so passages cannot be marked on its pages.")
READ_ANEW, READING_ANEW = _("Read again"), _("The file is being read again.")
DOCUMENT_FILES, EVERY_FILE = _("Documents"), _("All files")
DOCUMENT_CHANGED = _("The document has changed since this answer. This is the passage as it was.")
SHOW_CHANGED = _("Show the document as it is now")
DOCUMENT_GONE = _("The document is no longer in the collection. This is the stored passage.")
FILE_UNREADABLE = _("This file could not be read.")
TEXT = _("Text")
PAGES = _("Pages")
PICTURES = _("Pictures")
CLOSE_DOCUMENT = _("Close the document")
DOCUMENT = _("Document {name}")
OPENING = _("Opening…")
PAGE = _("Page {page}")
SLIDE = _("Slide {page}")
CITATION_OF = _("Citation {number} of {count}")
CITATION_BEFORE, CITATION_AFTER = _("Previous citation"), _("Next citation")
FIND_IN_SOURCE = _("Find in this document")
MATCH_BEFORE, MATCH_AFTER, CLOSE_FIND = _("Previous match"), _("Next match"), _("Close the search")
NO_MATCH, MATCH_OF = _("No match"), _("{number:,} of {count:,}")
OPEN_ORIGINAL = _("Open original")
OPEN_ORIGINAL_HELP = _("The file is opened in the system's program for it.")
PRINT_SOURCE, PRINT, SAVE_PDF = _("Print or save as PDF"), _("Print…"), _("Save as PDF…")
SAVE_PDF_TITLE, PDF_FILES = _("Save as PDF"), _("PDF (*.pdf)")
PRINTED_FILE, PRINTED_PLACE, PRINTED_MARK = _("File: {path}"), _("Place: {place}"), _("Marked sentence:")
PRINTED_PART = _("The document is long. Only the part around the marked place is printed here.")
PDF_SAVED, PDF_FAILED = _("The PDF file was saved as {path}."), _("{path} could not be written: {reason}.")
ORIGINAL_GONE = _("{path} is no longer there. It may have been moved, renamed or deleted.")
ORIGINAL_CHANGED = _("The original has been opened. It has changed since it was read, so the passage may be elsewhere.")
ORIGINAL_FAILED = _("No program of this system opens {path}.")
ORIGINAL_IN_FOLDER = _("A program's file is not started. Its folder has been opened.")
MARKED_PASSAGE = _("The marked passage is: {text}")
PAGE_PROBLEM = _("The original file cannot be shown; this is its stored text. {error}")
ADVICE_LOCKED = _("Enter its password in its row.")
ADVICE_PASSWORD = _("Save a copy without the password and add it.")
ADVICE_OCR = _("Settings, This machine, says which text recognition (OCR) there is. Then choose “Read again”.")
ADVICE_MISSING = _("Restore the file, or remove it from the list.")
ADVICE_PERMISSION = _("Allow your account to read the file, then add it again.")
ADVICE_LARGE = _("Split the file, or raise the limits under Settings, Documents.")
ADVICE_RESAVE = _("Open the file in its own program, save it again, and add it again.")

# fact card
BEFORE = _("Before")
AFTER = _("After")
CHANGE = _("Change")
CHANGED_BY = _("{name} changed by {change}")
BETTER_BY, WORSE_BY = _("{name} changed by {change}, better"), _("{name} changed by {change}, worse")
GOT_BETTER = _(" It got better.")

# notices
KEEP = _("Keep")

# page view
DRAWING_PAGE = _("Loading page {page}…")
PAGE_BACK, PAGE_FORWARD = _("Previous page"), _("Next page")
SMALLER = _("Zoom out")
LARGER = _("Zoom in")
SMALLEST, LARGEST = _("This is the smallest size."), _("This is the largest size.")
FIT_WIDTH = _("Fit width")
DOCUMENT_PAGE = _("Page of the document")
PAGE_OF = _("Page {page} of {pages}")
DRAWING_PICTURE = _("Loading picture {page}…")
PICTURE_BACK, PICTURE_FORWARD = _("Previous picture"), _("Next picture")
DOCUMENT_PICTURE = _("Picture in the document")
PICTURE_OF = _("Picture {page} of {pages}")
OPEN_PICTURE = _("Show picture {number} of the document")
PICTURE_PROBLEM = _("The picture cannot be shown. {error}")

# passages panel
BY_WORDS, BY_MEANING, BY_BOTH = _("by words"), _("by meaning"), _("by words and meaning")
SCORE_HELP = _("Relevance scores can be compared within one search only.")
FOUND_BY = _("found {value}")
NEWER_VERSION = _("There is a newer version: {name}")
SIMILARITY = _("similarity {similarity:.2f}")
PASSAGE_NAME = _("{place}, score {score:.3f}, found {value}: {text}")
CLOSE_PASSAGES = _("Close the passages")
PASSAGES = _("Retrieved passages")
SEARCHED_FOR = _("Search query: {query}")

# run follower
READING = _("Reading {newest}")
PREPARING = _("Preparing…")
SCANNING = _("Scanning files…")
READING_FAILED, READING_STOPPED = _("Reading stopped: {message} {hint}"), _("Stopped. Files read so far are available.")
NOTHING_KEPT = _("A file that was not read to its end is read anew.")
NOTHING_TO_READ = _("Nothing was found there that can be read, such as a PDF, Word, text or HTML file.")
COUNT_READ, COUNT_UNREADABLE = _("{count} read"), _("{count:,} failed")

# tables
NO_VALUE = _("none")

# choices
CHOSEN = _("chosen")

# word diff
NO_DIFFERENCE = _("no difference")
CHANGES = {"added": _("added"), "removed": _("removed")}

# a number with a slider
SLIDER = _("{title}, slider")

# strength
STRENGTH_HELP = _("At 0 the base model answers alone, and at 1 the adapter acts as trained. Above 1 it is exaggerated.")
STRENGTH_OF, STRENGTH_NUMBER = _("Strength of {name}"), _("Strength of {name}, as a number")
STRENGTH_RANGE = _("Enter a number from {value:g} to {_MOST_TYPED:g}.")

# source view
DOCUMENT_TEXT = _("Text of the document")

# wording
DONE_OF = _("{done} of {total}")
OUT_OF_MEMORY = _("Memory ran out. Close other programs, or use a smaller model.")
FAULT = _("Internal error: {message}")

# questions from documents
FROM_DOCUMENTS = _("Questions from documents")
FROM_DOCUMENTS_HELP = _("Make questions with answers from the documents of a collection. No model is needed.")
NO_DOCUMENTS_YET = _("Add documents first, on the page Documents.")
READING_DOCUMENTS = _("Reading the documents")

# a file with a password
PASSWORD_NEEDED, PASSWORD_WRONG = _("Password (not stored)"), _("Wrong password")
PASSWORD_OF = _("Password of {name}")
PASSWORD_HELP = _("{reason} The password is used for this reading and not stored; pages are shown as text.")
UNLOCK = _("Unlock")

# verdict bar
LEFT_BETTER, RIGHT_BETTER, TIE, BOTH_BAD = _("A is better"), _("B is better"), _("Equally good"), _("Both are bad")
WHICH_BETTER = _("Which answer is better? Names are shown once you have chosen.")
SHOW_NAMES = _("Show names")
SHOW_NAMES_HELP = _("Show which recipe wrote which answer. The pair is then not counted.")
UNDO_VERDICT = _("Undo")
SAME_TEXTS = _("Both answers are the same, word for word.")

# keys of feedback
SHORTCUTS_FEEDBACK = _("Preferences")
KEY_EDIT_LEFT, KEY_EDIT_RIGHT = _("Edit answer A into what you wanted"), _("Edit answer B into what you wanted")
KEY_SKIP, KEY_UNDO_VERDICT = _("Skip this pair"), _("Take the last choice back")
KEY_UNDO_JUDGEMENT, KEY_DELETE_JUDGEMENT = _("Undo the last change of preferences"), _("Delete the selected preference")

# feedback buttons
GOOD_ANSWER = _("Good answer")
BAD_ANSWER = _("Bad answer")
EDIT_BUTTON, EDIT_ANSWER = _("Edit…"), _("Edit answer")
EDIT_ANSWER_HELP = _("Write the answer as it should be; the conversation continues from it")
RATED = _("Rated as {words}; click to undo")
RATE = _("Rate as {words}")
RATE_HELP = _(" Data sets can be built from good answers.")

# rewards
REWARDS_HELP = _("The reward of an answer is the sum of these, each multiplied by its weight.")
ADD_REWARD, REMOVE_REWARD, WEIGHT = _("Add a reward"), _("Remove this reward"), _("Weight")

# downloads
DOWNLOADING = _("Downloading {name}")
DOWNLOAD_WAITS = _("Waiting to download {name}")
DOWNLOAD_STOPPED = _("{name} is stopped at {share:.0%}. Resume continues there.")
DOWNLOAD_FAILED = _("{name} could not be downloaded. {message}")
DOWNLOADED = _("{model} is downloaded and verified.")
ASK_MODEL = _("Ask it something")

# agents in words
AGENT_OFF, NO_TOOLS = _("off"), _("no tools")
NOT_AVAILABLE = _("Not available: {reason}")

# setting up training
SET_UP_TRAINING = _("Set up training")
SET_UP_SIZE = _(
    "The packages are installed once: about 1 GB on the disk for the processor, or 6 GB for an NVIDIA GPU. The exact "
    "sizes are asked for first."
)
SET_UP_COMPUTER = _("What training computes on")
SET_UP_AUTO, SET_UP_CPU, SET_UP_CUDA = _("What this machine has"), _("Processor"), _("NVIDIA GPU")
SET_UP_FOLDER, SET_UP_PACK = _("From a folder of wheels…"), _("From a pack…")
SET_UP_PACK_FILES = _("Packs (*.pack);;All files (*)")
SET_UP_INSTALL = _("Install")
SET_UP_OFF = _("The network is off for installing packages: nothing is asked before you allow it.")
SET_UP_OFFLINE_TOO = _("This also switches “Work offline” off.")
SET_UP_ALLOW = _("Allow and ask")
SET_UP_ASKING = _("Finding out what is needed: {stage}")
SET_UP_OFFER = _("{packages}: {bytes} to download from {host}, and {disk} on the disk, of which {free} are free.")
SET_UP_OFFER_HERE = _("The packages take {disk} on the disk, of which {free} are free. Nothing is downloaded.")
SET_UP_RUNS = _("Setting up training")
SET_UP_STAGE = _("Setting up training: {stage}")
SET_UP_STOPPING = _("Stopping…")
SET_UP_STOPPED = _("The set-up was stopped, and nothing was installed. What was downloaded is kept for the next one.")

# formulas
FORMULA_TOO_WIDE = _("The formula is too wide to be drawn in a column of text.")

# trash
UNDO = _("Undo")
IN_TRASH = _("“{title}” was moved to the trash, where it stays for {days} days.")
RESTORED = _("“{title}” was restored.")
TRASH = _("Trash")
TRASH_HELP = _(
    "What was deleted stays here for {days} days and can be restored as it was. After that it is deleted for good."
)
TRASH_EMPTY = _("The trash is empty.")
TRASH_SIZE = _("{count}, {size} on the disk")
TRASH_RESTORE, TRASH_DELETE_NOW, TRASH_EMPTY_NOW = _("Restore"), _("Delete now"), _("Empty trash")
TRASH_ASK_EMPTY = _("Delete {count} for good? This cannot be undone.")
TRASH_UNTIL = _("{kind} · deleted {deleted}, kept until {until}")
TRASH_UNTIL_FROM = _("{kind} of {place} · deleted {deleted}, kept until {until}")
TRASH_CLOSE = _("Close")
TRASH_LEFT = _("{title} could not be deleted and is still in the trash.")
TRASH_KINDS = {
    "chat": _("Chat"),
    "document": _("Document"),
    "folder": _("Folder with its documents"),
    "collection": _("Collection"),
    "model": _("Model"),
    "endpoint": _("Endpoint"),
    "adapter": _("Adapter"),
    "recipe": _("Recipe"),
    "prompt": _("Prompt"),
}
TRASH_OPEN = _("Open trash")

# chats of other programs
OTHER_CHATS = _("Chats of other programs")
OTHER_CHATS_HELP = _(
    "The exports of ChatGPT, Claude, Open WebUI and LM Studio (a JSON file or a zip archive) and the threads folder of "
    "Jan can be imported, with their branches, dates and models. Nothing leaves this machine."
)
IMPORT_CHATS = _("Import chats")
IMPORT_FILE, IMPORT_FOLDER = _("Import from a file…"), _("Import from a folder…")
IMPORT_FILES = _("Exports of chats (*.json *.zip);;All files (*)")
IMPORTING_CHATS = _("Chats are being imported from {path}.")
IMPORTED_CHATS = _("Imported from {program}: {chats} with {messages}.")
IMPORTED_BEFORE = _("Imported before and left as they are: {chats}.")
IMPORT_LEFT_OUT = _("Left out, since they are of tools, pictures and the like: {messages}.")
