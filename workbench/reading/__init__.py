"""Reading: from a file to its text, in a process that may die.

``kinds`` lists the file types, ``process.ReaderProcess`` reads a file under limits of time and memory,
``reader_calls.ReadDocument`` is the result. These three are light to import. The modules that parse (``pdf``, ``word``,
``odt``, ``html``, ...) are imported by the reader process only, each when it is first needed.
"""
