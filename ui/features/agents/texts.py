"""The words of the page of agents."""

from __future__ import annotations

# page
TOOLS, MEMORY, DEMONSTRATIONS, SAVED = "Tools", "Memory", "Demonstrations", "Saved agents"
SECTIONS = "Sections of this page"

# tools
TOOLS_HELP = (
    "What an agent can use. Which of these an agent has is chosen in the recipe of a chat. What changes files or "
    "memory, sends data or runs code waits for your yes."
)
BUILT_IN = "Built in"
UNTRUSTED = "untrusted results"
UNTRUSTED_HELP = "Its results may hold text of strangers. After them the agent asks for everything that acts."
NETWORK_ON = "The built-in tools do not use the network. MCP servers may, once you have agreed to their tools."
NETWORK_OFF = "Offline: no tool uses the network, whatever was allowed."
CHANGE_NETWORK = "Change in Settings"
READING_TOOLS = "Reading the tools…"

# memory
MEMORY_HELP = (
    "What agents are told in every chat whose recipe lets them read the memory. Facts that an agent has added are not "
    "taken for your words until you edit them."
)
NEW_FACT, REMEMBER = "Something to remember, in one sentence", "Remember"
SEARCH_FACTS = "Search by meaning"
NO_FACTS = "Nothing is remembered"
NO_FACTS_HELP = (
    "Write a sentence above, such as “I write to clients in formal German”. An agent that may add to the memory asks "
    "you before it does."
)
NOT_FOUND = "Nothing found."
FACT_FROM = "{source} · {date}"
FACT_CHANGED = "{source} · {date}, edited {changed}"
BY_YOU = "By you"
EDIT_FACT, FORGET_FACT = "Edit", "Forget"
EDIT_FACT_NAME, FORGET_FACT_NAME = "Edit: {text}", "Forget: {text}"
FACT_TEXT, SAVE_FACT = "Text of the fact", "Save"
EDIT_FACT_HELP = "It is yours from then on."
ASK_FORGET = "Forget this? It is deleted for good."
COUNT_FACTS, COUNT_FOUND = "{count} remembered", "{count} found"

# demonstrations
DEMONSTRATIONS_HELP = (
    "Solved examples with tools, saved from answers. The technique Program with tools shows the model those that are "
    "most similar to a question."
)
NO_DEMONSTRATIONS = "No demonstrations"
NO_DEMONSTRATIONS_HELP = (
    "Choose “Program with tools” in the recipe of a chat, correct the steps of an answer where they are wrong, and "
    "press “Save as demonstration” at its lines."
)
REMOVE_DEMONSTRATION, REMOVE_DEMONSTRATION_NAME = "Remove", "Remove: {question}"
ASK_REMOVE_DEMONSTRATION = "Remove this example? Its answer stays in its chat."
SAVED_ON = "saved {date}"

# saved agents
SAVED_HELP = "Recipes with an agent, in the folder of recipes. Save one from the recipe of a chat."
NO_SAVED = "No saved agents"
NO_SAVED_HELP = (
    "Switch “Use tools” on in the recipe of a chat, choose its tools, and save it with “Save as recipe…” in the menu "
    "of the recipe."
)
NEW_CHAT, USE = "New chat", "Use in a new chat"
UNREADABLE = "Cannot be read. {reason}"
DELETE, ASK_DELETE = "Delete", "Delete the file {name}?"
NOT_DELETED = "{name} could not be deleted: {strerror}."
TOOLS_OF = "Tools: {tools}"
FOLDER_OF = "Folder: {folder}"
DOCUMENTS_OF = "Documents: {documents}"
MEMORY_OF = {"off": "", "read": "Reads the memory", "read-write": "Reads and adds to the memory"}

# MCP servers
SERVERS = "MCP servers"
SERVERS_HELP = (
    "Programs of others that offer tools. A server that you add runs with your rights. Each tool can be used once you "
    "have agreed to its definition; when a server changes one, you are asked again."
)
NO_SERVERS = "No server was added."
ADD_SERVER, SAVE_SERVER, CANCEL = "Add a server…", "Add and connect", "Cancel"
CONNECTING = "Connecting…"
SERVER_NAME, SERVER_NAME_HELP = "Name", "Letters, digits, - and _. Its tools are called NAME.TOOL."
SERVER_PLACE = "Command or address"
SERVER_PLACE_HELP = "A command with its arguments that is run on this machine, or an address that begins with https://."
PLACE_EXAMPLE = "npx -y @modelcontextprotocol/server-filesystem /home/ada/notes"
SERVER_SECRETS = "Variables"
SERVER_SECRETS_HELP = (
    "Optional: environment variables of the command or headers of the requests, each on a line as NAME=VALUE."
)
SERVER_SECONDS, SERVER_SECONDS_HELP = "Time for a call", "A call of a tool that takes longer is stopped."
SECONDS = " s"
REMOVE_SERVER, REMOVE_SERVER_NAME = "Remove", "Remove the server {name}"
ASK_REMOVE_SERVER = "Remove {name}, and what you agreed to?"
AGREED, NEW_TOOL, CHANGED_TOOL = "agreed", "new", "changed since you agreed"
AGREE_HELP = "Agents may use this tool as it is described here"
AGREE_FIRST = "Agree to the tool first"
ONLY_READS = "It only reads"
ONLY_READS_HELP = "Your own judgement: its calls are then not asked for. What a server says of itself does not count."
TAKES = "Takes: {names}"
