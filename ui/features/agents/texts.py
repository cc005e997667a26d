"""The words of the tabs of Tools."""

from __future__ import annotations

from workbench.base.catalogue import _

# tools
TOOLS_HELP = _(
    "These are the tools that an agent can use. The recipe of a chat chooses among them. A tool that changes files or "
    "memory, sends data or runs code waits for your approval."
)
BUILT_IN = _("Built in")
UNTRUSTED = _("untrusted results")
UNTRUSTED_HELP = _("Its results may hold text of strangers. After them the agent asks for everything that acts.")
NETWORK_ON = _("The built-in tools do not use the network. MCP servers may, once you have agreed to their tools.")
NETWORK_OFF = _("Offline: no tool uses the network, whatever was allowed.")
CHANGE_NETWORK = _("Change in Settings")
READING_TOOLS = _("Reading the tools…")

# memory
MEMORY_HELP = _(
    "Agents are told these facts in every chat whose recipe lets them read the memory. A fact that an agent has added "
    "does not count as your words until you edit it."
)
NEW_FACT, REMEMBER = _("Something to remember, in one sentence"), _("Remember")
SEARCH_FACTS = _("Search by meaning")
NO_FACTS = _("Nothing is remembered")
NO_FACTS_HELP = _(
    "Write a sentence above, such as “I write to clients in formal German”. An agent that may add to the memory asks "
    "you before it does."
)
NOT_FOUND = _("Nothing found.")
FACT_FROM = "{source} · {date}"
FACT_CHANGED = _("{source} · {date}, edited {changed}")
BY_YOU = _("By you")
EDIT_FACT, FORGET_FACT = _("Edit"), _("Forget")
EDIT_FACT_NAME, FORGET_FACT_NAME = _("Edit: {text}"), _("Forget: {text}")
FACT_TEXT, SAVE_FACT = _("Text of the fact"), _("Save")
EDIT_FACT_HELP = _("An edited fact counts as your own words.")
ASK_FORGET = _("Forget this? It is deleted for good.")
COUNT_FACTS, COUNT_FOUND = _("{count} remembered"), _("{count} found")

# demonstrations
DEMONSTRATIONS_HELP = _(
    "Demonstrations are solved examples with tools, saved from answers. The technique Program with tools shows the "
    "model those that are most similar to a question."
)
NO_DEMONSTRATIONS = _("No demonstrations")
NO_DEMONSTRATIONS_HELP = _(
    "Choose “Program with tools” in the recipe of a chat, correct the steps of an answer where they are wrong, and "
    "press “Save as demonstration” at its lines."
)
REMOVE_DEMONSTRATION, REMOVE_DEMONSTRATION_NAME = _("Remove"), _("Remove: {question}")
ASK_REMOVE_DEMONSTRATION = _("Remove this example? Its answer stays in its chat.")
SAVED_ON = _("saved {date}")

# agents
SAVED_HELP = _(
    "An agent works on a task in steps: it thinks, uses its tools, and answers. Each is a recipe in the folder of "
    "recipes, and can be chosen there in a chat too."
)
NO_SAVED = _("No agent yet")
NO_SAVED_HELP = _("“New agent…” makes one: give it a name, and choose its tools.")
NEW_AGENT, RUN, EDIT_AGENT = _("New agent…"), _("Run"), _("Edit…")
RUN_NAME, EDIT_AGENT_NAME, DELETE_NAME = _("Run {name}"), _("Edit {name}"), _("Delete {name}")
TASK, START = _("Task of the agent"), _("Start")
TASK_HELP = _("The agent begins with this task in a new chat. Enter starts it, and Shift+Enter begins a new line.")
NEW_CHAT, USE = _("New chat"), _("Use in a new chat")

