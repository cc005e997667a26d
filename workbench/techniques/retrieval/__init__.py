"""Retrieval: answers from a person's own documents, with citations.

Passages that match a question are retrieved and shown to the model before it answers (Lewis et al. 2020,
"Retrieval-augmented generation for knowledge-intensive NLP tasks", arXiv:2005.11401). ``ingest`` reads documents
(``reading``), splits them (``chunking``) and stores them with their terms and vectors in an ``index``; ``search`` finds
passages; ``grounded`` shows them to the model, and ``citations`` checks the answer.

``embedding_calls`` are the calls of the embedding worker, the only process that opens an index.
"""
