"""Texts of the hub and of the fit of models."""

from __future__ import annotations

ON_MACHINE, HUB, LEADERBOARD = "On this machine", "Find models", "Leaderboard"
SECTIONS = "Sections of models"

# permission
OFF = (
    "Searching the hub is switched off. Nothing is sent until you allow it: then your search words, and which files "
    "you look at and download, go to {host}."
)
OFF_TITLE = "Models from the hub"
OFF_HELP = (
    "Search for models in GGUF form, see whether each fits this machine before anything is downloaded, and download it "
    "with every byte verified."
)
OFFLINE_TOO = "This also ends Offline."
ALLOW = "Allow searching and downloading"
HUB_PLACE = "Hub: {host}"

# search
SEARCH = "Search models, such as qwen3 4b"
SORT, SIZE, LICENCE, ACCESS = "Sort by", "Size", "Licence", "Access"
SORTS = (("Most downloaded", "downloads"), ("Most liked", "likes"), ("Latest", "updated"))
SIZES = (
    ("Any size", ""), ("Up to 1 B parameters", "0-1"), ("1 to 4 B parameters", "1-4"), ("4 to 9 B parameters", "4-9"),
    ("9 to 35 B parameters", "9-35"), ("35 B parameters and more", "35-0"),
)  # fmt: skip
LICENCES = (
    ("Any licence", ""), ("Apache-2.0", "apache-2.0"), ("MIT", "mit"), ("Gemma", "gemma"), ("Llama 3.2", "llama3.2"),
    ("CC BY 4.0", "cc-by-4.0"),
)  # fmt: skip
TASKS_NAME = "Task"
TASKS = (
    ("Any task", ""), ("Text generation", "text-generation"), ("Images and text", "image-text-to-text"),
    ("Embeddings", "feature-extraction"), ("Translation", "translation"),
)  # fmt: skip
ACCESSES = (("Gated or not", ""), ("Open only", "open"))
SEARCHING = "Searching…"
NOTHING_FOUND = "Nothing was found. Try other words, or fewer filters."
COUNT_FOUND = "{count} with GGUF files"
GATED, GATED_HELP = (
    "Gated",
    "Its terms have to be accepted on its page on the hub first, and an access token entered here.",
)
DOWNLOADS = "{count:,} downloads"
UPDATED = "updated {date}"
NO_LICENCE = "licence not stated"

# a repository
CHOOSE = "Choose a model on the left"
CHOOSE_HELP = (
    "Its files appear here with their memory and expected speed on this machine, before anything is downloaded."
)
LOOKING_UP = "Looking up {repository}…"
FILES, FILES_HELP = (
    "Files",
    "Each file is the model in another quantisation. With fewer bits it takes less memory and is less exact.",
)
NO_FILES = "It has no GGUF model."
PARTS = "{count} parts"
CARD, RESULTS = "Model card", "Results reported by its authors"
RESULTS_HELP = (
    "These were measured elsewhere with other settings and cannot be compared with this machine's leaderboard."
)
NO_CARD = "The repository has no model card."
MORE_CARD = "Show all of it"

# fit
CHECKING = "Reading its header…"
CHECK_FIT, CHECK_FIT_HELP = (
    "Check fit",
    "The program reads the file's header (0.5 to 20 MB) and counts the memory that the model needs.",
)
FIT_LINE = "{needed} with {context:,} tokens of context"
SPEED = "up to ~{speed:,.0f} tokens/s"
SPEED_HELP = "The bandwidth of this machine's memory sets this upper limit, since each token reads {bytes}."
PART = "{device}: {weights} weights, {cache} cache, {computing} computing; {free} free"
PROCESSOR_MEMORY = "Memory"
RELEASED = "{bytes} of the model that is loaded now are counted as free."
BY_ENGINE, BY_ESTIMATE = "Counted by llama.cpp without loading it.", "Estimated from its metadata."

# download
DOWNLOAD, DOWNLOAD_NAME = "Download", "Download {name}"
DOWNLOADED = "On this machine"

# token
TOKEN, TOKEN_HELP = (
    "Access token",
    "Gated and private models need it. It is stored in the keyring of your system, and sent to the hub only.",
)
TOKEN_FIELD, SAVE_TOKEN, FORGET_TOKEN = "Access token of the hub", "Save token", "Forget token"
TOKEN_KEPT, TOKEN_SESSION = (
    "A token is in the keyring of this system.",
    "The token is used until the program ends: this system has no keyring.",
)
TOKEN_NONE = "No token is entered."

# fit of a model that is here
FIT, FIT_HELP = "Fit", "Count the memory that the model needs on this machine, and estimate its speed."
LOAD_ANYWAY = "Load anyway"
LOAD_ANYWAY_HELP = "It may be very slow, or end other programs."

# models that other programs have
FOUND = "Models of other programs on this disk"
FOUND_HELP = "They are used from their present folder; nothing is copied."
ADD, ADD_NAME = "Add", "Add {name}"
LOOK_FOR, LOOK_FOR_HELP = (
    "Find models on this disk",
    "The program looks in the folders of Ollama, LM Studio and the Hugging Face cache.",
)
LOOKING = "Looking in the folders of Ollama, LM Studio and Hugging Face…"
NONE_FOUND = "No model of Ollama, LM Studio or the Hugging Face cache was found that is not in the list already."

# leaderboard
BOARD_TITLES = (
    "Model", "Quantisation", "Score", "95 % interval", "Questions", "Size", "Memory", "Tokens/s", "Date",
)  # fmt: skip
BOARD_HELP = (
    "The scores are those of this machine's models on published benchmarks, with the prompts and metrics of "
    "lm-evaluation-harness. Results of different settings are never in one table. The memory is that with the "
    "context of your settings."
)
BOARD_EMPTY = "No benchmark was run yet"
BOARD_EMPTY_HELP = "Import a benchmark's data from a file, or download it from the hub; then run models on it."
BOARD_SET = "Benchmark"
BOARD_COLUMN = "{benchmark} · {shots} · {metric} · {set} · questions: {questions}"
