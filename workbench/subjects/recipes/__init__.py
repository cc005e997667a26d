"""The recipes that are saved as files in the home."""
