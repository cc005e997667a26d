"""Retrieval: answers from a person's own documents, with citations.

Passages that fit a question are searched for and shown to the model before it answers (Lewis et al. 2020,
"Retrieval-augmented generation for knowledge-intensive NLP tasks", arXiv:2005.11401). Documents are read
(``reading``), cut into ``chunking`` and kept with their words and vectors in an ``index``, by ``ingest``; ``search``
finds passages; the modules about answering show them to the model and check what it makes of them.

``protocol`` says what the embedding worker, in which all of the index happens, can be asked.
"""
