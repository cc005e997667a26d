"""The words of the chat page."""

from __future__ import annotations

# adapter form
NO_ADAPTERS = "No adapter for this model yet. Train one to use it here."
CONTINUE_WITHOUT = "Continue without it"
TRAIN_ADAPTER = "Train an adapter…"

# alternatives
NEXT_TOKEN = "Next token"
NO_ALTERNATIVES = "No alternatives are known here."
TOKEN_HELP = "Token {place:,}. Select another one to continue from there in a new version of the answer."
ALTERNATIVES = "Alternatives"

# answer columns
STOP_STRING = "stop string"
CUT_OFF = "length limit"
LOOPED_SHORT = "repeats itself"
ANSWERS_BESIDE = "Answers side by side"
CANDIDATE = "Candidate {value}"
GENERATING = "Generating…"
KEEP = "Select"
KEEP_ANSWER = "Select answer {value}"
KEPT = "Selected"
TOKENS = "Tokens"
TOKENS_OF = "Tokens of answer {value}"
KEPT_STATE = ", selected"
CANDIDATE_NAME = "Candidate {value}, {value2}{state}"
SCORE = "score {score:.2f}"
ONE_TOKEN = "1 token"
COUNT_TOKENS = "{tokens:,} tokens"

# edited note
EDITED = "Edited by you"
SHOW_ORIGINAL = "Show the original"
RESTORE_ORIGINAL = "Restore the original"
ORIGINAL = "Original answer of the model:"
HIDE_ORIGINAL = "Hide the original"

# answer inspection
STEPS = "Steps"
BEAMS = "Beams"
CLOSE_VIEW = "Close this view"
LOADING_STEPS = "Loading the steps…"
STEPS_UNKNOWN = "The steps of this beam search were not stored."
TRY_AGAIN = "Try again"
COMPUTING_TOKENS = "Computing token probabilities…"

# answer parts
WAITING = "Waiting…"
THINKING = "Reasoning"
NEAREST_PASSAGES = "Nearest passages:"
SHOW_NEAREST = "Show the nearest passages"
WITHOUT_DOCUMENTS = "Answer without documents"
WITHOUT_DOCUMENTS_HELP = "Ask the model alone, once. Nothing of its answer is taken from your documents."

# answer view
CORRECTED_ANSWER = "Corrected answer"
SAVE = "Save"
EDITOR_HELP = "The conversation continues from your text, and data sets can use it. The original is kept."
SOURCE = "Source {source}"
STOPPED = "Stopped. The text so far is kept."
INTERRUPTED = "The program ended before this answer was finished."
FAILED = "The answer failed."
FAULT = "Internal error: {value}"

# beam view
BEAM_PRUNED, BEAM_COMPLETE, BEAM_ANSWER = " · pruned", " · complete", " · the answer"
BEAM_GREEDY = " · the greedy path"
BEAM_HELP = "Step {length:,}, beam {value} · score {score:.2f}, {value2:.2f} per token{state}\n{text}"
BEAM_TREE = "Beam tree: use the arrow keys to move"
GREEDY_SCORE = "{score:.2f} greedy"

# composer
NO_MODEL, NO_DOCUMENTS = "No model", "No documents"
ASK = "Ask something…"
QUESTION = "Question"
COMPOSER_HELP = "Enter sends, Shift+Enter starts a new line, Esc stops an answer."
ATTACH = "Attach files to this chat"
SEND = "Send"
STOP = "Stop"
STOP_HELP = "Stop the answer (Esc). The text so far is kept."
ADAPTERS_CHIP = "Adapters: {words}"
WRITE_FIRST = "Write a question first."
SEND_HELP = "Send (Enter)"

