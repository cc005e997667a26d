"""Text analysis: language, words, terms and sentences. Knows no index and no model."""
