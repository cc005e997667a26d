"""The one way from a recipe and a question to an answer."""
