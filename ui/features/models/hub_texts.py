"""Texts of the hub and of the fit of models."""

from __future__ import annotations

from workbench.base.catalogue import _

ON_MACHINE, HUB, LEADERBOARD = _("On this machine"), _("Find models"), _("Leaderboard")
SECTIONS = _("Sections of models")

# recommended models
RECOMMENDED = _("Recommended")
RECOMMENDED_HELP = _("These open models run in this program. Nothing is sent before you download one.")
RECOMMENDED_FOR = _(
    "These open models run in this program. This machine has {memory} of memory. Nothing is sent before you download "
    "one."
)
RECOMMENDED_FACTS = _("{languages} · up to {context:,} tokens of context · licence {licence} · {repository}")
RECOMMENDED_CHECKED = _(
    "The list ships with the program. Its facts were looked up on {date}; sizes may differ a little."
)
SUITS_BEST, IS_HERE, SLOW_HERE = _("suits this machine best"), _("on this machine"), _("slow here")
SLOW_HERE_HELP = _("It fits into the memory. Without a GPU that holds it, each word takes noticeable time.")
IS_HERE_HELP = _("This model is on this machine already.")
DOWNLOAD, DOWNLOAD_NAMED = _("Download"), _("Download {name}")
ALLOW_DOWNLOAD = _(
    "Downloading is switched off. When you allow it, {title} ({bytes}) is fetched from {host}, which learns of the "
    "download; your documents and questions stay here."
)
ALLOW_AND_DOWNLOAD = _("Allow and download")

# permission
OFF = _(
    "Searching the hub is switched off. Nothing is sent until you allow it: then your search words, and which files "
    "you look at and download, go to {host}."
)
OFF_TITLE = _("Models from the hub")
OFF_HELP = _(
    "Search for models in GGUF form, see whether each fits this machine before anything is downloaded, and download it "
    "with every byte verified."
)
OFFLINE_TOO = _("This also switches “Work offline” off.")
ALLOW = _("Allow searching and downloading")
HUB_PLACE = _("Hub: {host}")

# search
SEARCH = _("Search models, such as qwen3 4b")
SORT, SIZE, LICENCE, ACCESS = _("Sort by"), _("Size"), _("Licence"), _("Access")
SORTS = ((_("Most downloaded"), "downloads"), (_("Most liked"), "likes"), (_("Latest"), "updated"))
SIZES = (
    (_("Any size"), ""),
    (_("Up to 1 B parameters"), "0-1"),
    (_("1 to 4 B parameters"), "1-4"),
    (_("4 to 9 B parameters"), "4-9"),
    (_("9 to 35 B parameters"), "9-35"),
    (_("35 B parameters and more"), "35-0"),
)
LICENCES = (
    (_("Any licence"), ""),
    (_("Apache-2.0"), "apache-2.0"),
    (_("MIT"), "mit"),
    (_("Gemma"), "gemma"),
    (_("Llama 3.2"), "llama3.2"),
    (_("CC BY 4.0"), "cc-by-4.0"),
)
TASKS_NAME = _("Task")
TASKS = (
    (_("Any task"), ""),
    (_("Text generation"), "text-generation"),
    (_("Images and text"), "image-text-to-text"),
    (_("Embeddings"), "feature-extraction"),
    (_("Translation"), "translation"),
)
ACCESSES = ((_("Gated or not"), ""), (_("Open only"), "open"))
SEARCHING = _("Searching…")
NOTHING_FOUND = _("Nothing was found. Try other words, or fewer filters.")
COUNT_FOUND = _("{count} with GGUF files")
GATED, GATED_HELP = (
    _("Gated"),
    _("Its terms have to be accepted on its page on the hub first, and an access token entered here."),
)
DOWNLOADS = _("{count:,} downloads")
UPDATED = _("updated {date}")
NO_LICENCE = _("licence not stated")

