"""The local API: recipes and models for other programs on this machine, in the shape of OpenAI's API.

A translation only: each request becomes a call of ``workbench.subjects.serving.calls`` and each answer JSON. It knows
no model, no recipe and no storage, and is imported when the API is switched on.
"""
