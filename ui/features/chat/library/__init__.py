"""The library of prompts: its dialog, and what is saved into it."""