# controller
ADAPTER_MISSING = "The adapter {name} no longer exists."
BASED_ON_DOCUMENTS = "Answers are based on the documents in “{documents}” and cite their sources."
BASED_ON_BOTH = "Answers are based on the documents in “{documents}” and the attached files, and cite their sources."
COLLECTION_EMPTY = "There are no documents in “{name}” yet. Add some under Documents."
COLLECTION_UNREAD = "Not everything in “{name}” is read yet: answers are based on a part."
BASED_ON_FILES = "Answers are based on the attached files and cite their sources."
SMALL_ALONE = "{name} is small: without documents it often invents facts. {advice}"
CHOOSE_DOCUMENTS = "Attach a file, or select documents in the recipe to get answers based on them, with sources."
NO_MODEL_YET = "There is no model yet."
GET_MODEL = "Add one under Models"
CHOOSE_MODEL = "Select a model for this chat first."
SELECT_MODEL = "Select a model"
MODEL_REMOVED = "The model {name} was removed. Select another one for this chat."
REMOVED = "{name} (removed)"
DEFAULT_MODEL = "{name} (default)"
MAKE_DEFAULT = "Make {name} the default"
RECIPE_WAS_RESET = "The recipe has its usual settings again; model and documents stay."
UNDO = "Undo"

# conversation
CONVERSATION = "Conversation"
TO_END = "Jump to the end"

# decoding
DISTRIBUTION_EMPTY = (
    "After the first answer, this shows the probabilities of its last token and how these settings change them."
)
DISTRIBUTION_UNKNOWN = "The tokens of this answer were not stored. A new answer will have them."
COMPUTING = "Computing the probabilities…"
DISTRIBUTION_LATER = "Shown when the answer is complete."
MODEL_NOT_LOADED = "{value} is not loaded. It is loaded to compute this."
SHOW = "Show"

# decoding form
FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA, FORMAT_REGEX = "Free text", "Any JSON", "JSON schema", "Regular expression"
FORMAT_CHOICE, FORMAT_GBNF = "One of several choices", "Grammar (GBNF)"
IN_JSON, IN_SCHEMA, IN_REGEX, IN_CHOICE = "any JSON", "JSON by schema", "by expression", "one of several choices"
IN_GBNF = "by grammar"
FORMAT_QUOTE, IN_QUOTE = "Quotes from a text", "quotes from a text"
GROUP_REPETITION, GROUP_ANSWERS = "Repetition", "Answers"
FORM_OF_ANSWER = "Answer format"
GROUP_SPEED = "Speed"
CUSTOM_HELP = "Your own settings."
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

# distribution chart
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

# format pane
TEXT_HELP = "Free text, without a constraint."
JSON_HELP = "Valid JSON of any shape. No description is needed."
SCHEMA_HELP = (
    "A JSON schema. Every answer is JSON that validates against it. Objects have the fields that the schema names; "
    "others need additionalProperties."
)
REGEX_HELP = "A regular expression that matches the whole answer."
QUOTE_HELP = "The text to quote from. The answer is one or more spans of it, word for word; none crosses an empty line."
CHOICE_HELP = "The possible answers, one per line."
GBNF_HELP = "A GBNF grammar whose first rule is called root."
EMPTY_FORM = "Empty: start from one of the examples above, or write your own."
EXAMPLE_OBJECT, EXAMPLE_LIST, EXAMPLE_CHOICE, EXAMPLE_DATE = "Object with fields", "List of items", "Choice", "Date"
EXAMPLE_NUMBER, EXAMPLE_WORDS, EXAMPLE_YES_NO, EXAMPLE_JUDGEMENT = "Number", "List of words", "Yes or no", "Sentiment"
BACK_TO_RECIPE = "Back to the recipe"
DESCRIPTION = "Description of the answer format"
TEMPLATE_HELP = "Use this example; Ctrl+Z restores the previous text"
NOT_CHECKED = "Checking failed: {error}"
LINE = "Line {line}: "
VALID = "Valid."
NO_ANSWER_TO_CHECK = "No answer yet to check against it."
ANSWER_VIOLATES, ANSWER_OBEYS = "The last answer does not match: {text_problem}", "The last answer matches."

