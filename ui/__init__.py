"""The window. Qt only: no SQL, no model, no file parsing, no threads."""
