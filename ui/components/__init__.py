"""Widgets that several pages use. They know the theme, but no calls, events or pages."""