# header
CONTEXT_UNKNOWN = "Context –"
CHAT_MENU = "Pin, rename, export or delete this chat"
TOGGLE_HISTORY, TOGGLE_RECIPE = "Show or hide the chats (Ctrl+H)", "Show or hide the recipe (Ctrl+R)"
CONTEXT_LATER = "Context use is known after the first answer."
CONTEXT = "Context {value:.0%}"
CONTEXT_HELP = "{used:,} of {context_tokens:,} context tokens are used."

# history
TODAY = "Today"
YESTERDAY = "Yesterday"
LAST_WEEK = "Last week"
OLDER = "Older"
NEW_CHAT = "New chat"
CHAT_HELP = "{title}\nLast used {when:%d %B %Y, %H:%M}\n{note}"
CHAT_WAITS = "The agent waits for your decision."
SEARCH_CHATS = "Search chats"
NEW_CHAT_HELP = "New chat (Ctrl+N)"
CHATS = "Chats"
NO_CHAT_FOUND, NO_CHATS = "No matching chats.", "Your chats appear here."
ASK_DELETE = "Delete “{title}” permanently?"
DELETE = "Delete"
PINNED, FOLDERS = "Pinned", "Folders"
NEW_FOLDER, NEW_FOLDER_NAME = "New folder for chats", "New folder"
CLOSED_FOLDER = "{name} ({chats})"
FOLDER_HELP = "{name}: {chats}. Click to show or hide them; drag chats onto it."
FOLDER_SPOKEN = "Folder {name}, {chats}"
MOVE_MENU, NEW_FOLDER_MENU, NO_FOLDER_MENU = "Move to folder", "New folder", "Take out of the folder"
REMOVE_FOLDER_MENU = "Remove the folder; its chats stay"
PIN_MENU, UNPIN_MENU = "Pin to the top", "Unpin"
RENAME_MENU = "Rename\tF2"
EXPORT_MENU = "Export as Markdown…"
DELETE_MENU = "Delete\tDel"

# attachments
NOT_ATTACHED = "{name} is not attached. {reason}"
LOCKED_FILE = "{name} needs its password"
SENT_WHEN_READ = "Your question is sent when the files are read."
SEND_NOW = "Send now"
FILE_WAITS = "{name} · reading…"
FILE_READ = "{name} · {share:.0%} read"
DETACH = "Detach {name}"
LISTING_FILES = "Attached files…"
MORE_FILES = "and {rest:,} more"
DROP_HERE = "Attach to this chat"
ATTACHED_FILES = "Attached files"
WITH_ATTACHED = "{documents}, attached files"

# layout
GREETING = "What would you like to know?"

# live answer
STARTING = "Starting…"
GOING_ON = "Going on with your decision…"
REASONING = "Reasoning…"
SEARCHING_BEAMS = "Beam search, step {steps:,}…"
LOADING = "Loading {value}…{share}"
SEARCHING = "Searching {value}…"
REWRITING = "Rewriting the question as a search query…"
STAGE = "{upper}{value}, {detail}…"
READING = "Reading {value}…{share}"
TIME_LEFT = " {seconds} left"
READING_PASSAGE, READING_PASSAGES = "Reading 1 passage…", "Reading {count} passages…"

# message controls
PREVIOUS = "Previous {what}"
NEXT = "Next {what}"
CANCEL = "Cancel"
COPY = "Copy"
COPY_ANSWER = "Copy answer"
AGAIN = "Regenerate"
ANSWER_AGAIN = "Generate another answer"
VARY = "Vary"
VARY_HELP = "Regenerate would give the same text. This draws another answer, more freely than the recipe says."
CONTINUE = "Continue"
CONTINUE_HELP = "Generate the rest of this answer, as a new version of it"
LEAVE_LOOP_HELP = (
    "Generate the rest of this answer, as a new version of it. The penalty DRY keeps it from repeating itself again."
)
ANSWERS_HELP = "Show all generated answers, or only the selected one"
TOKENS_HELP = "Probability of each token, and its alternatives"
BEAMS_HELP = "The beam search tree of this answer"
STEPS_HELP = "Steps of this answer: searches, checks and generations, with time and tokens"
ANSWERS_BUTTON = "{count} answers"
STEPS_BUTTON = "Steps ({count})"
PASSAGES_BUTTON = "Passages ({count})"
COPIED = "Copied"

