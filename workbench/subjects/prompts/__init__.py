"""The library of prompts and reasoning presets."""
