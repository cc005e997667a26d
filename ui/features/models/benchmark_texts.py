"""Texts of benchmarks: importing their data, running models on them."""

from __future__ import annotations

from workbench.base.catalogue import _

DATA, DATA_HELP = (
    _("Import data"),
    _(
        "The program reads the rows of MMLU, ARC, HellaSwag, GSM8K or IFEval in the form that the data sets have on "
        "the hub: JSON Lines, JSON, CSV, Parquet, or a folder of them. It recognises the benchmark by its columns. "
        "Pairs of RAGTruth or LLM-AggreFact measure the verification of statements."
    ),
)
OPEN_DATA = _("Import data…")
CHOOSE_FILE, CHOOSE_FOLDER, CHOOSE_EXAMPLES = _("File…"), _("Folder…"), _("File of examples…")
FILE_TITLE, FOLDER_TITLE, EXAMPLES_TITLE = (
    _("Choose a file with rows of a benchmark"),
    _("Choose a folder with a benchmark"),
    _("Choose the rows that are shown as examples"),
)
FROM_HUB, DOWNLOAD = _("From the hub"), _("Download")
HUB_NAMES = (
    (_("MMLU · cais/mmlu"), "mmlu"), (_("ARC-Challenge · allenai/ai2_arc"), "arc"),
    (_("HellaSwag · Rowan/hellaswag"), "hellaswag"),
    (_("GSM8K · openai/gsm8k"), "gsm8k"), (_("IFEval · google/IFEval"), "ifeval"),
)  # fmt: skip
READING, DOWNLOADING = _("Reading rows…"), _("Downloading the data of {name}…")
FOUND = "{title}: {questions}{subjects}"
SUBJECTS = _(" in {count}")
REFUSED = _("{rows} left out. {first}")
SHOTS, SHOTS_HELP = (
    _("Examples before each question"),
    _("{title} is usually asked with {usual}. There are {count} for each subject."),
)
NO_EXAMPLES = _("No examples were found beside the rows, so none are shown: {title} is usually asked with {usual}.")
WITHOUT_EXAMPLES = _("{title} is asked without examples.")
NAME, ADD = _("Name"), _("Add benchmark")
ADDED = _("{name} is ready to run.")
CLOSE = _("Close")
PAIRS_HELP = _(
    "The texts are about documents and were judged by people. Each is verified as an answer is, without a model. A "
    "text counts as marked where the program would warn of it."
)
PAIRS, PAIRS_LIMIT_HELP = _("Pairs"), _("They are drawn by chance. Fewer give a wider interval.")
MEASURE = _("Measure verification")
VERIFICATION = _("Verification of statements · {title} · {pairs}")
PAIRS_DRAWN = _("{pairs:,} of {of_all:,} pairs")
MEASURED = _("{name} is measured: the results are below.")
PAIRS_FOOT = _(
    "The set was measured on {date}. Precision is the share of the marked texts that the document does not support. "
    "Recall is the share of the texts it does not support that are marked. Each has its interval of 95\u00a0%."
)
MEASURE_AGAIN = _("Measure again")

RUN_TITLE = _("Run a benchmark")
MODELS, NO_MODELS = _("Models"), _("There is no model that could be asked. Add one first.")
LIMIT, ALL = _("Questions"), _("All")
LIMIT_HELP = _("The same questions are drawn for every model. Fewer give a wider interval.")
CHOOSE_MODELS = _("Choose at least one model.")
RUN = _("Run benchmark")
RUN_NAME = _("{set} on {models}")
WAITING, RUNNING, STOPPING = _("Waiting: {name}"), _("Running {name}"), _("Stopping…")
STOPPED = _("{name} is stopped at {share:.0%}. Resume asks the questions that are left.")
FAILED = _("{name} could not be run. {message}")
RESUME = _("Resume")
READY = _("{name} is done: its scores are below.")

REPORTED, REPORTED_HELP = (
    _("Reported on the hub"),
    _(
        "The models' authors measured these elsewhere with other settings. They cannot be compared with the tables "
        "above."
    ),
)
SHOW_REPORTED = _("Show scores reported on the hub")
NONE_REPORTED = _("The model cards of these models report no scores.")