# the dialog of an agent
NEW_TITLE, EDIT_TITLE = _("New agent"), _("Agent {name}")
SAVE_AGENT = _("Save the agent")
AGENT_NAME, AGENT_NAME_HELP = _("Name"), _("The agent is listed by this name.")
AGENT_NAME_EXAMPLE = _("Clerk")
AGENT_MODEL, AGENT_MODEL_HELP = (
    _("Model"),
    _("An agent needs a model that calls tools as it should, which takes about 3 billion parameters."),
)
DEFAULT_MODEL, NAMED_DEFAULT_MODEL = _("The default model"), _("The default model: {name}")
SMALL_MODEL = _("{name} has {parameters} parameters, and will often call tools wrongly.")
AGENT_TASKS, AGENT_TASKS_HELP = _("Instructions"), _("The agent is told this before every task. It can be left empty.")
AGENT_DOCUMENTS, AGENT_DOCUMENTS_HELP = _("Documents"), _("The tool “Search documents” searches this collection.")
NO_DOCUMENTS = _("None")
NAME_MISSING, NAME_TAKEN = _("Give the agent a name."), _("There is a recipe {name} already. Choose another name.")
NOT_SAVED = _("The agent could not be saved: {strerror}.")
UNREADABLE = _("Cannot be read. {reason}")
DELETE, ASK_DELETE = _("Delete"), _("Move the recipe {name} to the trash?")
TOOLS_OF = _("Tools: {tools}")
FOLDER_OF = _("Folder: {folder}")
DOCUMENTS_OF = _("Documents: {documents}")
MEMORY_OF = {"off": "", "read": _("Reads the memory"), "read-write": _("Reads and adds to the memory")}

# MCP servers
SERVERS = _("MCP servers")
SERVERS_HELP = _(
    "MCP servers are programs of others that offer tools. A server that you add can do whatever you "
    "can on this machine. A tick before a tool says that agents may use it as it is described. When a server changes "
    "a tool, the tick goes: read the description again, and set the tick to agree again."
)
NO_SERVERS = _("No server was added.")
ADD_SERVER, SAVE_SERVER, CANCEL = _("Add a server…"), _("Add and connect"), _("Cancel")
CONNECTING_TO = _("Connecting to the servers, which say what tools they have…")
CONNECTING = _("Connecting…")
SERVER_NAME, SERVER_NAME_HELP = (
    _("Name"),
    _("The name has letters, digits, - and _. The names of the tools begin with it, as in files.read_file."),
)
SERVER_PLACE = _("Command or address")
SERVER_PLACE_HELP = _(
    "The server is a command with its arguments, run on this machine, or an address that begins with https://."
)
PLACE_EXAMPLE = _("npx -y @modelcontextprotocol/server-filesystem /home/ada/notes")
SERVER_SECRETS = _("Variables")
SERVER_SECRETS_HELP = _(
    "Each line is NAME=VALUE, such as a key that the server asks for: an environment variable of the command, or a "
    "header of the requests. Most servers need none."
)
SERVER_SECONDS, SERVER_SECONDS_HELP = _("Time for a call"), _("A call of a tool that takes longer is stopped.")
SECONDS = _(" s")
REMOVE_SERVER, REMOVE_SERVER_NAME = _("Remove"), _("Remove the server {name}")
ASK_REMOVE_SERVER = _("Remove {name}, and what you agreed to?")
AGREED, NEW_TOOL, CHANGED_TOOL = _("agreed"), _("new"), _("changed since you agreed")
AGREE_HELP = _("Agents may use this tool as it is described here")
AGREE_FIRST = _("Agree to the tool first")
ONLY_READS = _("It only reads, and runs without asking")
ONLY_READS_HELP = _("Tick this where you know that the tool only reads. Its calls then run without asking you.")
TAKES = _("The agent gives it: {names}")

# what was typed
AN_AGENT = _("an agent")
FILE_TOO_LARGE = _("The file has more than {bytes:,} bytes.")
COMMAND_UNREADABLE, COMMAND_HINT = _("The command cannot be read: {error}."), _("Close every quotation mark.")
