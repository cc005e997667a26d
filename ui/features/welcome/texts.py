"""The words of the first start."""

from __future__ import annotations

# first steps
FILE_FAILED = "failed"
STEP = "Step {number}: {title}"
DONE = "Done"
DROP_FILES = "Drop files or a folder here"
CHOOSE_FILES, CHOOSE_FOLDER, CHOOSE_DOCUMENTS = "Choose files…", "Choose a folder…", "Choose documents"
FILES_READ = "Files read"
COUNT_ONE_FILE, COUNT_FILES = "file {value}", "files {value}"
STOPPING = "Stopping…"

# page
SMALL = "It is small: good at finding and quoting what your documents say, not at facts of its own or long reasoning."
MODEL_WORDS = f"The model reads and answers. The starter model runs on any machine. {SMALL}"
FROM_DISK = "Use {name} from {source}, {bytes}"
FROM_DISK_HELP = "This is a model of another program on this disk. It stays at {path}"
FIND_LARGER = "Find a larger model…"
FIND_LARGER_HELP = "Looks on the hub for one that fits this machine; you decide whether it is downloaded"
HUB_OFF = "Downloading is switched off. When you allow it, the names of the models that are looked up go to {host}."
ENDS_OFFLINE = "This also ends Offline."
ALLOW = "Allow and look"
LOOKING, LOOKING_UP = "Looking for a model that fits…", "Checking whether {name} fits"
OFFERED = "{name} fits: it needs {needed} of memory. Licence {licence}, from {repository}."
OFFERED_SPEED = "Up to about {speed:,.0f} tokens per second here."
DOWNLOAD_IT = "Download {bytes}"
SAMPLE_HELP = "Manual, warranty, prices and service papers of a fictional pump maker"
SAMPLE_QUESTIONS = (
    "How long is the warranty on a new pump?",
    "What is the greatest flow of the AquaLift 300?",
    "Can I extend the cable?",
)
TITLE = "Ask your own documents"
INTRODUCTION = (
    "A language model on this machine reads your documents and answers with sources. Nothing leaves the machine, "
    "and no account is needed."
)
READING_MACHINE = "Checking this machine…"
LOOK_AROUND = "Skip for now"
MODEL_STEP = "Model"
USE_STARTER = "Use the starter model, 98 MB"
IMPORT_OTHER = "Import another model…"
CHECK_AGAIN = "Check again"
DOCUMENTS_STEP, DOCUMENTS_WORDS = "Documents", "Documents are read on this machine; the files stay where they are."
USE_SAMPLE = "Use the eight sample documents"
NO_DOCUMENTS_YET = "No documents at hand?"
QUESTION_STEP = "Question"
ASK_QUESTION = "Ask a question"
MEMORY = "{bytes} memory, {bytes2} free"
PROCESSOR_CORE = "processor core"
NO_GRAPHICS = "no GPU (none is needed)"
FREE_DISK = "{bytes} free disk"
MODEL_READY = "{name} is ready ({bytes})."
STARTER_NOT_INSTALLED = "The starter model is not installed. {starter_hint}"
DOCUMENTS_READY = "{count} in “{name}” ready for questions."
PREPARING_STARTER = "Preparing the starter model…"
MY_DOCUMENTS = "My documents"
READING_INTO = "Reading into “{name}”"
READING = "Documents are being read"
SAMPLE_THERE, SAMPLE_READ = "Sample documents added", "The sample documents are already in a collection"
STOPPED = "Stopped. Files read so far are available."
ANSWERS_CITE_FOR_INSTANCE = "Answers cite the passages they are based on. For example:"
ANSWERS_CITE = "Answers cite the passages they are based on; click a citation to open the document."
A_MODEL = "a model"
SOME_DOCUMENTS = "documents"
NEEDS_FIRST = "Needs {names} first."
