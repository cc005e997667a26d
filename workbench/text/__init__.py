"""What a text is made of, whoever asks: its language, words, terms and sentences. Knows no index and no model."""