# order list
MOVE_UP = "Move {title} up"
IS_FIRST = "{title} is the first step"
MOVE_DOWN = "Move {title} down"
IS_LAST = "{title} is the last step"
STEP_APPLIED = "Apply this sampling step"

# page
EXPORT_ACTION = "Export this chat as Markdown"
RENAME_ACTION = "Rename this chat"
NOT_ASKED = "The question could not be sent. {reason}"
EXPORT_CHAT = "Export chat"
FILTER_MARKDOWN = "Markdown (*.md)"
NOT_WRITTEN = "{path} could not be written: {strerror}."
EXPORTED = "The chat was exported to {path}."
LINK_REFUSED = "This link cannot be opened: {address}"
OPEN_IN_BROWSER = "Open in browser"
LINK_LEADS_OUT = "The link opens outside this program: {address}"

# probability
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
LEGEND = "Stronger tint: less probable; dotted line: not the most probable token"
LEGEND_HELP = (
    "The model's probability of each token, at temperature 1 and without penalties. Tokens with a dotted line were "
    "not the most probable. The probabilities are computed anew, many tokens at once, so that nearly equal ones may "
    "change places."
)
NOT_FIRST_CHOICE = "not the most probable"

# question view
QUESTION_TEXT = "Text of the question"
EDIT_QUESTION_HELP, EDIT_QUESTION = "Edit this question and ask again", "Edit the question"
ASK_AGAIN = "Ask again"
EDIT_QUESTION_NOTE = "The previous version is kept; switch between versions with the arrows."
YOU_ASKED = "You asked: {value}"
MORE_CHARACTERS = "{value}…\n\n({rest:,} more characters)"

# recipe panel
MODEL = "Model"
MODEL_HELP = "The model that generates the answers. Larger models know more and are slower."
PROMPT = "Prompt"
PROMPT_HELP = "Instructions for every conversation, and the prompting technique. The cheapest way to shape answers."
PROMPT_PARTS = "Context, input, output, examples"
DECODING = "Decoding"
DECODING_HELP = "How each token is chosen from the model's probabilities: precise or varied."
DOCUMENTS = "Documents"
DOCUMENTS_HELP = "Answers are based on passages from these documents, and cite them."
ADAPTERS = "Adapters"
ADAPTERS_HELP = "Fine-tuned changes of the model, with an adjustable strength."
GET_MODEL_BUTTON = "Add a model…"
ADD_DOCUMENTS = "Add documents…"
NONE_CHOSEN = "none selected"
RECIPE = "Recipe"
RESET_RECIPE = "Reset the recipe to the usual settings; model and documents stay"
RECIPE_MENU = "Save or open a recipe"
SAVE_RECIPE_MENU, OPEN_RECIPE_MENU = "Save as recipe…", "Open a recipe…"
TAKE_RECIPE_MENU = "Use the recipe of the last answer"
SAVE_RECIPE, OPEN_RECIPE = "Save the recipe", "Open a recipe"
RECIPE_FILE, FILTER_RECIPES = "recipe.toml", "Recipes (*.toml)"
RECIPE_SAVED = "The recipe was saved to {path}."
SOME_FILES, SOME_FILES_TITLE = "Search only some files…", "Files to search"
SOME_FILES_HELP = "Answers are based on the ticked files alone, and on files attached to the chat."
FILTER_FILES, TICK_ALL, TICK_NONE, USE_FILES = "Filter by name or folder", "Tick all", "Tick none", "Use these files"
FILES_TICKED, ALL_FILES = "{ticked:,} of {count:,} files", "All files are searched"
ONLY_FILES, STATE_FILES = "Only: {names}", "{documents}, {files}"
FURTHER_DOCUMENTS = "Search further documents…"
ALSO = "Also: {names}"
PLUS_DOCUMENTS = "{documents} +{count}"
HIDE_RECIPE = "Hide the recipe (Ctrl+R)"
STATE_UNUSABLE = "{state} (cannot be used)"
CANNOT_BE_USED = " (cannot be used)"

