"""The words of the page of agents."""

from __future__ import annotations

# page
TOOLS, MEMORY, DEMONSTRATIONS, SAVED = "Tools", "Memory", "Demonstrations", "Saved agents"
SECTIONS = "Sections of this page"

# tools
TOOLS_HELP = (
    "These are the tools that an agent can use. The recipe of a chat chooses among them. A tool that changes files or "
    "memory, sends data or runs code waits for your approval."
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
    "Agents are told these facts in every chat whose recipe lets them read the memory. A fact that an agent has added "
    "does not count as your words until you edit it."
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
EDIT_FACT_HELP = "An edited fact counts as your own words."
ASK_FORGET = "Forget this? It is deleted for good."
COUNT_FACTS, COUNT_FOUND = "{count} remembered", "{count} found"

# demonstrations
DEMONSTRATIONS_HELP = (
    "Demonstrations are solved examples with tools, saved from answers. The technique Program with tools shows the "
    "model those that are most similar to a question."
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
SAVED_HELP = "Saved agents are recipes with an agent in the folder of recipes. Save one from the recipe of a chat."
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
    "MCP servers are programs of others that offer tools. A server that you add runs with your rights. Each tool "
    "can be used once you have agreed to its definition. When a server changes one, you are asked again."
)
NO_SERVERS = "No server was added."
ADD_SERVER, SAVE_SERVER, CANCEL = "Add a server…", "Add and connect", "Cancel"
CONNECTING = "Connecting…"
SERVER_NAME, SERVER_NAME_HELP = (
    "Name",
    "The name consists of letters, digits, - and _. The tools of the server are called NAME.TOOL.",
)
SERVER_PLACE = "Command or address"
SERVER_PLACE_HELP = (
    "The server is a command with its arguments, run on this machine, or an address that begins with https://."
)
PLACE_EXAMPLE = "npx -y @modelcontextprotocol/server-filesystem /home/ada/notes"
SERVER_SECRETS = "Variables"
SERVER_SECRETS_HELP = (
    "Each line is NAME=VALUE: an environment variable of the command, or a header of the requests. None is needed."
)
SERVER_SECONDS, SERVER_SECONDS_HELP = "Time for a call", "A call of a tool that takes longer is stopped."
SECONDS = " s"
REMOVE_SERVER, REMOVE_SERVER_NAME = "Remove", "Remove the server {name}"
ASK_REMOVE_SERVER = "Remove {name}, and what you agreed to?"
AGREED, NEW_TOOL, CHANGED_TOOL = "agreed", "new", "changed since you agreed"
AGREE_HELP = "Agents may use this tool as it is described here"
AGREE_FIRST = "Agree to the tool first"
ONLY_READS = "It only reads"
ONLY_READS_HELP = "Tick this where you know that the tool only reads. Its calls then run without asking you."
TAKES = "Takes: {names}"
