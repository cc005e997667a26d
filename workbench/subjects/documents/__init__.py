"""Collections, their documents, the embedding worker, watched folders."""
