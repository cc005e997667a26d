"""Answers: asked, made, followed, stopped, inspected."""