# a repository
CHOOSE = _("Choose a model on the left")
CHOOSE_HELP = _(
    "Its files appear here with their memory and expected speed on this machine, before anything is downloaded."
)
LOOKING_UP = _("Looking up {repository}…")
FILES, FILES_HELP = (
    _("Files"),
    _("Each file is the model in another quantisation. With fewer bits it takes less memory and is less exact."),
)
NO_FILES = _("It has no GGUF model.")
PARTS = _("{count} parts")
CARD, RESULTS = _("Model card"), _("Results reported by its authors")
RESULTS_HELP = _(
    "These were measured elsewhere with other settings and cannot be compared with this machine's leaderboard."
)
NO_CARD = _("The repository has no model card.")
MORE_CARD = _("Show all of it")

# fit
CHECKING = _("Reading its header…")
CHECK_FIT, CHECK_FIT_HELP = (
    _("Check fit"),
    _("The program reads the file's header (0.5 to 20 MB) and counts the memory that the model needs."),
)
FIT_LINE = _("{needed} with {context:,} tokens of context")
SPEED = _("up to ~{speed} tokens/s")
SPEED_HELP = _("The bandwidth of this machine's memory sets this upper limit, since each token reads {bytes}.")
PART = _("{device}: {weights} weights, {cache} cache, {computing} computing; {free} free")
PROCESSOR_MEMORY = _("Memory")
KEPT = _("Recent conversations may take up to {bytes} more, as far as that is free.")
RELEASED = _("{bytes} of the model that is loaded now are counted as free.")
BY_ENGINE, BY_ESTIMATE = _("Counted by llama.cpp without loading it."), _("Estimated from its metadata.")

# download
DOWNLOAD, DOWNLOAD_NAME = _("Download"), _("Download {name}")
DOWNLOADED = _("On this machine")

# token
TOKEN, TOKEN_HELP = (
    _("Access token"),
    _("Gated and private models need it. It is stored in the keyring of your system, and sent to the hub only."),
)
TOKEN_FIELD, SAVE_TOKEN, FORGET_TOKEN = _("Access token of the hub"), _("Save token"), _("Forget token")
TOKEN_KEPT, TOKEN_SESSION = (
    _("A token is in the keyring of this system."),
    _("The token is used until the program ends: this system has no keyring."),
)
TOKEN_NONE = _("No token is entered.")

# fit of a model that is here
FIT, FIT_HELP = (
    _("Memory and speed"),
    _("The program counts the memory that the model needs on this machine, and estimates its speed."),
)
LOAD_ANYWAY = _("Load anyway")
LOAD_ANYWAY_HELP = _("It may be very slow, or end other programs.")

# models that other programs have
FOUND = _("Models of other programs on this disk")
FOUND_HELP = _("They are used from their present folder; nothing is copied.")
ADD, ADD_NAME = _("Add"), _("Add {name}")
LOOK_FOR, LOOK_FOR_HELP = (
    _("Find models on this disk"),
    _("The program looks in the folders of Ollama, LM Studio and the Hugging Face cache."),
)
LOOKING = _("Looking in the folders of Ollama, LM Studio and Hugging Face…")
NONE_FOUND = _("No model of Ollama, LM Studio or the Hugging Face cache was found that is not in the list already.")

# leaderboard
BOARD_TITLES = (
    _("Model"),
    _("Quantisation"),
    _("Score"),
    _("95 % interval"),
    _("Questions"),
    _("Size"),
    _("Memory"),
    _("Tokens/s"),
    _("Date"),
)
BOARD_HELP = _(
    "The scores are those of this machine's models on published benchmarks, with the prompts and metrics of "
    "lm-evaluation-harness. Results of different settings are never in one table. The memory is that with the "
    "context of your settings."
)
BOARD_EMPTY = _("No benchmark was run yet")
BOARD_EMPTY_HELP = _("Import a benchmark's data from a file, or download it from the hub; then run models on it.")
BOARD_SET = _("Benchmark")
BOARD_COLUMN = _("{benchmark} · {shots} · {metric} · {set} · questions: {questions}")
