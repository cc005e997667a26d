"""The words of the agent in a recipe, and of the calls for which it asks."""

from __future__ import annotations

# agent form
AGENT = "Agent"
AGENT_HELP = "The model chooses tools, sees their results and goes on until it answers. What acts waits for your yes."
AGENT_SWITCH = "Use tools"
AGENT_CHIP = "Agent: {words}"
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

# approvals
WANTS_TO_USE = "The agent wants to use “{tool}”"
WHY_ASKED = "Why you are asked: {reason}"
ALLOW_ONCE, ALLOW_IN_CHAT = "Allow once", "Allow this tool in this chat"
ALLOW_IN_CHAT_HELP = "Calls that untrusted text may have caused are asked for all the same"
EDIT_ARGUMENTS, ALLOW_EDITED = "Edit…", "Allow with these arguments"
DENY, DENY_NOW = "Deny…", "Deny"
DENY_REASON = "Reason, which the agent sees (optional)"
CLOSE_DENIES = "Close: the call is denied"
PRESS_SPACE = "Press Space; Enter does nothing here."
YOUR_ANSWER, SEND_ANSWER, NO_ANSWER = "Your answer to the agent", "Answer", "Do not answer"
WAITS_FOR_YOU = "The agent waits for your decision. It waits on when the program is closed."
