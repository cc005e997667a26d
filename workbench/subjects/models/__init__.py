"""Models on disk: metadata of their files, starter packages, import, the machine's memory.

Runs in the core process and therefore loads no model library: our own bounded readers parse the files, since a model
file comes from a stranger. ``workbench.storage`` keeps the catalogue.
"""
