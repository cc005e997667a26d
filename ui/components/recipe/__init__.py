"""The form that edits a whole recipe: of the chat's panel, and of every dialog that takes recipes."""
