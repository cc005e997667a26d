"""The words of the models page."""

from __future__ import annotations

from workbench.base.catalogue import _
from workbench.records.exam import CORRECTED, OLD

# model card
KIND_CHAT, KIND_CHAT_HELP, KIND_BASE = (
    _("Chat"),
    _("A chat model answers questions and holds conversations."),
    _("Base"),
)
KIND_BASE_HELP, KIND_SEARCH = (
    _("A base model continues text and is not trained for conversations."),
    _("Embedding model"),
)
KIND_SEARCH_HELP = _("An embedding model turns text into vectors to find documents by meaning. It is loaded on demand.")
LOADED = _("Loaded")
DEFAULT, MAKE_DEFAULT = _("Default"), _("Make default")
DEFAULT_HELP = _("The default model answers in new chats, and wherever no model is named.")
MISSING = _("Missing")
LOAD = _("Load")
UNLOAD = _("Unload")
DETAILS = _("Details")
REMOVE = _("Remove")
MORE = _("More actions for {name}")
QUANTISE, MEASURE_SPEED = _("Quantise…"), _("Measure speed…")
IMAGE_ENCODER, IMAGE_ENCODER_MENU = _("Image encoder…"), _("Image encoder")
ANOTHER_ENCODER, NO_ENCODER = _("Choose another file…"), _("Remove the image encoder")
CHOOSE_ENCODER = _("Choose the image encoder that was published with the model")
FILTER_ENCODERS = _("Image encoders (*mmproj*.gguf)")
SEES_IMAGES = _("sees images")
PARAMETERS = _("{parameters} parameters")
CONTEXT_LENGTH = _("{context_tokens:,} tokens of context")
NO_LICENCE = _("licence not stated")
FILES_MISSING = _("The model's files were moved or deleted. Put them back, or remove the model and import it again.")
ASK_REMOVE = _("Move {name} to the trash? Its key is kept with it.")
LOADING = _("Loading {name}")
STOPPING = _("Stopping…")
FACT_FORMAT, FACT_TOKENIZER, FACT_VOCABULARY = _("Format"), _("Tokenizer"), _("Vocabulary")
VOCABULARY = _("{vocabulary:,} tokens")
FACT_LAYERS, FACT_WIDTH, FACT_FILES = _("Layers"), _("Embedding length"), _("Files")
CHAT_TEMPLATE = _("Chat template")
CHAT_TEMPLATE_HELP = _("This format of the prompts of a conversation comes from the model's files.")
METADATA_HELP = _("All entries of the file's header")
METADATA = _("Metadata")

# exam
EXAM = _("Exam of {date}: answers from documents")
EXAM_CORRECTS = _(CORRECTED)
EXAM_OLD = _("Exam of {{date}}, {why}").format(why=_(OLD))
EXAM_HELP = _(
    "The model answered questions of the program's own about short documents, as in a chat. Below each rate stand the "
    "count and the range in which the true rate lies with a probability of 95 %. The program did not warn of an answer "
    "that is not marked. Office documents are mixed, with tables, older versions and two languages."
)
EXAMINE, EXAMINE_AGAIN = _("Run exam"), _("Repeat exam")
EXAMINE_HELP = _(
    "The exam measures how often answers from documents are right. It runs in the background. Your questions go first."
)
EXAMINING, EXAM_WAITS = _("Exam"), _("The exam is waiting")
EXAM_PAGE, NOT_EXAMINED, GO_TO_MODELS = _("Exam"), _("This model has not been examined."), _("Go to Models")
EXAM_PAGE_HELP = _(
    "An exam measures how often a model's answers from documents are right. Each model is asked the same questions, "
    "and what it reaches decides how it answers and is told below its answers."
)
NO_EXAM_HELP = _("A model is needed before one can be examined.")

# model import
IMPORT_MODEL = _("Import a model")
CLOSE_IMPORT = _("Close the import")
CHOSEN_PATH = _("Chosen: {path}")
IMPORT_REFERENCE, IMPORT_COPY = _("Use it where it is"), _("Copy it into the data folder")
IMPORT_REFERENCE_HELP = _("This needs no disk space. If the file is moved or deleted, the model becomes unavailable.")
IMPORT_COPY_HELP = _(
    "This needs the same disk space again. The model stays available if the original is deleted, and moves with the "
    "data folder."
)
NOTHING_CHOSEN = _("Nothing selected")
IMPORT = _("Import")
DROP_MODEL = _("Drop a .gguf file or a safetensors folder here, or choose one.")
CHOOSE_FILE_BUTTON, CHOOSE_FOLDER_BUTTON = _("Choose a file…"), _("Choose a folder…")
CHOOSE_FIRST = _("Choose a file or a folder first")
IMPORTING = _("Importing…")
CHOOSE_FILE, CHOOSE_FOLDER = _("Choose a model file"), _("Choose a model folder")
FILTER_MODELS, FILTER_ALL = _("Models (*.gguf *.safetensors)"), _("All files (*)")

# page
NO_MODEL = _("No model yet")
NO_MODEL_HELP = _(
    "A model reads and answers. The starter model is small (98\u00a0MB), runs on any machine and needs no network. You "
    "can also import a GGUF file or a safetensors folder, or drop one here."
)
USE_STARTER = _("Use the starter model")
COUNT_ON_DISK = _("{count}, {size} on disk")
STARTER_NOT_INSTALLED = _("The starter model is not installed. {starter_hint}")
REMOVED = _("{name} was removed.")
READING_MODEL = _("Reading the model")
PREPARING_STARTER = _("Preparing the starter model…")
