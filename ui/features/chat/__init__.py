"""The chat page: the page with its session and controller, and a folder for each thing that a person sees on it: the
chats (``history``), the ``conversation``, the ``composer``, the ``recipe``, the ``library`` of prompts, two answers
side by side (``comparison``), and an answer's tokens and beams (``traces``).
"""
