"""The words of agents and of the steps that lead to an answer.

The agent in the recipe, the calls that it asks for, its timeline, and the steps and thoughts of any other technique.
The rest of the chat page has its words in ``texts``.
"""

from __future__ import annotations

# agent form
AGENT = "Agent"
AGENT_HELP = "The model chooses tools, sees their results and goes on until it answers. What acts waits for your yes."
AGENT_SWITCH = "Use tools"
AGENT_OFF, NO_TOOLS = "off", "no tools"
AGENT_CHIP = "Agent: {words}"
MANAGE_TOOLS = "Tools, servers and memory…"
CHOOSE_FOLDER, CHANGE_FOLDER, CHOOSE_FOLDER_TITLE = "Choose a folder…", "Choose another folder…", "Workspace folder"
NO_FOLDER, NO_FOLDER_BUTTON = "No folder chosen", "Use no folder"
MEMORY_USES = {"off": "Off", "read": "Read", "read-write": "Read and add"}
BUDGETS = "Budgets"
NOT_AVAILABLE = "Not available: {reason}"
TOOL_UNKNOWN = "it does not exist here any more."
ASK_EACH_CALL = "Ask me before each call"
ASK_EACH_CALL_HELP = (
    "Off: it runs without asking, unless the agent has read text that is not yours, such as a document or a file."
)
ALLOWED_HERE, ASK_AGAIN = "Allowed in this chat.", "Ask again"
ASK_AGAIN_NAME = "Ask again before each call of {tool}"

# arguments of a call
MARKED_ALOUD = " [from untrusted text: {text}] "
NO_ARGUMENTS = "No arguments"
NOT_JSON = "{name} is not valid JSON: {error}."

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

# timeline
TIMELINE = "Timeline"
TIMELINE_NAME = "Timeline of the agent: up and down move, Space unfolds a result, F2 edits a step"
THOUGHT_STEP, ANSWER_STEP, TOOL_CALL = "Thought", "Answer", "Tool call"
STEP_WAITS = "Waits for you"
EDIT_THIS_STEP = "Edit this step and go on from there (F2)"
EDIT_CALL, EDIT_RESULT = "Edit the arguments…", "Write the result yourself…"
SHOW_REST, SHOW_LESS = "Show all {count:,} characters", "Show less"
REPLAY, STOP_REPLAY, REPLAY_HELP = "Replay", "Stop replay", "Show the steps one after the other, as they came"
NO_CALLS = "No tool calls"

# trace view
COLUMN_STEP, COLUMN_SCORE, COLUMN_TIME = "Step", "Score", "Time"
STEP_RUNNING, STEP_FAILED, STEP_STOPPED = "Running…", "Failed", "Stopped"
STEPS_OF_ANSWER = "Steps of the answer"
TREE, OUTLINE = "Tree", "Outline"
THOUGHT_TREE = "Tree of thoughts: use the arrow keys to move, the menu key for what can be done"
THE_QUESTION = "The question"
SEARCHING_THOUGHTS = "searching…"
THOUGHT_STATES = {
    "running": "being judged…", "open": "", "solved": "solved", "dead end": "dead end", "pruned": "pruned",
    "stopped": "stopped",
}  # fmt: skip
EXPANDED, CHANGED = "expanded by you", "edited by you"
ON_BEST_PATH = "on the best path"
SHORT_TOKENS = "{count:,} tokens"
COUNT_THOUGHTS = "{count:,} thoughts, {dead:,} given up"
EXPAND, PRUNE, EDIT_STEP = "Expand", "Prune", "Edit…"
STEP_ACTIONS_HELP = {
    "expand": "Think on from here, in another answer beside this one (Insert)",
    "prune": "Give up this thought and what follows it, and go on, in another answer beside this one (Delete)",
    "edit": "Change the text and go on from there, in another answer beside this one (F2)",
}
SAVE_DEMONSTRATION, REMOVE_DEMONSTRATION = "Save as demonstration", "Remove demonstration"
SAVE_DEMONSTRATION_HELP = (
    "Programs for similar questions are written after this one as an example. Correct its steps first where they are "
    "wrong."
)
REMOVE_DEMONSTRATION_HELP = "This program is an example for similar questions. Remove it from your task library."
GO_ON = "Go on from here"
THOUGHT_TEXT = "Text of the thought"
EDIT_STEP_HELP = "Another answer goes on from your text; what followed the old one goes. This answer stays."
SMALLER, LARGER = "Smaller (Ctrl −)", "Larger (Ctrl +)"
FIT_ALL, FIT_ALL_HELP = "Fit all", "Show the whole tree (Ctrl+9)"
INPUT = "Input"
OUTPUT = "Output"
PASSAGES = "Passages"
PROMPT_TOKENS = "{prompt_tokens:,} prompt tokens"
NEW_TOKENS = "{new_tokens:,} new tokens"
