"""The words of the documents page."""

from __future__ import annotations

from workbench.base.catalogue import _, translated
from workbench.records.document_formats import format_sentence

# collection list
NEW_COLLECTION = _("New collection")
COLLECTION_NAME = _("Name of the collection")
NEW_COLLECTION_NAME = _("Name of the new collection")
NEW_COLLECTION_HELP = _("Enter makes the collection, to which files or folders are then added. Esc cancels.")
COLLECTIONS = _("Collections")
NAME_NEEDED = _("A collection needs a name.")
RENAME_MENU = _("Rename\tF2")
INDEX_MENU = _("Passages and embedding model…")
INDEX_TITLE, PASSAGE_TOKENS, EMBEDDER = (
    _("Passages and embedding model"),
    _("Tokens of a passage"),
    _("Embedding model"),
)
EMBEDDER_HELP = _("This model finds passages by their meaning. A model for the language of the documents finds more.")
DEFAULT_EMBEDDER, MISSING_EMBEDDER = _("Default: {name}"), _("{name} (missing)")
INDEX_HELP = _(
    "Short passages are found more exactly, and long ones show the model more around what was found. After a "
    "change all "
    "files of “{name}” are read again; a file with a password asks for it again."
)
PASSAGE_TOKENS_HELP = _(
    "A token is about three quarters of a word. A passage has from 32 to {most:,} tokens, which the embedding model "
    "can read at once. “automatic” leaves it to the program."
)
NOTHING_CHANGED = _("Change something first.")
READ_ALL_AGAIN = _("Read again")
DELETE_MENU = _("Delete\tDel")
COUNT_FAILED = _("{failed:,} failed")
FOLDER_MENU = _("More for the folder {name}")
REMOVE_FOLDER = _("Remove this folder and its files")
WATCH_FOLDER = _("Watch this folder: {shown}")
READ_AGAIN = _("Read {name} again")
WATCH_FOLDER_HELP = _("{path}\nChanged, new and deleted files are read again automatically.")

# ingests
READING_INTERRUPTED = _("Reading was interrupted when the program ended. Files read so far are available.")
READING_UNFINISHED = _("Not all of these files have been read. What was read can be searched.")
RESUME = _("Resume")
SHOW_FAILED = _("Show failed files")

# layout
ASK_ALL, ASK_ALL_HELP = _("Ask these documents"), _("A new chat answers from all files of this collection.")
ASK_NONE = _("Add files first: there is nothing to ask yet.")
ADD_FILES_BUTTON, ADD_FOLDER_BUTTON = _("Add files…"), _("Add folder…")
ADD_FILES_SHORT, ADD_FOLDER_SHORT, ASK_SHORT = _("Files…"), _("Folder…"), _("Ask")
SEARCH_TEXT = _("Search in these documents")
FILTER_BY_NAME, FILTER_FILES_BY_NAME = _("Filter by name"), _("Filter files by name")
ALL_FILES = _("All files")
READY = _("Ready")
FAILED = _("Failed")
FILTER_FILES_BY_STATE = _("Filter files by state")
NO_FILE_MATCHES = _("No file matches this filter.")
REMOVE_FROM_COLLECTION = _("Remove from collection")
NO_DOCUMENTS = _("No documents yet")
NO_DOCUMENTS_HELP = _(
    "A collection is a set of files that are searched together. Create one, or drop files or a folder here."
)
NO_VALUE = _("none")
DROP_FILES = _("Drop files or a folder here")
DROP_FILES_HELP = _("{formats} Files stay where they are.").format(formats=translated(format_sentence()))
READING_FILES = _("Reading the list of files…")
COLLECTION_MENU = _("Rename or delete this collection")
FILES_OF_COLLECTION = _("Files in the collection")

# names
FILES_SIDE, NAMES_SIDE, FILES_OR_NAMES = _("Files"), _("Names"), _("Files or names")
NAMES_OF_COLLECTION, NAME = _("Names in the documents"), _("Name")
FILTER_NAMES, FILTER_NAMES_BY_KIND, ALL_KINDS = _("Filter names"), _("Filter names by type"), _("All types")
NAME_PERSON, NAME_ORGANISATION, NAME_PLACE, NAME_CODE, NAME_OTHER = (
    _("Person"),
    _("Organisation"),
    _("Place"),
    _("Code"),
    _("Other"),
)
NAME_DOCUMENTS = _("Files")
NAMES_SHOWN = _("{shown:,} of {names}")
CONNECT_WITH = _("What connects it with… (another name)")
CHOOSE_NAME = _("Choose a name to see the passages that mention it.")
PASSAGES_OF = "{name}: {passages}"
TOGETHER = _("{name} and {other} are mentioned together")
CHAIN = _("From {name} to {other}")
NO_CHAIN = _("{name} and {other}")
NO_CHAIN_HELP = _("Nothing in these documents connects the two.")
JOINED_BY = _("joined by {name}")
NO_NAMES = _("No names are known")
NO_NAMES_HELP = _(
    "People, organisations, places and codes are found when files are read. Files that were read by an earlier version "
    "have none until they are read again."
)

# page
ADD_FILES, ADD_FOLDER = _("Add files"), _("Add folder")

# several files
FILES_NAMED = _("{name} and {count} more")
FILES_CHOSEN = _("{count} files are chosen.")
ASK_CHOSEN, READ_THESE, REMOVE_THESE, COMPARE_THESE = _("Ask these files"), _("Read again"), _("Remove"), _("Compare")
ASK_CHOSEN_HELP = _("A new chat answers from these files alone.")
COMPARE_HELP = _("The statements of both documents are shown side by side, with what differs marked.")
COMPARE_NEEDS_TWO = _("Choose two files that could be read to compare them.")
NO_PASSAGE_FOUND = _("No matching passage in these documents.")
OPEN_FILE, SHOW_IN_FOLDER, COPY_PATH = _("Open in its own program"), _("Show in its folder"), _("Copy the path")
READ_FILE_AGAIN = _("Read again")
REMOVE_MENU = _("Remove from collection\tDel")
CANNOT_OPEN = _("This system has no program to open {path}.")
A_NEW_COLLECTION = _("a new collection")
DROP_TO_ADD = _("Drop to add to {name}")

# table
COLUMN_NAME, COLUMN_KIND, COLUMN_PAGES, COLUMN_PASSAGES, COLUMN_STATE = (
    _("Name"),
    _("Type"),
    _("Pages"),
    _("Passages"),
    _("State"),
)
STATE_REMOVED, STATE_PART = _("Removed"), _("Read in part")
STATE_CHANGED = _("Changed since it was read")

# task bar
START = _("Start")
COLUMNS_HELP = _("{help} Separate entries with commas.")
EXAMPLE_HELP = _("{help} For example: {example}.")

# comparison
COMPARED = _("{first} and {second}")
COMPARING = _("Comparing the two documents…")
BACK_TO_FILES = _("Back to the files")
DIFFERENCE_OF = _("Difference {number:,} of {count:,}")
DIFFERENCE_BEFORE, DIFFERENCE_AFTER = _("Previous difference"), _("Next difference")
NO_DIFFERENCES = _("Nothing that these two documents say differs.")
CHANGED_BOTH = _("{count:,} differ")
ONLY_IN = _("{count:,} only in {name}")
ONLY_HERE = _("Only in {name}")
