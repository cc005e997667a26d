"""The words of the first start."""

from __future__ import annotations

from workbench.base.catalogue import _

# first steps
FILE_FAILED = _("failed")
STEP = _("Step {number}: {title}")
DONE = _("Done")
DROP_FILES = _("Drop files or a folder here")
CHOOSE_FILES, CHOOSE_FOLDER, CHOOSE_DOCUMENTS = _("Choose files…"), _("Choose a folder…"), _("Choose documents")
FILES_READ = _("Files read")
STOPPING = _("Stopping…")

# the purpose
PURPOSE = _("What do you want to do?")
WANT_ANSWERS = _("I want answers from my documents")
WANT_ANSWERS_HELP = _("The window shows Chat, Documents, Models and Settings.")
WANT_TECHNIQUES = _("I want to adapt and compare models")
WANT_TECHNIQUES_HELP = _(
    "The window shows Adapt, Measure and Tools as well. “Show all techniques”, in the navigation and in Settings, adds "
    "them at any time."
)

# page
SMALL = _(
    "It is small: good at finding and quoting what your documents say, not at facts of its own or long reasoning."
)
MODEL_WORDS = _("The model reads and answers. The starter model runs on any machine. {small}").format(small=SMALL)
FROM_DISK = _("Use {name} from {source}, {bytes}")
FROM_DISK_HELP = _("This is a model of another program on this disk. It stays at {path}")
FIND_LARGER = _("Find a larger model…")
FIND_LARGER_HELP = _("Looks on the hub for one that fits this machine; you decide whether it is downloaded")
HUB_OFF = _("Downloading is switched off. When you allow it, the names of the models that are looked up go to {host}.")
ENDS_OFFLINE = _("This also switches “Work offline” off.")
ALLOW = _("Allow and look")
LOOKING, LOOKING_UP = _("Looking for a model that fits…"), _("Checking whether {name} fits")
OFFERED = _("{name} fits: it needs {needed} of memory. Licence {licence}, from {repository}.")
OFFERED_SPEED = _("Up to about {speed} tokens per second here.")
DOWNLOAD_IT = _("Download {bytes}")
SAMPLE_HELP = _("Manual, warranty, prices and service papers of a fictional pump maker")
SAMPLE_QUESTIONS = (
    _("How long is the warranty on a new pump?"),
    _("What is the greatest flow of the AquaLift 300?"),
    _("Can I extend the cable?"),
)
TITLE = _("Ask your own documents")
INTRODUCTION = _(
    "A language model on this machine reads your documents and answers with sources. Nothing leaves the machine, "
    "and no account is needed."
)
READING_MACHINE = _("Checking this machine…")
LOOK_AROUND = _("Skip for now")
MODEL_STEP = _("Model")
USE_STARTER = _("Use the starter model, 98 MB")
IMPORT_OTHER = _("Import another model…")
CHECK_AGAIN = _("Check again")
DOCUMENTS_STEP, DOCUMENTS_WORDS = (
    _("Documents"),
    _("Documents are read on this machine; the files stay where they are."),
)
USE_SAMPLE = _("Use the eight sample documents")
NO_DOCUMENTS_YET = _("No documents at hand?")
QUESTION_STEP = _("Question")
ASK_QUESTION = _("Ask a question")
MEMORY = _("{bytes} memory, {bytes2} free")
NO_GRAPHICS = _("no GPU (none is needed)")
FREE_DISK = _("{bytes} free disk")
MODEL_READY = _("{name} is ready ({bytes}).")
STARTER_NOT_INSTALLED = _("The starter model is not installed. {starter_hint}")
DOCUMENTS_READY = _("{count} in “{name}” ready for questions.")
PREPARING_STARTER = _("Preparing the starter model…")
MY_DOCUMENTS = _("My documents")
READING_INTO = _("Reading into “{name}”")
READING = _("Documents are being read")
SAMPLE_THERE, SAMPLE_READ = _("Sample documents added"), _("The sample documents are already in a collection")
STOPPED = _("Stopped. Files read so far are available.")
ANSWERS_CITE_FOR_INSTANCE = _("Answers cite the passages they are based on. For example:")
ANSWERS_CITE = _("Answers cite the passages they are based on; click a citation to open the document.")
AND = _(" and ")
A_MODEL = _("a model")
SOME_DOCUMENTS = _("documents")
NEEDS_FIRST = _("Needs {names} first.")
