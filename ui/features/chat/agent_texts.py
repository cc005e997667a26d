"""The words of the agent in a recipe, and of the calls for which it asks."""

from __future__ import annotations

# agent form
AGENT_CHIP = "Agent: {words}"

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
