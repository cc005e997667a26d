"""The words of the chat page."""

from __future__ import annotations

# alternatives
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
TRIED_WITHOUT_DOCUMENTS = (
    "The documents are off while you try the adapter: what it has learnt need not be in them. The recipe turns them on."
)
ADAPTER_MISSING = "The adapter {name} no longer exists."
BASED_ON_DOCUMENTS = "Answers are based on the documents in “{documents}” and cite their sources."
BASED_ON_BOTH = "Answers are based on the documents in “{documents}” and the attached files, and cite their sources."
BASED_ON_FILES = "Answers are based on the attached files and cite their sources."
SMALL_ALONE = "{name} is small: without documents it often invents facts. {advice}"
CHOOSE_DOCUMENTS = "Attach a file, or select documents in the recipe to get answers based on them, with sources."
NO_MODEL_YET = "There is no model yet."
GET_MODEL = "Add one under Models"
CHOOSE_MODEL = "Select a model for this chat first."
SELECT_MODEL = "Select a model"
MODEL_REMOVED = "The model {name} was removed. Select another one for this chat."
REMOVED = "{name} (removed)"
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
DISTRIBUTION_LATER = "This is shown when the answer is complete."
MODEL_NOT_LOADED = "{value} is not loaded. It is loaded to compute this."


# format pane
TEXT_HELP = "The answer is free text without a constraint."
JSON_HELP = "The answer is valid JSON of any shape. It needs no description."
SCHEMA_HELP = (
    "Every answer is JSON that validates against this JSON schema. Objects have the fields that the schema names. "
    "Others need additionalProperties."
)
REGEX_HELP = "The whole answer matches this regular expression."
QUOTE_HELP = "The answer is one or more spans of this text, word for word. No span crosses an empty line."
CHOICE_HELP = "The answer is one of these texts. Each line is one."
GBNF_HELP = "The answer follows this GBNF grammar, whose first rule is called root."
EMPTY_FORM = "There is no description yet. Start from one of the examples above, or write your own."
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
MAP_OF_ANSWER = "See on the map what each technique did for this answer"
ROAD_TAKEN = "Road: {road}. Ask again by:"
ASK_BY_ROAD = "Ask this question again by this road."
ASK_BY_ROAD_NAMED = "Ask again by the road {road}"
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
MORE_FILES = "and {rest:,} more"
DROP_HERE = "Attach to this chat"

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
VARY = "Try again with variation"
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


# question view
QUESTION_TEXT = "Text of the question"
EDIT_QUESTION_HELP, EDIT_QUESTION = "Edit this question and ask again", "Edit the question"
ASK_AGAIN = "Ask again"
EDIT_QUESTION_NOTE = "The previous version is kept; switch between versions with the arrows."
YOU_ASKED = "You asked: {value}"
MORE_CHARACTERS = "{value}…\n\n({rest:,} more characters)"

# recipe panel
SAVE_RECIPE_MENU, OPEN_RECIPE_MENU = "Save as recipe…", "Open a recipe…"
TAKE_RECIPE_MENU = "Use the recipe of the last answer"
RECIPE_TAKEN = "The next question is answered with the recipe of the last answer."
SAVE_RECIPE, OPEN_RECIPE = "Save the recipe", "Open a recipe"
RECIPE_FILE, FILTER_RECIPES = "recipe.toml", "Recipes (*.toml)"
RECIPE_SAVED = "The recipe was saved to {path}."
PLUS_DOCUMENTS = "{documents} +{count}"

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
SAVE_PROMPT_MENU, SAVE_PRESET_MENU = "Prompt: instructions, parts, examples…", "Reasoning: technique and options…"
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
    "prompt": "The entry holds the instructions, context, input, output, variables and examples.",
    "reasoning": "The entry holds the technique with its options.",
}
SAVE_GO, PROMPT_NAME = "Save", "Name"
MAKES_ENTRY, ADDS_VERSION = "This makes a new entry of the library.", "This adds version {number} to {name}."
NOTE, NOTE_HELP = "Note", "The note says what is new in this version."
TAGS, TAGS_HELP = "Tags", "Tags are separated by commas. Without one, the tags of the entry stay."
VERSION_SAVED, VERSION_KNOWN = "{name}, version {number}, was saved.", "{name}, version {number}, holds that already."
