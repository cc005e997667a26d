"""The words of the form that edits a recipe."""

from __future__ import annotations

from workbench.base.catalogue import _, ngettext

# the parts of a recipe
NO_ADAPTERS = _("No adapter for this model yet. Train one to use it here.")
CONTINUE_WITHOUT = _("Continue without it")
TRAIN_ADAPTER = _("Train an adapter…")
NEXT_TOKEN = _("Next token")
NO_MODEL, NO_DOCUMENTS = _("No model"), _("No documents")
COLLECTION_EMPTY = _("There are no documents in “{name}” yet. Add some under Documents.")
COLLECTION_UNREAD = _("Not everything in “{name}” is read yet: answers are based on a part.")
DEFAULT_MODEL = _("{name} (default)")
SHOW = _("Show")
FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA, FORMAT_REGEX = (
    _("Free text"),
    _("Any JSON"),
    _("JSON schema"),
    _("Regular expression"),
)
FORMAT_CHOICE, FORMAT_GBNF = _("One of several choices"), _("Grammar (GBNF)")
IN_JSON, IN_SCHEMA, IN_REGEX, IN_CHOICE = (
    _("any JSON"),
    _("JSON by schema"),
    _("by expression"),
    _("one of several choices"),
)
IN_GBNF = _("by grammar")
FORMAT_QUOTE, IN_QUOTE = _("Quotes from a text"), _("quotes from a text")
GROUP_REPETITION, GROUP_ANSWERS = _("Repetition"), _("Answers")
FORM_OF_ANSWER = _("Answer format")
GROUP_SPEED = _("Speed")
CUSTOM_HELP = _("The settings below are your own.")
PENALTIES = _("Penalties")
EXCLUDE_TOP = _("Exclude top choices")
PRESETS = _("Presets")
STRATEGY = _("Strategy")
EDIT_BUTTON, EDIT_FORM = _("Edit…"), _("Edit the answer format")
MORE = _("More")
CUSTOM = _("Custom")
CHOOSE = _("Choose…")
ORDER_HELP = _("{help} Drag a step, or use the arrows.")
UNUSABLE = _("Cannot be used: {problem}")
NOTHING_WRITTEN = _("Empty.")
AND_MORE = _("{names} and {value} more")
COUNT_LINES = _("{count} lines")
TEMPERATURE = _("temperature {temperature:g}")
COUNT_ANSWERS = _("{n} answers")
SAMPLING_AT_0 = _("At temperature 0 nothing is drawn by chance, and the most probable token is always taken.")
XTC = _("exclude top choices")
DYNAMIC_TEMPERATURE = _("dynamic temperature")
TOKEN_BIAS = _("token bias")
DISTRIBUTION = _("Distribution of the last token")
ALWAYS = _("Always “{visible}”, without sampling.")
TOKENS_ARE = _("{left} tokens are")
MORE_TOKENS_ARE = _("more than {left} tokens are")
SAMPLED_FROM, SAMPLED_WITH = (
    _("{upper}{value} sampled from; “{visible}” with {share}."),
    _("sampled with {probability}"),
)
OF_MODEL, AS_DRAWN, LEFT_OUT = _("by the model"), _("with these settings"), _("never drawn")
TOKEN_SHARE = _("“{visible}”: {own} by the model, {drawn}")
LAST_TOKEN = _("Last token of the answer")
SHOW_DISTRIBUTION = _("Show the distribution of the last token")
LAST_TOKEN_IS = _("Last token: “{visible}”")
NOT_SHOWN = _("Not shown: {names}, which depend on the whole answer.")
ATTACHED_FILES = _("Attached files")
WITH_ATTACHED = _("{documents}, attached files")
MOVE_UP = _("Move {title} up")
IS_FIRST = _("{title} is the first step")
MOVE_DOWN = _("Move {title} down")
IS_LAST = _("{title} is the last step")
STEP_APPLIED = _("Apply this sampling step")
OVER_90, OVER_50, OVER_20, OVER_5 = _("over 90%"), _("over 50%"), _("over 20%"), _("over 5%")
UNDER_001 = _("under 0.01%")
NO_TOKENS = _("This answer has no tokens.")
SURPRISE = _("{count:,} tokens · mean probability {probability} · perplexity {exp:,.2f}")
FIRST_CHOICES = _(" · {value:.0%} were the first choice")
LEGEND = _("A stronger tint marks a less probable token, a dotted line one that was not the most probable.")
LEGEND_HELP = _(
    "This is the model's probability of each token, at temperature 1 and without penalties. Tokens with a dotted "
    "line were not the most probable. The probabilities are computed anew, many tokens at once, so that nearly "
    "equal ones may change places."
)
NOT_FIRST_CHOICE = _("not the most probable")
MODEL = _("Model")
MODEL_HELP = _("The model generates the answers. Larger models know more and are slower.")
PROMPT = _("Prompt")
PROMPT_HELP = _(
    "Instructions and a prompting technique shape every answer. They need no training and nothing to be prepared."
)
PROMPT_PARTS = _("Context, input, output, examples")
DECODING = _("Decoding")
DECODING_HELP = _(
    "The model writes token by token; a token is about three quarters of a word. Decoding chooses each from the "
    "model's probabilities, precisely or with more variation."
)
DOCUMENTS = _("Documents")
DOCUMENTS_HELP = _("Answers are based on passages from these documents, and cite them.")
ADAPTERS = _("Adapters")
ADAPTERS_HELP = _("Adapters are fine-tuned changes of the model, each with an adjustable strength.")
GET_MODEL_BUTTON = _("Add a model…")
ADD_DOCUMENTS = _("Add documents…")
NONE_CHOSEN = _("none selected")
RECIPE = _("Recipe")
RESET_RECIPE = _("Reset the recipe to the usual settings; model and documents stay")
RECIPE_MENU = _("Save or open a recipe")
SOME_FILES, SOME_FILES_TITLE = _("Search only some files…"), _("Files to search")
ONLY_FILES, STATE_FILES = _("Only: {names}"), "{documents}, {files}"
FURTHER_DOCUMENTS = _("Search another collection as well…")
ALSO = _("Also: {names}")
HIDE_RECIPE = _("Hide the recipe (Ctrl+R)")
STATE_UNUSABLE = _("{state} (cannot be used)")
CANNOT_BE_USED = _(" (cannot be used)")
LIBRARY_BUTTON, SAVE_TO_LIBRARY = _("Library…"), _("Save to library…")
SOURCE_USED, SOURCE_CHANGED = _("{name}, version {number}"), _("{name}, version {number}, changed since")

