"""The words of the settings page."""

from __future__ import annotations

# page
SECTION_GENERAL, SECTION_MODEL, SECTION_DOCUMENTS, SECTION_EXAM = "General", "Model", "Documents", "Exam of models"
SECTION_NETWORK = "Network"
ABOUT = "About"
VERSION = "Version"
DATA_FOLDER = "Data folder"
OPEN_FOLDER = "Open folder"
DATA_FOLDER_HELP = (
    "All data is in this folder. Close the program before you move it; Backup, above, copies it at any time."
)
CANNOT_OPEN_FOLDER = "This system has no program to open folders. The data folder is {folder}."
CANNOT_OPEN = "This system has no program to open folders. It is in {folder}."
FIRST_MODEL = "The first one added"

# the local API
SECTION_SERVER = "Local API"
COPY_ADDRESS, COPY_KEY, RENEW_KEY = "Copy address", "Copy key", "New key"
RENEW_KEY_HELP = "The old key stops working."
API_SERVED = "Served at {address}. {answered} answered, {refused:,} refused."
API_EXAMPLE = "A request in Python, with the package openai:"
API_MODEL = "MODEL"
API_CODE = """from openai import OpenAI

client = OpenAI(base_url="{address}/v1", api_key="{key}")
question = [{{"role": "user", "content": "Hello"}}]
answer = client.chat.completions.create(model="{model}", messages=question)
print(answer.choices[0].message.content)"""

# this machine
MACHINE = "This machine"
MACHINE_HELP = "This is what models compute on, and why it was chosen."
READING = "Reading…"
UNKNOWN = "unknown"
PROCESSOR, VARIANT, MEMORY, GRAPHICS, FREE_DISK = "Processor", "Processor variant", "Memory", "GPU", "Free disk"
ENGINE = "Engine"
TEXT_RECOGNITION, OLD_OFFICE = "Text recognition", "LibreOffice"
CORES = "{processor}, {cores} cores"
FREE_MEMORY = "{bytes}, {bytes2} free"
NO_GRAPHICS = "none that models can use"
GPU_MEMORY = "{name}, {bytes}"
CANNOT_DIAGNOSE = "What the machine has cannot be read: {problem}"

# runtime packs
TRAINING = "Training"
TRAINING_HELP = (
    "Training, the verification of what was trained, and embedding models that llama.cpp cannot compute need PyTorch "
    "and what is built on it. Everything else works without."
)
TRAINING_NEEDED = "The packages of training are not installed."
TRAINING_SET_UP = "Set up: {versions}; {bytes} in the data folder."
TRAINING_OWN = "The program's own packages have what is needed: {versions}."
REMOVE_TRAINING = "Remove the packages"
REMOVE_TRAINING_QUESTION = "Remove the packages of training? What was trained stays, and answers as before."
PACKS = "Runtime packs"
PACKS_HELP = (
    "A runtime pack lets models compute on a GPU. It is a signed file for this version of the program. It is tried in "
    "a process of its own, and used only where it is faster than the processor and begins the same answer."
)
INSTALL_PACK = "Install a runtime pack…"
FIND_PACKS, FIND_PACKS_HELP = "Look for packs…", "Asks the maker of this program which packs there are for it"
ASKING_PACKS = "Asking for runtime packs…"
NO_PACKS = "No runtime pack is offered for this program on this system."
PACKS_OFF = "The network is off for new versions and packs: nothing is asked before you allow it."
PACK_OFFER = "{backend} · {bytes}"
DOWNLOAD_PACK = "Download {name}"
PACK_FILES = "Runtime packs (*.pack);;All files (*)"
USE_PROCESSOR = "Use the processor"
USE_PROCESSOR_HELP = "Models compute on the processor from their next start on. The pack stays installed."
PACK_BUSY = "A runtime pack is being tried. Wait for its end, or cancel it."
CANCEL = "Cancel"
PACK_FACTS = "{backend} · for {base}"
TRY, TRY_AGAIN = "Try it", "Try again"
TRY_HELP = "Compute some tokens with it and with the processor, and use it where it is faster."
REMOVE = "Remove…"
REMOVE_QUESTION = "Remove the runtime pack {name}? Its file is needed to install it again."
REMOVE_NOW = "Remove"
IN_USE, WORKS, NOT_USED, NOT_TRIED = "In use", "Works, not in use", "Not used", "Not tried"
SPEEDS = "{speed:.1f} tokens per second on {device}, the processor {processor:.1f}."
TORCH_ON = "Search and training compute on {device}."
TRYING = "{name}: {stage}. A trial takes at most four minutes."
CANCELLING = "Cancelling…"
TRIAL_CANCELLED = "The trial of {name} was cancelled. {reason}"
TRIAL_FAILED = "The runtime pack {name} is installed and not used; its line says why."
REMOVED = "The runtime pack {name} was removed."

# new versions
UPDATES = "New versions"
UPDATES_HELP = "The program asks only when you press the button, never by itself."
CHECK = "Check for a new version"
UPDATES_OFF = "The network is off for looking for new versions: nothing is asked before you allow it."
OFFLINE_TOO = "Offline is on in General; allowing this switches it off."
ALLOW = "Allow"
CHECKING = "Asking for the latest version"
LATEST = "This is the latest version, {current}."
NEWER = "Version {version} of {published} is there. This one is {current}."
NOTES = "What is new"
FILE_SIZE = "File for this system: {file}, {bytes}"
NO_FILE = "It has no installer for this system ({current} stays installed). Ask where you got the program from."
PLACE = "Where it is: {url}"
COPY_URL = "Copy address"
DOWNLOAD = "Download and verify"
DOWNLOADING = "Downloading {file}"
DOWNLOADED = (
    "Downloaded and verified: {path}. It is not started by itself: close the program, then open the file. {how}"
)

# report
REPORT = "Report"
REPORT_HELP = (
    "The report is a zip file to attach to a question for help. It holds the diagnosis of this machine, the "
    "versions of all packages, and the places of faults in the program. It holds no private content: no name of a "
    "chat, document, model or folder, no path, and no text of yours. Read it before you send it."
)
SAVE_REPORT = "Save a report…"
REPORT_NAME = "llm-workbench-report.zip"
REPORT_FILES = "Zip files (*.zip)"
REPORT_SAVING = "Writing the report…"
REPORT_SAVED = "The report is {path}, {bytes}."
REPORT_CONTENT = "The diagnosis that it holds"
