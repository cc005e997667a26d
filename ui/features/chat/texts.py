"""The words of the chat page."""

from __future__ import annotations

from workbench.base.catalogue import _
from workbench.records import trust

FITTED = _(trust.FITTED)

# alternatives
NO_ALTERNATIVES = _("No alternatives are known here.")
TOKEN_HELP = _("Token {place:,}. Select another one to continue from there in a new version of the answer.")
ALTERNATIVES = _("Alternatives")

# answer columns
STOP_STRING = _("stop string")
CUT_OFF = _("length limit")
LOOPED_SHORT = _("repeats itself")
ENDED_ITSELF, COMPLETE_FORM, STOPPED_SHORT = _("ended"), _("complete"), _("stopped")
ANSWERS_BESIDE = _("Answers side by side")
CANDIDATE = _("Candidate {value}")
GENERATING = _("Generating…")
KEEP = _("Select")
KEEP_ANSWER = _("Select answer {value}")
KEPT = _("Selected")
TOKENS = _("Tokens")
TOKENS_OF = _("Tokens of answer {value}")
KEPT_STATE = _(", selected")
CANDIDATE_NAME = _("Candidate {value}, {value2}{state}")
SCORE = _("score {score:.2f}")

# edited note
EDITED = _("Edited by you")
SHOW_ORIGINAL = _("Show the original")
RESTORE_ORIGINAL = _("Restore the original")
ORIGINAL = _("Original answer of the model:")
HIDE_ORIGINAL = _("Hide the original")

# answer inspection
STEPS = _("Steps")
BEAMS = _("Beams")
CLOSE_VIEW = _("Close this view")
LOADING_STEPS = _("Loading the steps…")
STEPS_UNKNOWN = _("The steps of this beam search were not stored.")
TRY_AGAIN = _("Try again")
COMPUTING_TOKENS = _("Computing token probabilities…")

# answer parts
WAITING = _("Waiting…")
THINKING = _("Reasoning")
NEAREST_PASSAGES = _("Nearest passages:")
SHOW_NEAREST = _("Show the nearest passages")
READ_WHOLE = _("Read whole documents")
READ_WHOLE_HELP = _("Ask this question again, and read the likely documents from beginning to end.")
WHOLE_TASKS = _("More with {name}")
ASK_COLLECTION = _("Ask “{name}”")
ASK_ALL_OTHERS = _("Ask all other collections")
WITHOUT_DOCUMENTS = _("Answer without documents")
WITHOUT_DOCUMENTS_HELP = _("Ask the model alone, once. Nothing of its answer is taken from your documents.")

# answer view
CORRECTED_ANSWER = _("Corrected answer")
SAVE = _("Save")
EDITOR_HELP = _("The conversation continues from your text, and data sets can use it. The original is kept.")
SOURCE = _("Source {source}")
STOPPED = _("Stopped. The text so far is kept.")
INTERRUPTED = _("The program ended before this answer was finished.")
FAILED = _("The answer failed.")
FAULT = _("Internal error: {value}")

# beam view
BEAM_PRUNED, BEAM_COMPLETE, BEAM_ANSWER = _(" · pruned"), _(" · complete"), _(" · the answer")
BEAM_GREEDY = _(" · the greedy path")
BEAM_END = _("end")
BEAM_HELP = _("Step {length:,}, beam {value} · score {score:.2f}, {value2:.2f} per token{state}\n{text}")
BEAM_TREE = _("Beam tree: use the arrow keys to move")
GREEDY_SCORE = _("{score:.2f} greedy")

# the documents that are asked
ASKED = _("Asking {names}")
UNASKED = _("Not asking {names}")
FILES_CHIP_HELP = _("Show the files that are asked, or choose some of them")
FILES_OF_ALL = _("{chosen} of {files}")
CHOOSE_FILES_MENU, OPEN_DOCUMENTS_MENU = _("Ask only some of them…"), _("Show in Documents")
FURTHER_FILES = _("and {rest:,} more")

