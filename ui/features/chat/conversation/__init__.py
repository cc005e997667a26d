"""The conversation: questions and answers, answers being generated, and what can be done with each."""
