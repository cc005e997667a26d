"""Tools that a model can call: a calculator, Python in a sandbox, documents, files, tables, memory.

Shared by the agents and by programs of ART. Each tool is a module with ``make(services) -> Tool`` and a row in
``methods.py``; it knows of the program only what ``ToolServices`` says.
"""
