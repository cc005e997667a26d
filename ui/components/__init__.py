"""Widgets that several pages use. They know the theme and nothing of calls, events or pages."""