# composer
ASK = _("Ask a question")
QUESTION, COMPOSER = _("Question"), _("Question and what it is asked of")
COMPOSER_HELP = _(
    "Enter sends, Shift+Enter starts a new line, Esc stops an answer. # chooses a document, / a stored prompt, and @ a "
    "saved recipe."
)
ATTACH = _("Attach files to this chat")
SEND = _("Send")
QUEUE = _("Queue")
QUEUE_BUTTON_HELP = _("Ask this when the answer that is being made has ended (Enter)")
QUEUED = _("This question is asked when the answer has ended.")
QUEUED_SEVERAL = _("These questions are asked one after the other when the answer has ended.")
QUEUED_MORE = _("and {count} more")
QUEUED_SPOKEN = _("Queued question: {question}")
QUEUE_HELP = _(
    "Queued questions are kept in this window only. When it is closed, they come back as text in the field, unsent."
)
EDIT_QUEUED, TAKE_QUEUED, DROP_QUEUED = _("Edit the queued question"), _("Save"), _("Remove it from the queue")
SEND_QUEUED = _("Send the next one now")
HELD_STOPPED = _("You stopped the answer, so the queue waits until you send it.")
HELD_FAILED = _("The answer did not end as it should, so the queue waits until you send it.")
HELD_DECISION = _("The answer waits for your decision, and so does the queue.")
HELD_EDITING = _("A queued question is being edited, so the queue waits until you send it.")
HELD_AWAY = _("The answer ended while another chat was open, so the queue waits until you send it.")
HELD_BLOCKED = _("The question cannot be sent now: {reason}")
HELD_FILES = _("Files are still being read, so the queue waits until you send it.")
STOP = _("Stop")
STOP_HELP = _("Stop the answer (Esc). The text so far is kept.")
ADAPTERS_CHIP = _("Adapters: {words}")
WRITE_FIRST = _("Write a question first.")
SEND_HELP = _("Send (Enter)")

# controller
TRIED_WITHOUT_DOCUMENTS = _(
    "The documents are off while you try the adapter: what it has learnt need not be in them. The recipe turns them on."
)
ADAPTER_MISSING = _("The adapter {name} no longer exists.")
BASED_ON_DOCUMENTS = _("Answers are based on the documents in “{documents}” and cite their sources.")
BASED_ON_BOTH = _("Answers are based on the documents in “{documents}” and the attached files, and cite their sources.")
BASED_ON_FILES = _("Answers are based on the attached files and cite their sources.")
AGENT_WITHOUT_SEARCH = _(
    "The agent does not read “{documents}”: give it the tool “Search documents” in the recipe, or switch the agent off."
)
SMALL_ALONE = _("{name} is small: without documents it often invents facts. {advice}")
SHORT_WAYS = _("In the question, # chooses a document, / a stored prompt and @ a saved recipe.")
CHOOSE_DOCUMENTS = _("Attach a file, or select documents in the recipe to get answers based on them, with sources.")
NO_MODEL_YET = _("There is no model yet.")
GET_MODEL = _("Add one under Models")
CHOOSE_MODEL = _("Select a model for this chat first.")
SELECT_MODEL = _("Select a model")
MODEL_REMOVED = _("The model {name} was removed. Select another one for this chat.")
REMOVED = _("{name} (removed)")
MAKE_DEFAULT = _("Make {name} the default")
RECIPE_WAS_RESET = _("The recipe has its usual settings again; model and documents stay.")
UNDO = _("Undo")

# conversation
CONVERSATION = _("Conversation")
TO_END = _("Jump to the end")

# decoding
DISTRIBUTION_EMPTY = _(
    "After the first answer, this shows the probabilities of its last token and how these settings change them."
)
DISTRIBUTION_UNKNOWN = _("The tokens of this answer were not stored. A new answer will have them.")
COMPUTING = _("Computing the probabilities…")
DISTRIBUTION_LATER = _("This is shown when the answer is complete.")
MODEL_NOT_LOADED = _("{value} is not loaded. It is loaded to compute this.")


