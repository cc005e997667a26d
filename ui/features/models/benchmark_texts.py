"""Texts of benchmarks: importing their data, running models on them."""

from __future__ import annotations

DATA, DATA_HELP = (
    "Import data",
    "The program reads the rows of MMLU, ARC, HellaSwag, GSM8K or IFEval in the form that the data sets have on the "
    "hub: JSON Lines, JSON, CSV, Parquet, or a folder of them. It recognises the benchmark by its columns. Pairs of "
    "RAGTruth or LLM-AggreFact measure the verification of statements.",
)
OPEN_DATA = "Import data…"
CHOOSE_FILE, CHOOSE_FOLDER, CHOOSE_EXAMPLES = "File…", "Folder…", "File of examples…"
FILE_TITLE, FOLDER_TITLE, EXAMPLES_TITLE = (
    "Choose a file with rows of a benchmark",
    "Choose a folder with a benchmark",
    "Choose the rows that are shown as examples",
)
FROM_HUB, DOWNLOAD = "From the hub", "Download"
HUB_NAMES = (
    ("MMLU · cais/mmlu", "mmlu"), ("ARC-Challenge · allenai/ai2_arc", "arc"),
    ("HellaSwag · Rowan/hellaswag", "hellaswag"),
    ("GSM8K · openai/gsm8k", "gsm8k"), ("IFEval · google/IFEval", "ifeval"),
)  # fmt: skip
READING, DOWNLOADING = "Reading rows…", "Downloading the data of {name}…"
FOUND = "{title}: {questions}{subjects}"
SUBJECTS = " in {count}"
REFUSED = "{rows} left out. {first}"
SHOTS, SHOTS_HELP = (
    "Examples before each question",
    "{title} is usually asked with {usual}. There are {count} for each subject.",
)
NO_EXAMPLES = "No examples were found beside the rows, so none are shown: {title} is usually asked with {usual}."
WITHOUT_EXAMPLES = "{title} is asked without examples."
NAME, ADD = "Name", "Add benchmark"
ADDED = "{name} is ready to run."
CLOSE = "Close"
PAIRS_HELP = (
    "The texts are about documents and were judged by people. Each is verified as an answer is, without a model. A "
    "text counts as marked where the program would warn of it."
)
PAIRS, PAIRS_LIMIT_HELP = "Pairs", "They are drawn by chance. Fewer give a wider interval."
MEASURE = "Measure verification"
VERIFICATION = "Verification of statements · {title} · {pairs}"
PAIRS_DRAWN = "{pairs:,} of {of_all:,} pairs"
MEASURED = "{name} is measured: the results are below."
PAIRS_FOOT = (
    "The set was measured on {date}. Precision is the share of the marked texts that the document does not support. "
    "Recall is the share of the texts it does not support that are marked. Each has its interval of 95\u00a0%."
)
MEASURE_AGAIN = "Measure again"

RUN_TITLE = "Run a benchmark"
MODELS, NO_MODELS = "Models", "There is no model that could be asked. Add one first."
LIMIT, ALL = "Questions", "All"
LIMIT_HELP = "The same questions are drawn for every model. Fewer give a wider interval."
CHOOSE_MODELS = "Choose at least one model."
RUN = "Run benchmark"
RUN_NAME = "{set} on {models}"
WAITING, RUNNING, STOPPING = "Waiting: {name}", "Running {name}", "Stopping…"
STOPPED = "{name} is stopped at {share:.0%}. Resume asks the questions that are left."
FAILED = "{name} could not be run. {message}"
RESUME = "Resume"
READY = "{name} is done: its scores are below."

REPORTED, REPORTED_HELP = (
    "Reported on the hub",
    "The models' authors measured these elsewhere with other settings. They cannot be compared with the tables above.",
)
SHOW_REPORTED = "Show scores reported on the hub"
NONE_REPORTED = "The model cards of these models report no scores."
