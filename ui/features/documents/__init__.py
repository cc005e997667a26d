"""The documents page: page, controllers, its own widgets and texts."""
