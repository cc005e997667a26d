"""The map of the techniques, and the picture of a collection's embeddings."""