# format pane
TEXT_HELP = _("The answer is free text without a constraint.")
JSON_HELP = _("The answer is valid JSON of any shape. It needs no description.")
SCHEMA_HELP = _(
    "Every answer is JSON that validates against this JSON schema. Objects have the fields that the schema names. "
    "Others need additionalProperties."
)
REGEX_HELP = _("The whole answer matches this regular expression.")
QUOTE_HELP = _("The answer is one or more spans of this text, word for word. No span crosses an empty line.")
CHOICE_HELP = _("The answer is one of these texts. Each line is one.")
GBNF_HELP = _("The answer follows this GBNF grammar, whose first rule is called root.")
EMPTY_FORM = _("There is no description yet. Start from one of the examples above, or write your own.")
EXAMPLE_OBJECT, EXAMPLE_LIST, EXAMPLE_CHOICE, EXAMPLE_DATE = (
    _("Object with fields"),
    _("List of items"),
    _("Choice"),
    _("Date"),
)
EXAMPLE_NUMBER, EXAMPLE_WORDS, EXAMPLE_YES_NO, EXAMPLE_JUDGEMENT = (
    _("Number"),
    _("List of words"),
    _("Yes or no"),
    _("Sentiment"),
)
BACK_TO_RECIPE = _("Back to the recipe")
DESCRIPTION = _("Description of the answer format")
TEMPLATE_HELP = _("Use this example; Ctrl+Z restores the previous text")
NOT_CHECKED = _("Checking failed: {error}")
LINE = _("Line {line}: ")
VALID = _("Valid.")
NO_ANSWER_TO_CHECK = _("No answer yet to check against it.")
ANSWER_VIOLATES, ANSWER_OBEYS = _("The last answer does not match: {text_problem}"), _("The last answer matches.")

# header
CONTEXT_UNKNOWN = _("Context –")
CHAT_MENU = _("Pin, rename, export or delete this chat")
TOGGLE_HISTORY, TOGGLE_RECIPE = _("Show or hide the chats (Ctrl+H)"), _("Show or hide the recipe (Ctrl+R)")
CONTEXT_LATER = _("Context use is known after the first answer.")
CONTEXT = _("Context {value:.0%}")
CONTEXT_HELP = _("{used:,} of {context_tokens:,} context tokens are used.")

# history
TODAY = _("Today")
YESTERDAY = _("Yesterday")
LAST_WEEK = _("Last week")
OLDER = _("Older")
MAP_OF_ANSWER = _("See on the map what each technique did for this answer")
ROAD_TAKEN = _("Route: {road}. Ask again by:")
ASK_BY_ROAD = _("Ask this question again by this route.")
ASK_BY_ROAD_NAMED = _("Ask again by the route {road}")
NEW_CHAT = _("New chat")
CHAT_HELP = _("{title}\nLast used {when:%d %B %Y, %H:%M}\n{note}")
CHAT_WAITS = _("The agent waits for your decision.")
SEARCH_CHATS = _("Search chats")
NEW_CHAT_HELP = _("New chat (Ctrl+N)")
CHATS = _("Chats")
NO_CHAT_FOUND, NO_CHATS = _("No matching chats."), _("Your chats appear here.")
PINNED, FOLDERS = _("Pinned"), _("Projects")
NEW_FOLDER, NEW_FOLDER_NAME = _("New project"), _("New project")
CLOSED_FOLDER = "{name} ({chats})"
FOLDER_HELP = _("{name}: {chats}. Click to show or hide them; drag chats onto it.")
FOLDER_SPOKEN = _("Project {name}, {chats}")
MOVE_MENU, NEW_FOLDER_MENU, NO_FOLDER_MENU = _("Move to project"), _("New project"), _("Take out of the project")
REMOVE_FOLDER_MENU = _("Remove the project; its chats stay")
PIN_MENU, UNPIN_MENU = _("Pin to the top"), _("Unpin")
RENAME_MENU = _("Rename\tF2")
EXPORT_MENU, PRINT_MENU = _("Export…"), _("Print…")
EXPORT_FOLDER_MENU = _("Export the chats of this project…")
DELETE_MENU = _("Delete\tDel")

# attachments
NOT_ATTACHED = _("{name} is not attached. {reason}")
LOCKED_FILE = _("{name} needs its password")
SENT_WHEN_READ = _("Your question is sent when the files are read.")
SEND_NOW = _("Send now")
FILE_WAITS = _("{name} · reading…")
FILE_READ = _("{name} · {share:.0%} read")
DETACH = _("Detach {name}")
MORE_FILES = _("and {rest:,} more")
DROP_HERE = _("Attach to this chat")

# layout
GREETING = _("What would you like to know?")

