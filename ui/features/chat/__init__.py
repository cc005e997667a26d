"""The chat page: page, controllers, its own widgets and texts."""
