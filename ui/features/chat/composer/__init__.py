"""The question: its field, the files attached to the chat, and the permission to send passages elsewhere."""
