"""The words of the models page."""

from __future__ import annotations

from workbench.records.exam import OLD

# model card
KIND_CHAT, KIND_CHAT_HELP, KIND_BASE = "Chat", "A chat model answers questions and holds conversations.", "Base"
KIND_BASE_HELP, KIND_SEARCH = "A base model continues text and is not trained for conversations.", "Embedding"
KIND_SEARCH_HELP = "An embedding model turns text into vectors to find documents by meaning. It is loaded on demand."
LOADED = "Loaded"
DEFAULT, MAKE_DEFAULT = "Default", "Make default"
DEFAULT_HELP = "The default model answers in new chats, and wherever no model is named."
MISSING = "Missing"
LOAD = "Load"
UNLOAD = "Unload"
DETAILS = "Details"
REMOVE = "Remove"
MORE = "More actions for {name}"
QUANTISE, MEASURE_SPEED = "Quantise…", "Measure speed…"
PARAMETERS = "{parameters} parameters"
CONTEXT_LENGTH = "{context_tokens:,} tokens of context"
NO_LICENCE = "licence not stated"
FILES_MISSING = "The model's files were moved or deleted. Put them back, or remove the model and import it again."
FILES_DELETED_TOO, FILES_KEPT = "The workbench's copy of its files is deleted, too.", "Its files stay where they are."
ASK_REMOVE = "Remove {name} from the list? {kind}"
REMOVE_WITH_FILES = "Remove and delete files"
LOADING = "Loading {name}"
STOPPING = "Stopping…"
FACT_FORMAT, FACT_TOKENIZER, FACT_VOCABULARY = "Format", "Tokenizer", "Vocabulary"
VOCABULARY = "{vocabulary:,} tokens"
FACT_LAYERS, FACT_WIDTH, FACT_FILES = "Layers", "Embedding length", "Files"
CHAT_TEMPLATE = "Chat template"
CHAT_TEMPLATE_HELP = "This format of the prompts of a conversation comes from the model's files."
METADATA_HELP = "All entries of the file's header"
METADATA = "Metadata"

# exam
EXAM = "Exam of {date}: answers from documents"
EXAM_OLD = f"Exam of {{date}}, {OLD}"
EXAM_HELP = (
    "The model answered questions of the program's own about short documents, as in a chat. Below each rate stand the "
    "count and the range in which the true rate lies with a probability of 95 %. The program did not warn of an answer "
    "that is not marked. Office documents are mixed, with tables, older versions and two languages."
)
EXAMINE, EXAMINE_AGAIN = "Run exam", "Repeat exam"
EXAMINE_HELP = (
    "The exam measures how often answers from documents are right. It runs in the background. Your questions go first."
)
EXAMINING, EXAM_WAITS = "Exam", "The exam is waiting"
EXAM_PAGE, NOT_EXAMINED, GO_TO_MODELS = "Exam", "This model has not been examined.", "Go to Models"
EXAM_PAGE_HELP = (
    "An exam measures how often a model's answers from documents are right. Each model is asked the same questions, "
    "and what it reaches decides how it answers and is told below its answers."
)
NO_EXAM_HELP = "A model is needed before one can be examined."

# model import
IMPORT_MODEL = "Import a model"
CLOSE_IMPORT = "Close the import"
IMPORT_REFERENCE, IMPORT_COPY = "Use it where it is", "Copy it into the data folder"
IMPORT_REFERENCE_HELP = "This needs no disk space. If the file is moved or deleted, the model becomes unavailable."
IMPORT_COPY_HELP = (
    "This needs the same disk space again. The model stays available if the original is deleted, and moves with the "
    "data folder."
)
NOTHING_CHOSEN = "Nothing selected"
IMPORT = "Import"
DROP_MODEL = "Drop a .gguf file or a safetensors folder here, or choose one."
CHOOSE_FILE_BUTTON, CHOOSE_FOLDER_BUTTON = "Choose a file…", "Choose a folder…"
CHOOSE_FIRST = "Choose a file or a folder first"
IMPORTING = "Importing…"
CHOOSE_FILE, CHOOSE_FOLDER = "Choose a model file", "Choose a model folder"
FILTER_MODELS, FILTER_ALL = "Models (*.gguf *.safetensors)", "All files (*)"

# page
NO_MODEL = "No model yet"
NO_MODEL_HELP = (
    "A model reads and answers. The starter model is small (98\u00a0MB), runs on any machine and needs no network. You "
    "can also import a GGUF file or a safetensors folder, or drop one here."
)
USE_STARTER = "Use the starter model"
COUNT_ON_DISK = "{count}, {size} on disk"
STARTER_NOT_INSTALLED = "The starter model is not installed. {starter_hint}"
FILES_WERE_DELETED, FILES_WERE_KEPT = "Its files were deleted.", "Its files stay where they are."
REMOVED = "{name} was removed. {files}"
READING_MODEL = "Reading the model"
PREPARING_STARTER = "Preparing the starter model…"