# token text
TOKEN_TEXT = "Tokens of the answer: left and right move, up and down select another token"
WHAT_COMES_NEXT = "next token"

# usage line
TOKENS_PER_S = "{tokens_per_s:.0f} tokens/s"
TOKEN_COUNT = "{new_tokens:,} tokens"
FIRST_AFTER = "first token after {first_token_s:.1f} s"
FIRST = "first token {first_token_s:.1f} s"
PROMPT_REUSED = "{reused} prompt tokens reused"
REUSED = "{reused} reused"
DRAFTED = "{accepted_tokens:,} of {drafted_tokens:,} draft tokens"
ACCEPTED = "{right} accepted"
USAGE_HELP = (
    "{tokens_per_s:.1f} tokens per second; first token after {first_token_s:.2f} s. {prompt_tokens:,} prompt "
    "tokens, {cached_tokens:,} of them reused from the cache; {new_tokens:,} generated."
)
DRAFT_HELP = " {accepted_tokens:,} of {drafted_tokens:,} draft tokens were accepted."

# the library of prompts
LIBRARY_BUTTON, SAVE_TO_LIBRARY = "Library…", "Save to library…"
SAVE_PROMPT_MENU, SAVE_PRESET_MENU = "Prompt: instructions, parts, examples…", "Reasoning: technique and options…"
SOURCE_USED, SOURCE_CHANGED = "{name}, version {number}", "{name}, version {number}, changed since"
MADE_WITH = "prompt {name}, version {number}"
LIBRARY, LIBRARY_HELP = "Prompt library", "Prompts and reasoning presets. Their versions never change."
SEARCH_LIBRARY, NOTHING_FOUND = "Search the library", "Nothing found."
TAG, ALL_TAGS = "Tag", "All tags"
KINDS = {"prompt": "Prompt", "reasoning": "Reasoning preset"}
VERSIONS, VERSION, VIEW = "Versions", "Version {number}", "Shown"
VIEW_TEXT, VIEW_CHANGES = "Text", "Changes to the version before"
NO_CHANGES = "No difference."
BEGINNING_SHOWN = "Only the first {characters:,} characters are shown."
USE_PROMPT, CLOSE_LIBRARY = "Use", "Close"
RESTORE, EXPORT_PROMPT, IMPORT_PROMPTS, DELETE_PROMPT = "Restore", "Export…", "Import…", "Delete"
RENAME_PROMPT = "Rename"
ASK_DELETE_PROMPT = "Delete {name} with {versions}? Answers keep the texts that made them."
FILTER_PROMPTS = "Prompts (*.json)"
PROMPT_EXPORTED, PROMPTS_IMPORTED = "{name} was exported to {path}.", "Added: {names}."
NONE_IMPORTED = "The file holds no prompts."
LIBRARY_EMPTY = "The library is empty"
LIBRARY_EMPTY_HELP = (
    "Save to library, in the recipe, keeps the prompt of a chat under a name, to be used again in any chat. "
    "Each change is a version of its own."
)
SAVE_TITLES = {"prompt": "Save the prompt", "reasoning": "Save the reasoning preset"}
SAVE_HELP = {
    "prompt": "Instructions, context, input, output, variables and examples.",
    "reasoning": "The technique with its options.",
}
SAVE_GO, PROMPT_NAME = "Save", "Name"
MAKES_ENTRY, ADDS_VERSION = "A new entry of the library.", "Adds version {number} to {name}."
NOTE, NOTE_HELP = "Note", "What is new in this version."
TAGS, TAGS_HELP = "Tags", "Separated by commas; empty keeps those there are."
VERSION_SAVED, VERSION_KNOWN = "{name}, version {number}, was saved.", "{name}, version {number}, holds that already."
