"""Training data: from an untrusted file, a chat or a document to the tokens that a model is trained on.

In this order: ``reading`` makes rows of a file, ``shapes`` makes examples of rows, ``writing`` makes tokens of examples
(with those marked that are trained), ``statistics`` tells what is in a set, ``splitting`` sets some aside for
evaluation. ``chats``, ``documents`` and ``pairs`` make examples of what is here already; ``support`` checks pairs that
a model made.

Nothing here loads weights, and nothing of a file is executed. Importing this loads neither torch nor pyarrow.
"""
