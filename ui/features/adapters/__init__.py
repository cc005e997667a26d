"""The adapters page: page, controllers, its own widgets and texts."""
