"""Reading: from a file to its text, in a process that may die.

``kinds`` says which files are documents, ``process.ReaderProcess`` reads one under limits of time and memory,
``protocol.ReadDocument`` is what comes of it. These three are light to import. The modules that parse (``pdf``,
``word``, ``office``, ``html``, ...) are imported by the reader process only, each when it is first needed.
"""
