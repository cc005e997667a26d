"""The models page: page, controllers, its own widgets and texts."""
