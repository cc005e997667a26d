"""The training page: page, controllers, its own widgets and texts."""