# live answer
STARTING = _("Starting…")
GOING_ON = _("Going on with your decision…")
REASONING = _("Reasoning…")
SEARCHING_BEAMS = _("Beam search, step {steps:,}…")
LOADING = _("Loading {value}…{share}")
SEARCHING = _("Searching {value}…")
REWRITING = _("Rewriting the question as a search query…")
STAGE = "{stage}, {detail}…"
READING = _("Reading {value}…{share}")
TIME_LEFT = _(" {seconds} left")
READING_TOKENS = _("Reading {detail}, {done:,.0f} of {total:,.0f} tokens…")
THE_MODEL, THE_DOCUMENTS, THE_PASSAGES = _("the model"), _("the documents"), _("the passages")
THE_QUESTION = _("the question")
NUMBER_OF = _("{what} {number} of {count}")
SOME_MODEL = _("The model")
CACHED_OF = _("{cached:,} of {all:,}")

# message controls
PREVIOUS = _("Previous {what}")
NEXT = _("Next {what}")
CANCEL = _("Cancel")
COPY = _("Copy")
COPY_ANSWER = _("Copy answer")
AGAIN = _("Again")
ANSWER_AGAIN = _("Generate another answer")
VARY = _("Try again with variation")
VARY_HELP = _("Again would give the same text. This draws another answer, more freely than the recipe says.")
CONTINUE = _("Continue")
CONTINUE_HELP = _("Generate the rest of this answer, as a new version of it")
LEAVE_LOOP_HELP = _(
    "Generate the rest of this answer, as a new version of it. The penalty DRY keeps it from repeating itself again."
)
ANSWERS_HELP = _("Show all generated answers, or only the selected one")
TOKENS_HELP = _("Probability of each token, and its alternatives")
BEAMS_HELP = _("The beam search tree of this answer")
STEPS_HELP = _("Steps of this answer: searches, checks and generations, with time and tokens")
ANSWERS_BUTTON = _("{count} answers")
ALL_ANSWERS = _("All answers")
STEPS_BUTTON = _("Steps ({count})")
SOURCES_BUTTON = _("Sources ({count})")
SOURCES_HELP = _("The passages of your documents that the model was shown for this answer")
MORE, MORE_HELP = _("More"), _("More about this answer")
MAP = _("Map")
NOT_WRITTEN_YET = _("The answer is not written yet.")
COMPLETE = _("Only an answer that was stopped, or that repeats itself, can be continued.")
NOTHING_TO_VARY = _("Another answer of this recipe differs anyway: use Again.")
ONE_ANSWER = _("The recipe asks for one answer. Its setting Answers asks for several.")
NO_STEPS = _("This answer was made in one step.")
NO_TOKENS = _("The tokens of this answer were not stored.")
TOKENS_BESIDE = _("Each of the answers side by side has its own button Tokens.")
NO_BEAMS = _("This answer was not made by a beam search.")
NO_MAP = _("The recipe of this answer is not known.")
COPIED = _("Copied")


# page
EXPORT_ACTION, PRINT_ACTION, EXPORT_ALL_ACTION = _("Export this chat"), _("Print this chat"), _("Export all chats")
ALL_CHATS = _("All chats")
HISTORY_MENU = _("Import chats, export all, or open the trash")
IMPORT_FILE_MENU, IMPORT_FOLDER_MENU = _("Import chats from a file…"), _("Import chats from a folder…")
EXPORT_ALL_MENU, TRASH_MENU = _("Export all chats…"), _("Trash…")
COPIED_SOURCES = _("Sources:")
RENAME_ACTION = _("Rename this chat")
NOT_ASKED = _("The question could not be sent. {reason}")
EXPORT_CHAT = _("Export chat")
NOT_WRITTEN = _("{path} could not be written: {strerror}.")
EXPORTED = _("The chat was exported to {path}.")
LINK_REFUSED = _("This link cannot be opened: {address}")
OPEN_IN_BROWSER = _("Open in browser")
LINK_LEADS_OUT = _("The link opens outside this program: {address}")


# question view
QUESTION_TEXT, ANSWER_TEXT = _("Text of the question"), _("Text of the answer")
EDIT_QUESTION_HELP, EDIT_QUESTION = _("Edit this question and ask again"), _("Edit the question")
ASK_AGAIN = _("Ask again")
EDIT_QUESTION_NOTE = _("The previous version is kept; switch between versions with the arrows.")
YOU_ASKED = _("You asked: {value}")
MORE_CHARACTERS = _("{value}…\n\n({rest:,} more characters)")

