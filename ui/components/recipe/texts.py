"""The words of the form that edits a recipe."""

from __future__ import annotations

# the parts of a recipe
NO_ADAPTERS = "No adapter for this model yet. Train one to use it here."
CONTINUE_WITHOUT = "Continue without it"
TRAIN_ADAPTER = "Train an adapter…"
NEXT_TOKEN = "Next token"
NO_MODEL, NO_DOCUMENTS = "No model", "No documents"
COLLECTION_EMPTY = "There are no documents in “{name}” yet. Add some under Documents."
COLLECTION_UNREAD = "Not everything in “{name}” is read yet: answers are based on a part."
DEFAULT_MODEL = "{name} (default)"
SHOW = "Show"
FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA, FORMAT_REGEX = "Free text", "Any JSON", "JSON schema", "Regular expression"
FORMAT_CHOICE, FORMAT_GBNF = "One of several choices", "Grammar (GBNF)"
IN_JSON, IN_SCHEMA, IN_REGEX, IN_CHOICE = "any JSON", "JSON by schema", "by expression", "one of several choices"
IN_GBNF = "by grammar"
FORMAT_QUOTE, IN_QUOTE = "Quotes from a text", "quotes from a text"
GROUP_REPETITION, GROUP_ANSWERS = "Repetition", "Answers"
FORM_OF_ANSWER = "Answer format"
GROUP_SPEED = "Speed"
CUSTOM_HELP = "These are your own settings."
PENALTIES = "Penalties"
EXCLUDE_TOP = "Exclude top choices"
PRESETS = "Presets"
STRATEGY = "Strategy"
EDIT_BUTTON, EDIT_FORM = "Edit…", "Edit the answer format"
MORE = "More"
CUSTOM = "Custom"
CHOOSE = "Choose…"
ORDER_HELP = "{help} Drag a step, or use the arrows."
UNUSABLE = "Cannot be used: {problem}"
NOTHING_WRITTEN = "Empty."
AND_MORE = "{names} and {value} more"
COUNT_LINES, COUNT_BEAMS = "{count} lines", "{num_beams} beams"
ONE_BEAM = "1 beam"
TEMPERATURE = "temperature {temperature:g}"
COUNT_ANSWERS = "{n} answers"
SAMPLING_AT_0 = "At temperature 0 nothing is drawn: the most probable token is always taken."
XTC = "exclude top choices"
DYNAMIC_TEMPERATURE = "dynamic temperature"
TOKEN_BIAS = "token bias"
DISTRIBUTION = "Distribution of the last token"
ALWAYS = "Always “{visible}”, without sampling."
TOKENS_ARE = "{left} tokens are"
MORE_TOKENS_ARE = "more than {left} tokens are"
SAMPLED_FROM, SAMPLED_WITH = "{upper}{value} sampled from; “{visible}” with {share}.", "sampled with {probability}"
LEFT_OUT = "filtered out"
TOKEN_SHARE = "“{visible}”: model {own}, {drawn}"
LAST_TOKEN = "Last token of the answer"
SHOW_DISTRIBUTION = "Show the distribution of the last token"
LAST_TOKEN_IS = "Last token: “{visible}”"
NOT_SHOWN = "Not shown: {names}, which depend on the whole answer."
ATTACHED_FILES = "Attached files"
WITH_ATTACHED = "{documents}, attached files"
MOVE_UP = "Move {title} up"
IS_FIRST = "{title} is the first step"
MOVE_DOWN = "Move {title} down"
IS_LAST = "{title} is the last step"
STEP_APPLIED = "Apply this sampling step"
OVER_90, OVER_50, OVER_20, OVER_5 = "over 90%", "over 50%", "over 20%", "over 5%"
UNDER_001 = "under 0.01%"
NO_TOKENS = "This answer has no tokens."
SURPRISE = "{count:,} tokens · mean probability {probability} · perplexity {exp:,.2f}"
FIRST_CHOICES = " · {value:.0%} were the first choice"
NEAR_TIE = (
    "1 token is nearly as probable as the first choice ({share} of its probability): the probabilities are computed "
    "anew, which changes the order of nearly equal ones."
)
NEAR_TIES = (
    "{count:,} tokens are nearly as probable as the first choice (at least {share} of its probability): the "
    "probabilities are computed anew, which changes the order of nearly equal ones."
)
LEGEND = "A stronger tint marks a less probable token, a dotted line one that was not the most probable."
LEGEND_HELP = (
    "This is the model's probability of each token, at temperature 1 and without penalties. Tokens with a dotted "
    "line were not the most probable. The probabilities are computed anew, many tokens at once, so that nearly "
    "equal ones may change places."
)
NOT_FIRST_CHOICE = "not the most probable"
MODEL = "Model"
MODEL_HELP = "The model generates the answers. Larger models know more and are slower."
PROMPT = "Prompt"
PROMPT_HELP = "Instructions and a prompting technique shape every answer. They cost the least."
PROMPT_PARTS = "Context, input, output, examples"
DECODING = "Decoding"
DECODING_HELP = "Each token is chosen from the model's probabilities, precisely or with more variation."
DOCUMENTS = "Documents"
DOCUMENTS_HELP = "Answers are based on passages from these documents, and cite them."
ADAPTERS = "Adapters"
ADAPTERS_HELP = "Adapters are fine-tuned changes of the model, each with an adjustable strength."
GET_MODEL_BUTTON = "Add a model…"
ADD_DOCUMENTS = "Add documents…"
NONE_CHOSEN = "none selected"
RECIPE = "Recipe"
RESET_RECIPE = "Reset the recipe to the usual settings; model and documents stay"
RECIPE_MENU = "Save or open a recipe"
SOME_FILES, SOME_FILES_TITLE = "Search only some files…", "Files to search"
ONLY_FILES, STATE_FILES = "Only: {names}", "{documents}, {files}"
FURTHER_DOCUMENTS = "Search further documents…"
ALSO = "Also: {names}"
HIDE_RECIPE = "Hide the recipe (Ctrl+R)"
STATE_UNUSABLE = "{state} (cannot be used)"
CANNOT_BE_USED = " (cannot be used)"
LIBRARY_BUTTON, SAVE_TO_LIBRARY = "Library…", "Save to library…"
SOURCE_USED, SOURCE_CHANGED = "{name}, version {number}", "{name}, version {number}, changed since"

