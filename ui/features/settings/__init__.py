"""The settings page: page, controllers, its own widgets and texts."""