# recipe panel
SAVE_RECIPE_MENU, OPEN_RECIPE_MENU = _("Save as recipe…"), _("Open a recipe…")
TAKE_RECIPE_MENU = _("Use the recipe of the last answer")
RECIPE_TAKEN = _("The next question is answered with the recipe of the last answer.")
SAVE_RECIPE, OPEN_RECIPE = _("Save the recipe"), _("Open a recipe")
RECIPE_FILE, FILTER_RECIPES = "recipe.toml", _("Recipes (*.toml)")
RECIPE_SAVED = _("The recipe was saved to {path}.")

# token text
TOKEN_TEXT = _("Tokens of the answer: left and right move, up and down select another token")
WHAT_COMES_NEXT = _("next token")

# usage line
TOKENS_PER_S = _("{speed} tokens/s")
LEFT_AT_MOST = _("at most {left:,} more tokens, {seconds}")
FIRST_AFTER = _("first token after {first_token_s:.1f} s")
FIRST = _("first token {first_token_s:.1f} s")
PROMPT_REUSED = _("{reused} prompt tokens reused")
REUSED = _("{reused} reused")
DRAFTED = _("{accepted_tokens:,} of {drafted_tokens:,} draft tokens")
ACCEPTED = _("{right} accepted")
USAGE_HELP = _(
    "{tokens_per_s:.1f} tokens per second; first token after {first_token_s:.2f} s. {prompt_tokens:,} prompt "
    "tokens, {cached_tokens:,} of them reused from the cache; {new_tokens:,} generated."
)
DRAFT_HELP = _(" {accepted_tokens:,} of {drafted_tokens:,} draft tokens were accepted.")

# the library of prompts
SAVE_PROMPT_MENU, SAVE_PRESET_MENU = _("Prompt: instructions, parts, examples…"), _("Reasoning: technique and options…")
MADE_WITH = _("prompt {name}, version {number}")
LIBRARY, LIBRARY_HELP = (
    _("Prompt library"),
    _("The library keeps prompts and reasoning presets. A saved version stays as it is, and a change makes a new one."),
)
SEARCH_LIBRARY, NOTHING_FOUND = _("Search the library"), _("Nothing found.")
TAG, ALL_TAGS = _("Tag"), _("All tags")
KINDS = {"prompt": _("Prompt"), "reasoning": _("Reasoning preset")}
VERSIONS, VERSION, VIEW = _("Versions"), _("Version {number}"), _("Shown")
VIEW_TEXT, VIEW_CHANGES = _("Text"), _("Changes to the version before")
NO_CHANGES = _("No difference.")
BEGINNING_SHOWN = _("Only the first {characters:,} characters are shown.")
USE_PROMPT, CLOSE_LIBRARY = _("Use"), _("Close")
RESTORE, EXPORT_PROMPT, IMPORT_PROMPTS, DELETE_PROMPT = _("Restore"), _("Export…"), _("Import…"), _("Delete")
RENAME_PROMPT = _("Rename")
ASK_DELETE_PROMPT = _("Move {name} with {versions} to the trash? Answers keep the texts that made them.")
FILTER_PROMPTS = _("Prompts (*.json)")
PROMPT_EXPORTED, PROMPTS_IMPORTED = _("{name} was exported to {path}."), _("Added: {names}.")
NONE_IMPORTED = _("The file holds no prompts.")
LIBRARY_EMPTY = _("The library is empty")
LIBRARY_EMPTY_HELP = _(
    "Save to library, in the recipe, keeps the prompt of a chat under a name, to be used again in any chat. "
    "Each change is a version of its own."
)
SAVE_TITLES = {"prompt": _("Save the prompt"), "reasoning": _("Save the reasoning preset")}
SAVE_HELP = {
    "prompt": _("The entry holds the instructions, context, input, output, variables and examples."),
    "reasoning": _("The entry holds the technique with its options."),
}
SAVE_GO, PROMPT_NAME = _("Save"), _("Name")
MAKES_ENTRY, ADDS_VERSION = _("This makes a new entry of the library."), _("This adds version {number} to {name}.")
NOTE, NOTE_HELP = _("Note"), _("The note says what is new in this version.")
TAGS, TAGS_HELP = _("Tags"), _("Tags are separated by commas. Without one, the tags of the entry stay.")
VERSION_SAVED, VERSION_KNOWN = (
    _("{name}, version {number}, was saved."),
    _("{name}, version {number}, holds that already."),
)