# the agent
AGENT = "Agent"
AGENT_HELP = (
    "The model chooses tools, sees their results and goes on until it answers. A tool that changes something waits for "
    "your permission."
)
AGENT_SWITCH = "Use tools"
MANAGE_TOOLS = "Tools, servers and memory…"
CHOOSE_FOLDER, CHANGE_FOLDER, CHOOSE_FOLDER_TITLE = "Choose a folder…", "Choose another folder…", "Workspace folder"
NO_FOLDER, NO_FOLDER_BUTTON = "No folder chosen", "Use no folder"
MEMORY_USES = {"off": "Off", "read": "Read", "read-write": "Read and add"}
BUDGETS = "Budgets"
TOOL_UNKNOWN = "it does not exist here any more."
ASK_EACH_CALL = "Ask me before each call"
ASK_EACH_CALL_HELP = (
    "Off: it runs without asking, unless the agent has read text that is not yours, such as a document or a file."
)
ALLOWED_HERE, ASK_AGAIN = "Allowed in this chat.", "Ask again"
ASK_AGAIN_NAME = "Ask again before each call of {tool}"

# below the form
WITH_MENU = "Compare with…"
CHIP_HELP = "Have each question answered twice, and choose the better answer without seeing the names"
SAVE_RECIPE = "Save as recipe"

# models that another machine computes
NOT_WITH_MODEL = "not with this model"

# some files of the documents
LISTING_FILES = "Attached files…"
SOME_FILES_HELP = "Answers are based on the ticked files alone, and on files attached to the chat."
FILTER_FILES, TICK_ALL, TICK_NONE, USE_FILES = "Filter by name or folder", "Tick all", "Tick none", "Use these files"
FILES_TICKED, ALL_FILES = "{ticked:,} of {count:,} files", "All files are searched"

NOTHING_CHOSEN, NOT_THERE = "None", "{name} (not there)"

# the editor of a recipe
EDITOR_TITLE, EDITOR_GO, EDITOR_NAME = "Recipe", "Use", "Name of the recipe"
EDITOR_HELP = "All settings of a recipe, as beside a chat. A field with several values makes a recipe for each of them."
EDIT_RECIPE = "Edit…"
SEVERAL_VALUES = "Try several values of a field"
SEVERAL_HELP = "For example, a temperature of 0 and of 0.7 makes two recipes."
SWEPT = "Makes {count}."
SWEPT_FIELD, SWEPT_VALUES, REMOVE_VALUES = "Field", "Values, with a comma between them", "Remove these values"
VALUES_EXAMPLE = "such as 0, 0.7"
EDITOR_SAVED = "The recipe is saved as {name}."
PART_NAMES = {
    "model": "model",
    "prompting": "prompt",
    "decoding": "decoding",
    "retrieval": "documents",
    "agent": "agent",
}
