"""The core process's services, one package per subject; ``app.Workbench`` puts them together."""
