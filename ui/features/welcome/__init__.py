"""The welcome page: page, controllers, its own widgets and texts."""