# comparing documents
SOURCE_CHANGED = _("{source} (changed since it was read)")
SIDE_BY_SIDE = _("Show side by side")
SIDE_BY_SIDE_HELP = _("Both documents are shown beside each other, with what differs marked.")

# projects
NEW_IN_FOLDER_MENU = _("New chat in this project")
NEW_IN_FOLDER = _("New chat in {name}")
FOLDER_SETTINGS_MENU = _("Project settings…")
FOLDER_SETTINGS = _("Project settings")
FOLDER_SETTINGS_HELP = _("New chats in “{name}” begin with these settings. The chats that are there keep their own.")
FOLDER_GO = _("Save")
FOLDER_SAVED = _("New chats in {name} begin with these settings.")
FOLDER_RECIPE, FOLDER_DOCUMENTS, FOLDER_INSTRUCTIONS = _("Recipe"), _("Documents"), _("Instructions")
FOLDER_RECIPE_HELP = _("The recipe decides the model, prompt, decoding, documents, agent and adapters of a new chat.")
FOLDER_DOCUMENTS_HELP = _("The checked collections are asked. Without one, those of the recipe are.")
FOLDER_INSTRUCTIONS_HELP = _("The model reads these before every conversation, after the instructions of the recipe.")
USUAL_RECIPE, SAME_RECIPE, PRESENT_RECIPE = (
    _("The usual settings"),
    _("As it is: {name}"),
    _("The recipe that is on now: {name}"),
)
FOLDER_INSTRUCTIONS_EXAMPLE = _("For example: Answer in the tone of a letter to a tenant.")
NO_COLLECTIONS_YET = _("There are no collections yet. The Documents page makes one.")

# a chat that is not kept
KEEP_NOTHING = _("Do not keep this chat")
KEEP_NOTHING_HELP = _("Begin a chat of which nothing is written to the disk")
NOT_KEPT = _(
    "This chat is not kept. Nothing of it is written to the disk by this program, and it is gone when you open another "
    "chat or close the window. Images that you show in it are in temporary files until then; on Linux these are in "
    "memory."
)
NOT_KEPT_TITLE = _("Chat that is not kept")
END_NOW = _("End it now")
NOTHING_ATTACHED = _(
    "Files cannot be attached to a chat that is not kept, since reading them stores them. Add them to a collection on "
    "the Documents page, and ask that."
)

# completion in the composer
COMPLETES = {
    "#": _("Ask only this document"),
    "/": _("Put a stored prompt into the field"),
    "@": _("Ask this question with a saved recipe"),
}
COMPLETION_KEYS = _("Enter or Tab takes the marked line. Esc closes the list.")
COMPLETION_MORE = _("{rest:,} more match. Type more letters to see them.")
COMPLETION_SPOKEN = _("{name}, {detail}, {number} of {count}")
LISTING = _("Reading the list…")
NO_DOCUMENTS_TO_ASK = _("There are no further documents to ask. The Documents page adds some.")
NO_STORED_PROMPTS = _("The prompt library holds no text yet. The recipe's button Save to library adds one.")
NO_SAVED_RECIPES = _("There are no saved recipes yet. The recipe's menu saves one.")
ATTACHED_HERE = _("attached to this chat")
FOR_THIS_QUESTION = _("for this question")
REMOVE_IMAGE = _("The next question shows {name}. Press to remove it.")
COPIED_IMAGE = _("Copied image")
MOST_IMAGES = _("A question shows at most {most} images.")
NOT_SHOWN_IMAGE = _("{name} cannot be shown: {reason}")
CANNOT_SEE = _(
    "{name} cannot see images. Choose a vision model, or put the projector file (mmproj) that was published with this "
    "model beside it and import it again."
)
TEXT_READ_INSTEAD = _(
    "{name} cannot see images, so the text in them is read. To ask about what they show, choose a vision model, or put "
    "the projector file (mmproj) of this model beside it and import it again."
)
REMOVE_FILE = _("Only {name} is asked. Press to remove it.")
REMOVE_RECIPE = _("The recipe {name} is used for the next question. Press to remove it.")
ONLY_FILES = _("Asked of {files} alone")
ONLY_MANY_FILES = _("Asked of {files} and {rest:,} more files alone")
BY_RECIPE = _("with the recipe {name}")
