"""The recipe of a chat at the right: its cards, the forms in them, and recipes as files."""
