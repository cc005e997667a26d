"""The words of the agent in a recipe, and of the calls for which it asks."""

from __future__ import annotations

from workbench.base.catalogue import _

# agent form
AGENT_CHIP = _("Agent: {words}")

# approvals
WANTS_TO_USE = _("The agent wants to use “{tool}”")
WHY_ASKED = _("Why you are asked: {reason}")
ALLOW_ONCE, ALLOW_IN_CHAT = _("Allow once"), _("Allow this tool in this chat")
ALLOW_IN_CHAT_HELP = _("Calls that untrusted text may have caused are asked for all the same")
EDIT_ARGUMENTS, ALLOW_EDITED = _("Edit…"), _("Allow with these arguments")
DENY, DENY_NOW = _("Deny…"), _("Deny")
DENY_REASON = _("Reason, which the agent sees (optional)")
CLOSE_DENIES = _("Close: the call is denied")
PRESS_SPACE = _("Press Space; Enter does nothing here.")
YOUR_ANSWER, SEND_ANSWER, NO_ANSWER = _("Your answer to the agent"), _("Answer"), _("Do not answer")
WAITS_FOR_YOU = _("The agent waits for your decision. It waits on when the program is closed.")
