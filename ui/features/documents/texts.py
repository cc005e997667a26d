"""The words of the documents page."""

from __future__ import annotations

from workbench.records.document_formats import format_sentence

# collection list
NEW_COLLECTION = "New collection"
COLLECTION_NAME = "Name of the collection"
NEW_COLLECTION_NAME = "Name of the new collection"
COLLECTIONS = "Collections"
ASK_DELETE_COLLECTION = "Delete “{name}”? Its index is deleted; your files stay where they are."
DELETE = "Delete"
NAME_NEEDED = "A collection needs a name."
RENAME_MENU = "Rename\tF2"
INDEX_MENU = "Passages and embedding model…"
INDEX_TITLE, PASSAGE_TOKENS, EMBEDDER = "Passages and embedding model", "Tokens of a passage", "Embedding model"
EMBEDDER_HELP = "It finds passages by their meaning. One for the language of the documents finds more."
DEFAULT_EMBEDDER, MISSING_EMBEDDER = "Default: {name}", "{name} (missing)"
INDEX_HELP = (
    "Short passages are found more exactly, long ones show the model more around what was found. After a change all "
    "files of “{name}” are read again; a file with a password asks for it again."
)
PASSAGE_TOKENS_HELP = (
    "From 32 to 8,192, and at most what the embedding model reads at once. With 0 the program chooses what suits it."
)
NOTHING_CHANGED = "Nothing was changed"
READ_ALL_AGAIN = "Read again"
DELETE_MENU = "Delete\tDel"
COUNT_FAILED = "{failed:,} failed"
FOLDER_MENU = "More for the folder {name}"
REMOVE_FOLDER = "Remove this folder and its files"
ASK_REMOVE_FOLDER = "Remove {name} and its files from the collection? The files themselves are not deleted."
WATCH_FOLDER = "Watch this folder: {shown}"
READ_AGAIN = "Read {name} again"
WATCH_FOLDER_HELP = "{path}\nChanged, new and deleted files are read again automatically."

# ingests
READING_INTERRUPTED = "Reading was interrupted when the program ended. Files read so far are available."
READING_UNFINISHED = "Not all of these files have been read. What was read can be searched."
RESUME = "Resume"
SHOW_FAILED = "Show failed files"

# layout
ADD_FILES_BUTTON, ADD_FOLDER_BUTTON = "Add files…", "Add folder…"
SEARCH_TEXT = "Search in these documents"
FILTER_BY_NAME, FILTER_FILES_BY_NAME = "Filter by name", "Filter files by name"
ALL_FILES = "All files"
READY = "Ready"
FAILED = "Failed"
FILTER_FILES_BY_STATE = "Filter files by state"
NO_FILE_MATCHES = "No file matches this filter."
REMOVE_FROM_COLLECTION = "Remove from collection"
NO_DOCUMENTS = "No documents yet"
NO_DOCUMENTS_HELP = (
    "A collection is a set of files that are searched together. Create one, or drop files or a folder here."
)
DROP_FILES = "Drop files or a folder here"
DROP_FILES_HELP = f"{format_sentence()} Files stay where they are."
COLLECTION_MENU = "Rename or delete this collection"
FILES_OF_COLLECTION = "Files in the collection"

# names
FILES_SIDE, NAMES_SIDE, FILES_OR_NAMES = "Files", "Names", "Files or names"
NAMES_OF_COLLECTION, NAME = "Names in the documents", "Name"
FILTER_NAMES, FILTER_NAMES_BY_KIND, ALL_KINDS = "Filter names", "Filter names by type", "All types"
NAME_PERSON, NAME_ORGANISATION, NAME_PLACE, NAME_CODE, NAME_OTHER = "Person", "Organisation", "Place", "Code", "Other"
NAME_DOCUMENTS = "Files"
NAMES_SHOWN = "{shown:,} of {names}"
CONNECT_WITH = "What connects it with… (another name)"
CHOOSE_NAME = "Choose a name to see the passages that mention it."
PASSAGES_OF = "{name}: {passages}"
TOGETHER = "{name} and {other} are mentioned together"
CHAIN = "From {name} to {other}"
NO_CHAIN = "{name} and {other}"
NO_CHAIN_HELP = "Nothing in these documents connects the two."
JOINED_BY = "joined by {name}"
NO_NAMES = "No names are known"
NO_NAMES_HELP = (
    "People, organisations, places and codes are found when files are read. Files that were read by an earlier version "
    "have none until they are read again."
)

# page
ADD_FILES, ADD_FOLDER = "Add files", "Add folder"
ASK_REMOVE_DOCUMENT = "Remove {name} from the collection? The file itself is not deleted."
REMOVE = "Remove"
NO_PASSAGE_FOUND = "No matching passage in these documents."
OPEN_FILE, SHOW_IN_FOLDER, COPY_PATH = "Open in its own program", "Show in its folder", "Copy the path"
READ_FILE_AGAIN = "Read again"
REMOVE_MENU = "Remove from collection\tDel"
CANNOT_OPEN = "This system has no program to open {path}."
A_NEW_COLLECTION = "a new collection"
DROP_TO_ADD = "Drop to add to {name}"

# table
COLUMN_NAME, COLUMN_KIND, COLUMN_PAGES, COLUMN_PASSAGES, COLUMN_STATE = "Name", "Type", "Pages", "Passages", "State"
STATE_REMOVED, STATE_PART = "Removed", "Read in part"

# task bar
START = "Start"
COLUMNS_HELP = "{help} Separate entries with commas."
EXAMPLE_HELP = "{help} For example: {example}."
