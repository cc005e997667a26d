"""The words of the settings page."""

from __future__ import annotations

from workbench.base.catalogue import _

# page
SECTION_GENERAL, SECTION_MODEL, SECTION_DOCUMENTS, SECTION_EXAM = (
    _("General"),
    _("Model"),
    _("Documents"),
    _("Exam of models"),
)
SECTION_NETWORK = _("Network")
ABOUT = _("About")
VERSION = _("Version")
DATA_FOLDER = _("Data folder")
OPEN_FOLDER = _("Open folder")
DATA_FOLDER_HELP = _(
    "All data is in this folder. Close the program before you move it; Backup, above, copies it at any time."
)
CANNOT_OPEN_FOLDER = _("This system has no program to open folders. The data folder is {folder}.")
CANNOT_OPEN = _("This system has no program to open folders. It is in {folder}.")
FIRST_MODEL = _("The first one added")

# the local API
SECTION_SERVER = _("Local API")
COPY_ADDRESS, COPY_KEY, RENEW_KEY = _("Copy address"), _("Copy key"), _("New key")
API_KEY, SHOW_KEY, HIDE_KEY, HIDDEN_KEY = _("Key: {key}"), _("Show"), _("Hide"), "•" * 12
SHOW_KEY_HELP = _("Who has the key can ask your models and documents on this machine.")
RENEW_KEY_HELP = _("The old key stops working.")
API_SERVED = _("Served at {address}. {answered} answered, {refused:,} refused.")
API_EXAMPLE = _("A request in Python, with the package openai:")
API_MODEL = _("MODEL")
API_CODE = _("""from openai import OpenAI

client = OpenAI(base_url="{address}/v1", api_key="{key}")
question = [{{"role": "user", "content": "Hello"}}]
answer = client.chat.completions.create(model="{model}", messages=question)
print(answer.choices[0].message.content)""")

# this machine
MACHINE = _("This machine")
MACHINE_HELP = _("This is what models compute on, and why it was chosen.")
READING = _("Reading…")
UNKNOWN = _("unknown")
PROCESSOR, VARIANT, MEMORY, GRAPHICS, FREE_DISK = (
    _("Processor"),
    _("Processor variant"),
    _("Memory"),
    _("GPU"),
    _("Free disk"),
)
ENGINE = _("Engine")
TEXT_RECOGNITION, OLD_OFFICE = _("Text recognition"), _("LibreOffice")
CORES = _("{processor}, {cores} cores")
FREE_MEMORY = _("{bytes}, {bytes2} free")
NO_GRAPHICS = _("none that models can use")
GPU_MEMORY = "{name}, {bytes}"
CANNOT_DIAGNOSE = _("What the machine has cannot be read: {problem}")

# runtime packs
TRAINING = _("Training")
TRAINING_HELP = _(
    "Training, the verification of what was trained, and embedding models that llama.cpp cannot compute need PyTorch "
    "and what is built on it. Everything else works without."
)
TRAINING_NEEDED = _("The packages of training are not installed.")
TRAINING_SET_UP = _("Set up: {versions}; {bytes} in the data folder.")
TRAINING_OWN = _("The program's own packages have what is needed: {versions}.")
REMOVE_TRAINING = _("Remove the packages")
REMOVE_TRAINING_QUESTION = _("Remove the packages of training? What was trained stays, and answers as before.")
PACKS = _("Runtime packs")
PACKS_HELP = _(
    "A runtime pack lets models compute on a GPU. It is a signed file for this version of the program. It is tried in "
    "a process of its own, and used only where it is faster than the processor and begins the same answer."
)
INSTALL_PACK = _("Install a runtime pack…")
FIND_PACKS, FIND_PACKS_HELP = _("Look for packs…"), _("Asks the maker of this program which packs there are for it")
ASKING_PACKS = _("Asking for runtime packs…")
NO_PACKS = _("No runtime pack is offered for this program on this system.")
PACKS_OFF = _("The network is off for new versions and packs: nothing is asked before you allow it.")
PACK_OFFER = "{backend} · {bytes}"
DOWNLOAD_PACK = _("Download {name}")
PACK_FILES = _("Runtime packs (*.pack);;All files (*)")
USE_PROCESSOR = _("Use the processor")
USE_PROCESSOR_HELP = _("Models compute on the processor from their next start on. The pack stays installed.")
PACK_BUSY = _("A runtime pack is being tried. Wait for its end, or cancel it.")
CANCEL = _("Cancel")
PACK_FACTS = _("{backend} · for {base}")
TRY, TRY_AGAIN = _("Try it"), _("Try again")
TRY_HELP = _("Compute some tokens with it and with the processor, and use it where it is faster.")
REMOVE = _("Remove…")
REMOVE_QUESTION = _("Remove the runtime pack {name}? Its file is needed to install it again.")
REMOVE_NOW = _("Remove")
IN_USE, WORKS, NOT_USED, NOT_TRIED = _("In use"), _("Works, not in use"), _("Not used"), _("Not tried")
SPEEDS = _("{speed:.1f} tokens per second on {device}, the processor {processor:.1f}.")
TORCH_ON = _("Search and training compute on {device}.")
TRYING = _("{name}: {stage}. A trial takes at most four minutes.")
CANCELLING = _("Cancelling…")
TRIAL_CANCELLED = _("The trial of {name} was cancelled. {reason}")
TRIAL_FAILED = _("The runtime pack {name} is installed and not used; its line says why.")
REMOVED = _("The runtime pack {name} was removed.")

# new versions
UPDATES = _("New versions")
UPDATES_HELP = _("The program asks only when you press the button, never by itself.")
CHECK = _("Check for a new version")
UPDATES_OFF = _("The network is off for looking for new versions: nothing is asked before you allow it.")
OFFLINE_TOO = _("“Work offline” is on in General. Allowing this switches it off.")
ALLOW = _("Allow")
CHECKING = _("Asking for the latest version")
LATEST = _("This is the latest version, {current}.")
NEWER = _("Version {version} of {published} is there. This one is {current}.")
NOTES = _("What is new")
FILE_SIZE = _("File for this system: {file}, {bytes}")
NO_FILE = _("It has no installer for this system ({current} stays installed). Ask where you got the program from.")
PLACE = _("Where it is: {url}")
COPY_URL = _("Copy address")
DOWNLOAD = _("Download and verify")
DOWNLOADING = _("Downloading {file}")
DOWNLOADED = _(
    "Downloaded and verified: {path}. It is not started by itself: close the program, then open the file. {how}"
)

# report
REPORT = _("Report")
REPORT_HELP = _(
    "The report is a zip file to attach to a question for help. It holds the diagnosis of this machine, the "
    "versions of all packages, and the places of faults in the program. It holds no private content: no name of a "
    "chat, document, model or folder, no path, and no text of yours. Read it before you send it."
)
SAVE_REPORT = _("Save a report…")
REPORT_NAME = "llm-workbench-report.zip"
REPORT_FILES = _("Zip files (*.zip)")
REPORT_SAVING = _("Writing the report…")
REPORT_SAVED = _("The report is {path}, {bytes}.")
REPORT_CONTENT = _("Content of the report")