# the agent
AGENT = _("Agent")
AGENT_HELP = _(
    "The model chooses tools, sees their results and goes on until it answers. A tool that changes something waits for "
    "your permission."
)
AGENT_SWITCH = _("Use tools")
MANAGE_TOOLS = _("Tools, servers and memory…")
CHOOSE_FOLDER, CHANGE_FOLDER, CHOOSE_FOLDER_TITLE = (
    _("Choose a folder…"),
    _("Choose another folder…"),
    _("Workspace folder"),
)
NO_FOLDER, NO_FOLDER_BUTTON = _("No folder chosen"), _("Use no folder")
MEMORY_USES = {"off": _("Off"), "read": _("Read"), "read-write": _("Read and add")}
BUDGETS = _("Budgets")
TOOL_UNKNOWN = _("it does not exist here any more.")
ASK_EACH_CALL = _("Ask me before each call")
ASK_EACH_CALL_HELP = _(
    "Off: it runs without asking, unless the agent has read text that is not yours, such as a document or a file."
)
ALLOWED_HERE, ASK_AGAIN = _("Allowed in this chat."), _("Ask again")
ASK_AGAIN_NAME = _("Ask again before each call of {tool}")

# below the form
WITH_MENU = _("Compare with…")
CHIP_HELP = _("Have each question answered twice, and choose the better answer without seeing the names")
SAVE_RECIPE = _("Save as recipe")

# models that another machine computes
NOT_WITH_MODEL = _("not with this model")

# some files of the documents
LISTING_FILES = _("Attached files…")
SOME_FILES_HELP = _("Answers are based on the ticked files alone, and on files attached to the chat.")
FILTER_FILES, TICK_ALL, TICK_NONE, USE_FILES = (
    _("Filter by name or folder"),
    _("Tick all"),
    _("Tick none"),
    _("Use these files"),
)
FILES_TICKED, ALL_FILES = _("{ticked:,} of {count:,} files"), _("All files are searched")

NO_RECIPES_SAVED = _("No recipe is saved yet. A saved recipe can be chosen here as a specialist.")
NOTHING_CHOSEN, NOT_THERE = _("None"), _("{name} (not there)")

# the editor of a recipe
EDITOR_TITLE, EDITOR_GO, EDITOR_NAME = _("Recipe"), _("Use"), _("Name of the recipe")
EDITOR_HELP = _(
    "All settings of a recipe, as beside a chat. A field with several values makes a recipe for each of them."
)
EDIT_RECIPE = _("Edit…")
SEVERAL_VALUES = _("Try several values of a field")
SEVERAL_HELP = _("For example, a temperature of 0 and of 0.7 makes two recipes.")
SWEPT = _("Makes {count}.")
SWEPT_FIELD, SWEPT_VALUES, REMOVE_VALUES = _("Field"), _("Values, with a comma between them"), _("Remove these values")
VALUES_EXAMPLE = _("such as 0, 0.7")
PLAIN, OFF, NONE_ON, OPENED, CLOSED = _("plain"), _("off"), _("none"), _("open"), _("closed")
A_RECIPE = _("a recipe")
EDITOR_SAVED = _("The recipe is saved as {name}.")
PART_NAMES = {
    "model": _("model"),
    "prompting": _("prompt"),
    "decoding": _("decoding"),
    "retrieval": _("documents"),
    "agent": _("agent"),
}


def near_ties(count: int, share: str) -> str:
    """That so many tokens of an answer were nearly as probable as the first choice."""
    return ngettext(
        "{count} token is nearly as probable as the first choice ({share} of its probability): the probabilities are "
        "computed anew, which changes the order of nearly equal ones.",
        "{count} tokens are nearly as probable as the first choice (at least {share} of its probability): the "
        "probabilities are computed anew, which changes the order of nearly equal ones.",
        count,
    ).format(count=f"{count:,}", share=share)
